/**
 * The other services on the bus that modemd asks or listens to: one connection for all of them, which comes back after the bus died,
 * and who owns their names. Used by `modemmanager-client.ts`, `resolved.ts` and `logind.ts`; made by `daemon/main.ts`.
 */

import { errorText } from '../base/errors.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import { resolveBusAddress } from './address.ts'
import { BusConnection, type OutgoingCall, type ReceivedSignal } from './connection.ts'

const RECONNECT_PAUSES_MS = [1000, 2000, 5000, 10_000, 30_000]

export interface Neighbour {
  /** Its well-known name. */
  readonly name: string
  /** Of its signals, beyond its name: `interface='…',member='…'`. */
  readonly match?: string
  /** `owner`: its unique name, '' while it does not run. `isNewBus`: what was asked for on the connection before is undone. */
  onOwner(owner: string, isNewBus: boolean): void
  /** Only of the owner of its name. */
  onSignal?(signal: ReceivedSignal): void
}

export interface NeighboursOptions {
  /** As `startBusService` takes it. */
  readonly address: string
  readonly clock: Clock
  readonly logger: Logger
}

export class Neighbours {
  readonly #options: NeighboursOptions
  readonly #followed: { readonly neighbour: Neighbour; owner: string }[] = []
  #connection: BusConnection | undefined
  #retry: Cancel | undefined
  #isClosed = false

  /** Rejects with a ModemdError where there is no bus. */
  static async start(options: NeighboursOptions): Promise<Neighbours> {
    const neighbours = new Neighbours(options)
    await neighbours.#connect()
    return neighbours
  }

  private constructor(options: NeighboursOptions) {
    this.#options = options
  }

  /** Its owner is known once this resolves. While the bus is away, what was known last. */
  async follow(neighbour: Neighbour): Promise<void> {
    const followed = { neighbour, owner: '' }
    this.#followed.push(followed)
    await this.#greet(followed, false)
  }

  /** Rejects with a RemoteError or a ModemdError. */
  call(call: OutgoingCall, timeoutMs?: number): Promise<readonly unknown[]> {
    return this.#open().call(call, timeoutMs)
  }

  callBus(member: string, signature: string, body: readonly unknown[]): Promise<readonly unknown[]> {
    return this.#open().callBus(member, signature, body)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.()
    await this.#connection?.close()
  }

  #open(): BusConnection {
    // A closed connection refuses each call.
    return this.#connection!
  }

  async #connect(): Promise<void> {
    const { address, clock, logger } = this.#options
    this.#connection = await BusConnection.open(resolveBusAddress(address, process.env), clock, logger, {
      onCall: (call) => call.fail('org.freedesktop.DBus.Error.UnknownObject', 'There is nothing here.'),
      onSignal: (signal) => this.#onSignal(signal),
      onLost: () => this.#reconnectLater(0),
    })
    if (this.#isClosed) await this.#connection.close()
  }

  #reconnectLater(tries: number): void {
    if (this.#isClosed) return
    const { clock, logger } = this.#options
    const pauseMs = RECONNECT_PAUSES_MS[Math.min(tries, RECONNECT_PAUSES_MS.length - 1)]!
    this.#retry = clock.at(clock.nowMs() + pauseMs, () => {
      this.#connect().then(
        async () => {
          for (const followed of this.#followed) await this.#greet(followed, true)
        },
        (error) => {
          logger.debug(`The bus is not back yet: ${errorText(error)}`)
          this.#reconnectLater(tries + 1)
        },
      )
    })
  }

  /** Never rejects for a bus that has gone away: it is greeted again on the next. */
  async #greet(followed: { readonly neighbour: Neighbour; owner: string }, isNewBus: boolean): Promise<void> {
    const { name, match } = followed.neighbour
    const changes = `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${name}'`
    try {
      await this.callBus('AddMatch', 's', [changes])
      if (match !== undefined) await this.callBus('AddMatch', 's', [`type='signal',sender='${name}',${match}`])
      const [owner] = await this.callBus('GetNameOwner', 's', [name]).catch(() => [])
      this.#setOwner(followed, String(owner ?? ''), isNewBus)
    } catch (error) {
      this.#options.logger.debug(`${name} cannot be followed: ${errorText(error)}`)
    }
  }

  #setOwner(followed: { readonly neighbour: Neighbour; owner: string }, owner: string, isNewBus: boolean): void {
    if (owner === followed.owner && !isNewBus) return
    followed.owner = owner
    followed.neighbour.onOwner(owner, isNewBus)
  }

  #onSignal(signal: ReceivedSignal): void {
    const [name, , owner] = signal.body
    const isOfBus = signal.sender === 'org.freedesktop.DBus'
    for (const followed of this.#followed) {
      if (isOfBus) {
        if (signal.member === 'NameOwnerChanged' && name === followed.neighbour.name)
          this.#setOwner(followed, String(owner ?? ''), false)
      } else if (followed.owner !== '' && signal.sender === followed.owner) followed.neighbour.onSignal?.(signal)
    }
  }
}
