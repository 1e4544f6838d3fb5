/**
 * The administrator's programs at the events of a link: /etc/ppp/ip-up and its like (pppd(8), SCRIPTS), with pppd's arguments and
 * nothing but its variables. `link.ts` says when. Of each pair the second waits until the first has ended, and runs only after it.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { constants, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import type { Messages } from './messages.ts'

/** pppd's have none, and each shell takes its own. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const UMASK = 0o077
const ANY_EXECUTE = constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH

export class ScriptRunner {
  readonly #messages: Messages
  readonly #variables = new Map<string, string>([['PATH', PATH]])
  readonly #running = new Map<ChildProcess, string>()
  readonly #work = new Set<Promise<void>>()

  constructor(messages: Messages) {
    this.#messages = messages
  }

  /** undefined: no such variable any more. */
  set(name: string, value: string | undefined): void {
    if (value === undefined) this.#variables.delete(name)
    else this.#variables.set(name, value.replaceAll('\0', ''))
  }

  /** Resolves when it has ended, at once where there is none. Never rejects. */
  run(program: string, args: readonly string[]): Promise<void> {
    if (!this.#isRunnable(program)) return Promise.resolve()
    return new Promise((resolve) => {
      const child = this.#spawn(program, args)
      this.#running.set(child, program)
      const end = () => {
        this.#running.delete(child)
        resolve()
      }
      child.once('error', (error) => {
        this.#messages.warn(`Can't execute ${program}: ${error.message}`)
        end()
      })
      child.once('exit', (code, signal) => {
        this.#ended(program, child.pid, code, signal)
        end()
      })
      if (child.pid !== undefined) this.#messages.debug(`Script ${program} started (pid ${child.pid})`)
    })
  }

  /** What still runs, for the log. */
  get running(): readonly { readonly program: string; readonly pid: number | undefined }[] {
    return [...this.#running].map(([{ pid }, program]) => ({ program, pid }))
  }

  /** What a pair still has to do counts too. */
  track(work: Promise<void>): void {
    this.#work.add(work)
    void work.then(() => this.#work.delete(work))
  }

  /** At the end: resolves when nothing runs any more, nor will. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  #isRunnable(program: string): boolean {
    try {
      const { mode } = statSync(program)
      if ((mode & constants.S_IFMT) === constants.S_IFREG && mode & ANY_EXECUTE) return true
      this.#messages.warn(`Can't execute ${program}: Permission denied`)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') this.#messages.warn(`Can't execute ${program}: ${message}`)
    }
    return false
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const umask = process.umask(UMASK)
    try {
      const env = Object.fromEntries(this.#variables)
      return spawn(program, args, { env, cwd: '/', stdio: 'ignore', detached: true })
    } finally {
      process.umask(umask)
    }
  }

  #ended(program: string, pid: number | undefined, code: number | null, signal: NodeJS.Signals | null): void {
    if (signal) {
      const number = osConstants.signals[signal]
      this.#messages.warn(`Child process ${program} (pid ${pid}) terminated with signal ${number}`)
    }
    const status = signal ? osConstants.signals[signal] : (code ?? 0) << 8
    this.#messages.debug(`Script ${program} finished (pid ${pid}), status = 0x${status.toString(16)}`)
  }
}

/** Two programs of which the second undoes the first. */
export class ScriptPair {
  readonly #runner: ScriptRunner
  readonly #up: string
  readonly #down: string
  #args: readonly string[] = []
  /** What the last program that was started said, and what it should be. */
  #state: 'up' | 'down' = 'down'
  #wanted: 'up' | 'down' = 'down'
  #isRunning = false

  constructor(runner: ScriptRunner, up: string, down: string) {
    this.#runner = runner
    this.#up = up
    this.#down = down
  }

  up(args: readonly string[]): void {
    this.#args = args
    this.#wanted = 'up'
    this.#runner.track(this.#follow())
  }

  /** With the arguments of `up`. */
  down(): void {
    this.#wanted = 'down'
    this.#runner.track(this.#follow())
  }

  /** At most one at a time; what was overtaken meanwhile is left out, as with pppd. */
  async #follow(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#state !== this.#wanted) {
      this.#state = this.#wanted
      await this.#runner.run(this.#state === 'up' ? this.#up : this.#down, this.#args)
    }
    this.#isRunning = false
  }
}

/** A peer calls itself what it likes: what is left of it means nothing to a shell, a path or an option parser. */
export function cleanedName(name: string): string {
  return name
    .slice(0, 255)
    .replace(/[^A-Za-z0-9@._+=:,\\-]/g, '_')
    .replace(/^[-.]/, '_')
}
