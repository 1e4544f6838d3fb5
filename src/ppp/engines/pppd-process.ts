/**
 * The system's pppd as a child of ours, on a tty that stays open here.
 *
 * The tty is its standard input, from which it takes the name and opens the line once more for itself: an opening of its own, so that
 * neither changes the other's O_NONBLOCK, and as ours is never the last one to be closed, DTR stays up. Options come by a pipe that
 * pppd empties while it starts: nothing of them is in its arguments, its environment or a file. With us it ends: setpriv(1) has
 * the kernel send it SIGTERM when this process dies, however that comes; `pppd-leftover.ts` looks after what even that missed.
 */

import { type ChildProcess, type StdioOptions, spawnSync } from 'node:child_process'
import { ModemdError } from '../../base/errors.ts'
import { startChild } from '../../system/child.ts'
import {
  checked,
  close,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  open,
  pipe2,
  systemError,
  write,
} from '../../system/libc.ts'
import { linkNameOf, PPPD_RUN_FOLDERS, pppdPidFiles, removePidFile } from './pppd-pid-files.ts'

/** pppd and its scripts get this and nothing of ours: our environment is none of theirs. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin' }
const OPTIONS_FD = 3
/** A program that pppd started and that holds its output must not hold up the end. */
const OUTPUT_GRACE_MS = 500

export interface PppdEvents {
  output(text: string): void
  /** Once, when it is gone and all it said was told. `error`: it could not be started. */
  ended(end: { readonly exitCode?: number; readonly signal?: string; readonly error?: NodeJS.ErrnoException }): void
}

export interface PppdProcess {
  readonly linkName: string
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** `options`: an options file's text. Throws ModemdError. */
export function startPppd(program: string, ttyFd: number, options: string, events: PppdEvents): PppdProcess {
  // Through /proc: the very line, also where its name has gone to another device meanwhile.
  const tty = checked(open(`/proc/self/fd/${ttyFd}`, O_RDWR | O_NOCTTY | O_NONBLOCK), 'cannot open the port for pppd')
  let pipe = -1
  try {
    pipe = pipeWith(Buffer.from(options))
    const linkName = linkNameOf(ttyFd)
    const [command, ...args] = [...tiedToUs(), program, ...ownArguments(linkName)]
    // Not in a session of its own: as its leader pppd would make the line its controlling terminal, and the kernel hangs that up with
    // its end, for us as well.
    const stdio: StdioOptions = [tty, 'pipe', 'pipe', pipe]
    const told = untilTheEnd(linkName, events)
    const surroundings = { stdio, env: ENVIRONMENT, cwd: '/' }
    const child = startChild(command!, args, surroundings, (error) => told.ended({ error }))
    if (child) watch(child, told)
    return { linkName, kill: (signal) => void child?.kill(signal) }
  } finally {
    close(tty)
    if (pipe >= 0) close(pipe)
  }
}

/**
 * What the engine stands on; later than the options, so that none of those undoes it. The line is dialled: there is nothing to run on
 * it first, and while pppd runs a script it passes signals on to its process group, which is ours.
 */
function ownArguments(linkName: string): string[] {
  const file = ['file', `/proc/self/fd/${OPTIONS_FD}`]
  const noScripts = ['connect', '', 'init', '', 'welcome', '']
  return [...file, 'nodetach', 'nopersist', 'nolock', 'logfd', '1', 'hide-password', ...noScripts, 'linkname', linkName]
}

/** The read end of a pipe that holds these bytes and its end. */
function pipeWith(bytes: Uint8Array): number {
  const ends = new Int32Array(2)
  checked(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 'cannot make a pipe')
  const [readEnd, writeEnd] = ends as unknown as [number, number]
  const written = write(writeEnd, bytes, bytes.length)
  close(writeEnd)
  if (written === bytes.length) return readEnd
  close(readEnd)
  if (written < 0) throw systemError(written, 'cannot hand the options to pppd')
  throw new ModemdError('InvalidArgs', 'the options for pppd are too long', 'pppd-failed')
}

let setpriv: readonly string[] | undefined

/** util-linux 2.33 and later; without it only the next start ends a pppd that was left over. */
function tiedToUs(): readonly string[] {
  if (setpriv) return setpriv
  const { stdout, error } = spawnSync('setpriv', ['--help'], { encoding: 'utf8', env: ENVIRONMENT })
  const found = /--pdeathsig/.test(stdout ?? '') ? ['setpriv', '--pdeathsig', 'TERM', '--'] : []
  // Without descriptors or memory it cannot be asked: that says nothing of it.
  if (!error || (error as NodeJS.ErrnoException).code === 'ENOENT') setpriv = found
  return found
}

/** Nothing is told after the end, and that once. */
function untilTheEnd(linkName: string, events: PppdEvents): PppdEvents {
  let isTold = false
  return {
    output: (text) => {
      if (!isTold) events.output(text)
    },
    ended: (end) => {
      if (isTold) return
      isTold = true
      removePidFiles(linkName)
      events.ended(end)
    },
  }
}

function watch(child: ChildProcess, events: PppdEvents): void {
  const streams = [child.stdout, child.stderr]
  const end = (code: number | null, signal: string | null) => {
    for (const stream of streams) stream?.destroy()
    events.ended(code === null ? { signal: signal! } : { exitCode: code })
  }
  for (const stream of streams) stream?.setEncoding('utf8').on('data', (text: string) => events.output(text))
  child.on('exit', (code, signal) => setTimeout(() => end(code, signal), OUTPUT_GRACE_MS).unref())
  child.on('close', end)
}

/** pppd removes its own, unless it was killed. */
function removePidFiles(linkName: string): void {
  const ours = PPPD_RUN_FOLDERS.flatMap(pppdPidFiles).filter((file) => file.linkName === linkName)
  for (const file of ours) removePidFile(file)
}
