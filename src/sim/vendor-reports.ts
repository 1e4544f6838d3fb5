/**
 * What a modem says by itself beside the standard's reports: at its start, when the SIM opens or goes, when it finds or loses its
 * network, and its signal, as the personality's file has them. Pure; `modem-state.ts` tells it what happened.
 */

import type { Deadline } from '../base/machine.ts'
import type { Personality } from './personality.ts'

export interface VendorLine {
  readonly text: string
  /** Only where the port wants them. */
  readonly isSignal: boolean
}

/** `{csq}` and so on in a report. */
export type ReportValues = Readonly<Record<string, string | number>>

type Saying = Personality['reports']['start'][number]

export interface VendorReportsOptions {
  readonly reports: Personality['reports']
  values(nowMs: number): ReportValues
  isDrifting(): boolean
  say(line: VendorLine, nowMs: number): void
}

export class VendorReports {
  readonly #options: VendorReportsOptions
  #waiting: { readonly atMs: number; readonly text: string }[] = []
  #nextBootMs: number | undefined
  #nextSignalMs: number | undefined
  #lastSignal = ''

  constructor(options: VendorReportsOptions) {
    this.#options = options
  }

  /** `simReadyMs` undefined: the SIM asks for something first. */
  powerOn(bootedAtMs: number, simReadyMs: number | undefined): void {
    const { boot, start, simReady, signal, signalEveryMs } = this.#options.reports
    if (boot) this.#nextBootMs = bootedAtMs + boot.everyMs
    if (signal.length > 0 && signalEveryMs > 0) this.#nextSignalMs = bootedAtMs + signalEveryMs
    this.#plan(start, bootedAtMs)
    if (simReadyMs !== undefined) this.#plan(simReady, simReadyMs)
  }

  simReady(nowMs: number): void {
    this.stopBoot()
    this.#plan(this.#options.reports.simReady, nowMs)
    this.tick(nowMs)
  }

  simRemoved(nowMs: number): void {
    this.#plan(this.#options.reports.simRemoved, nowMs)
    this.tick(nowMs)
  }

  /** From then on it can be asked. */
  simInserted(fromMs: number, isReady: boolean): void {
    this.#plan(this.#options.reports.simInserted, fromMs)
    if (isReady) this.#plan(this.#options.reports.simReady, fromMs)
  }

  network(isRegistered: boolean, nowMs: number): void {
    const { registered, unregistered } = this.#options.reports
    this.#plan(isRegistered ? registered : unregistered, nowMs)
    this.tick(nowMs)
  }

  stopBoot(): void {
    this.#nextBootMs = undefined
  }

  signal(nowMs: number): void {
    const { signal, signalEveryMs } = this.#options.reports
    if (signal.length === 0) return
    this.#nextSignalMs = nowMs + signalEveryMs
    const lines = signal.map((text) => this.#filled(text, nowMs))
    if (lines.join() === this.#lastSignal) return
    this.#lastSignal = lines.join()
    for (const text of lines) this.#options.say({ text, isSignal: true }, nowMs)
  }

  deadlines(): readonly (Deadline | undefined)[] {
    const at = (atMs: number | undefined, why: string) => (atMs === undefined ? undefined : { atMs, why })
    return [
      at(this.#waiting[0]?.atMs, 'report'),
      at(this.#nextBootMs, 'boot report'),
      at(this.#options.isDrifting() ? this.#nextSignalMs : undefined, 'signal report'),
    ]
  }

  tick(nowMs: number): void {
    for (let first = this.#waiting[0]; first && first.atMs <= nowMs; first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#options.say({ text: this.#filled(first.text, nowMs), isSignal: false }, nowMs)
    }
    const { boot } = this.#options.reports
    if (boot && isDue(this.#nextBootMs, nowMs)) {
      this.#nextBootMs = nowMs + boot.everyMs
      this.#options.say({ text: boot.text, isSignal: false }, nowMs)
    }
    if (isDue(this.#nextSignalMs, nowMs)) this.signal(nowMs)
  }

  #plan(sayings: readonly Saying[], fromMs: number): void {
    if (sayings.length === 0) return
    const planned = sayings.map(({ text, afterMs }) => ({ atMs: fromMs + afterMs, text }))
    this.#waiting = [...this.#waiting, ...planned].sort((a, b) => a.atMs - b.atMs)
  }

  #filled(text: string, nowMs: number): string {
    if (!text.includes('{')) return text
    const values = this.#options.values(nowMs)
    return text.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ''))
  }
}

function isDue(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs
}
