/**
 * The scripts that talk on the line itself: `init`, `connect`, `disconnect`, `welcome`, and the command of `pty`. As with pppd a
 * shell runs them, with the line as standard input and output, and what they say on standard error goes to our log. `line.ts` uses it.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { setNonBlocking } from '../../system/shared-fd.ts'
import type { Messages } from './messages.ts'

/** Where scripts complain when we have no log of our own. */
const ERROR_FILE = '/var/log/ppp-connect-errors'
const ERROR_FILE_MODE = 0o600

export class DeviceScripts {
  readonly #messages: Messages
  #running: ChildProcess | undefined

  constructor(messages: Messages) {
    this.#messages = messages
  }

  /** True: it ended with 0. The line belongs to it until then; nobody else reads. */
  async run(command: string, fd: number): Promise<boolean> {
    try {
      const child = this.start(command, fd)
      this.#running = child
      return await this.#ended(child, command)
    } finally {
      this.#running = undefined
      // The script shared our opening of the line, and Node had made it wait in its reads.
      setNonBlocking(fd)
    }
  }

  /** In a process group of its own, so that a signal reaches what the shell started too. */
  start(command: string, fd: number): ChildProcess {
    const errors = this.#errorFd()
    try {
      const child = spawn('/bin/sh', ['-c', command], { stdio: [fd, fd, errors ?? 'ignore'], detached: true })
      child.once('exit', (code) => {
        if (code === null) return
        this.#messages.debug(`Script ${command} finished (pid ${child.pid}), status = 0x${code.toString(16)}`)
      })
      return child
    } finally {
      if (errors !== undefined && errors !== this.#messages.fd) closeSync(errors)
    }
  }

  /** A signal that came for us while a script has the line is for it too. False: none has. */
  kill(signal: NodeJS.Signals): boolean {
    const pid = this.#running?.pid
    if (pid === undefined) return false
    killGroup(pid, signal)
    return true
  }

  #ended(child: ChildProcess, command: string): Promise<boolean> {
    return new Promise((resolve) => {
      child.once('error', (error) => {
        this.#messages.error(`Can't execute /bin/sh: ${error.message}`)
        resolve(false)
      })
      child.once('exit', (code, signal) => {
        if (signal) {
          const number = constants.signals[signal]
          this.#messages.warn(`Child process ${command} (pid ${child.pid}) terminated with signal ${number}`)
        }
        resolve(code === 0)
      })
    })
  }

  #errorFd(): number | undefined {
    if (this.#messages.fd !== undefined) return this.#messages.fd
    try {
      return openSync(ERROR_FILE, 'a', ERROR_FILE_MODE)
    } catch {
      return undefined
    }
  }
}

export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It has just ended.
  }
}
