/**
 * modemd as mmctl sees it over D-Bus: its modems and links, read in one call and kept current by its signals, and its
 * methods. Every error that leaves here is a CliError with a sentence a person can act on. Called by the commands.
 */

import type { Cause } from '../base/cause.ts'
import type { Clock } from '../base/ports.ts'
import { BUS_NAME, BusClient, BusError, type Signal } from './bus-client.ts'
import { CliError } from './errors.ts'
import { SYSTEMD_ERROR } from './exit-codes.ts'
import { MarshalError } from './marshal.ts'
import { possibleCauses } from './modem-causes.ts'
import { idOfPath } from './output/json.ts'

const MODEMD = 'org.modemd'
export const ROOT = '/org/modemd'
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager'

export type PropertyValues = Readonly<Record<string, unknown>>

/** Properties of one interface; what is absent or has another type than the contract's is not known. */
export class Properties {
  readonly values: PropertyValues

  constructor(values: PropertyValues) {
    this.values = values
  }

  /** '' counts as unknown. */
  text(name: string): string | undefined {
    const value = this.values[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  number(name: string): number | undefined {
    const value = this.values[name]
    const number = typeof value === 'bigint' ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : undefined
  }

  texts(name: string): readonly string[] {
    return this.list(name).filter((item) => typeof item === 'string')
  }

  list(name: string): readonly unknown[] {
    const value = this.values[name]
    return Array.isArray(value) ? value : []
  }

  dictionary(name: string): Properties {
    const value = this.values[name]
    return new Properties(typeof value === 'object' && value !== null ? (value as PropertyValues) : {})
  }
}

export interface Modem {
  readonly path: string
  readonly id: string
  /** Its place in `mmctl list`. */
  readonly index: number
  readonly properties: Properties
  readonly sim: Properties | undefined
  readonly signal: Properties | undefined
  /** Another interface of its object, by its short name: `Ussd1`; undefined: this modem has none. */
  interface(name: string): Properties | undefined
}

/** An object that is no modem and no link: a message. */
export interface OtherObject {
  readonly path: string
  readonly id: string
  readonly properties: Properties
}

export interface Link {
  readonly path: string
  /** Its profile's name, or `manual`. */
  readonly id: string
  readonly properties: Properties
}

export type Change =
  | { readonly type: 'added' | 'removed'; readonly path: string }
  | {
      readonly type: 'changed'
      readonly path: string
      readonly interface: string
      /** A property that is not known any more is undefined. */
      readonly values: PropertyValues
      readonly previous: PropertyValues
    }
  /** A link's or modem's StateChanged: a step that `changed` may not show, as when a link fails anew. */
  | { readonly type: 'stepped'; readonly path: string; readonly previous: string; readonly state: string }
  /** modemd left the bus, or came (back). */
  | { readonly type: 'gone' | 'back' }
  /** The bus itself is gone: nothing more comes. */
  | { readonly type: 'lost'; readonly error: unknown }

/** As the bus knows it. */
export interface DaemonProcess {
  readonly pid: number | undefined
  readonly uid: number | undefined
}

type Interfaces = Map<string, PropertyValues>

export class Daemon {
  #bus!: BusClient
  readonly #listeners = new Set<(change: Change) => void>()
  #objects = new Map<string, Interfaces>()
  #manager = new Properties({})
  #owner = ''
  #isLoaded = false

  static async open(address: string, clock: Clock): Promise<Daemon> {
    const daemon = new Daemon()
    const events = {
      onSignal: (signal: Signal) => daemon.#onSignal(signal),
      onGone: (error: BusError) => daemon.#emit({ type: 'lost', error: explain(error) }),
    }
    try {
      daemon.#bus = await BusClient.open(address, clock, events)
    } catch (error) {
      throw explain(error)
    }
    return daemon
  }

  close(): void {
    this.#bus.close()
  }

  get manager(): Properties {
    return this.#manager
  }

  /** In modemd's order. */
  get modems(): readonly Modem[] {
    return this.#ordered('Modem1', this.#manager.texts('Modems')).map(([path, interfaces], index) => {
      const properties = new Properties(interfaces.get('Modem1')!)
      const optional = (name: string) => {
        const values = interfaces.get(name)
        return values && new Properties(values)
      }
      const id = properties.text('Id') ?? idOfPath(path)
      return { path, id, index, properties, sim: optional('Sim1'), signal: optional('Signal1'), interface: optional }
    })
  }

  /** All that have an interface, by its short name: `Sms1`. */
  objects(interfaceName: string): readonly OtherObject[] {
    return this.#ordered(interfaceName, []).map(([path, interfaces]) => ({
      path,
      id: idOfPath(path),
      properties: new Properties(interfaces.get(interfaceName)!),
    }))
  }

  get links(): readonly Link[] {
    return this.#ordered('Link1', this.#manager.texts('Links')).map(([path, interfaces]) => ({
      path,
      id: idOfPath(path),
      properties: new Properties(interfaces.get('Link1')!),
    }))
  }

  /** Reads everything, in one round trip. */
  async load(): Promise<void> {
    await Promise.all([
      this.call(ROOT, OBJECT_MANAGER, 'GetManagedObjects').then(([objects]) => {
        this.#objects = new Map()
        for (const [path, interfaces] of Object.entries(objects as Record<string, Record<string, PropertyValues>>))
          this.#add(path, interfaces)
        // Signals from here on are newer than what was read.
        this.#isLoaded = true
      }),
      this.call(ROOT, PROPERTIES, 'GetAll', 's', [`${MODEMD}.Manager1`]).then(([values]) => {
        this.#manager = new Properties(values as PropertyValues)
      }),
    ])
  }

  /** Reads everything and keeps it current from then on. */
  async follow(): Promise<void> {
    const follow = [
      this.#bus.addMatch(`type='signal',sender='${MODEMD}'`),
      this.#bus.addMatch(`type='signal',sender='${BUS_NAME}',member='NameOwnerChanged',arg0='${MODEMD}'`),
      this.#askOwner(),
      this.load(),
    ]
    await Promise.all(follow).catch((error) => {
      throw explain(error)
    })
  }

  /** The process that is modemd now; undefined: none is, and none is started. */
  async process(): Promise<DaemonProcess | undefined> {
    try {
      const [isOwned] = await this.#bus.callBus('NameHasOwner', MODEMD)
      if (isOwned !== true) return undefined
      const [credentials] = await this.#bus.callBus('GetConnectionCredentials', MODEMD)
      const known = new Properties(credentials as PropertyValues)
      return { pid: known.number('ProcessID'), uid: known.number('UnixUserID') }
    } catch (error) {
      throw explain(error)
    }
  }

  /** Called after the change is in `modems` and `links`. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A method of modemd's. `interface` is one of ours by its short name, or a whole one. */
  async call(
    path: string,
    interfaceName: string,
    member: string,
    signature = '',
    body: readonly unknown[] = [],
    timeoutMs?: number,
  ): Promise<unknown[]> {
    const whole = interfaceName.includes('.') ? interfaceName : `${MODEMD}.${interfaceName}`
    const call = { destination: MODEMD, path, interface: whole, member, signature, body }
    try {
      return await this.#bus.call(timeoutMs === undefined ? call : { ...call, timeoutMs })
    } catch (error) {
      throw explain(error, await this.#causeOf(error, path, interfaceName))
    }
  }

  manage(member: string, signature = '', body: readonly unknown[] = [], timeoutMs?: number): Promise<unknown[]> {
    return this.call(ROOT, 'Manager1', member, signature, body, timeoutMs)
  }

  /** Of several that it may be the one that the modem at `path` names. Never rejects. */
  async #causeOf(error: unknown, path: string, interfaceName: string): Promise<Cause | undefined> {
    if (!(error instanceof BusError)) return undefined
    const causes = possibleCauses(interfaceName, error.name)
    if (causes.length < 2 || path === ROOT) return causes[0]
    const property = { member: 'Get', signature: 'ss', body: [`${MODEMD}.Modem1`, 'FailedCause'] }
    const asked = this.#bus.call({ destination: MODEMD, path, interface: PROPERTIES, ...property })
    const [value] = await asked.catch(() => [])
    return causes.find((cause) => cause === value) ?? causes[0]
  }

  #ordered(interfaceName: string, order: readonly string[]): [string, Interfaces][] {
    const place = (path: string) => (order.includes(path) ? order.indexOf(path) : order.length)
    return [...this.#objects]
      .filter(([, interfaces]) => interfaces.has(interfaceName))
      .sort(([a], [b]) => place(a) - place(b))
  }

  #add(path: string, interfaces: Readonly<Record<string, PropertyValues>>): void {
    const known = this.#objects.get(path) ?? new Map()
    for (const [name, values] of Object.entries(interfaces)) known.set(shortName(name), values)
    this.#objects.set(path, known)
  }

  /** Only modemd itself may tell us about modemd: the bus delivers anybody's signal that is addressed to us. */
  async #askOwner(): Promise<void> {
    try {
      const [owner] = await this.#bus.callBus('GetNameOwner', MODEMD)
      this.#owner = String(owner)
    } catch (error) {
      // Not there yet: where the bus starts it, NameOwnerChanged tells.
      if (!(error instanceof BusError && error.name.endsWith('.NameHasNoOwner'))) throw error
    }
  }

  #onSignal(signal: Signal): void {
    if (signal.sender === BUS_NAME && signal.member === 'NameOwnerChanged') this.#onOwner(signal)
    // What came before the snapshot is in it.
    if (signal.sender !== this.#owner || !this.#isLoaded) return
    if (signal.interface === PROPERTIES && signal.member === 'PropertiesChanged') this.#onProperties(signal)
    else if (signal.interface === OBJECT_MANAGER && signal.member === 'InterfacesAdded') this.#onAdded(signal)
    else if (signal.interface === OBJECT_MANAGER && signal.member === 'InterfacesRemoved') this.#onRemoved(signal)
    else if (signal.member === 'StateChanged' && signal.interface.startsWith(`${MODEMD}.`)) {
      const [previous, state] = signal.body
      if (typeof previous === 'string' && typeof state === 'string')
        this.#emit({ type: 'stepped', path: signal.path, previous, state })
    }
  }

  #onOwner(signal: Signal): void {
    const [name, , owner] = signal.body as [string, string, string]
    if (name !== MODEMD) return
    this.#owner = owner
    if (!this.#isLoaded) return
    if (owner === '') {
      this.#objects.clear()
      this.#emit({ type: 'gone' })
      return
    }
    this.#isLoaded = false
    this.load().then(
      () => this.#emit({ type: 'back' }),
      () => {
        // It left again; the next NameOwnerChanged tries again.
        this.#isLoaded = true
      },
    )
  }

  #onProperties(signal: Signal): void {
    const [whole, changed, lost] = signal.body as [string, PropertyValues, string[]]
    const name = shortName(whole)
    const interfaces = this.#objects.get(signal.path)
    const before = signal.path === ROOT && name === 'Manager1' ? this.#manager.values : interfaces?.get(name)
    if (!before) return
    const values: Record<string, unknown> = { ...changed, ...Object.fromEntries(lost.map((each) => [each, undefined])) }
    const next = { ...before, ...values }
    if (signal.path === ROOT) this.#manager = new Properties(next)
    else interfaces!.set(name, next)
    this.#emit({ type: 'changed', path: signal.path, interface: name, values, previous: before })
  }

  #onAdded(signal: Signal): void {
    const [path, interfaces] = signal.body as [string, Record<string, PropertyValues>]
    this.#add(path, interfaces)
    this.#emit({ type: 'added', path })
  }

  #onRemoved(signal: Signal): void {
    const [path, names] = signal.body as [string, string[]]
    const interfaces = this.#objects.get(path)
    if (!interfaces) return
    for (const name of names) interfaces.delete(shortName(name))
    if (interfaces.size > 0) return
    this.#objects.delete(path)
    this.#emit({ type: 'removed', path })
  }

  #emit(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change)
  }
}

function shortName(interfaceName: string): string {
  return interfaceName.startsWith(`${MODEMD}.`) ? interfaceName.slice(MODEMD.length + 1) : interfaceName
}

/** What happened and what to do, for every error that the bus or modemd gives. */
function explain(error: unknown, cause?: Cause): unknown {
  if (error instanceof MarshalError) return CliError.usage(`${error.message}: check the command's values`)
  if (!(error instanceof BusError)) return error
  if (error.name.startsWith(SYSTEMD_ERROR))
    return new CliError(error.name, `modemd is not running (${error.message.replace(/\.$/, '')}): ${NOT_ENABLED}`)
  const name = error.name.replace('org.freedesktop.DBus.Error.', '')
  return new CliError(
    error.name,
    EXPLANATIONS[name]?.(error.message) ?? (error.message || `modemd answered ${error.name}`),
    { cause },
  )
}

const NOT_RUNNING = 'start it (`systemctl start modemd`), or name the bus that it is on with --bus'

const NOT_ENABLED = 'start it (`systemctl enable --now modemd`)'

const EXPLANATIONS: Readonly<Record<string, (message: string) => string>> = {
  NoServer: (message) => `${message}: start the bus (\`systemctl start dbus\`), or name another with --bus`,
  Disconnected: (message) => `${message}: start the bus again`,
  AuthFailed: (message) => `${message}: use a bus that this user may talk to`,
  ServiceUnknown: () => `modemd is not running: ${NOT_RUNNING}`,
  NameHasNoOwner: () => `modemd is not running: ${NOT_RUNNING}`,
  'Spawn.ServiceNotFound': () => `modemd is not running: ${NOT_RUNNING}`,
  'Spawn.ChildExited': (message) => `modemd could not be started (${message}): see \`journalctl -u modemd\``,
  'Spawn.ExecFailed': (message) => `modemd could not be started (${message}): see \`journalctl -u modemd\``,
  NoReply: () => 'modemd ended before it answered: see `journalctl -u modemd`',
  Timeout: (message) => `${message}: see \`journalctl -u modemd\``,
  AccessDenied: (message) => `the bus forbids it (${message}): run it as root, or join the group modemd`,
  UnknownMethod: (message) => `this modemd does not know that (${message}): use a mmctl of the same version`,
  UnknownInterface: (message) => `this modemd does not know that (${message}): use a mmctl of the same version`,
}
