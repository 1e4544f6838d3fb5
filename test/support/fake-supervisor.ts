/** A SupervisorApi made of plain snapshots that tests change at will; it remembers what it was asked. For tests of the bus and of mmctl. */

import { ModemdError } from '../../src/base/errors.ts'
import type { Finding } from '../../src/base/finding.ts'
import type { Cancel } from '../../src/base/ports.ts'
import type {
  ApnOffer,
  ConnectOptions,
  LinkHandle,
  LinkSnapshot,
  ProfileFields,
  SupervisorApi,
} from '../../src/link/snapshot.ts'
import type { ConsoleRequest } from '../../src/modem/features/console/snapshot.ts'
import type {
  Call,
  ModemFleet,
  ModemHandle,
  ModemSnapshot,
  PersonCaller,
  PinCaller,
  PortReport,
} from '../../src/modem/snapshot.ts'
import { FakeLocation, FakeTime, FakeUssd } from './fake-features.ts'
import { FakeMessaging } from './fake-messaging.ts'

export const MODEM_SNAPSHOT: ModemSnapshot = {
  id: 'imei_356938035643809',
  device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2',
  driver: 'option',
  ports: [
    { name: '/dev/ttyUSB0', role: 'data', owner: '' },
    { name: '/dev/ttyUSB2', role: 'at', owner: 'modemd (at)' },
  ],
  manufacturer: 'huawei',
  model: 'E173',
  revision: '11.126.15.00.24',
  equipmentIdentifier: '356938035643809',
  state: 'registered',
  stateReason: '',
  sim: { status: 'ready', iccid: '8901260862291477113', operatorName: 'Testnet', pinTries: 3, pukTries: 10 },
  operatorName: 'Testnet',
  operatorCode: '26201',
  registration: 'home',
  accessTechnologies: ['lte'],
  signalQuality: 64,
  signalDbm: -71,
  ownNumbers: ['+491701234567'],
  powerState: 'on',
  signal: { technology: 'lte', rssi: -71, rsrp: -99.5, atUs: 1_700_000_000_000_000n, source: '+CSQ' },
}

/** A modem's, and one that is left alone. */
export const PORT_REPORTS: readonly PortReport[] = [
  {
    name: '/dev/ttyACM0',
    device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3',
    driver: 'cdc_acm',
    usbId: '2341:0043',
    interfaceClass: '02/02/01',
    owner: '',
    isTaken: false,
    reason: '2341:0043 is an Arduino',
  },
  {
    name: '/dev/ttyUSB2',
    device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2',
    driver: 'option',
    usbId: '12d1:1436',
    interfaceClass: 'ff/ff/ff',
    role: 'at',
    owner: 'modemd (at)',
    isTaken: true,
    reason: "the kernel's option driver is for modems only",
    modem: 'imei_356938035643809',
  },
]

export const LINK_SNAPSHOT: LinkSnapshot = {
  id: 'demo',
  profile: 'demo',
  state: 'idle',
  phaseMs: {},
  rxBytes: 0n,
  txBytes: 0n,
  attempts: 0,
  nextAttemptAtUs: 0n,
  nextAttemptReason: '',
}

export const LINK_UP: Partial<LinkSnapshot> = {
  state: 'up',
  modem: MODEM_SNAPSHOT.id,
  phaseMs: { modem: 1, sim: 2, network: 350, dial: 120, lcp: 30, auth: 20, address: 11 },
  interface: 'ppp0',
  engine: 'builtin',
  connectSpeed: 150_000_000,
  report: 'CONNECT 150000000',
  ip4: { address: '10.64.0.2', prefix: 32, peer: '10.64.64.64', dns: ['10.11.12.13', '10.11.12.14'], mtu: 1500 },
  rxBytes: 5_000_000_000n,
  txBytes: 2n ** 63n,
  upSinceUs: 1_700_000_000_000_000n,
  usage: { month: '2026-11', usedBytes: 7_250_000_000n, limitBytes: 10_000_000_000n },
  attempts: 1,
  chatExit: 0,
}

class Listeners<A extends readonly unknown[]> {
  readonly #listeners = new Set<(...args: A) => void>()

  add(listener: (...args: A) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(...args: A): void {
    for (const listener of [...this.#listeners]) listener(...args)
  }
}

/** What was called, in order, as `name(arguments)`. */
export type CallLog = string[]

export class FakeModem implements ModemHandle {
  snapshot: ModemSnapshot
  readonly #changed = new Listeners<[ModemSnapshot, ModemSnapshot]>()
  readonly #log: CallLog

  constructor(snapshot: Partial<ModemSnapshot>, log: CallLog) {
    this.snapshot = { ...MODEM_SNAPSHOT, ...snapshot }
    this.#log = log
    this.messaging = new FakeMessaging(log)
    this.ussd = new FakeUssd(log)
  }

  change(changes: Partial<ModemSnapshot>): void {
    const previous = this.snapshot
    this.snapshot = { ...previous, ...changes }
    this.#changed.tell(this.snapshot, previous)
  }

  onChange(listener: (next: ModemSnapshot, previous: ModemSnapshot) => void): Cancel {
    return this.#changed.add(listener)
  }

  readonly messaging: FakeMessaging

  readonly ussd: FakeUssd
  readonly time = new FakeTime()
  readonly location = new FakeLocation()

  readonly console = {
    command: async ({ line, timeoutMs, isForced }: ConsoleRequest) => {
      this.#log.push(`command(${line}, ${timeoutMs}, ${isForced})`)
      if (line === 'ATZ' && !isForced) throw new ModemdError('WrongState', 'ATZ is not sent: use `mmctl reset`.')
      return line === 'AT+ESC' ? '+ESC: \x1b[2J\nOK' : line === 'AT+NO' ? '+CME ERROR: 100' : '+CSQ: 20,99\nOK'
    },
  }

  async enable() {
    this.#log.push('enable()')
  }

  async disable() {
    this.#log.push('disable()')
  }

  async sendPin(pin: string, caller: PinCaller) {
    this.#log.push(`sendPin(${pin}, ${caller})`)
    if (pin !== '1234') throw new ModemdError('SimPin', 'The SIM refused the PIN; 2 tries are left.', 'sim-pin-refused')
  }

  async sendPuk(puk: string, newPin: string) {
    this.#log.push(`sendPuk(${puk}, ${newPin})`)
  }

  async changePin(oldPin: string, newPin: string, caller: PersonCaller) {
    this.#log.push(`changePin(${oldPin}, ${newPin}, ${caller})`)
  }

  async enablePin(pin: string, on: boolean, caller: PersonCaller) {
    this.#log.push(`enablePin(${pin}, ${on}, ${caller})`)
  }

  async imsi() {
    return '262011234567890'
  }

  setSignalPoll(seconds: number) {
    this.#log.push(`setSignalPoll(${seconds})`)
  }

  signalHistory() {
    return [
      { atUs: 1_700_000_000_000_000n, dbm: -71 },
      { atUs: 1_700_000_010_000_000n, dbm: -73.5 },
    ]
  }

  async reset(hard: boolean) {
    this.#log.push(`reset(${hard})`)
  }

  async scan() {
    return [{ plmn: '26201', name: 'Testnet', status: 'current', technology: 'lte' }]
  }

  async register(plmn: string) {
    this.#log.push(`register(${plmn})`)
  }

  async dial(): Promise<Call> {
    throw new ModemdError('Unsupported', 'The fake modem cannot dial.')
  }
}

export class FakeLink implements LinkHandle {
  snapshot: LinkSnapshot
  readonly #changed = new Listeners<[LinkSnapshot, LinkSnapshot]>()
  readonly #log: CallLog

  constructor(snapshot: Partial<LinkSnapshot>, log: CallLog) {
    this.snapshot = { ...LINK_SNAPSHOT, ...snapshot }
    this.#log = log
  }

  change(changes: Partial<LinkSnapshot>): void {
    const previous = this.snapshot
    this.snapshot = { ...previous, ...changes }
    this.#changed.tell(this.snapshot, previous)
  }

  onChange(listener: (next: LinkSnapshot, previous: LinkSnapshot) => void): Cancel {
    return this.#changed.add(listener)
  }

  async up() {
    this.#log.push(`up(${this.snapshot.id})`)
    this.change({ ...LINK_UP })
  }

  async down() {
    this.#log.push(`down(${this.snapshot.id})`)
    this.change({ ...LINK_SNAPSHOT, id: this.snapshot.id, profile: this.snapshot.profile, modem: undefined })
  }

  /** As the snapshot says: up, failed, or in a turn. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = ({ state, causeDetail }: LinkSnapshot) => {
        if (state === 'up') resolve()
        else if (state === 'failed') reject(new ModemdError('DialFailed', `The dial failed: ${causeDetail}.`, 'busy'))
        else return
        cancel()
      }
      const cancel = this.onChange(look)
      look(this.snapshot)
    })
  }
}

export class FakeSupervisor implements SupervisorApi {
  readonly version = '0.1.0'
  readonly engines = ['builtin']
  readonly engineReasons = { builtin: 'usable', kernel: 'there is no /dev/ppp' }
  readonly log: CallLog = []
  modems: FakeModem[] = []
  links: FakeLink[] = []
  ports: PortReport[] = [...PORT_REPORTS]
  profileList: ProfileFields[] = [{ name: 'demo', apn: 'internet', autoconnect: true, priority: 0 }]
  apns: readonly ApnOffer[] = []
  findings: readonly Finding[] = [{ check: 'kernel-ppp', state: 'ok', detail: 'absent', advice: '' }]
  /** Names of profiles with `options` or `chat-script`. */
  administratorProfiles: readonly string[] = []
  readonly #modemAdded = new Listeners<[ModemHandle]>()
  readonly #modemRemoved = new Listeners<[ModemHandle]>()
  readonly #linkAdded = new Listeners<[LinkHandle]>()
  readonly #linkRemoved = new Listeners<[LinkHandle]>()
  readonly fleet: ModemFleet

  /** With one modem and one idle link. */
  constructor() {
    const fake = this
    this.fleet = {
      get modems() {
        return fake.modems
      },
      onAdded: (listener) => this.#modemAdded.add(listener),
      onRemoved: (listener) => this.#modemRemoved.add(listener),
      rescan: () => this.log.push('rescan()'),
      wake: () => {},
      ports: () => this.ports,
      inhibit: (device) => this.#inhibit(device),
    }
    this.modems = [new FakeModem({}, this.log)]
    this.links = [new FakeLink({}, this.log)]
  }

  addModem(snapshot: Partial<ModemSnapshot>): FakeModem {
    const modem = new FakeModem(snapshot, this.log)
    this.modems = [...this.modems, modem]
    this.#modemAdded.tell(modem)
    return modem
  }

  removeModem(modem: FakeModem): void {
    this.modems = this.modems.filter((other) => other !== modem)
    this.#modemRemoved.tell(modem)
  }

  addLink(snapshot: Partial<LinkSnapshot>): FakeLink {
    const link = new FakeLink(snapshot, this.log)
    this.links = [...this.links, link]
    this.#linkAdded.tell(link)
    return link
  }

  removeLink(link: FakeLink): void {
    this.links = this.links.filter((other) => other !== link)
    this.#linkRemoved.tell(link)
  }

  onLinkAdded(listener: (link: LinkHandle) => void): Cancel {
    return this.#linkAdded.add(listener)
  }

  onLinkRemoved(listener: (link: LinkHandle) => void): Cancel {
    return this.#linkRemoved.add(listener)
  }

  async connect(profile: string, options: ConnectOptions): Promise<LinkHandle> {
    this.log.push(`connect(${profile}, ${JSON.stringify(options)})`)
    const name = profile === '' ? 'manual' : profile
    if (name !== 'manual' && !this.profileList.some((fields) => fields.name === name)) {
      throw new ModemdError('NotFound', `There is no profile "${name}".`)
    }
    const link = this.links.find(({ snapshot }) => snapshot.id === name) ?? this.addLink({ id: name, profile: name })
    link.change({ state: 'dialling', modem: this.modems[0]?.snapshot.id, attempts: 1 })
    return link
  }

  async disconnect(linkId: string | undefined): Promise<void> {
    this.log.push(`disconnect(${linkId})`)
    for (const link of this.links) if (linkId === undefined || link.snapshot.id === linkId) await link.down()
  }

  profileNeedsAdministrator(profile: string): boolean {
    return this.administratorProfiles.includes(profile)
  }

  profiles(): readonly ProfileFields[] {
    return this.profileList
  }

  async apnsOf(networkOrModem: string): Promise<readonly ApnOffer[]> {
    this.log.push(`apnsOf(${networkOrModem})`)
    return this.apns
  }

  async saveProfile(fields: ProfileFields): Promise<void> {
    this.log.push(`saveProfile(${JSON.stringify(fields)})`)
  }

  async removeProfile(name: string): Promise<void> {
    this.log.push(`removeProfile(${name})`)
  }

  async reloadConfig(): Promise<void> {
    this.log.push('reloadConfig()')
  }

  /** What `BusServiceOptions.diagnose` is in tests. */
  async diagnose(): Promise<readonly Finding[]> {
    this.log.push('diagnose()')
    return this.findings
  }

  async #inhibit(device: string): Promise<Cancel> {
    this.log.push(`inhibit(${device})`)
    return () => this.log.push(`take back(${device})`)
  }
}
