/**
 * Does ModemManager run, and will it let go of a device? Watches who owns its bus name and calls its InhibitDevice, which holds for as
 * long as our connection does. The fleet asks it before it takes a modem (`modem/foreign-managers.ts`); made by `daemon/main.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel, Logger } from '../base/ports.ts'
import { type ReceivedSignal, RemoteError } from './connection.ts'
import type { Neighbour, Neighbours } from './neighbours.ts'

const PATH = '/org/freedesktop/ModemManager1'
const SHOWN_NAME = 'ModemManager'
const INHIBIT_TIMEOUT_MS = 10_000

export interface ModemManagerClientOptions {
  readonly neighbours: Neighbours
  /** Ours: modemd may own ModemManager's name itself (modemmanager-api). */
  readonly processId: number
  readonly logger: Logger
}

export class ModemManagerClient implements Neighbour {
  readonly name = 'org.freedesktop.ModemManager1'
  readonly match = `interface='org.freedesktop.DBus.ObjectManager',member='InterfacesAdded'`
  readonly #options: ModemManagerClientOptions
  readonly #listeners = new Listeners<[]>()
  readonly #deviceListeners = new Listeners<[]>()
  /** Devices that it is to leave alone. */
  readonly #inhibited = new Set<string>()
  #holder: string | undefined
  /** The bus's name of it; ''. */
  #owner = ''
  #knowing: Promise<void> = Promise.resolve()

  /** Knows who runs once it resolves. */
  static async start(options: ModemManagerClientOptions): Promise<ModemManagerClient> {
    const client = new ModemManagerClient(options)
    await options.neighbours.follow(client)
    await client.#knowing
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

  onDevice(listener: () => void): Cancel {
    return this.#deviceListeners.add(listener)
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

  onOwner(owner: string, isNewBus: boolean): void {
    // Its inhibitions end with the process that holds them, and with our connection.
    if (!isNewBus) this.#inhibited.clear()
    this.#knowing = this.#setOwner(owner).then(() => {
      if (isNewBus) this.#inhibitAgain()
    })
  }

  /** A modem that it has probed: until then InhibitDevice is refused. */
  onSignal({ member }: ReceivedSignal): void {
    if (member === 'InterfacesAdded' && this.#holder !== undefined) this.#deviceListeners.emit()
  }

  #inhibitAgain(): void {
    if (this.#holder === undefined) return
    for (const device of this.#inhibited)
      this.#setInhibited(device, true).catch((error) =>
        this.#options.logger.warn(`${SHOWN_NAME} may disturb ${device} (${errorText(error)}).`),
      )
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
    const { neighbours, processId } = this.#options
    const answer = await neighbours.callBus('GetConnectionUnixProcessID', 's', [owner]).catch(() => undefined)
    return answer?.[0] === processId
  }

  async #setInhibited(device: string, on: boolean): Promise<void> {
    const call = {
      destination: this.name,
      path: PATH,
      interface: this.name,
      member: 'InhibitDevice',
      signature: 'sb',
      body: [device, on],
    }
    try {
      await this.#options.neighbours.call(call, INHIBIT_TIMEOUT_MS)
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
