/** A fleet with one of modem-sim's modems behind a fake /sys, in process and on virtual time. */

import { latin1 } from '../../../src/base/bytes.ts'
import { type Logger, silentLogger } from '../../../src/base/ports.ts'
import { createFleet, type Fleet } from '../../../src/modem/fleet.ts'
import type { Call, DialRequest, ModemHandle } from '../../../src/modem/snapshot.ts'
import { Pump } from '../../../src/serial/pump.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import type { AtPort } from '../../../src/sim/at-port.ts'
import { FaultPlan } from '../../../src/sim/faults.ts'
import { identityOf } from '../../../src/sim/identity.ts'
import { type NetworkSettings, VirtualNetwork } from '../../../src/sim/network.ts'
import { interfacesOf, loadPersonality, type Personality } from '../../../src/sim/personality.ts'
import type { PortEvent } from '../../../src/sim/port-event.ts'
import { SimCard, type SimSettings } from '../../../src/sim/sim-card.ts'
import { Statistics } from '../../../src/sim/statistics.ts'
import { VirtualModem } from '../../../src/sim/virtual-modem.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { virtualWires } from '../../support/virtual-wire.ts'
import { FakeSysfs } from './fake-sysfs.ts'

export interface PersonalityBenchOptions {
  readonly change?: (personality: Personality) => Personality
  readonly sim?: Partial<SimSettings>
  readonly network?: Partial<NetworkSettings>
  /** A profile's PIN. */
  readonly pin?: string
  readonly logger?: Logger
}

export class PersonalityBench {
  readonly clock = new VirtualClock()
  readonly personality: Personality
  readonly sim: SimCard
  readonly network: VirtualNetwork
  readonly faults = new FaultPlan(new SeededRandom(1))
  readonly modem: VirtualModem
  /** Every command of the daemon, by port. */
  readonly commands: string[] = []
  readonly statistics = new Statistics()
  readonly #sysfs = new FakeSysfs()
  readonly #ports = new Map<string, AtPort | undefined>()
  readonly #pumps = new Map<AtPort, Pump<PortEvent>>()
  readonly #farWires = new Map<string, Wire>()
  readonly #fleet: Fleet

  constructor(name: string, options: PersonalityBenchOptions = {}) {
    const bundled = loadPersonality(name, () => '')
    this.personality = options.change?.(bundled) ?? bundled
    this.sim = new SimCard({ isInserted: true, pin: undefined, pinTries: 3, puk: '12345678', ...options.sim })
    this.network = new VirtualNetwork(
      { mode: 'home', apn: undefined, signal: -71, ...options.network },
      new SeededRandom(2),
    )
    const { timings } = this.personality
    this.modem = new VirtualModem(
      {
        personality: this.personality,
        identity: identityOf(this.personality, 1, 0),
        sim: this.sim,
        network: this.network,
        timings: { ...timings, replyMs: (key) => timings.slowMs[key] ?? timings.replyMs },
        faults: this.faults,
        statistics: this.statistics,
        speed: 0,
      },
      this.clock.nowMs(),
    )
    this.#plug()
    const device = this.personality.usb ? [] : [{ device: 'tty:/dev/ttyS0', baud: 115_200, init: '' }]
    this.#fleet = createFleet({
      root: this.#sysfs.root,
      stateDirectory: `${this.#sysfs.root}/state`,
      settings: { allow: ['auto'], ignore: [], devices: device },
      openWire: (path) => this.#open(path),
      listenUevents: this.#sysfs.listenUevents,
      clock: this.clock,
      random: new SeededRandom(3),
      logger: options.logger ?? silentLogger,
      pinFor: () => options.pin,
    })
  }

  get handle(): ModemHandle | undefined {
    return this.#fleet.modems[0]
  }

  get snapshot(): ModemHandle['snapshot'] {
    const { handle } = this
    if (!handle) throw new Error('no modem')
    return handle.snapshot
  }

  async until(what: string, isSo: () => boolean, limitMs = 60_000): Promise<void> {
    const untilMs = this.clock.nowMs() + limitMs
    while (!isSo()) {
      const isStuck = this.clock.nowMs() >= untilMs || !(await this.clock.step(untilMs))
      if (isStuck && !isSo())
        throw new Error(`waited in vain until ${what}: ${JSON.stringify(this.handle?.snapshot.state)}`)
    }
  }

  async registered(): Promise<void> {
    await this.until('it is registered', () => this.handle?.snapshot.state === 'registered')
  }

  async dial(changes: Partial<DialRequest> = {}): Promise<Call> {
    const dialling = this.handle!.dial({
      apn: 'internet',
      number: '*99#',
      ipType: '4',
      cid: 'auto',
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      ...changes,
    })
    return this.settled(dialling)
  }

  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const note = () => {
      isSettled = true
    }
    promise.then(note, note)
    await this.until('a command ends', () => isSettled)
    return promise
  }

  /** The operator's signal changes, and the modem notices. */
  setSignal(dbm: number): void {
    this.network.signal = dbm
    this.modem.state.signalChanged(this.clock.nowMs())
    this.poke()
  }

  /** The operator lets it in, or not, and the modem notices. */
  setNetwork(mode: NetworkSettings['mode']): void {
    this.network.mode = mode
    this.modem.state.networkChanged(this.clock.nowMs())
    this.poke()
  }

  /** The modem says a line on this port, whatever its state is. */
  say(path: string, line: string): void {
    this.#farWires.get(path)!.write(latin1(`\r\n${line}\r\n`))
  }

  async dispose(): Promise<void> {
    await this.#fleet.close()
    for (const pump of this.#pumps.values()) pump.stop()
    this.#sysfs.dispose()
  }

  #plug(): void {
    const { usb } = this.personality
    const withTty = interfacesOf(this.personality).filter(({ port }) => port !== null)
    const kind = !usb ? 'ttyS' : usb.interfaces.some(({ driver }) => driver === 'cdc_acm') ? 'ttyACM' : 'ttyUSB'
    for (const [index, { number }] of withTty.entries())
      this.#ports.set(`/dev/${kind}${index}`, this.modem.ports.get(number))
    if (!usb) {
      this.#sysfs.addPlain('ttyS0')
      return
    }
    const interfaces = usb.interfaces.map((each) => {
      const index = withTty.indexOf(each)
      const basics = { number: each.number, driver: each.driver ?? '', class: each.class }
      return index < 0 ? basics : { ...basics, tty: `${kind}${index}` }
    })
    this.#sysfs.addUsb({ place: '1-2', vendor: usb.idVendor, product: usb.idProduct, interfaces })
  }

  async #open(path: string): Promise<Wire> {
    const [near, far] = virtualWires(this.clock, { path })
    this.#farWires.set(path, far)
    const port = this.#ports.get(path)
    if (!port) {
      far.listen({ data() {}, drain() {}, closed() {} })
      return near
    }
    this.#pumps.get(port)?.stop()
    const pump = new Pump<PortEvent>(far, port, {
      clock: this.clock,
      onEvent: (event) => {
        if (event.type === 'wake') queueMicrotask(() => this.poke())
      },
    })
    this.#pumps.set(port, pump)
    return this.#listened(near, path)
  }

  /** What the daemon writes is told line by line. */
  #listened(wire: Wire, path: string): Wire {
    const write = wire.write.bind(wire)
    wire.write = (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      if (/^AT/i.test(text)) this.commands.push(`${path} ${text.trim()}`)
      return write(bytes)
    }
    return wire
  }

  /** The modem's ports say what they have to, after its state was changed from outside. */
  poke(): void {
    for (const pump of this.#pumps.values()) pump.poke()
  }
}
