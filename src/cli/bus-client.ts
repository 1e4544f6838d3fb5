/**
 * A D-Bus client of the size that `mmctl list` needs (dbus-next would cost it 20 ms): EXTERNAL authentication as sd-bus
 * does it (everything in one write, no round trip), method calls with a time-out, match rules, signals, and an error
 * for all that waits when the bus dies. Called by `daemon.ts`.
 */

import { connect, type Socket } from 'node:net'
import type { Cancel, Clock } from '../base/ports.ts'
import { socketPaths } from './bus-address.ts'
import { MarshalError, marshal, unmarshal, Variant } from './marshal.ts'

export const BUS_NAME = 'org.freedesktop.DBus'
const DEFAULT_TIMEOUT_MS = 25_000
const LARGEST_MESSAGE_BYTES = 128 * 1024 * 1024
const FIXED_HEADER_BYTES = 16

const METHOD_CALL = 1
const METHOD_RETURN = 2
const ERROR = 3
const SIGNAL = 4

const PATH = 1
const INTERFACE = 2
const MEMBER = 3
const ERROR_NAME = 4
const REPLY_SERIAL = 5
const DESTINATION = 6
const SENDER = 7
const SIGNATURE = 8

/** What the bus or a service answered instead of a result; `name` is the D-Bus error name. */
export class BusError extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

export interface MethodCall {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly unknown[]
  /** Infinity: as long as the bus lives. */
  readonly timeoutMs?: number
}

export interface Signal {
  readonly sender: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly body: readonly unknown[]
}

export interface BusEvents {
  onSignal(signal: Signal): void
  /** Once, when an open connection ends by itself. */
  onGone(error: BusError): void
}

interface Message {
  readonly type: number
  readonly fields: ReadonlyMap<number, unknown>
  readonly body: unknown[]
}

interface PendingCall {
  readonly resolve: (body: unknown[]) => void
  readonly reject: (error: BusError) => void
  readonly cancelTimeout: Cancel | undefined
}

export class BusClient {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #pending = new Map<number, PendingCall>()
  readonly #events: BusEvents
  #serial = 0
  #inbox: Buffer = Buffer.alloc(0)
  #authenticated = false
  #gone: BusError | undefined

  /** Rejects with a BusError `NoServer` where no bus listens. */
  static async open(address: string, clock: Clock, events: BusEvents): Promise<BusClient> {
    const failures: string[] = []
    for (const path of socketPaths(address)) {
      try {
        return new BusClient(await connectTo(path), clock, events)
      } catch (error) {
        failures.push(`${path}: ${connectFault(error)}`)
      }
    }
    throw new BusError('org.freedesktop.DBus.Error.NoServer', `no message bus answers (${failures.join(', ')})`)
  }

  private constructor(socket: Socket, clock: Clock, events: BusEvents) {
    this.#socket = socket
    this.#clock = clock
    this.#events = events
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('error', (error) => this.#fail(`the message bus is gone (${error.message})`))
    socket.on('close', () => this.#fail('the message bus ended the connection'))
    // All that is asked for in one turn travels in one write, behind the authentication.
    socket.cork()
    process.nextTick(() => socket.uncork())
    socket.write('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n')
    this.callBus('Hello').catch(() => {
      // What waits for the connection learns it from its own call.
    })
  }

  /** The reply's values. Rejects with a BusError. */
  call(call: MethodCall): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(this.#gone)
      const serial = ++this.#serial
      const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS
      this.#socket.write(encodeCall(serial, call))
      this.#pending.set(serial, { resolve, reject, cancelTimeout: this.#armTimeout(serial, call, timeoutMs) })
    })
  }

  /** A method of the bus itself. */
  callBus(member: string, ...texts: readonly string[]): Promise<unknown[]> {
    const bus = { destination: BUS_NAME, path: '/org/freedesktop/DBus', interface: BUS_NAME }
    return this.call({ ...bus, member, signature: 's'.repeat(texts.length), body: texts })
  }

  async addMatch(rule: string): Promise<void> {
    await this.callBus('AddMatch', rule)
  }

  /** Ends the connection; calls that still wait are refused. */
  close(): void {
    this.#gone ??= new BusError('org.freedesktop.DBus.Error.Disconnected', 'the connection was closed')
    this.#socket.destroy()
    this.#rejectAll(this.#gone)
  }

  #armTimeout(serial: number, call: MethodCall, timeoutMs: number): Cancel | undefined {
    if (timeoutMs === Number.POSITIVE_INFINITY) return undefined
    return this.#clock.at(this.#clock.nowMs() + timeoutMs, () => {
      const seconds = Math.round(timeoutMs / 1000)
      const message = `${call.destination} did not answer ${call.member} within ${seconds} s`
      this.#pending.get(serial)?.reject(new BusError('org.freedesktop.DBus.Error.Timeout', message))
      this.#pending.delete(serial)
    })
  }

  #take(bytes: Buffer): void {
    this.#inbox = this.#inbox.length === 0 ? bytes : Buffer.concat([this.#inbox, bytes])
    if (this.#authenticated || this.#takeAuthentication()) this.#takeMessages()
  }

  /** Up to a reply: whoever waits for it goes on before the next message, which may be a signal that builds on it. */
  #takeMessages(): void {
    try {
      for (let message = this.#nextMessage(); message; message = this.#nextMessage()) {
        if (message.type === SIGNAL) this.#events.onSignal(signalOf(message))
        // A method call to us gets no answer: mmctl offers nothing.
        if (message.type !== METHOD_RETURN && message.type !== ERROR) continue
        this.#settle(message)
        setImmediate(() => this.#takeMessages())
        return
      }
    } catch (error) {
      if (!(error instanceof MarshalError)) throw error
      this.#fail(`the message bus sent something that is not D-Bus (${error.message})`)
      this.#socket.destroy()
    }
  }

  /** The server's lines: `DATA` to our empty answer, then `OK guid`, behind which messages begin. */
  #takeAuthentication(): boolean {
    for (;;) {
      const end = this.#inbox.indexOf('\r\n')
      if (end < 0) return false
      const line = this.#inbox.toString('latin1', 0, end)
      this.#inbox = this.#inbox.subarray(end + 2)
      if (line.startsWith('OK ')) {
        this.#authenticated = true
        return true
      }
      if (line.startsWith('DATA')) continue
      this.#fail(`the message bus refused us (${line})`, 'org.freedesktop.DBus.Error.AuthFailed')
      this.#socket.destroy()
      return false
    }
  }

  #nextMessage(): Message | undefined {
    if (this.#gone || this.#inbox.length < FIXED_HEADER_BYTES) return undefined
    const littleEndian = this.#inbox[0] === 0x6c
    const u32 = (at: number) => (littleEndian ? this.#inbox.readUInt32LE(at) : this.#inbox.readUInt32BE(at))
    const bodyAt = Math.ceil((FIXED_HEADER_BYTES + u32(12)) / 8) * 8
    const length = bodyAt + u32(4)
    if (length > LARGEST_MESSAGE_BYTES) throw new MarshalError(`a message of ${length} bytes`)
    if (this.#inbox.length < length) return undefined
    const message = this.#inbox.subarray(0, length)
    this.#inbox = this.#inbox.subarray(length)
    return decode(message, bodyAt, littleEndian)
  }

  #settle({ type, fields, body }: Message): void {
    const serial = fields.get(REPLY_SERIAL) as number
    const pending = this.#pending.get(serial)
    if (!pending) return
    this.#pending.delete(serial)
    pending.cancelTimeout?.()
    if (type === METHOD_RETURN) pending.resolve(body)
    else pending.reject(new BusError(textOf(fields, ERROR_NAME), typeof body[0] === 'string' ? body[0] : ''))
  }

  #fail(reason: string, name = 'org.freedesktop.DBus.Error.Disconnected'): void {
    if (this.#gone) return
    this.#gone = new BusError(name, reason)
    this.#rejectAll(this.#gone)
    this.#events.onGone(this.#gone)
  }

  #rejectAll(error: BusError): void {
    for (const pending of this.#pending.values()) {
      pending.cancelTimeout?.()
      pending.reject(error)
    }
    this.#pending.clear()
  }
}

function decode(message: Buffer, bodyAt: number, littleEndian: boolean): Message {
  const [, type, , , , , pairs] = unmarshal('yyyyuua(yv)', message.subarray(0, bodyAt), littleEndian)
  const fields = new Map(pairs as [number, unknown][])
  const body = unmarshal(textOf(fields, SIGNATURE), message.subarray(bodyAt), littleEndian)
  return { type: type as number, fields, body }
}

function signalOf({ fields, body }: Message): Signal {
  const [sender, path, member] = [textOf(fields, SENDER), textOf(fields, PATH), textOf(fields, MEMBER)]
  return { sender, path, interface: textOf(fields, INTERFACE), member, body }
}

function textOf(fields: Message['fields'], code: number): string {
  return String(fields.get(code) ?? '')
}

function encodeCall(serial: number, call: MethodCall): Buffer {
  const signature = call.signature ?? ''
  const body = marshal(signature, call.body ?? [])
  const fields: [number, Variant][] = [
    [PATH, new Variant('o', call.path)],
    [INTERFACE, new Variant('s', call.interface)],
    [MEMBER, new Variant('s', call.member)],
    [DESTINATION, new Variant('s', call.destination)],
  ]
  if (signature !== '') fields.push([SIGNATURE, new Variant('g', signature)])
  const littleEndian = 0x6c
  const header = marshal('yyyyuua(yv)', [littleEndian, METHOD_CALL, 0, 1, body.length, serial, fields])
  return Buffer.concat([header, Buffer.alloc(-header.length & 7), body])
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function connectFault(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return CONNECT_FAULTS[code] ?? String(error)
}

const CONNECT_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'this user may not use it',
}
