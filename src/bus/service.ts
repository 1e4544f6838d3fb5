/**
 * org.modemd on a message bus: keeps one connection, owns the name, serves the object tree, and comes back with
 * everything after the bus died. Called by `daemon/main.ts`.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import type { SupervisorApi } from '../link/snapshot.ts'
import { resolveBusAddress } from './address.ts'
import { createAuthoriser } from './authorisation.ts'
import { BusConnection, type BusSignal, type IncomingCall, RemoteError } from './connection.ts'
import { Dispatcher } from './dispatcher.ts'
import { Exporter } from './exporter.ts'
import { Inhibitions } from './inhibitions.ts'
import { ObjectTree } from './object-tree.ts'
import { PeerWatch } from './peer-watch.ts'
import { createPolkit } from './polkit.ts'
import { Publisher } from './publisher.ts'
import { reuseFor, SliceQueue, shareRun, Throttle } from './restraint.ts'
import type { Variant } from './signature.ts'

const NAME = 'org.modemd'
const DO_NOT_QUEUE = 4
const PRIMARY_OWNER = 1
const ALREADY_OWNER = 4

const TOO_MANY = 'Too many of your calls wait for their answers: make no more until some have come.'

const FIRST_RETRY_MS = 100
const RETRY_FACTOR = 2
const LONGEST_RETRY_MS = 5_000
const RESCAN_INTERVAL_MS = 1_000
/** Files are read for it. */
const DIAGNOSE_INTERVAL_MS = 250

export interface BusServiceOptions {
  /** `system`, `session` or a bus address. */
  readonly address: string
  readonly api: SupervisorApi
  readonly clock: Clock
  readonly logger: Logger
  /** Of the machine and the daemon, for `mmctl doctor`. */
  readonly diagnose: () => Promise<readonly Finding[]>
  /** `at-console` of the configuration, asked anew for each command; off where left out. */
  readonly isConsoleOn?: () => boolean
  /** Where `group` and `passwd` are; `/etc`. */
  readonly etcDirectory?: string
}

export interface BusService {
  /** Tells the last changes and leaves the bus. Never rejects. */
  close(): Promise<void>
}

/**
 * Resolves when the name is ours and everything is exported. Rejects with a ModemdError: InvalidArgs (address), NotFound
 * or Timeout (no bus there), Busy (another modemd has the name), NotAuthorized (the bus's policy forbids the name).
 */
export async function startBusService(options: BusServiceOptions): Promise<BusService> {
  const service = new Service(options, resolveBusAddress(options.address, process.env))
  try {
    await service.connect()
  } catch (error) {
    await service.close()
    throw error
  }
  return service
}

/**
 * For the start, before anything of a modemd that runs already is touched. Rejects with a ModemdError as `startBusService`:
 * InvalidArgs, NotFound, Timeout, Busy.
 */
export async function mustBeAlone({
  address,
  clock,
  logger,
}: Pick<BusServiceOptions, 'address' | 'clock' | 'logger'>): Promise<void> {
  const connection = await BusConnection.open(resolveBusAddress(address, process.env), clock, logger, {
    onCall: (call) => call.fail('org.freedesktop.DBus.Error.UnknownObject', 'There is nothing here.'),
    onSignal: () => {},
    onLost: () => {},
  })
  try {
    const [isTaken] = await connection.callBus('NameHasOwner', 's', [NAME])
    if (isTaken === true) throw nameTaken()
  } finally {
    await connection.close()
  }
}

class Service implements BusService {
  readonly #address: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #peers = new PeerWatch(() => this.#connection)
  readonly #publisher: Publisher
  readonly #exporter: Exporter
  readonly #calls: SliceQueue<IncomingCall>
  readonly #rescan: Throttle
  #connection: BusConnection | undefined
  /** The name is ours: losing the connection now means coming back. */
  #isServing = false
  #isClosed = false
  #retryMs = FIRST_RETRY_MS
  #cancelRetry: Cancel | undefined

  constructor(options: BusServiceOptions, address: string) {
    const { api, diagnose, clock, logger, isConsoleOn = () => false, etcDirectory = '/etc' } = options
    this.#address = address
    this.#clock = clock
    this.#logger = logger
    const tree = new ObjectTree()
    this.#publisher = new Publisher(tree, (signal) => this.#emit(signal), clock)
    this.#rescan = new Throttle(clock, RESCAN_INTERVAL_MS, () => api.fleet.rescan())
    this.#exporter = new Exporter({
      manager: {
        api,
        inhibitions: new Inhibitions(api.fleet, this.#peers),
        rescan: () => this.#rescan.request(),
        diagnose: shareRun(reuseFor(clock, DIAGNOSE_INTERVAL_MS, diagnose)),
      },
      publisher: this.#publisher,
      logger,
      isConsoleOn,
    })
    const authorise = createAuthoriser({
      credentialsOf: (sender) => this.#credentialsOf(sender),
      askPolkit: createPolkit({
        callBus: (...question) => this.#open().callBus(...question),
        call: (...question) => this.#open().call(...question),
        logger,
      }),
      ownUid: process.getuid!(),
      etcDirectory,
    })
    const tellChanges = () => this.#publisher.tellNow()
    const dispatcher = new Dispatcher({ tree, authorise, logger, tellChanges })
    this.#calls = new SliceQueue(
      clock,
      (call) => dispatcher.handle(call),
      ({ sender }) => sender,
    )
  }

  async connect(): Promise<void> {
    const connection = await BusConnection.open(this.#address, this.#clock, this.#logger, {
      onCall: (call) => {
        if (!this.#calls.push(call)) call.fail('org.modemd.Error.Busy', TOO_MANY)
      },
      onSignal: (signal) => this.#peers.handle(signal),
      onLost: (reason) => this.#onLost(reason),
    })
    this.#connection = connection
    try {
      await claimName(connection)
      if (!connection.isOpen) throw new ModemdError('NotFound', 'The bus went away again.')
      this.#isServing = true
    } catch (error) {
      this.#connection = undefined
      await connection.close()
      throw error
    }
    if (this.#isClosed) await this.#disconnect()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry?.()
    this.#rescan.close()
    this.#exporter.close()
    this.#publisher.flush()
    await this.#disconnect()
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  #onLost(reason: string): void {
    this.#connection = undefined
    this.#peers.busLost()
    if (!this.#isServing || this.#isClosed) return
    this.#isServing = false
    this.#logger.warn(`The message bus is gone (${reason}). Links stay as they are; trying to come back.`)
    this.#retryMs = FIRST_RETRY_MS
    this.#retryLater()
  }

  #retryLater(): void {
    this.#cancelRetry = this.#clock.at(this.#clock.nowMs() + this.#retryMs, () => {
      this.#retryMs = Math.min(this.#retryMs * RETRY_FACTOR, LONGEST_RETRY_MS)
      this.connect().then(
        () => this.#logger.info('Back on the message bus; everything is exported again.'),
        (error) => this.#onRetryFailed(error),
      )
    })
  }

  #onRetryFailed(error: unknown): void {
    if (this.#isClosed) return
    this.#logger.debug(`The message bus is not back yet: ${errorText(error)}`)
    this.#retryLater()
  }

  #emit(signal: BusSignal): void {
    try {
      this.#connection?.sendSignal(signal)
    } catch (error) {
      this.#logger.error(`${signal.member} of ${signal.path} was not sent: ${errorText(error)}`)
    }
  }

  async #credentialsOf(sender: string): Promise<Readonly<Record<string, Variant>>> {
    const [credentials] = await this.#open().callBus('GetConnectionCredentials', 's', [sender])
    return (credentials ?? {}) as Readonly<Record<string, Variant>>
  }

  #open(): BusConnection {
    if (!this.#connection) throw new ModemdError('Internal', 'There is no connection to the bus.')
    return this.#connection
  }
}

async function claimName(connection: BusConnection): Promise<void> {
  const [reply] = await connection.callBus('RequestName', 'su', [NAME, DO_NOT_QUEUE]).catch((error) => {
    throw error instanceof RemoteError && error.errorName.endsWith('.AccessDenied') ? forbidden() : error
  })
  if (reply === PRIMARY_OWNER || reply === ALREADY_OWNER) return
  throw nameTaken()
}

function nameTaken(): ModemdError {
  return new ModemdError('Busy', `Another program has the name ${NAME} on this bus: stop the modemd that runs already.`)
}

function forbidden(): ModemdError {
  return new ModemdError(
    'NotAuthorized',
    `The bus's policy does not let this user be ${NAME}: install its package, or copy dbus/org.modemd.conf to /etc/dbus-1/system.d/ and run as root.`,
  )
}
