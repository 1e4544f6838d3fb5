/**
 * Asks systemd-logind to wait for us, a few seconds at most, before the machine sleeps: a systemd-inhibit(1) child, since our D-Bus
 * library cannot take the descriptor that Inhibit() answers. It ends with its pipe, and so with us. Used by `daemon/suspend.ts`.
 */

import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import { startChild } from './child.ts'

const WORDS = ['--what=sleep', '--mode=delay', '--who=modemd', '--why=Links are hung up in order', 'cat']
const LONGEST_WORDS = 300

export interface SleepInhibitorOptions {
  /** Of the system's bus, `unix:path=/…`. */
  readonly busAddress: string
  readonly logger: Logger
  readonly program?: string
}

export class SleepInhibitor {
  readonly #options: SleepInhibitorOptions
  #child: ChildProcess | undefined
  #isSaid = false

  constructor(options: SleepInhibitorOptions) {
    this.#options = options
  }

  /** From a moment later on. Idempotent; where it cannot be had, that is said once. */
  hold(): void {
    if (this.#child) return
    const { busAddress, program = 'systemd-inhibit' } = this.#options
    const ended = (why: string) => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#sayAbsence(why)
    }
    const options: SpawnOptions = {
      env: { PATH: process.env.PATH, DBUS_SYSTEM_BUS_ADDRESS: busAddress },
      stdio: ['pipe', 'ignore', 'pipe'],
    }
    const child = startChild(program, WORDS, options, (error) => ended(errorText(error)))
    this.#child = child
    let words = ''
    child?.stderr?.on('data', (bytes) => {
      words = (words + bytes).slice(0, LONGEST_WORDS)
    })
    child?.stdin?.on('error', () => {})
    child?.on('close', (code, signal) => ended(words.trim() || `exit ${code ?? signal}`))
  }

  release(): void {
    const child = this.#child
    this.#child = undefined
    child?.stdin?.end()
  }

  #sayAbsence(why: string): void {
    if (this.#isSaid) return
    this.#isSaid = true
    this.#options.logger.warn(
      `The machine does not wait for links to be hung up before it sleeps: systemd-inhibit does not work here (${why}).`,
    )
  }
}
