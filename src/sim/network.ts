/**
 * The radio side of the virtual operator: whether it lets a modem in, how strong it is received, and which APN it knows.
 * Pure: the signal is a function of time. `modem-state.ts` registers with it, the control socket changes it.
 */

import type { Random } from '../base/ports.ts'
import { HOME_PLMN } from './identity.ts'

export type NetworkMode = 'home' | 'roaming' | 'denied' | 'none'

export const NETWORK_MODES: readonly NetworkMode[] = ['home', 'roaming', 'denied', 'none']

export interface Cell {
  readonly plmn: string
  readonly name: string
}

export const HOME_CELL: Cell = { plmn: HOME_PLMN, name: 'Virtual Mobile' }
/** MCC 999 is for private networks. */
const FOREIGN_CELL: Cell = { plmn: '99942', name: 'Faraway Mobile' }

/** Takes visitors. */
const GUEST_CELL: Cell = { plmn: '00102', name: 'Second Mobile' }
const CELLS: readonly Cell[] = [HOME_CELL, GUEST_CELL, FOREIGN_CELL]

/** Two slow waves and a quick one, in dB and milliseconds. */
const DRIFT = [
  { swingDb: 8, periodMs: 61_000 },
  { swingDb: 4, periodMs: 17_000 },
  { swingDb: 1.5, periodMs: 5300 },
]
const DRIFT_CENTRE_DBM = -77

export type IpKinds = '4' | '6' | '46'

export const IP_KINDS: readonly IpKinds[] = ['4', '6', '46']

export interface NetworkSettings {
  readonly mode: NetworkMode
  /** undefined: any APN is taken. */
  readonly apn: string | undefined
  /** Kinds of address that a context may have; one alone refuses a context of both, too. Left out: all. */
  readonly ip?: IpKinds | undefined
  readonly signal: number | 'drift'
  /** Asked for when a context comes up; left out: PPP asks, or nobody. */
  readonly logIn?: LogIn | undefined
}

export interface LogIn {
  readonly user: string
  readonly password: string
}

/** As +CEER has it; #29. */
export const LOG_IN_REFUSED = 'User authentication failed'

export class VirtualNetwork {
  readonly #apn: string | undefined
  readonly #ip: IpKinds
  readonly #logIn: LogIn | undefined
  readonly #phases: readonly number[]
  #mode: NetworkMode
  #signal: number | 'drift'
  /** Of a refused registration (3GPP TS 24.008 §10.5.3.6): 11 is PLMN not allowed. */
  rejectCause = 11

  constructor(settings: NetworkSettings, random: Random) {
    this.#mode = settings.mode
    this.#apn = settings.apn
    this.#ip = settings.ip ?? '46'
    this.#signal = settings.signal
    this.#logIn = settings.logIn
    this.#phases = [...random.bytes(DRIFT.length)].map((value) => (value / 256) * 2 * Math.PI)
  }

  get mode(): NetworkMode {
    return this.#mode
  }

  set mode(mode: NetworkMode) {
    this.#mode = mode
  }

  set signal(signal: number | 'drift') {
    this.#signal = signal
  }

  get isDrifting(): boolean {
    return this.#signal === 'drift'
  }

  get cell(): Cell | undefined {
    if (this.#mode === 'none') return undefined
    return this.#mode === 'roaming' ? FOREIGN_CELL : HOME_CELL
  }

  /** The network's own choice, or a modem's; undefined: nothing is received by that number. */
  cellFor(chosenPlmn: string | undefined): Cell | undefined {
    if (this.#mode === 'none' || chosenPlmn === undefined) return this.cell
    return CELLS.find(({ plmn }) => plmn === chosenPlmn)
  }

  /** `stat` of +CREG for a modem there. */
  registrationIn(cell: Cell | undefined): 1 | 3 | 5 {
    if (this.#mode === 'denied' || !cell) return 3
    if (cell === GUEST_CELL) return 5
    return cell === this.cell ? (this.#mode === 'roaming' ? 5 : 1) : 3
  }

  /** What a scan shows: 3GPP TS 27.007 §7.3, `stat` 1 available, 2 current, 3 forbidden. */
  scan(isRegistered: boolean, here = this.cell): readonly { readonly cell: Cell; readonly stat: number }[] {
    if (!here) return []
    const stat = this.#mode === 'denied' ? 3 : isRegistered ? 2 : 1
    const others = CELLS.filter((cell) => cell !== here)
    return [
      { cell: here, stat },
      ...others.map((cell) => ({ cell, stat: cell === FOREIGN_CELL || this.#mode === 'denied' ? 3 : 1 })),
    ]
  }

  /** undefined where nothing is received. */
  dbmAt(nowMs: number): number | undefined {
    if (this.#mode === 'none') return undefined
    if (this.#signal !== 'drift') return this.#signal
    const offset = DRIFT.reduce(
      (sum, wave, index) =>
        sum + wave.swingDb * Math.sin((2 * Math.PI * nowMs) / wave.periodMs + (this.#phases[index] ?? 0)),
      0,
    )
    return DRIFT_CENTRE_DBM + offset
  }

  /** Why it gives no such context, as +CEER has it (3GPP TS 24.008 §10.5.6.6); undefined: it gives one. Case does not matter in an APN (23.003 §9.1). */
  refusalOf(
    { apn, type }: { readonly apn: string; readonly type: string },
    logIn: LogIn | undefined,
  ): string | undefined {
    if (this.#apn !== undefined && apn.toLowerCase() !== this.#apn.toLowerCase()) return 'Missing or unknown APN'
    if (this.#ip === '4' && type !== 'IP') return 'ESM cause #50, PDN type IPv4 only allowed'
    if (this.#ip === '6' && type !== 'IPV6') return 'ESM cause #51, PDN type IPv6 only allowed'
    const isKnown = this.#logIn?.user === logIn?.user && this.#logIn?.password === logIn?.password
    return this.#logIn && !isKnown ? LOG_IN_REFUSED : undefined
  }
}

/** 3GPP TS 27.007 §8.5: 0 to 31 in steps of 2 dB from -113 dBm, 99 unknown. */
export function csqOf(dbm: number | undefined): number {
  return dbm === undefined ? 99 : Math.min(31, Math.max(0, Math.round((dbm + 113) / 2)))
}
