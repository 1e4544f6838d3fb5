/** The pid files that pppd keeps for its link and its interface, and leaves behind when it is killed. */

import { readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Begins the link's name for pppd (`linkname`): `ppp-LINKNAME.pid` is how one of ours is found again. */
const PREFIX = 'modemd-'
/** Where pppd keeps them: up to 2.4.9, and from 2.5 on. */
export const PPPD_RUN_FOLDERS = ['/run', '/run/pppd'] as const

export interface PppdPidFile {
  readonly path: string
  readonly linkName: string
  /** The process that started this pppd. */
  readonly startedBy: number
  /** NaN: the file is empty, or gone. */
  readonly pid: number
  readonly interfaceName: string
}

/** With our process id: whoever finds this pppd with another parent knows that it was left over. */
export function linkNameOf(ttyFd: number): string {
  return `${PREFIX}${process.pid}-${ttyFd}`
}

/** All of ours in a folder. */
export function pppdPidFiles(folder: string): PppdPidFile[] {
  const pattern = new RegExp(`^ppp-(${PREFIX}(\\d+)-\\d+)\\.pid$`)
  return namesIn(folder).flatMap((name) => {
    const [, linkName, startedBy] = pattern.exec(name) ?? []
    if (linkName === undefined) return []
    const path = join(folder, name)
    const [pid = '', interfaceName = ''] = textOf(path).split('\n')
    return [{ path, linkName, startedBy: Number(startedBy), pid: Number.parseInt(pid, 10), interfaceName }]
  })
}

/** The interface's goes too, unless another pppd has it by now. */
export function removePidFile({ path, pid, interfaceName }: PppdPidFile): void {
  const ofInterface = join(dirname(path), `${interfaceName}.pid`)
  if (interfaceName !== '' && !interfaceName.includes('/') && Number.parseInt(textOf(ofInterface), 10) === pid)
    remove(ofInterface)
  remove(path)
}

export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // pppd has removed it.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
