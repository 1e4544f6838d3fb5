/**
 * Real ttys as wires: node-serialport's stream over its Linux binding, cured (`cured-port.ts`), with a UUCP lock file.
 * The only importer of serialport. The daemon gives the opener to the fleet.
 */

import { accessSync, constants, fstatSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { LinuxBinding } from '@serialport/bindings-cpp'
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
/** The kernel tells of a tty before udev has given it to its group: for a daemon that is not root it opens a moment later. */
const UDEV_LIMIT_MS = 3000
const UDEV_POLL_MS = 20

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
      const latestMs = clock.nowMs() + UDEV_LIMIT_MS
      while (isForbidden(device) && clock.nowMs() < latestMs) await sleep(clock, UDEV_POLL_MS)
      const open = () => openStream(device, options?.baud ?? DEFAULT_BAUD)
      const opened = await open()
      const holder = isExclusive?.(opened.port.fd ?? -1) ? holdersOf([device]).get(device) : undefined
      const wire = new SerialportWire(path, opened, { device, open, lock, clock })
      if (holder === undefined) return wire
      await wire.close()
      throw new PortBusyError(path, holder)
    } catch (error) {
      if (error instanceof PortBusyError) throw error
      const refusal = openRefusal(path, device, errorText(error).replaceAll(device, path))
      await lock?.release()
      throw refusal
    }
  }
}

function isForbidden(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return false
  } catch (error) {
    return errorText(error).includes('EACCES')
  }
}

const curedBinding = { list: LinuxBinding.list, open: CuredPort.open }

/** The tty itself: another that came to its name is another file. */
function identityOf({ dev, ino, rdev }: Stats): string {
  return [dev, ino, rdev].join()
}

interface OpenStream {
  readonly stream: SerialPortStream
  readonly port: CuredPort
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

interface WireParts {
  readonly device: string
  readonly open: () => Promise<OpenStream>
  readonly lock: LockFile | undefined
  readonly clock: Clock
}

class SerialportWire implements Wire {
  readonly path: string
  outlivesHangUp = false
  readonly #parts: WireParts
  readonly #identity: string
  #stream!: SerialPortStream
  #port!: CuredPort
  #listener: WireListener | undefined
  #isReading = false
  #isReopening = false
  /** Read in the moment when the listener went away. */
  #unheard: Uint8Array[] = []
  #lines = { dtr: true, rts: true }
  #ending: Promise<void> | undefined
  #closedReason: string | undefined

  constructor(path: string, opened: OpenStream, parts: WireParts) {
    this.path = path
    this.#parts = parts
    // Of what was opened: the name may be gone by now.
    this.#identity = identityOf(fstatSync(opened.port.fd!))
    this.#use(opened)
  }

  #use({ stream, port }: OpenStream): void {
    this.#stream = stream
    this.#port = port
    const ended = (reason: string) => {
      if (stream === this.#stream) this.#ended(reason)
    }
    stream.on('close', (error?: Error | null) => ended(error ? reasonOf(error) : 'closed'))
    stream.on('error', (error) => ended(reasonOf(error)))
    stream.on('drain', () => this.#listener?.drain())
  }

  get isClosed(): boolean {
    return this.#ending !== undefined
  }

  get fd(): number | undefined {
    return this.isClosed || this.#isReopening ? undefined : this.#port.fd
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    this.#port.holdBack(listener === undefined)
    if (!listener) return
    this.#read()
    if (this.#unheard.length > 0 || this.#closedReason !== undefined) queueMicrotask(() => this.#tellWhatWasMissed())
  }

  write(bytes: Uint8Array): boolean {
    return this.isClosed || this.#isReopening || bytes.length === 0 || this.#stream.write(Buffer.from(bytes))
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
      await sleep(this.#parts.clock, BREAK_MS)
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
    if (this.isClosed || this.#isReopening) return
    try {
      await act()
    } catch (error) {
      if (this.isClosed || errorText(error).includes('Inappropriate ioctl')) return
      throw new ModemdError('ModemGone', `${this.path} does not answer: ${reasonOf(error)}.`, 'modem-gone')
    }
  }

  #read(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk))
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

  #ended(reason: string): void {
    if (this.#isReopening) return
    if (this.outlivesHangUp && reason === 'hung up' && !this.isClosed) void this.#reopen()
    else this.#end(reason)
  }

  /** The same tty: one that was unplugged has gone, or is another by now. */
  async #reopen(): Promise<void> {
    this.#isReopening = true
    this.outlivesHangUp = false
    try {
      if (this.#port.isOpen) await this.#port.close().catch(() => {})
      if (identityOf(statSync(this.#parts.device)) !== this.#identity) throw new Error('another tty')
      const opened = await this.#parts.open()
      this.#isReading = false
      this.#use(opened)
    } catch {
      this.#end('hung up')
    }
    this.#isReopening = false
    if (this.#ending) {
      await this.#port.close().catch(() => {})
      return
    }
    this.#port.holdBack(this.#listener === undefined)
    if (this.#listener) this.#read()
  }

  /** Whichever of the stream's several ends comes first; the listener hears it when the port is really free again. */
  #end(reason: string): void {
    this.#ending ??= this.#setFree(reason)
  }

  async #setFree(reason: string): Promise<void> {
    // A line that died may refuse to be closed; the descriptor is gone all the same.
    if (this.#port.isOpen) await this.#port.close().catch(() => {})
    await this.#parts.lock?.release()
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
  if (/no such file|no such device|input\/output error/i.test(text))
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
