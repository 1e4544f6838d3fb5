/** A virtual modem on virtual time for tests: say something, let time pass, look at what came back. */

import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import type { AtPort } from '../../src/sim/at-port.ts'
import { FaultPlan } from '../../src/sim/faults.ts'
import { identityOf } from '../../src/sim/identity.ts'
import type { Timings } from '../../src/sim/modem-state.ts'
import { type NetworkSettings, VirtualNetwork } from '../../src/sim/network.ts'
import { loadPersonality, type Personality } from '../../src/sim/personality.ts'
import type { PortEvent } from '../../src/sim/port-event.ts'
import { SimCard, type SimSettings } from '../../src/sim/sim-card.ts'
import type { SmsStore } from '../../src/sim/sms-store.ts'
import { Statistics } from '../../src/sim/statistics.ts'
import { VirtualModem } from '../../src/sim/virtual-modem.ts'
import { SeededRandom } from '../support/seeded-random.ts'

export interface BenchOptions {
  readonly personality?: string
  readonly change?: (personality: Personality) => Personality
  readonly sim?: Partial<SimSettings>
  readonly network?: Partial<NetworkSettings>
  readonly timings?: Partial<Timings>
  readonly speed?: number
  readonly messages?: SmsStore
}

const NO_TIME: Timings = { bootMs: 0, simBusyMs: 0, simReadyMs: 0, registerMs: 0, replyMs: () => 0 }

export class ModemBench {
  readonly personality: Personality
  readonly sim: SimCard
  readonly network: VirtualNetwork
  readonly faults = new FaultPlan(new SeededRandom(1))
  readonly statistics = new Statistics()
  readonly modem: VirtualModem
  readonly events: PortEvent[] = []
  readonly #said = new Map<AtPort, string>()
  nowMs = 1000

  constructor(options: BenchOptions = {}) {
    const bundled = loadPersonality(options.personality ?? 'generic', () => '')
    this.personality = options.change?.(bundled) ?? bundled
    this.sim = new SimCard({ isInserted: true, pin: undefined, pinTries: 3, puk: '12345678', ...options.sim })
    this.network = new VirtualNetwork(
      { mode: 'home', apn: undefined, signal: -71, ...options.network },
      new SeededRandom(2),
    )
    this.modem = new VirtualModem(
      {
        personality: this.personality,
        identity: identityOf(this.personality, 1, 0),
        sim: this.sim,
        network: this.network,
        timings: { ...NO_TIME, ...options.timings },
        faults: this.faults,
        statistics: this.statistics,
        speed: options.speed ?? 0,
        ...(options.messages ? { messages: options.messages } : {}),
      },
      this.nowMs,
    )
  }

  /** The first AT port, or the one of this USB interface. */
  port(number?: number): AtPort {
    return (number === undefined ? [...this.modem.ports.values()][0] : this.modem.ports.get(number))!
  }

  /** A line with CR; what came back at once, without waiting. */
  say(line: string, port = this.port()): string {
    return this.send(`${line}\r`, port)
  }

  send(text: string, port = this.port()): string {
    port.handle({ type: 'data', bytes: latin1(text) }, this.nowMs)
    this.#drainAll()
    return this.heard(port)
  }

  /** All that was said since the last time. */
  heard(port = this.port()): string {
    const text = this.#said.get(port) ?? ''
    this.#said.delete(port)
    return text
  }

  /** Time passes, deadline by deadline, on all ports. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms
    for (let turn = 0; turn < 100_000; turn++) {
      const due = [...this.modem.ports.values()].flatMap((port) => port.deadline()?.atMs ?? [])
      const nextMs = Math.min(...due)
      if (nextMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, nextMs)
      for (const port of this.modem.ports.values())
        if ((port.deadline()?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs)
          port.handle({ type: 'timeout' }, this.nowMs)
      this.#drainAll()
    }
    this.nowMs = untilMs
  }

  #drainAll(): void {
    for (const port of this.modem.ports.values()) {
      for (let output = port.poll(); output; output = port.poll()) {
        if (output.type === 'event') this.events.push(output.event)
        else this.#said.set(port, (this.#said.get(port) ?? '') + fromLatin1(output.bytes))
      }
    }
  }
}
