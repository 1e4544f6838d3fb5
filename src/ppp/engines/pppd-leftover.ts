/**
 * A pppd that outlived the daemon that started it: killed with its parent nowhere to be told, or too deep in a script to hear. The
 * daemon calls this at its start, before it opens a port. Known by the pid file of its link name, checked by its command line, and
 * left alone while the process that started it is still its parent.
 */

import { type Clock, type Logger, sleep } from '../../base/ports.ts'
import { PPPD_RUN_FOLDERS, type PppdPidFile, pppdPidFiles, removePidFile, textOf } from './pppd-pid-files.ts'

/** For its Terminate-Request and its scripts. */
const ORDERLY_MS = 8000
const KILL_MS = 1000
const LOOK_AGAIN_MS = 50

export interface LeftOverServices {
  readonly clock: Clock
  readonly logger: Logger
  readonly runFolders?: readonly string[]
}

/** Resolves when none is left. Never rejects. */
export async function endLeftOverPppd({
  clock,
  logger,
  runFolders = PPPD_RUN_FOLDERS,
}: LeftOverServices): Promise<void> {
  await Promise.all(runFolders.flatMap(pppdPidFiles).map((found) => endOne(found, clock, logger)))
}

async function endOne(found: PppdPidFile, clock: Clock, logger: Logger): Promise<void> {
  if (isOrphan(found)) {
    logger.warn(`Ending a pppd (process ${found.pid}) that an earlier modemd left over.`)
    await endWith('SIGTERM', ORDERLY_MS, found, clock)
    await endWith('SIGKILL', KILL_MS, found, clock)
  }
  if (!isOurs(found)) removePidFile(found)
}

async function endWith(
  name: 'SIGTERM' | 'SIGKILL',
  patienceMs: number,
  found: PppdPidFile,
  clock: Clock,
): Promise<void> {
  if (!isOrphan(found)) return
  signal(found.pid, name)
  const endMs = clock.nowMs() + patienceMs
  while (isOrphan(found) && clock.nowMs() < endMs) await sleep(clock, LOOK_AGAIN_MS)
}

function isOrphan(found: PppdPidFile): boolean {
  const parent = /^PPid:\s*(\d+)/m.exec(textOf(`/proc/${found.pid}/status`))?.[1]
  return isOurs(found) && parent !== undefined && Number(parent) !== found.startedBy
}

/** The number may long be another program's. */
function isOurs({ pid, linkName }: PppdPidFile): boolean {
  const words = textOf(`/proc/${pid}/cmdline`).split('\0')
  const at = words.indexOf('linkname')
  return at >= 0 && words[at + 1] === linkName
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}
