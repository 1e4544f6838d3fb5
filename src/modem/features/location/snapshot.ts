/** Where the modem is, as the bus sees it. A place is personal: only `fix` gives it. */

import type { Cancel } from '../../../base/ports.ts'

export interface Fix {
  /** Degrees; south and west are negative. */
  readonly latitude: number
  readonly longitude: number
  /** Metres above the sea. */
  readonly altitude?: number | undefined
  /** Metres a second over ground. */
  readonly speed?: number | undefined
  /** Degrees from true north. */
  readonly course?: number | undefined
  readonly satellites?: number | undefined
  /** Horizontal dilution of precision: the smaller the better. */
  readonly hdop?: number | undefined
  /** UTC of the satellites; undefined where only a time of day came. */
  readonly utcUs?: bigint | undefined
  /** When it came, by the daemon's clock. */
  readonly atUs: bigint
}

export interface LocationSnapshot {
  readonly isEnabled: boolean
  /** The last one is at most some seconds old. */
  readonly hasFix: boolean
  /** `/dev/ttyUSB1`; undefined: this modem has no port for it. */
  readonly port?: string | undefined
}

export interface Location {
  readonly snapshot: LocationSnapshot
  onChange(listener: (next: LocationSnapshot) => void): Cancel
  /** Opens the port and starts the receiver, or stops it. Rejects with a ModemdError: Unsupported (no port), Busy, ModemGone. */
  setEnabled(on: boolean): Promise<void>
  /** Throws a ModemdError: WrongState (switched off), Unknown (no fix yet, or not any more). */
  fix(): Fix
}
