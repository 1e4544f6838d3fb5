/**
 * Does ModemManager run, and will it let go of a device? Watches who owns its bus name and calls its InhibitDevice, which holds for as
 * long as this connection does. The fleet asks it before it takes a modem (`modem/foreign-managers.ts`); made by `daemon/main.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import { resolveBusAddress } from './address.ts'
import { BusConnection, type ReceivedSignal, RemoteError } from './connection.ts'

const NAME = 'org.freedesktop.ModemManager1'
const PATH = '/org/freedesktop/ModemManager1'
const SHOWN_NAME = 'ModemManager'
const NAME_CHANGES = `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${NAME}'`
const INHIBIT_TIMEOUT_MS = 10_000
const RECONNECT_PAUSES_MS = [1000, 2000, 5000, 10_000, 30_000]

export interface ModemManagerClientOptions {
  /** As `startBusService` takes it. */
  readonly address: string
  /** Ours: modemd may own ModemManager's name itself (modemmanager-api). */
  readonly processId: number
  readonly clock: Clock
  readonly logger: Logger
}

export class ModemManagerClient {
  readonly #options: ModemManagerClientOptions
  readonly #listeners = new Listeners<[]>()
  /** Devices that it is to leave alone. */
  readonly #inhibited = new Set<string>()
  #connection: BusConnection | undefined
  #holder: string | undefined
  /** The bus's name of it; ''. */
  #owner = ''
  #retry: Cancel | undefined
  #isClosed = false

  /** Knows who runs once it resolves. Rejects with a ModemdError where there is no bus. */
  static async start(options: ModemManagerClientOptions): Promise<ModemManagerClient> {
    const client = new ModemManagerClient(options)
    await client.#connect()
    return client
  }

  private constructor(options: ModemManagerClientOptions) {
    this.#options = options
  }

  /** `ModemManager` while it runs; undefined: it does not. While the bus is away, what was known last. */
  get holder(): string | undefined {
    return this.#holder
  }

  onChange(listener: () => void): Cancel {
    return this.#listeners.add(listener)
  }

  /** `device` is MM's uid of it: the sysfs path. Rejects with a ModemdError: NotFound where MM does not know it. */
  async inhibit(device: string): Promise<Cancel> {
    await this.#setInhibited(device, true)
    this.#inhibited.add(device)
    return () => {
      if (!this.#inhibited.delete(device)) return
      void this.#setInhibited(device, false).catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.()
    await this.#connection?.close()
  }

  async #connect(): Promise<void> {
    const { address, clock, logger } = this.#options
    const connection = await BusConnection.open(resolveBusAddress(address, process.env), clock, logger, {
      onCall: (call) => call.fail('org.freedesktop.DBus.Error.UnknownObject', 'There is nothing here.'),
      onSignal: (signal) => this.#onSignal(signal),
      onLost: () => this.#reconnectLater(0),
    })
    this.#connection = connection
    await connection.callBus('AddMatch', 's', [NAME_CHANGES])
    const owner = await connection.callBus('GetNameOwner', 's', [NAME]).catch(() => [])
    await this.#setOwner(String(owner[0] ?? ''))
  }

  #reconnectLater(tries: number): void {
    if (this.#isClosed) return
    const { clock } = this.#options
    const pauseMs = RECONNECT_PAUSES_MS[Math.min(tries, RECONNECT_PAUSES_MS.length - 1)]!
    this.#retry = clock.at(clock.nowMs() + pauseMs, () => {
      void this.#connect().then(
        () => this.#inhibitAgain(),
        () => this.#reconnectLater(tries + 1),
      )
    })
  }

  /** They went with the connection. */
  #inhibitAgain(): void {
    if (this.#holder === undefined) return
    for (const device of this.#inhibited)
      this.#setInhibited(device, true).catch((error) =>
        this.#options.logger.warn(`${SHOWN_NAME} may disturb ${device} (${errorText(error)}).`),
      )
  }

  #onSignal({ member, body }: ReceivedSignal): void {
    const [name, , owner] = body
    if (member !== 'NameOwnerChanged' || name !== NAME) return
    // Its inhibitions ended with the process that held them.
    this.#inhibited.clear()
    void this.#setOwner(String(owner ?? ''))
  }

  async #setOwner(owner: string): Promise<void> {
    this.#owner = owner
    const holder = owner === '' || (await this.#isOurs(owner)) ? undefined : SHOWN_NAME
    // The next one may have come while we asked.
    if (owner !== this.#owner || holder === this.#holder) return
    this.#holder = holder
    this.#listeners.emit()
  }

  async #isOurs(owner: string): Promise<boolean> {
    const connection = this.#connection
    const answer = await connection?.callBus('GetConnectionUnixProcessID', 's', [owner]).catch(() => undefined)
    return answer?.[0] === this.#options.processId
  }

  async #setInhibited(device: string, on: boolean): Promise<void> {
    const connection = this.#connection
    if (!connection) throw new ModemdError('Internal', 'There is no connection to the bus.')
    const call = {
      destination: NAME,
      path: PATH,
      interface: NAME,
      member: 'InhibitDevice',
      signature: 'sb',
      body: [device, on],
    }
    try {
      await connection.call(call, INHIBIT_TIMEOUT_MS)
    } catch (error) {
      throw explain(error)
    }
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof RemoteError)) return error
  const { errorName, message } = error
  if (/\.(NotFound|UnknownObject)$/.test(errorName))
    return new ModemdError('NotFound', `${SHOWN_NAME} does not know it.`)
  if (/\.(Unauthorized|AccessDenied)$/.test(errorName))
    return new ModemdError('NotAuthorized', `${SHOWN_NAME} does not let this user: ${message}`, 'permission')
  return new ModemdError('Internal', `${SHOWN_NAME} answered ${message || errorName}`)
}
