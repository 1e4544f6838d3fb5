/**
 * Leaving the terminal. A Node process cannot fork, so the one that the user started only starts another of the same words, in a session of
 * its own, and stays until that is on its own feet: at once (pppd's way) or when the link is up (`updetach`). The child tells by a pipe.
 * If the first is killed before, the second ends too.
 */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { argv, execArgv, execPath } from 'node:process'
import type { Readable } from 'node:stream'
import { close, dup2, O_RDWR, open, read, write } from '../../system/libc.ts'
import { type FdWatch, watchFd } from '../../system/poll.ts'
import { setNonBlocking } from '../../system/shared-fd.ts'
import { EXIT } from './exit-codes.ts'
import { leave } from './leave.ts'
import { toStderr } from './messages.ts'
import type { PppOptions } from './options.ts'

/** Names the pipe's descriptor; only the child has it. */
const VARIABLE = 'MODEM_PPP_PARENT_FD'
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
const STDIO = [0, 1, 2] as const

/** The process that the user started: never returns to its caller's work. */
export function startDetached(options: PppOptions): void {
  const isAtUp = options.detach === 'at-up'
  const stdio = childStdio(options, isAtUp)
  const pipeFd = stdio.length
  const child = spawn(execPath, [...execArgv, ...argv.slice(1)], {
    detached: true,
    stdio: [...stdio, 'pipe'] as StdioOptions,
    env: { ...process.env, [VARIABLE]: String(pipeFd) },
  })
  child.once('error', (error) => {
    toStderr(`modem-ppp: cannot start itself again: ${error.message}\n`)
    leave(EXIT.fatal)
  })
  if (!isAtUp) {
    // The child reads from the pipe that we are gone in good order.
    child.once('spawn', () => tell(child, pipeFd, () => leave(EXIT.ok)))
    return
  }
  for (const name of FORWARDED) process.on(name, () => child.kill(name))
  const pipe = child.stdio[pipeFd] as Readable
  pipe.once('data', () => leave(EXIT.ok))
  pipe.on('error', () => {})
  child.once('exit', (code, signal) => {
    if (signal) toStderr(`modem-ppp: ended by signal ${constants.signals[signal]}\n`)
    leave(code ?? EXIT.fatal)
  })
}

/** The child's side. */
export class Parent {
  readonly #fd: number
  readonly #keepsStdio: boolean
  #watch: FdWatch | undefined

  private constructor(fd: number, keepsStdio: boolean) {
    this.#fd = fd
    this.#keepsStdio = keepsStdio
  }

  /** undefined: nobody started us so. The variable is gone afterwards, for our own children. */
  static find(options: PppOptions): Parent | undefined {
    const fd = Number(process.env[VARIABLE])
    delete process.env[VARIABLE]
    return fd > 2 ? new Parent(fd, options.line.type === 'stdio') : undefined
  }

  static get isThere(): boolean {
    return process.env[VARIABLE] !== undefined
  }

  /** `onGone`: it ended, or was killed, before it let us go. */
  onGone(listener: () => void): void {
    setNonBlocking(this.#fd)
    const heard = () => {
      const wasLetGo = read(this.#fd, new Uint8Array(1), 1) === 1
      this.#letGo()
      if (!wasLetGo) listener()
    }
    this.#watch = watchFd(this.#fd, { readable: heard, error: heard })
  }

  /** The link is up: the terminal is the user's again. */
  up(): void {
    if (!this.#watch) return
    write(this.#fd, Uint8Array.of(1), 1)
    this.#letGo()
    if (this.#keepsStdio) return
    const nowhere = open('/dev/null', O_RDWR)
    for (const fd of STDIO) dup2(nowhere, fd)
    close(nowhere)
  }

  #letGo(): void {
    this.#watch?.close()
    this.#watch = undefined
    close(this.#fd)
    process.chdir('/')
  }
}

function tell(child: ChildProcess, pipeFd: number, then: () => void): void {
  const pipe = child.stdio[pipeFd] as unknown as NodeJS.WritableStream
  pipe.write('1', then)
}

/** Standard input and output where they are the line, the log's descriptor, and the terminal as long as it is ours. */
function childStdio({ line, log }: PppOptions, isAtUp: boolean): (number | 'ignore')[] {
  const isLine = line.type === 'stdio'
  const stdio: (number | 'ignore')[] = [isLine ? 0 : 'ignore', isLine || isAtUp ? 1 : 'ignore', isAtUp ? 2 : 'ignore']
  if (log.type !== 'fd' || log.fd <= 2) return stdio
  while (stdio.length < log.fd) stdio.push('ignore')
  return [...stdio, log.fd]
}
