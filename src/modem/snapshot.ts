/**
 * A modem as everyone outside `src/modem` sees it: one immutable snapshot, changed as a whole, and its commands.
 * The bus diffs snapshots; the supervisor reads them; nobody looks at the AT side. An unknown value is undefined.
 */

import type { Failure } from '../base/cause.ts'
import type { Cancel } from '../base/ports.ts'
import type { Wire } from '../serial/wire.ts'
import type { SignalMeasure } from './at/replies/signal-measure.ts'
import type { ConsoleCommands } from './features/console/snapshot.ts'
import type { Location } from './features/location/snapshot.ts'
import type { Messaging } from './features/messaging/snapshot.ts'
import type { SubscriberQueries } from './features/subscriber/snapshot.ts'
import type { NetworkTime } from './features/time/snapshot.ts'
import type { Ussd } from './features/ussd/snapshot.ts'

export type ModemState =
  | 'absent-sim'
  | 'failed'
  | 'locked'
  | 'disabled'
  | 'enabling'
  | 'searching'
  | 'registered'
  | 'connecting'
  | 'connected'
  | 'disconnecting'
  | 'resetting'

export type PortRole = 'at' | 'data' | 'gps' | 'diag' | 'net' | 'ignored'

export interface PortInfo {
  /** `/dev/ttyUSB0`, or an interface's name for `net`. */
  readonly name: string
  readonly role: PortRole
  /** Who holds it now: `modemd (at)`, `modemd (ppp)`, another program, or ''. */
  readonly owner: string
}

/** A serial port of the machine, whether a modem's or not. */
export interface PortReport {
  /** `/dev/ttyUSB0` */
  readonly name: string
  /** What it belongs to: a sysfs path without the root, or the tty. */
  readonly device: string
  /** The kernel's; '' where none is known. */
  readonly driver: string
  /** `12d1:1436`; undefined: not on USB. */
  readonly usbId?: string | undefined
  /** Class, subclass and protocol of its USB interface: `ff/01/02`. */
  readonly interfaceClass?: string | undefined
  /** undefined: not known to be a modem's. */
  readonly role?: PortRole | undefined
  /** Who holds it, as in `PortInfo`. */
  readonly owner: string
  /** modemd may ask it; false: it is left alone. */
  readonly isTaken: boolean
  /** One sentence for people on why. */
  readonly reason: string
  /** The modem's id, where there is one by now. */
  readonly modem?: string | undefined
}

export type SimStatus = 'ready' | 'pin' | 'puk' | 'pin2' | 'puk2' | 'absent' | 'failed'

export interface SimSnapshot {
  readonly status?: SimStatus | undefined
  /** It is there, or may be, and does not answer yet. */
  readonly isBusy?: true | undefined
  readonly iccid?: string | undefined
  readonly operatorName?: string | undefined
  readonly pinTries?: number | undefined
  readonly pukTries?: number | undefined
}

export type Registration = 'idle' | 'home' | 'searching' | 'denied' | 'roaming' | 'unknown'

/** As it was measured, and when. 3GPP TS 27.007 §8.5 and §8.69. */
export interface SignalSnapshot extends SignalMeasure {
  readonly atUs: bigint
  /** The command or report the values came from, e.g. `+CSQ`. */
  readonly source: string
}

export interface ModemSnapshot {
  /** `imei_…`, `usb_1_2` or `tty_ttyS1`; does not change while the modem exists. */
  readonly id: string
  /** The sysfs path of the device without the root, or the tty. */
  readonly device: string
  readonly driver: string
  readonly ports: readonly PortInfo[]
  readonly manufacturer?: string | undefined
  readonly model?: string | undefined
  readonly revision?: string | undefined
  readonly equipmentIdentifier?: string | undefined
  readonly state: ModemState
  /** One sentence for people on why it is in this state; ''. */
  readonly stateReason: string
  readonly failure?: Failure | undefined
  readonly sim: SimSnapshot
  readonly operatorName?: string | undefined
  /** PLMN, 5 or 6 digits. */
  readonly operatorCode?: string | undefined
  readonly registration: Registration
  /** Why it is `denied`, in words with the network's number, where the network says. */
  readonly denial?: string | undefined
  /** true: of the SIM or the device, wherever it is; false: it may pass by itself; undefined: here, or nobody says. */
  readonly isDenialFinal?: boolean | undefined
  /** `gsm`, `gprs`, `edge`, `umts`, `hsdpa`, `hsupa`, `hspa`, `lte`, `5gnr`. */
  readonly accessTechnologies: readonly string[]
  /** 0 to 100: CSQ × 100 / 31, rounded down. */
  readonly signalQuality?: number | undefined
  readonly signalDbm?: number | undefined
  readonly ownNumbers: readonly string[]
  readonly powerState: 'on' | 'low' | 'off' | 'unknown'
  readonly signal?: SignalSnapshot | undefined
}

export interface DialRequest {
  readonly apn: string
  readonly number: string
  readonly ipType: '4' | '6' | '46'
  /** Both at once were just refused: a context for both does not do for one. */
  readonly isIpAlone?: boolean | undefined
  readonly cid: number | 'auto'
  /** For networks that ask the modem before they ask PPP; undefined: nothing is set. */
  readonly logIn?:
    | { readonly username: string; readonly password: string; readonly auth: 'pap' | 'chap' | 'any' }
    | undefined
  /** Just refused by the network: a context that has one of them is not the network's choice. */
  readonly refusedApns?: readonly string[] | undefined
  /** For the whole dial, from the first command to CONNECT. */
  readonly timeoutMs: number
  /** Words of a chat(8) script that replaces the built-in one. */
  readonly chatScript?: string | undefined
  /** What `$NAME` in that script stands for; another name is nothing. Never the process environment, never a PIN. */
  readonly scriptVariables?: Readonly<Record<string, string>> | undefined
  readonly signal: AbortSignal
}

/** Why a dial failed, as a rejection of `dial`. `chatExit` is the script's exit code: 1, 2, 3 or 4 + index of the ABORT string. */
export interface DialFailure extends Failure {
  readonly chatExit?: number | undefined
}

/** Of a call that has to end: is it of use to say goodbye to the peer? */
export type LineState = 'works' | 'is dead'

/** A call that CONNECT has answered: the data port is PPP's until `hangUp`. */
export interface Call {
  /** Its first bytes are those that came behind the CONNECT line. */
  readonly wire: Wire
  /** The whole reported line, `CONNECT 7200000`. */
  readonly report?: string | undefined
  /** bit/s; undefined where the modem names none. */
  readonly connectSpeed?: number | undefined
  readonly chatExit: number
  /** PPP is up: the modem's state becomes `connected`. */
  established(): void
  /** One listener: the call is over, or has to end, which the line itself may not tell. `hangUp` is the listener's to call all the same. */
  onEnd?(listener: (failure: Failure, line: LineState) => void): void
  /** Ends the call if it still stands (DTR, or `+++` and ATH) and gives the port back to AT. Idempotent, never rejects. `failure` says why the call ended; the answer is a better reason, where the modem has one: the network's own for a call that was never established, or that the SIM is gone. */
  hangUp(failure?: Failure): Promise<Failure | undefined>
}

/** How a device is restarted from outside, the gentlest first: its USB port, its power. */
export type Restart = 'usb-port' | 'power'

/** Who asks for a PIN try: decides how many tries must be left (DESIGN §7.1). */
export type PersonCaller = 'person' | 'person-last-try'
export type PinCaller = 'automatic' | PersonCaller

export interface ModemCommands {
  enable(): Promise<void>
  disable(): Promise<void>
  /** Rejects with a ModemdError: SimPin (refused), SimPuk, SimAbsent, PinGuard, WrongState, Timeout, ModemGone. */
  sendPin(pin: string, caller: PinCaller): Promise<void>
  sendPuk(puk: string, newPin: string): Promise<void>
  changePin(oldPin: string, newPin: string, caller: PersonCaller): Promise<void>
  enablePin(pin: string, on: boolean, caller: PersonCaller): Promise<void>
  /** Not a property: the IMSI is personal. */
  imsi(): Promise<string>
  setSignalPoll(seconds: number): void
  signalHistory(): readonly { readonly atUs: bigint; readonly dbm: number }[]
  /** `hard`: from outside, the gentlest way there is; Unsupported where there is none. */
  reset(hard: boolean): Promise<void>
  /** Those that this machine can do with it; undefined: none. */
  readonly restarts?: readonly Restart[] | undefined
  /** Also where the modem no longer answers, or has vanished. */
  restart?(way: Restart): Promise<void>
  scan(): Promise<
    readonly { readonly plmn: string; readonly name: string; readonly status: string; readonly technology: string }[]
  >
  /** '' = automatic. */
  register(plmn: string): Promise<void>
  /** Rejects with a DialError. One call at a time: Busy otherwise. */
  dial(request: DialRequest): Promise<Call>
}

/** What a modem can do beside calls, a member each (`features/feature.ts`); undefined: it cannot. */
export interface ModemFeatures {
  readonly console?: ConsoleCommands | undefined
  readonly subscriber?: SubscriberQueries | undefined
  readonly ussd?: Ussd | undefined
  readonly time?: NetworkTime | undefined
  readonly location?: Location | undefined
  readonly messaging?: Messaging | undefined
}

/** What `modem/modem.ts` is to the supervisor and the bus. */
export interface ModemHandle extends ModemCommands, ModemFeatures {
  readonly snapshot: ModemSnapshot
  onChange(listener: (next: ModemSnapshot, previous: ModemSnapshot) => void): Cancel
}

/** All modems that are here now, in the order of `mmctl list`. `modem/fleet.ts` is one. */
export interface ModemFleet {
  readonly modems: readonly ModemHandle[]
  onAdded(listener: (modem: ModemHandle) => void): Cancel
  /** The handle's last snapshot says why (`modem-gone`, inhibited …). */
  onRemoved(listener: (modem: ModemHandle) => void): Cancel
  rescan(): void
  /** The machine slept, and modems may have lost power: each is brought up anew, but for one in a call. */
  wake(): void
  /** Every serial port, in the order of their names. */
  ports(): readonly PortReport[]
  /** Lets go of a device (its `device`, id or tty) until the returned function is called. */
  inhibit(device: string): Promise<Cancel>
}

export class DialError extends Error {
  readonly failure: DialFailure

  constructor(failure: DialFailure) {
    super(failure.detail)
    this.name = 'DialError'
    this.failure = failure
  }
}
