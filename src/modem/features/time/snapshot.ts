/** The network's time as the bus sees it (NITZ, 3GPP TS 22.042). Nobody's clock is set by it. */

import type { Cancel } from '../../../base/ports.ts'

export interface TimeSnapshot {
  /** What the network's clock showed; undefined where it told the zone alone. */
  readonly networkUs?: bigint | undefined
  /** Minutes east of UTC, summer time included. */
  readonly offsetMinutes?: number | undefined
  /** Hours of summer time in the offset. */
  readonly daylightHours?: number | undefined
  /** When it came, by the daemon's clock. */
  readonly atUs: bigint
  /** The report or command it came from, e.g. `+CTZE`. */
  readonly source: string
}

export interface NetworkTime {
  /** undefined: the network, or the modem, did not tell. */
  readonly snapshot: TimeSnapshot | undefined
  onChange(listener: (next: TimeSnapshot) => void): Cancel
}
