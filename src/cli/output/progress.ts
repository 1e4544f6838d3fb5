/**
 * The phases of a link coming up, as they happen. On a terminal the running phase shows its time; elsewhere each phase is
 * one line when it is done. Durations are modemd's own (Link1.PhaseMs). Called by `commands/connect.ts`.
 */

import type { Cancel, Clock } from '../../base/ports.ts'
import { formatDuration } from './format.ts'
import type { Output } from './output.ts'
import { cut, pad, widthOf } from './text.ts'

export const PHASES = ['modem', 'sim', 'network', 'dial', 'lcp', 'auth', 'address'] as const
export type Phase = (typeof PHASES)[number]

const TITLES: Readonly<Record<Phase, string>> = {
  modem: 'modem',
  sim: 'SIM',
  network: 'network',
  dial: 'dial',
  lcp: 'LCP',
  auth: 'auth',
  address: 'address',
}

const TITLE_WIDTH = 9
const TIME_WIDTH = 10
const NARROWEST_DETAIL = 20
const WIDEST_DETAIL = 48
const REDRAW_MS = 100
const CLEAR_LINE = '\r\x1b[K'

export interface ProgressState {
  /** Milliseconds of the phases that are done. */
  readonly doneMs: Readonly<Partial<Record<Phase, number>>>
  /** The phase that the link's state names, where it names one. */
  readonly running?: Phase | undefined
  /** What a phase found, clean: the operator, the CONNECT line … */
  readonly detail: (phase: Phase) => string
}

export class Progress {
  readonly #output: Output
  readonly #clock: Clock
  #next = 0
  #running: Phase | undefined
  #runningSinceMs: number
  #cancelTick: Cancel | undefined
  #hasEnded = false

  constructor(output: Output, clock: Clock) {
    this.#output = output
    this.#clock = clock
    this.#runningSinceMs = clock.nowMs()
  }

  /** Prints what is newly done. A phase that was passed over, as authentication may be, gets no line. */
  update(state: ProgressState): void {
    if (this.#hasEnded) return
    // A new attempt begins: what was done is not done any more.
    if (PHASES.every((phase) => state.doneMs[phase] === undefined)) this.#restart()
    for (let index = this.#next; index < PHASES.length; index++) {
      const phase = PHASES[index]!
      const ms = state.doneMs[phase]
      if (ms === undefined) continue
      this.#printLine(phase, state.detail(phase), formatDuration(ms))
      this.#next = index + 1
      this.#runningSinceMs = this.#clock.nowMs()
    }
    const indexOf = (phase: Phase | undefined) => (phase === undefined ? -1 : PHASES.indexOf(phase))
    this.#running = PHASES[Math.max(this.#next, indexOf(state.running), indexOf(this.#running))]
    this.#tick()
  }

  /** `failed`: the phase that failed, unless a later one was running. Nothing is shown after the first end. */
  end(failed: Phase | 'running' | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#cancelTick?.()
    this.#cancelTick = undefined
    if (this.#output.isTerminal) this.#output.raw(CLEAR_LINE)
    if (failed === undefined) return
    const isPast = failed === 'running' || PHASES.indexOf(failed) < this.#next
    const phase = isPast ? this.#running : failed
    if (phase) this.#printLine(phase, 'failed', formatDuration(this.#clock.nowMs() - this.#runningSinceMs), true)
  }

  #restart(): void {
    this.#next = 0
    this.#running = undefined
  }

  #printLine(phase: Phase, detail: string, time: string, failed = false): void {
    const { colors, isTerminal } = this.#output
    if (isTerminal) this.#output.raw(CLEAR_LINE)
    const paint = failed ? colors.red : String
    this.#output.print(`  ${pad(TITLES[phase], TITLE_WIDTH)}${paint(this.#detail(detail))}${colors.dim(right(time))}`)
  }

  #tick(): void {
    this.#cancelTick?.()
    if (!this.#output.isTerminal || !this.#running) return
    const elapsed = formatDuration(this.#clock.nowMs() - this.#runningSinceMs)
    const line = `  ${pad(TITLES[this.#running], TITLE_WIDTH)}${this.#detail('…')}${right(elapsed)}`
    this.#output.raw(`${CLEAR_LINE}${this.#output.colors.dim(line)}`)
    this.#cancelTick = this.#clock.at(this.#clock.nowMs() + REDRAW_MS, () => this.#tick())
  }

  #detail(text: string): string {
    const room = this.#output.width - 2 - TITLE_WIDTH - TIME_WIDTH - 1
    const columns = Math.max(NARROWEST_DETAIL, Math.min(WIDEST_DETAIL, room))
    return pad(cut(text, columns), columns)
  }
}

function right(text: string): string {
  return ' '.repeat(Math.max(1, TIME_WIDTH - widthOf(text))) + text
}
