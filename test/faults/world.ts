/**
 * The daemon's fleet, supervisor and builtin PPP engine, joined to modem-sim's modem and operator in one process and on virtual
 * time: everything of both programs but ptys, TUN, uevents and D-Bus. For the fault matrix.
 */

import { ModemdError } from '../../src/base/errors.ts'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { type Logger, silentLogger } from '../../src/base/ports.ts'
import type { LinkHandle } from '../../src/link/snapshot.ts'
import { createSupervisor, type Supervisor } from '../../src/link/supervisor.ts'
import { createFleet, type Fleet } from '../../src/modem/fleet.ts'
import type { ModemHandle } from '../../src/modem/snapshot.ts'
import { createBuiltinEngine } from '../../src/ppp/engines/builtin.ts'
import { engineReports } from '../../src/ppp/engines/choose.ts'
import type { Wire } from '../../src/serial/wire.ts'
import { AddressPool } from '../../src/sim/address-pool.ts'
import { type Carrier, openCarrier } from '../../src/sim/carriers.ts'
import { FaultPlan } from '../../src/sim/faults.ts'
import { identityOf } from '../../src/sim/identity.ts'
import { VirtualNetwork } from '../../src/sim/network.ts'
import { Operator } from '../../src/sim/operator.ts'
import { interfacesOf, loadPersonality, type Personality } from '../../src/sim/personality.ts'
import { SimCard } from '../../src/sim/sim-card.ts'
import { SimulatedModem } from '../../src/sim/simulated-modem.ts'
import { SmsStore } from '../../src/sim/sms-store.ts'
import { Statistics } from '../../src/sim/statistics.ts'
import type { PluggedDevice, TreePort } from '../../src/sim/usb-tree.ts'
import { TextProfiles } from '../link/rig.ts'
import { FakeSysfs } from '../modem/support/fake-sysfs.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { ClientTun } from './client-tun.ts'
import { VirtualTty } from './virtual-tty.ts'

const PLACE = '1-2'
const APN = 'internet'
const USER = 'demo'
const PASSWORD = 'sesame'
const PIN = '1234'

export const LINK = 'demo'
const PROFILE = `[profile]
apn = ${APN}
username = ${USER}
password = ${PASSWORD}
pin = ${PIN}
autoconnect = yes
`

/** A reply byte by byte, or a flood of retries, is some thousands. */
const MOST_STEPS_A_SECOND = 20_000

export interface WorldOptions {
  readonly seed: number
  readonly personality: string
  readonly logger?: Logger
}

export class World {
  readonly clock = new VirtualClock()
  readonly sim = new SimCard({ isInserted: true, pin: PIN, pinTries: 3, puk: '12345678' })
  readonly statistics = new Statistics()
  readonly network: VirtualNetwork
  readonly faults: FaultPlan
  readonly modem: SimulatedModem
  readonly fleet: Fleet
  readonly supervisor: Supervisor
  /** The newest last. */
  readonly tuns: ClientTun[] = []
  readonly #personality: Personality
  readonly #sysfs = new FakeSysfs()
  readonly #ttys = new Map<string, VirtualTty>()
  readonly #pool = new AddressPool('10.64.0.0/16', [])
  #pings = 0
  #secondMs = 0
  #stepsInSecond = 0

  static async create(options: WorldOptions): Promise<World> {
    const ports = { random: new SeededRandom(options.seed + 1), logger: silentLogger }
    const pool = new AddressPool('10.64.0.0/16', [])
    return new World(options, await openCarrier('echo', [pool.gateway], [], ports))
  }

  private constructor({ seed, personality, logger = silentLogger }: WorldOptions, carrier: Carrier) {
    const { clock } = this
    const ports = { clock, random: new SeededRandom(seed + 2), logger: silentLogger }
    this.#personality = loadPersonality(personality, () => '')
    this.faults = new FaultPlan(new SeededRandom(seed + 3))
    this.network = new VirtualNetwork({ mode: 'home', apn: APN, signal: -71 }, ports.random)
    this.modem = this.#makeModem(carrier, seed, ports)
    const daemonPorts = { clock, random: new SeededRandom(seed + 4), logger }
    this.fleet = createFleet({
      ...daemonPorts,
      root: this.#sysfs.root,
      stateDirectory: `${this.#sysfs.root}/state`,
      settings: {
        allow: ['auto'],
        ignore: [],
        devices: this.#personality.usb ? [] : [{ device: 'tty:/dev/ttyS0', baud: 115_200, init: '' }],
      },
      openWire: (path) => this.#open(path),
      listenUevents: this.#sysfs.listenUevents,
      pinFor: (modem) => this.supervisor.pinFor(modem),
    })
    const engine = createBuiltinEngine({
      ...daemonPorts,
      openTun: (name) => this.#openTun(name),
      openRouteSocket: carrier.openRouteSocket,
    })
    this.supervisor = createSupervisor({
      ...daemonPorts,
      version: '0',
      fleet: this.fleet,
      engines: [engine],
      engineReports: engineReports({ builtin: { ok: true } }),
      profiles: new TextProfiles({ [LINK]: PROFILE }),
    })
  }

  /** Commands and calls share it. */
  get hasOnePort(): boolean {
    return this.modem.options.interfaces.length === 1
  }

  get link(): LinkHandle {
    return this.supervisor.links.find(({ snapshot }) => snapshot.id === LINK)!
  }

  /** As the daemon sees it. */
  get handle(): ModemHandle | undefined {
    return this.fleet.modems[0]
  }

  /** Until the condition holds, or the limit passes: false. */
  async until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.clock.nowMs() + limitMs
    await this.clock.advance(0)
    while (!isSo()) {
      if (this.clock.nowMs() >= untilMs) return false
      this.#countStep()
      if (!(await this.clock.step(untilMs))) await this.clock.advance(untilMs - this.clock.nowMs())
    }
    return true
  }

  /** Does a packet get through and an answer back? */
  async pings(tries = 1): Promise<boolean> {
    const from = parseIpv4(this.link.snapshot.ip4?.address ?? '')
    const tun = this.tuns.at(-1)
    if (from === undefined || !tun?.isOpen) return false
    for (let attempt = 0; attempt < tries; attempt++) {
      const sequence = ++this.#pings
      tun.ping(from, this.#pool.gateway, sequence)
      if (await this.until(() => tun.answered.has(sequence), 2000)) return true
    }
    return false
  }

  /** What the daemon and the simulator still wait for when both have ended; 0 unless something leaks. */
  async close(): Promise<number> {
    let isClosed = false
    const closing = this.supervisor.close().then(() => this.fleet.close())
    void closing.finally(() => {
      isClosed = true
    })
    await this.until(() => isClosed, 60_000)
    this.modem.unplug()
    await this.until(() => this.clock.pending === 0, 120_000)
    this.#sysfs.dispose()
    return isClosed ? this.clock.pending : Number.POSITIVE_INFINITY
  }

  #countStep(): void {
    if (this.clock.nowMs() - this.#secondMs >= 1000) {
      this.#secondMs = this.clock.nowMs()
      this.#stepsInSecond = 0
    }
    if (++this.#stepsInSecond > MOST_STEPS_A_SECOND) throw new Error('it spins: far too much happens in a second')
  }

  #makeModem(
    carrier: Carrier,
    seed: number,
    ports: { readonly clock: VirtualClock; readonly random: SeededRandom; readonly logger: Logger },
  ): SimulatedModem {
    const { timings } = this.#personality
    const operator = new Operator({
      ...ports,
      settings: { auth: ['chap'], user: USER, password: PASSWORD, dnsServers: [this.#pool.gateway] },
      pool: this.#pool,
      ip6: undefined,
      engineFor: () =>
        createBuiltinEngine({ ...ports, openTun: carrier.openTun, openRouteSocket: carrier.openRouteSocket }),
      routePrefix: async () => {},
    })
    const wallMs = () => Number(this.clock.wallUs() / 1000n)
    return new SimulatedModem({
      ...ports,
      personality: this.#personality,
      identity: identityOf(this.#personality, seed, 0),
      sim: this.sim,
      messages: new SmsStore(wallMs),
      wallMs,
      network: this.network,
      operator,
      faults: this.faults,
      statistics: this.statistics,
      timings: { ...timings, replyMs: (key) => timings.slowMs[key] ?? timings.replyMs },
      speed: 0,
      interfaces: interfacesOf(this.#personality).filter((each) => each.port !== null),
      openTty: (path, onHostClosed) => {
        const tty = new VirtualTty(path, this.clock, onHostClosed)
        this.#ttys.set(path, tty)
        return tty
      },
      ttyNames: (lowest) => this.#ttyNames(lowest),
      show: (shown) => this.#show(shown),
    })
  }

  #ttyNames(lowest: number): readonly string[] {
    const { usb } = this.#personality
    const withTty = interfacesOf(this.#personality).filter((each) => each.port !== null)
    const kind = !usb ? 'ttyS' : usb.interfaces.some(({ driver }) => driver === 'cdc_acm') ? 'ttyACM' : 'ttyUSB'
    return withTty.map((_, index) => `${kind}${usb ? lowest + index : index}`)
  }

  #show(ports: readonly TreePort[]): PluggedDevice {
    const { usb } = this.#personality
    const names = ports.map(({ tty }) => tty)
    if (usb) {
      const interfaces = usb.interfaces.map((each) => {
        const tty = ports.find((port) => port.interface === each)?.tty
        const basics = { number: each.number, driver: each.driver ?? '', class: each.class }
        return tty === undefined ? basics : { ...basics, tty }
      })
      this.#sysfs.addUsb({ place: PLACE, vendor: usb.idVendor, product: usb.idProduct, interfaces })
    } else if (this.statistics.plugs === 0) for (const name of names) this.#sysfs.addPlain(name)
    this.#sysfs.announce('add', ...names)
    return {
      ports,
      reopened: () => {},
      unbind: () => {},
      unplug: () => {
        // A UART stays, with nothing behind it.
        if (!usb) return
        this.#sysfs.removeUsb(PLACE, ...names)
        this.#sysfs.announce('remove', ...names)
      },
    }
  }

  async #open(path: string): Promise<Wire> {
    const tty = this.#ttys.get(path)
    if (!tty || tty.isClosed) throw new ModemdError('ModemGone', `${path} is not there.`, 'modem-gone')
    return tty.open()
  }

  #openTun(name: string): ClientTun {
    const tun = new ClientTun(name.replace('%d', String(this.tuns.length)))
    this.tuns.push(tun)
    return tun
  }
}
