/**
 * One connection to a message bus, and the only importer of dbus-next on this side. Of the library it uses MessageBus
 * (made by `sessionBus`), Message, Variant and a method handler; its known defects are worked round here:
 * - it says nothing when the bus dies and leaves calls hanging: the stream is watched, calls have time-outs;
 * - a refused Hello or a message it cannot read (a file descriptor index with no descriptor) would end the process;
 * - it never checks what it sends: all goes through `encoder.ts`.
 * `service.ts` opens one after the other.
 */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import dbus from 'dbus-next'
import { errorText, ModemdError } from '../base/errors.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import { cleanText, encodeBody } from './encoder.ts'
import { isInterfaceName, isMemberName, isObjectPath } from './signature.ts'

const BUS_NAME = 'org.freedesktop.DBus'
const BUS_PATH = '/org/freedesktop/DBus'

const CONNECT_TIMEOUT_MS = 10_000
const CALL_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 1_000
/** A bus that reads nothing while this much waits for it is as good as dead. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024
const MAX_ERROR_TEXT = 1000

// The library's declarations number its MessageType from 0; on the wire, and at run time, it is from 1.
const METHOD_RETURN = 2 as number
const ERROR = 3 as number
const SIGNAL = 4 as number
const NO_REPLY_EXPECTED = 1
const ALLOW_INTERACTIVE_AUTHORIZATION = 4

/** A method call that somebody makes on us. Exactly one of `reply` and `fail` is to be called. */
export interface IncomingCall {
  /** The caller's unique name, which the bus vouches for. */
  readonly sender: string
  readonly path: string
  readonly interface: string | undefined
  readonly member: string
  readonly signature: string
  readonly body: readonly unknown[]
  /** The caller would wait for a person who proves who they are (a flag of the message). */
  readonly mayInteract: boolean
  /** Throws a ModemdError (Internal) where the values do not fit the signature; nothing is sent then. */
  reply(signature: string, body: readonly unknown[]): void
  fail(errorName: string, message: string): void
}

export interface OutgoingCall {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly unknown[]
}

export interface BusSignal {
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature: string
  readonly body: readonly unknown[]
}

export interface ReceivedSignal extends BusSignal {
  readonly sender: string
}

export interface ConnectionHandlers {
  onCall(call: IncomingCall): void
  onSignal(signal: ReceivedSignal): void
  /** Once, after a successful `open`; not after `close()`. */
  onLost(reason: string): void
}

/** An error that the other side answered, under its own name. */
export class RemoteError extends Error {
  readonly errorName: string

  constructor(errorName: string, message: string) {
    super(message)
    this.name = 'RemoteError'
    this.errorName = errorName
  }
}

/** What we touch of the library's inside: there is no public way to learn of the bus's death. */
interface LibraryInside {
  readonly _connection: EventEmitter & { readonly stream: Socket }
}

interface PendingCall {
  readonly destination: string
  readonly resolve: (body: readonly unknown[]) => void
  readonly reject: (error: Error) => void
  readonly cancelTimeout: Cancel
}

/** The library's declarations give numbers as strings here. */
type LibraryMessage = InstanceType<typeof dbus.Message>

export class BusConnection {
  readonly #bus: ReturnType<typeof dbus.sessionBus>
  readonly #stream: Socket
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #handlers: ConnectionHandlers
  readonly #pending = new Map<number, PendingCall>()
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #whenClosed: (() => void)[] = []
  #settleOpening: ((error?: Error) => void) | undefined

  /** `address` as `resolveBusAddress` gives it. Rejects with a ModemdError when the bus does not take us. */
  static async open(
    address: string,
    clock: Clock,
    logger: Logger,
    handlers: ConnectionHandlers,
  ): Promise<BusConnection> {
    const connection = new BusConnection(address, clock, logger, handlers)
    await connection.#opened()
    return connection
  }

  private constructor(address: string, clock: Clock, logger: Logger, handlers: ConnectionHandlers) {
    this.#clock = clock
    this.#logger = logger
    this.#handlers = handlers
    this.#bus = dbus.sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] })
    const inside = (this.#bus as unknown as LibraryInside)._connection
    this.#stream = inside.stream
    inside.once('connect', () => this.#guardReader())
    this.#stream.on('end', () => this.#lost('the bus closed the connection'))
    this.#stream.on('close', () => this.#lost('the connection to the bus is closed'))
    this.#bus.on('error', (error) => this.#onError(errorText(error)))
    this.#bus.on('connect', () => this.#settleOpening?.())
    this.#bus.on('message', (message) => this.#onMessage(message))
    // Always true: the library's own answers (with stack traces, and writing read-only properties) never come.
    this.#bus.addMethodHandler((message: LibraryMessage) => {
      this.#onCall(message)
      return true
    })
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Rejects with a RemoteError, or a ModemdError when no answer comes (Timeout) or the bus is gone (Internal). */
  async call(call: OutgoingCall, timeoutMs = CALL_TIMEOUT_MS): Promise<readonly unknown[]> {
    if (this.#state !== 'open') throw new ModemdError('Internal', 'There is no connection to the bus.')
    const { signature = '', body = [] } = call
    const message = new dbus.Message({ ...call, signature, body: encodeBody(signature, body, makeVariant) })
    const serial = this.#bus.newSerial()
    message.serial = serial
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.at(this.#clock.nowMs() + timeoutMs, () => {
        this.#pending.delete(serial)
        reject(new ModemdError('Timeout', `${call.destination} did not answer ${call.member} in time.`))
      })
      this.#pending.set(serial, { destination: call.destination, resolve, reject, cancelTimeout })
      this.#send(message)
    })
  }

  /** A call of the bus daemon itself. */
  callBus(member: string, signature: string, body: readonly unknown[]): Promise<readonly unknown[]> {
    return this.call({ destination: BUS_NAME, path: BUS_PATH, interface: BUS_NAME, member, signature, body })
  }

  /** A broadcast. Throws a ModemdError (Internal) where the values do not fit; nothing is sent then. */
  sendSignal(signal: BusSignal): void {
    if (this.#state !== 'open') return
    if (!isObjectPath(signal.path) || !isInterfaceName(signal.interface) || !isMemberName(signal.member)) {
      throw new ModemdError('Internal', 'modemd wanted to send a signal whose name or path is not valid.')
    }
    const body = encodeBody(signal.signature, signal.body, makeVariant)
    this.#send(new dbus.Message({ ...signal, type: SIGNAL, body }))
  }

  /** Sends what waits and hangs up. Never rejects. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#end('modemd left the bus')
    this.#stream.end()
    await this.#streamClosed()
  }

  #streamClosed(): Promise<void> {
    if (this.#stream.closed) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.at(this.#clock.nowMs() + CLOSE_TIMEOUT_MS, () => this.#stream.destroy())
      this.#whenClosed.push(() => {
        cancel()
        resolve()
      })
    })
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.at(this.#clock.nowMs() + CONNECT_TIMEOUT_MS, () =>
        this.#settleOpening?.(new ModemdError('Timeout', 'The bus did not answer.')),
      )
      this.#settleOpening = (error) => {
        this.#settleOpening = undefined
        cancelTimeout()
        if (!error) {
          this.#state = 'open'
          return resolve()
        }
        this.#end(error.message)
        this.#stream.destroy()
        reject(error)
      }
    })
  }

  /**
   * The library's reader throws out of a stream event on a message that it cannot take apart, which would end the
   * process. It has already left that message behind by then, so it is called again for the next.
   */
  #guardReader(): void {
    const addListener = this.#stream.on.bind(this.#stream) as (event: string, listener: () => void) => Socket
    const guarded = (event: string, listener: () => void) => {
      if (event !== 'readable') return addListener(event, listener)
      return addListener(event, () => {
        while (!this.#readAll(listener));
      })
    }
    this.#stream.on = guarded as Socket['on']
  }

  /** False: a message was left out and there may be more. */
  #readAll(listener: () => void): boolean {
    const waitingBytes = this.#stream.readableLength
    // The answers to what came together leave together.
    this.#stream.cork()
    try {
      listener.call(this.#stream)
      return true
    } catch (error) {
      this.#logger.debug(`A D-Bus message could not be read and was left out: ${errorText(error)}.`)
      const isStuck = this.#stream.readableLength === waitingBytes
      if (isStuck) this.#stream.destroy()
      return isStuck
    } finally {
      this.#stream.uncork()
    }
  }

  #onError(text: string): void {
    if (this.#settleOpening) {
      this.#settleOpening(unusable(text))
      return
    }
    this.#logger.debug('The D-Bus library reported an error.', { error: text })
  }

  #lost(reason: string): void {
    if (this.#stream.closed) for (const each of this.#whenClosed.splice(0)) each()
    if (this.#settleOpening) {
      this.#settleOpening(unusable(reason))
      return
    }
    if (this.#state !== 'open') return
    this.#end(reason)
    this.#stream.destroy()
    this.#handlers.onLost(reason)
  }

  #end(reason: string): void {
    this.#state = 'closed'
    for (const { reject, cancelTimeout } of this.#pending.values()) {
      cancelTimeout()
      reject(new ModemdError('Internal', `The bus went away before it answered: ${reason}.`))
    }
    this.#pending.clear()
  }

  /** Sees every message before the library does. Must not throw. */
  #onMessage(message: LibraryMessage): void {
    const type = message.type as number
    if (type === SIGNAL) this.#onSignal(message)
    if (type !== METHOD_RETURN && type !== ERROR) return
    const serial = Number(message.replySerial)
    if (this.#settleOpening && type === ERROR) {
      // The refused Hello: the library would turn it into an unhandled rejection, so it never sees to whom it answers.
      message.replySerial = '0'
      this.#settleOpening(new ModemdError('NotFound', `The bus refused us: ${String(message.body[0])}.`))
      return
    }
    const pending = this.#pending.get(serial)
    if (!pending || !isFrom(message.sender, pending.destination)) return
    this.#pending.delete(serial)
    pending.cancelTimeout()
    if (type === METHOD_RETURN) pending.resolve(message.body)
    else pending.reject(new RemoteError(message.errorName, String(message.body[0] ?? '')))
  }

  #onSignal(message: LibraryMessage): void {
    try {
      this.#handlers.onSignal(message)
    } catch (error) {
      this.#logger.error(`A D-Bus signal could not be handled: ${errorText(error)}.`)
    }
  }

  #onCall(message: LibraryMessage): void {
    const answer = (fields: Partial<LibraryMessage>) => {
      if ((message.flags as number) & NO_REPLY_EXPECTED || this.#state !== 'open') return
      // Declared as a string, marshalled as a number.
      const replySerial = message.serial as unknown as string
      this.#send(new dbus.Message({ ...fields, replySerial, destination: message.sender }))
    }
    const call: IncomingCall = {
      sender: message.sender,
      path: message.path,
      interface: message.interface,
      member: message.member,
      signature: message.signature,
      body: message.body,
      mayInteract: ((message.flags as number) & ALLOW_INTERACTIVE_AUTHORIZATION) !== 0,
      reply: (signature, body) =>
        answer({ type: METHOD_RETURN, signature, body: encodeBody(signature, body, makeVariant) }),
      fail: (errorName, text) =>
        answer({ type: ERROR, errorName, signature: 's', body: [cleanText(text.slice(0, MAX_ERROR_TEXT))] }),
    }
    try {
      this.#handlers.onCall(call)
    } catch (error) {
      this.#logger.error(`A D-Bus call could not be handled: ${errorText(error)}.`)
      call.fail('org.modemd.Error.Internal', 'modemd failed inside: its log says more.')
    }
  }

  #send(message: LibraryMessage): void {
    // The bus has gone: that is told once, by the stream's end.
    if (!this.#stream.writable) return
    if (this.#stream.writableLength > MAX_UNSENT_BYTES) {
      this.#lost('the bus does not read any more')
      return
    }
    try {
      this.#bus.send(message)
    } catch (error) {
      this.#logger.error(`A D-Bus message could not be sent: ${errorText(error)}.`)
    }
  }
}

function unusable(why: string): ModemdError {
  return new ModemdError('NotFound', `The bus cannot be used: ${why}: start dbus, or name another bus with --bus.`)
}

/**
 * Who may do what hangs on the answers of the bus and of a program that was asked by its unique name: no other can answer for these. For
 * who is gone the bus itself answers.
 */
function isFrom(sender: string, destination: string): boolean {
  const isVouched = destination === BUS_NAME || destination.startsWith(':')
  return !isVouched || sender === destination || sender === BUS_NAME
}

function makeVariant(signature: string, value: unknown): unknown {
  return new dbus.Variant(signature, value)
}
