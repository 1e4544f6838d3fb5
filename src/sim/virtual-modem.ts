/**
 * A whole virtual modem without its ttys: the shared state and one machine for each AT port. Pure; made anew at each plug by
 * `simulator.ts`, while SIM, faults and statistics outlive it.
 */

import { AtPort } from './at-port.ts'
import { commandTable } from './commands/table.ts'
import type { FaultPlan } from './faults.ts'
import { GpsPort } from './gps-port.ts'
import { ModemState, type ModemStateOptions } from './modem-state.ts'
import { interfacesOf } from './personality.ts'
import type { Statistics } from './statistics.ts'

export interface VirtualModemOptions extends ModemStateOptions {
  readonly faults: FaultPlan
  readonly statistics: Statistics
  /** Bit/s of a call; 0: no limit. */
  readonly speed: number
}

export class VirtualModem {
  readonly state: ModemState
  /** By USB interface number; only those that answer AT. */
  readonly ports: ReadonlyMap<number, AtPort>
  readonly gpsPorts: ReadonlyMap<number, GpsPort>

  constructor(options: VirtualModemOptions, nowMs: number) {
    this.state = new ModemState(options)
    const { personality, faults, statistics, speed } = options
    const commands = commandTable(personality)
    const atInterfaces = interfacesOf(personality).filter((each) => each.port === 'modem' || each.port === 'at')
    const reportInterface = atInterfaces.find((each) => each.port === 'at') ?? atInterfaces[0]
    this.ports = new Map(
      atInterfaces.map((each) => [
        each.number,
        new AtPort({
          modem: this.state,
          faults,
          statistics,
          commands,
          isReportPort: each === reportInterface,
          speed,
        }),
      ]),
    )
    const gpsInterfaces = interfacesOf(personality).filter(({ port }) => port === 'gps')
    this.gpsPorts = new Map(gpsInterfaces.map(({ number }) => [number, new GpsPort(this.state)]))
    this.state.powerOn(nowMs)
  }
}
