/**
 * What all ports of one modem share: SIM, radio, registration, PDP contexts, the call. Pure: told the time, asked for its
 * deadline. Commands read and change it; what changes by itself is reported to the ports.
 */

import type { Deadline } from '../base/machine.ts'
import type { Identity } from './identity.ts'
import { csqOf, type VirtualNetwork } from './network.ts'
import type { Personality } from './personality.ts'
import type { SimAnswer, SimCard } from './sim-card.ts'

/** 3GPP TS 27.007 §7.2: `stat` of +CREG. */
export type RegistrationStat = 0 | 1 | 2 | 3 | 5

export type Report =
  | { readonly kind: 'registration' }
  /** A line of the vendor's own, for the `at` port. */
  | { readonly kind: 'vendor'; readonly line: string; readonly isBoot?: boolean }
  /** The call is over and not by the host. */
  | { readonly kind: 'call-lost' }

export interface PdpContext {
  readonly cid: number
  readonly type: string
  readonly apn: string
}

export interface Timings {
  readonly bootMs: number
  readonly simReadyMs: number
  readonly registerMs: number
  /** For a command as its name and form, `+COPS=?`. */
  replyMs(key: string): number
}

export interface ModemStateOptions {
  readonly personality: Personality
  readonly identity: Identity
  readonly sim: SimCard
  readonly network: VirtualNetwork
  readonly timings: Timings
}

export type CallState = 'none' | 'dialling' | 'online' | 'suspended'

const ACCESS_TECHNOLOGY = { gsm: 0, umts: 6, lte: 7 } as const

export class ModemState {
  readonly personality: Personality
  readonly identity: Identity
  readonly sim: SimCard
  readonly network: VirtualNetwork
  readonly timings: Timings
  readonly contexts = new Map<number, PdpContext>()
  readonly #reporters: ((report: Report, nowMs: number) => void)[] = []
  call: CallState = 'none'
  /** Of the call that stands or stood last. */
  callCid = 0
  isAttached = true
  /** +COPS=2. */
  isDeregistered = false
  /** Of the call, for ^DSFLOWRPT. */
  rxBytes = 0
  txBytes = 0
  #callSinceMs = 0
  #wantsWake = false
  #radio: 0 | 1 | 4 = 1
  #registration: RegistrationStat = 0
  #bootedAtMs = 0
  #registerAtMs: number | undefined
  #simReadyAtMs: number | undefined
  #nextBootReportMs: number | undefined
  #nextSignalReportMs: number | undefined
  #nextFlowReportMs: number | undefined
  #lastCsq: number | undefined

  constructor(options: ModemStateOptions) {
    this.personality = options.personality
    this.identity = options.identity
    this.sim = options.sim
    this.network = options.network
    this.timings = options.timings
    for (const each of options.personality.call.contexts) this.contexts.set(each.cid, each)
  }

  onReport(reporter: (report: Report, nowMs: number) => void): void {
    this.#reporters.push(reporter)
  }

  /** A report waits in a port that is not being handled. */
  wantWake(): void {
    this.#wantsWake = true
  }

  takeWake(): boolean {
    const wanted = this.#wantsWake
    this.#wantsWake = false
    return wanted
  }

  /** Power-on; +CFUN=1,1 comes here again by way of a new plug. */
  powerOn(nowMs: number): void {
    this.#bootedAtMs = nowMs + this.timings.bootMs
    const { boot, vendor, signalEveryMs } = this.personality.reports
    if (boot) this.#nextBootReportMs = this.#bootedAtMs + boot.everyMs
    if (vendor && signalEveryMs > 0) this.#nextSignalReportMs = this.#bootedAtMs + signalEveryMs
    this.refresh(nowMs)
  }

  hasBooted(nowMs: number): boolean {
    return nowMs >= this.#bootedAtMs
  }

  get radio(): 0 | 1 | 4 {
    return this.#radio
  }

  setRadio(radio: 0 | 1 | 4, nowMs: number): void {
    this.#radio = radio
    if (radio !== 1) this.loseCall(nowMs)
    this.refresh(nowMs)
  }

  get registration(): RegistrationStat {
    return this.#registration
  }

  get isRegistered(): boolean {
    return this.#registration === 1 || this.#registration === 5
  }

  get accessTechnology(): number {
    return ACCESS_TECHNOLOGY[this.personality.radio.technology]
  }

  /** Tracking or location area and cell, as +CREG gives them. */
  get place(): string {
    return '"0001","0A1B2C3D"'
  }

  /** Received while the radio is on, registered or not. */
  dbmAt(nowMs: number): number | undefined {
    return this.#radio === 1 ? this.network.dbmAt(nowMs) : undefined
  }

  isSimBusy(nowMs: number): boolean {
    return this.#simReadyAtMs !== undefined && nowMs < this.#simReadyAtMs
  }

  /** After any PIN command: the SIM takes a while, then the modem looks for its network. */
  afterPin(answer: SimAnswer, nowMs: number): void {
    if (answer === 'ok' && this.sim.state === 'ready' && this.#registration === 0 && this.#registerAtMs === undefined) {
      this.#nextBootReportMs = undefined
      this.#simReadyAtMs = nowMs + this.timings.simReadyMs
      this.#vendor('^SIMST', '1', nowMs)
    }
    this.refresh(nowMs)
  }

  stopBootReports(): void {
    this.#nextBootReportMs = undefined
  }

  removeSim(nowMs: number): void {
    this.sim.remove()
    this.#vendor('^SIMST', '255', nowMs)
    this.refresh(nowMs)
  }

  /** The operator changed its mind about us. */
  networkChanged(nowMs: number): void {
    this.#enter(0, nowMs)
    this.refresh(nowMs)
  }

  signalChanged(nowMs: number): void {
    if (this.personality.reports.vendor) this.#reportSignal(nowMs)
  }

  /** Looks for the network where there is reason to, and leaves it where there is none. */
  refresh(nowMs: number): void {
    const maySearch = this.#radio === 1 && this.sim.state === 'ready' && !this.isDeregistered
    if (!maySearch) {
      this.#registerAtMs = undefined
      this.#enter(0, nowMs)
      return
    }
    if (this.#registration !== 0) return
    this.#enter(2, nowMs)
    if (this.network.mode === 'none') return
    const fromMs = Math.max(nowMs, this.#simReadyAtMs ?? 0, this.#bootedAtMs)
    this.#registerAtMs = fromMs + this.timings.registerMs
    if (this.#registerAtMs <= nowMs) this.tick(nowMs)
  }

  /** `context` of the dialled number, if the network gives one. */
  callContext(cid: number): PdpContext | undefined {
    const context = this.contexts.get(cid) ?? { cid, type: 'IP', apn: '' }
    return this.network.takesApn(context.apn) ? context : undefined
  }

  callStarted(cid: number, nowMs: number): void {
    this.call = 'online'
    this.callCid = cid
    this.#callSinceMs = nowMs
    this.rxBytes = 0
    this.txBytes = 0
    const { flowEveryMs } = this.personality.reports
    if (flowEveryMs > 0) this.#nextFlowReportMs = nowMs + flowEveryMs
  }

  callEnded(): void {
    this.call = 'none'
    this.#nextFlowReportMs = undefined
  }

  /** Radio, network or operator take the call away. */
  loseCall(nowMs: number): void {
    if (this.call === 'online' || this.call === 'suspended') this.#report({ kind: 'call-lost' }, nowMs)
  }

  deadline(): Deadline | undefined {
    const due: (Deadline | undefined)[] = [
      this.#due(this.#registerAtMs, 'registration'),
      this.#due(this.#simReadyAtMs, 'SIM ready'),
      this.#due(this.#nextBootReportMs, 'boot report'),
      this.#due(this.network.isDrifting ? this.#nextSignalReportMs : undefined, 'signal report'),
      this.#due(this.#nextFlowReportMs, 'flow report'),
    ]
    return due.reduce((soonest, each) => (each && (!soonest || each.atMs < soonest.atMs) ? each : soonest), undefined)
  }

  tick(nowMs: number): void {
    if (isDue(this.#simReadyAtMs, nowMs)) this.#simReadyAtMs = undefined
    if (isDue(this.#registerAtMs, nowMs)) this.#register(nowMs)
    if (isDue(this.#nextBootReportMs, nowMs)) this.#reportBoot(nowMs)
    if (isDue(this.#nextSignalReportMs, nowMs)) this.#reportSignal(nowMs)
    if (isDue(this.#nextFlowReportMs, nowMs)) this.#reportFlow(nowMs)
  }

  #due(atMs: number | undefined, why: string): Deadline | undefined {
    return atMs === undefined ? undefined : { atMs, why }
  }

  #register(nowMs: number): void {
    this.#registerAtMs = undefined
    const { mode } = this.network
    if (mode === 'none') return
    this.#enter(mode === 'home' ? 1 : mode === 'roaming' ? 5 : 3, nowMs)
  }

  #enter(stat: RegistrationStat, nowMs: number): void {
    if (stat === this.#registration) return
    const wasRegistered = this.isRegistered
    this.#registration = stat
    if (wasRegistered && !this.isRegistered) this.loseCall(nowMs)
    this.#report({ kind: 'registration' }, nowMs)
    if (wasRegistered !== this.isRegistered) {
      this.#vendor('^SRVST', this.isRegistered ? '2' : '0', nowMs)
      this.#vendor('^MODE', this.isRegistered ? `${this.personality.radio.systemMode},4` : '0,0', nowMs)
    }
    if (this.isRegistered) this.signalChanged(nowMs)
  }

  #reportBoot(nowMs: number): void {
    const { boot } = this.personality.reports
    if (!boot) return
    this.#nextBootReportMs = nowMs + boot.everyMs
    this.#report({ kind: 'vendor', line: boot.text, isBoot: true }, nowMs)
  }

  #reportSignal(nowMs: number): void {
    this.#nextSignalReportMs = nowMs + this.personality.reports.signalEveryMs
    const csq = csqOf(this.dbmAt(nowMs))
    if (csq === this.#lastCsq) return
    this.#lastCsq = csq
    this.#vendor('^RSSI', String(csq), nowMs)
  }

  /** Seconds, current rates, totals and the agreed rates, all in hexadecimal. */
  #reportFlow(nowMs: number): void {
    this.#nextFlowReportMs = nowMs + this.personality.reports.flowEveryMs
    const hex = (value: number, digits: number) => Math.floor(value).toString(16).toUpperCase().padStart(digits, '0')
    const values = [
      hex((nowMs - this.#callSinceMs) / 1000, 8),
      hex(0, 8),
      hex(0, 8),
      hex(this.txBytes, 16),
      hex(this.rxBytes, 16),
      hex(7_200_000 / 8, 8),
      hex(7_200_000 / 8, 8),
    ]
    this.#vendor('^DSFLOWRPT', values.join(','), nowMs)
  }

  #vendor(name: string, values: string, nowMs: number): void {
    if (!this.personality.reports.vendor) return
    const blank = this.personality.dialect.spaceAfterVendorColon ? ' ' : ''
    this.#report({ kind: 'vendor', line: `${name}:${blank}${values}` }, nowMs)
  }

  #report(report: Report, nowMs: number): void {
    for (const reporter of this.#reporters) reporter(report, nowMs)
  }
}

function isDue(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs
}
