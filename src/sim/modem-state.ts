/**
 * What all ports of one modem share: SIM, radio, registration, PDP contexts, the call. Pure: told the time, asked for its
 * deadline. Commands read and change it; what changes by itself is reported to the ports.
 */

import type { Deadline } from '../base/machine.ts'
import { CallContext, type Party } from './call-context.ts'
import { flowReport } from './flow-report.ts'
import { GpsReceiver } from './gps.ts'
import type { Identity } from './identity.ts'
import { type Cell, csqOf, type LogIn, type VirtualNetwork } from './network.ts'
import { timeReport } from './network-time.ts'
import type { Personality } from './personality.ts'
import { type Radio, radioOf } from './radio.ts'
import type { Report } from './reports.ts'
import { PIN_TEXT, type SimAnswer, type SimCard } from './sim-card.ts'
import { SmsInbox } from './sms-inbox.ts'
import { SmsStore } from './sms-store.ts'
import { UssdService } from './ussd-service.ts'
import { type ReportValues, VendorReports } from './vendor-reports.ts'

/** 3GPP TS 27.007 §7.2: `stat` of +CREG. */
export type RegistrationStat = 0 | 1 | 2 | 3 | 5

export interface PdpContext {
  readonly cid: number
  readonly type: string
  readonly apn: string
}

export interface Timings {
  readonly bootMs: number
  readonly simBusyMs: number
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
  readonly messages?: SmsStore
  /** Milliseconds since 1970; 1970 where left out. */
  readonly wallMs?: () => number
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
  /** By CID. */
  readonly logIns = new Map<number, LogIn>()
  readonly messages: SmsInbox
  readonly ussd: UssdService
  readonly gps: GpsReceiver
  readonly wallMs: () => number
  readonly context: CallContext
  readonly #vendorReports: VendorReports
  readonly #reporters: ((report: Report, nowMs: number) => void)[] = []
  call: CallState = 'none'
  isAttached = true
  /** For +CEER: why the last call came to nothing. */
  lastEnd = 'No cause information available'
  /** +COPS=2. */
  isDeregistered = false
  /** +COPS=1: the network chosen by hand. */
  chosenPlmn: string | undefined
  /** +CTZU and +CTZR. */
  keepsTime = 0
  timeReports = 0
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
  /** The card is worn, or upside down. */
  hasSimFailed = false
  #simFromMs = 0
  #nextFlowReportMs: number | undefined

  constructor(options: ModemStateOptions) {
    this.personality = options.personality
    this.identity = options.identity
    this.sim = options.sim
    this.network = options.network
    this.gps = new GpsReceiver(Number(options.identity.imei.slice(-8)))
    this.timings = options.timings
    for (const each of options.personality.call.contexts) this.contexts.set(each.cid, each)
    this.messages = new SmsInbox({
      store: options.messages ?? new SmsStore(() => 0),
      isReachable: () => this.isRegistered,
      say: (line, wanted, nowMs) => this.#report({ kind: 'message', line, wanted }, nowMs),
    })
    this.wallMs = options.wallMs ?? (() => 0)
    this.ussd = new UssdService({
      dialect: options.personality.dialect.ussd,
      say: (line, nowMs) => this.#report({ kind: 'ussd', line }, nowMs),
    })
    this.context = new CallContext({
      isLte: options.personality.radio.technology === 'lte',
      typeOf: (cid) => this.contexts.get(cid)?.type ?? 'IP',
      say: (line, nowMs) => this.#report({ kind: 'packet', line }, nowMs),
    })
    this.#vendorReports = new VendorReports({
      reports: options.personality.reports,
      values: (nowMs) => this.#reportValues(nowMs),
      isDrifting: () => this.network.isDrifting,
      say: ({ text, isSignal }, nowMs) => this.#report({ kind: 'vendor', line: text, isSignal }, nowMs),
    })
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
    this.#simFromMs = this.#bootedAtMs
    const simReadyMs = this.#bootedAtMs + this.timings.simBusyMs
    this.#vendorReports.powerOn(this.#bootedAtMs, this.sim.state === 'ready' ? simReadyMs : undefined)
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
    if (radio !== 1) this.loseCall(nowMs, 'ME')
    this.refresh(nowMs)
  }

  get registration(): RegistrationStat {
    return this.#registration
  }

  get isRegistered(): boolean {
    return this.#registration === 1 || this.#registration === 5
  }

  /** The one that it is in or looks for. */
  get cell(): Cell | undefined {
    return this.network.cellFor(this.chosenPlmn)
  }

  get accessTechnology(): number {
    return ACCESS_TECHNOLOGY[this.personality.radio.technology]
  }

  /** Tracking or location area, cell and technology, as +CREG gives them. */
  get place(): string {
    const cell = this.personality.radio.technology === 'gsm' ? '2C3D' : '0A1B2C3D'
    const values: Readonly<Record<string, string>> = { area: '0001', cell, act: String(this.accessTechnology) }
    return this.personality.dialect.place.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '')
  }

  /** undefined: nothing is received. */
  radioAt(nowMs: number): Radio | undefined {
    const dbm = this.dbmAt(nowMs)
    return dbm === undefined ? undefined : radioOf(this.personality.radio.technology, dbm)
  }

  /** Received while the radio is on, registered or not. */
  dbmAt(nowMs: number): number | undefined {
    return this.#radio === 1 ? this.network.dbmAt(nowMs) : undefined
  }

  isSimBusy(nowMs: number): boolean {
    return this.#simReadyAtMs !== undefined && nowMs < this.#simReadyAtMs
  }

  /** Power-on, or that one was put in, is not long ago: nobody knows yet whether there is a SIM. */
  isSimStarting(nowMs: number): boolean {
    return nowMs < this.#simFromMs + this.timings.simBusyMs
  }

  /** +CPIN? gets `SIM busy` from now on for so long. */
  holdSim(ms: number, nowMs: number): void {
    this.#simFromMs = nowMs + ms - this.timings.simBusyMs
  }

  /** After any PIN command: the SIM takes a while, then the modem looks for its network. */
  afterPin(answer: SimAnswer, nowMs: number): void {
    if (answer === 'ok' && this.sim.state === 'ready' && this.#registration === 0 && this.#registerAtMs === undefined) {
      this.#simReadyAtMs = nowMs + this.timings.simReadyMs
      this.#vendorReports.simReady(nowMs)
    }
    this.refresh(nowMs)
  }

  stopBootReports(): void {
    this.#vendorReports.stopBoot()
  }

  removeSim(nowMs: number): void {
    this.sim.remove()
    this.hasSimFailed = false
    this.#vendorReports.simRemoved(nowMs)
    this.refresh(nowMs)
  }

  insertSim(nowMs: number): void {
    this.sim.insert()
    this.hasSimFailed = false
    this.#simFromMs = nowMs
    this.#vendorReports.simInserted(nowMs + this.timings.simBusyMs, this.sim.state === 'ready')
    this.refresh(nowMs)
  }

  failSim(nowMs: number): void {
    this.hasSimFailed = true
    this.#vendorReports.simRemoved(nowMs)
    this.refresh(nowMs)
  }

  /** The operator changed its mind about us. */
  networkChanged(nowMs: number): void {
    this.#enter(0, nowMs)
    this.refresh(nowMs)
  }

  /** By hand, or undefined: by itself. Another network than before is registered with anew. */
  choose(plmn: string | undefined, nowMs: number): void {
    const before = this.cell
    this.chosenPlmn = plmn
    if (before === this.cell) return
    this.#enter(0, nowMs)
    this.refresh(nowMs)
  }

  signalChanged(nowMs: number): void {
    this.#vendorReports.signal(nowMs)
  }

  get #maySearch(): boolean {
    return this.#radio === 1 && this.sim.state === 'ready' && !this.hasSimFailed && !this.isDeregistered
  }

  /** Looks for the network where there is reason to, and leaves it where there is none. */
  refresh(nowMs: number): void {
    if (!this.#maySearch) {
      this.#registerAtMs = undefined
      this.#enter(0, nowMs)
      return
    }
    if (this.#registration !== 0) return
    this.#enter(2, nowMs)
    if (this.network.mode === 'none') return
    const fromMs = Math.max(nowMs, this.#simReadyAtMs ?? 0, this.#simFromMs + this.timings.simBusyMs)
    this.#registerAtMs = fromMs + this.timings.registerMs
    if (this.#registerAtMs <= nowMs) this.tick(nowMs)
  }

  /** `context` of the dialled number, if the network gives one. */
  callContext(cid: number): PdpContext | undefined {
    const context = this.contexts.get(cid) ?? { cid, type: 'IP', apn: '' }
    const refusal = this.network.refusalOf(context, this.logIns.get(cid))
    this.lastEnd = refusal ?? 'No cause information available'
    return refusal === undefined ? context : undefined
  }

  callStarted(cid: number, nowMs: number): void {
    this.call = 'online'
    this.context.begin(cid, nowMs)
    this.#callSinceMs = nowMs
    this.rxBytes = 0
    this.txBytes = 0
    const { flowEveryMs } = this.personality.reports
    if (flowEveryMs > 0) this.#nextFlowReportMs = nowMs + flowEveryMs
  }

  callEnded(by: Party, nowMs: number): void {
    this.call = 'none'
    this.context.end(by, nowMs)
    this.#nextFlowReportMs = undefined
  }

  /** Radio, network or operator take the call away. */
  loseCall(nowMs: number, by: Party): void {
    if (this.call === 'online' || this.call === 'suspended') this.#report({ kind: 'call-lost', by }, nowMs)
  }

  deadline(): Deadline | undefined {
    const due = [
      at(this.#registerAtMs, 'registration'),
      at(this.#simReadyAtMs, 'SIM ready'),
      ...this.#vendorReports.deadlines(),
      at(this.#nextFlowReportMs, 'flow report'),
      at(this.messages.fetchAtMs, 'message'),
      this.ussd.deadline(),
    ]
    return due.reduce((soonest, each) => (each && (!soonest || each.atMs < soonest.atMs) ? each : soonest), undefined)
  }

  tick(nowMs: number): void {
    if (isDue(this.#simReadyAtMs, nowMs)) this.#simReadyAtMs = undefined
    if (isDue(this.#registerAtMs, nowMs)) this.#register(nowMs)
    this.#vendorReports.tick(nowMs)
    if (isDue(this.#nextFlowReportMs, nowMs)) this.#reportFlow(nowMs)
    if (isDue(this.messages.fetchAtMs, nowMs)) this.messages.fetch(nowMs)
    this.ussd.tick(nowMs)
  }

  #register(nowMs: number): void {
    this.#registerAtMs = undefined
    if (this.network.mode === 'none') return
    const stat = this.network.registrationIn(this.cell)
    if (stat === 3) this.lastEnd = `Registration rejected, cause #${this.network.rejectCause}`
    this.#enter(stat, nowMs)
  }

  #enter(stat: RegistrationStat, nowMs: number): void {
    if (stat === this.#registration) return
    const wasRegistered = this.isRegistered
    this.#registration = stat
    if (wasRegistered && !this.isRegistered) {
      const by = this.#maySearch ? 'NW' : 'ME'
      this.context.detach(by, nowMs)
      this.loseCall(nowMs, by)
    }
    this.#report({ kind: 'registration' }, nowMs)
    if (wasRegistered !== this.isRegistered) this.#vendorReports.network(this.isRegistered, nowMs)
    if (this.isRegistered) this.signalChanged(nowMs)
    if (this.isRegistered) this.messages.fetch(nowMs)
    if (this.isRegistered && this.timeReports > 0)
      this.#report({ kind: 'vendor', line: timeReport(this.timeReports, this.wallMs()) }, nowMs)
  }

  #reportValues(nowMs: number): ReportValues {
    const { cell } = this
    const { rssi = -113, rsrp = -140, rscp = -120 } = this.radioAt(nowMs) ?? {}
    return {
      csq: csqOf(this.dbmAt(nowMs)),
      // 27.007 §8.9's five bars.
      bars: Math.max(0, Math.min(5, Math.floor((rssi + 113) / 10))),
      rssi,
      rsrp,
      rscp,
      pin: PIN_TEXT[this.sim.state],
      name: cell?.name ?? '',
      mcc: cell?.plmn.slice(0, 3) ?? '',
      mnc: cell?.plmn.slice(3) ?? '',
      roaming: this.#registration === 5 ? 'ROAM_ON' : 'ROAM_OFF',
    }
  }

  #reportFlow(nowMs: number): void {
    this.#nextFlowReportMs = nowMs + this.personality.reports.flowEveryMs
    const line = flowReport((nowMs - this.#callSinceMs) / 1000, this.txBytes, this.rxBytes)
    this.#report({ kind: 'vendor', line }, nowMs)
  }

  #report(report: Report, nowMs: number): void {
    for (const reporter of this.#reporters) reporter(report, nowMs)
  }
}

function isDue(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && atMs <= nowMs
}

function at(atMs: number | undefined, why: string): Deadline | undefined {
  return atMs === undefined ? undefined : { atMs, why }
}
