/**
 * Real ttys as wires: node-serialport's stream over its Linux binding, cured (`cured-port.ts`), with a UUCP lock file.
 * The only importer of serialport. The daemon gives the opener to the fleet.
 */

import { join } from 'node:path'
import { LinuxBinding, type LinuxOpenOptions } from '@serialport/bindings-cpp'
import { SerialPortStream } from '@serialport/stream'
import { errorText, ModemdError } from '../base/errors.ts'
import { type Clock, type Logger, sleep } from '../base/ports.ts'
import { CuredPort } from './cured-port.ts'
import { holdersOf } from './holders.ts'
import { type LockFile, takeLock } from './lock-file.ts'
import { PortBusyError } from './port-busy.ts'
import type { ModemLines, Wire, WireListener, WireOpener } from './wire.ts'

const DEFAULT_BAUD = 115200
/** Of our own queue, beside the kernel's: more would only delay what comes behind it. */
const HIGH_WATER_BYTES = 16 * 1024
const BREAK_MS = 250

export interface WireOpenerOptions {
  /** Put before every path; '' or '/' for the real machine. */
  readonly root: string
  readonly clock: Clock
  readonly logger: Logger
  /** Did another program ask for the tty alone (TIOCEXCL)? The kernel does not refuse root; root must look. */
  isExclusive?(fd: number): boolean
}

export function createWireOpener({ root, clock, logger, isExclusive }: WireOpenerOptions): WireOpener {
  const lockFolder = join(root || '/', 'run/lock')

  async function lockOf(path: string): Promise<LockFile | undefined> {
    try {
      return await takeLock(lockFolder, path)
    } catch (error) {
      if (error instanceof ModemdError) throw error
      logger.warn(`No lock file for ${path} (${errorText(error)}): programs that look for one will not see it in use.`)
      return undefined
    }
  }

  return async (path, options) => {
    const device = join(root || '/', path)
    const lock = await lockOf(path)
    try {
      const opened = await openStream(device, options?.baud ?? DEFAULT_BAUD)
      const holder = isExclusive?.(opened.port.fd ?? -1) ? holdersOf([device]).get(device) : undefined
      const wire = new SerialportWire(path, opened, lock, clock)
      if (holder === undefined) return wire
      await wire.close()
      throw new PortBusyError(path, holder)
    } catch (error) {
      if (error instanceof PortBusyError) throw error
      const refusal = openRefusal(path, device, errorText(error))
      await lock?.release()
      throw refusal
    }
  }
}

type Port = Awaited<ReturnType<typeof openCured>>

async function openCured(options: LinuxOpenOptions) {
  return new CuredPort(await LinuxBinding.open(options))
}

const curedBinding = { list: () => LinuxBinding.list(), open: openCured }

interface OpenStream {
  readonly stream: SerialPortStream
  readonly port: Port
}

function openStream(path: string, baudRate: number): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const stream = new SerialPortStream<typeof curedBinding>({
      binding: curedBinding,
      path,
      baudRate,
      hupcl: false,
      autoOpen: false,
      highWaterMark: HIGH_WATER_BYTES,
    })
    stream.open((error) => {
      if (error) reject(error)
      else resolve({ stream, port: stream.port! })
    })
  })
}

class SerialportWire implements Wire {
  readonly path: string
  readonly #stream: SerialPortStream
  readonly #port: Port
  readonly #lock: LockFile | undefined
  readonly #clock: Clock
  #listener: WireListener | undefined
  #isReading = false
  /** Read in the moment when the listener went away. */
  #unheard: Uint8Array[] = []
  #lines = { dtr: true, rts: true }
  #ending: Promise<void> | undefined
  #closedReason: string | undefined

  constructor(path: string, { stream, port }: OpenStream, lock: LockFile | undefined, clock: Clock) {
    this.path = path
    this.#stream = stream
    this.#port = port
    this.#lock = lock
    this.#clock = clock
    stream.on('close', (error?: Error | null) => this.#end(error ? reasonOf(error) : 'closed'))
    stream.on('error', (error) => this.#end(reasonOf(error)))
    stream.on('drain', () => this.#listener?.drain())
  }

  get isClosed(): boolean {
    return this.#ending !== undefined
  }

  get fd(): number | undefined {
    return this.isClosed ? undefined : this.#port.fd
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    this.#port.holdBack(listener === undefined)
    if (!listener) return
    if (!this.#isReading) {
      this.#isReading = true
      this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    }
    if (this.#unheard.length > 0 || this.#closedReason !== undefined) queueMicrotask(() => this.#tellWhatWasMissed())
  }

  write(bytes: Uint8Array): boolean {
    return this.isClosed || bytes.length === 0 || this.#stream.write(Buffer.from(bytes))
  }

  setBaud(baud: number): Promise<void> {
    return this.#command(() => this.#port.update({ baudRate: baud }))
  }

  setLines(lines: ModemLines): Promise<void> {
    // The binding writes both lines on every call: what was not named keeps its value.
    this.#lines = { dtr: lines.dtr ?? this.#lines.dtr, rts: lines.rts ?? this.#lines.rts }
    return this.#command(() => this.#port.set(this.#lines))
  }

  sendBreak(): Promise<void> {
    return this.#command(async () => {
      await this.#port.drain()
      await this.#port.set({ ...this.#lines, brk: true })
      await sleep(this.#clock, BREAK_MS)
      await this.#port.set({ ...this.#lines, brk: false })
    })
  }

  flush(): Promise<void> {
    this.#unheard = []
    return this.#command(() => this.#port.flush())
  }

  setReadSize(bytes: number): void {
    this.#port.setReadSize(bytes)
  }

  async close(): Promise<void> {
    this.#end('closed')
    await this.#ending
  }

  /** A pty knows no lines, speed or break (ENOTTY), and a dead line needs none: neither is an error. */
  async #command(act: () => Promise<void>): Promise<void> {
    if (this.isClosed) return
    try {
      await act()
    } catch (error) {
      if (this.isClosed || errorText(error).includes('Inappropriate ioctl')) return
      throw new ModemdError('ModemGone', `${this.path} does not answer: ${reasonOf(error)}.`, 'modem-gone')
    }
  }

  #onData(chunk: Buffer): void {
    // A plain view: a Buffer's own slice() would not copy.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    if (this.#listener) this.#listener.data(bytes)
    else this.#unheard.push(bytes)
  }

  #tellWhatWasMissed(): void {
    while (this.#listener && this.#unheard.length > 0) this.#listener.data(this.#unheard.shift()!)
    this.#tellClosed()
  }

  /** Whichever of the stream's several ends comes first; the listener hears it when the port is really free again. */
  #end(reason: string): void {
    this.#ending ??= this.#setFree(reason)
  }

  async #setFree(reason: string): Promise<void> {
    // A line that died may refuse to be closed; the descriptor is gone all the same.
    if (this.#port.isOpen) await this.#port.close().catch(() => {})
    await this.#lock?.release()
    this.#closedReason = reason
    this.#tellClosed()
  }

  #tellClosed(): void {
    const listener = this.#listener
    if (this.#closedReason === undefined || !listener) return
    this.#listener = undefined
    listener.closed(this.#closedReason)
  }
}

function reasonOf(error: unknown): string {
  const text = errorText(error)
  if (text.includes('EIO')) return 'hung up'
  if (/ENXIO|ENODEV/.test(text)) return 'unplugged'
  return text.replace(/^Error:? /, '')
}

/** The binding tells errors by text only. */
function openRefusal(path: string, device: string, text: string): ModemdError {
  if (/Permission denied|Operation not permitted/.test(text))
    return new ModemdError(
      'NotAuthorized',
      `${path} may not be opened by this user (permission denied): run as root or join the group that owns it, often dialout.`,
      'permission',
    )
  if (/No such file|No such device|Input\/output error/.test(text))
    return new ModemdError(
      'ModemGone',
      `${path} is not there (${reasonOf(text)}): the device was unplugged.`,
      'modem-gone',
    )
  if (/resource busy|Resource temporarily unavailable|Cannot lock/.test(text))
    return new PortBusyError(path, holdersOf([device]).get(device) ?? 'another program')
  if (/Inappropriate ioctl|Not a tty/.test(text)) return new ModemdError('InvalidArgs', `${path} is not a serial port.`)
  return new ModemdError('Internal', `${path} cannot be opened: ${reasonOf(text)}.`)
}
