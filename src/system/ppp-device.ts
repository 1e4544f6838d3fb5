/**
 * /dev/ppp (Documentation/networking/ppp_generic.rst). A descriptor of it is attached either to a channel, which is what carries
 * frames (here a tty under N_PPP), or to a unit, which is the interface pppN. Packets of opened network protocols pass from
 * one to the other inside the kernel; what is read and written here are control frames: two octets of protocol, then what the
 * protocol says, without address, control, escapes and FCS. The kernel PPP engine uses it.
 */

import { readFileSync } from 'node:fs'
import {
  AF_INET,
  checked,
  close,
  EAGAIN,
  EINTR,
  ioctl,
  O_NONBLOCK,
  O_RDWR,
  open,
  read,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  socket,
  systemError,
  write,
} from './libc.ts'
import { type FdWatch, watchFd } from './poll.ts'

const DEVICE = '/dev/ppp'

/** On the tty: the number of its channel. */
const PPPIOCGCHAN = 0x80047437
/** Makes a descriptor the channel's. */
const PPPIOCATTCHAN = 0x40047438
/** Makes an interface, and the descriptor its owner: it goes with the descriptor. -1: the first free number. */
const PPPIOCNEWUNIT = 0xc004743e
/** Joins the channel to a unit: from then on frames below 0xc000 are the unit's. */
const PPPIOCCONNECT = 0x4004743a
const PPPIOCDISCONN = 0x7439
/** SC_COMP_PROT, SC_COMP_AC: how frames are sent. What is received may always be compressed. */
const PPPIOCGFLAGS = 0x8004745a
const PPPIOCSFLAGS = 0x40047459
/** Control characters that are escaped when sending. The kernel escapes all of them in LCP's own packets, whatever is set. */
const PPPIOCSASYNCMAP = 0x40047457
/** Control characters that are dropped where they arrive unescaped. */
const PPPIOCSRASYNCMAP = 0x40047454
/** The longest packet that is received. */
const PPPIOCSMRU = 0x40047452
/** What happens to a network protocol's packets, both ways. */
const PPPIOCSNPMODE = 0x4008744b
const NPMODE_PASS = 0
const NPMODE_DROP = 1
/** Seconds since the last packet sent and the last received, as two 64-bit numbers. */
const PPPIOCGIDLE64 = 0x8010743f

const SC_COMP_PROT = 0x1
const SC_COMP_AC = 0x2

const SIOCGIFNAME = 0x8910
const SIOCSIFNAME = 0x8923
const SIOCGIFINDEX = 0x8933
const IFREQ_BYTES = 40
const IFNAMSIZ = 16

const ANY_UNIT = -1
const LARGEST_FRAME_BYTES = 65_536 + 4
const FRAMES_PER_TURN = 32

export interface FrameHandlers {
  /** With a two-octet protocol number in front. The bytes are only valid during the call. */
  frame(bytes: Uint8Array): void
  /** Once: a channel's tty was hung up; a unit lost its last channel, or its interface was removed. */
  ended(): void
}

interface PppFile {
  /** One frame with its protocol number in front. A line that is gone takes none; `ended` tells. */
  write(frame: Uint8Array): void
  /** Idempotent. */
  close(): void
}

export interface PppChannel extends PppFile {
  setTransmitAccm(accm: number): void
  setReceiveAccm(accm: number): void
  setHeaderCompression(compression: { readonly pfc: boolean; readonly acfc: boolean }): void
  setMru(bytes: number): void
  /** Throws ModemdError. */
  connect(unit: PppUnit): void
  /** Before the unit is closed: frames would go to an interface that is gone. */
  disconnect(): void
}

export interface PppUnit extends PppFile {
  readonly number: number
  /** The interface's name. */
  readonly name: string
  /** Does the kernel pass the packets of that protocol (0x0021, 0x0057)? At first it passes them all. */
  setPassing(protocol: number, on: boolean): void
  /** Since the last packet in either direction; undefined: this kernel does not tell. */
  idleMs(): number | undefined
}

/** `tty`: under N_PPP. Throws ModemdError. */
export function attachChannel(tty: number, handlers: FrameHandlers): PppChannel {
  const number = getInt(tty, PPPIOCGCHAN, 'cannot find the PPP channel of the tty')
  return withDevice((fd) => {
    setInt(fd, PPPIOCATTCHAN, number, 'cannot attach to the PPP channel')
    return new Channel(fd, handlers)
  })
}

/** `name`: pppN or any other; one `%d` in it is the first free number. In the current network namespace. Throws ModemdError. */
export function makeUnit(name: string, handlers: FrameHandlers): PppUnit {
  return withDevice((fd) => {
    const wanted = /^ppp(0|[1-9]\d{0,8})$/.exec(name)?.[1]
    const number = new Int32Array([wanted === undefined ? ANY_UNIT : Number(wanted)])
    checked(ioctl(fd, PPPIOCNEWUNIT, new Uint8Array(number.buffer)), `cannot make the interface ${name}`)
    const own = `ppp${number[0]}`
    const isNamed = wanted !== undefined || name === 'ppp%d'
    return new Unit(fd, number[0]!, isNamed ? own : renameInterface(own, name), handlers)
  })
}

export interface InterfaceCounters {
  readonly rxBytes: bigint
  readonly txBytes: bigint
  /** Frames that came damaged, among others. */
  readonly rxErrors: bigint
}

/** undefined: there is no such interface in this network namespace, or no descriptor is left to look with. Never throws. */
export function readInterfaceCounters(name: string): InterfaceCounters | undefined {
  const line = interfaceTable()
    .split('\n')
    .find((each) => each.trimStart().startsWith(`${name}:`))
  if (!line) return undefined
  const numbers = line.slice(line.indexOf(':') + 1).match(/\d+/g) ?? []
  return {
    rxBytes: BigInt(numbers[0] ?? 0),
    rxErrors: BigInt(numbers[2] ?? 0),
    txBytes: BigInt(numbers[8] ?? 0),
  }
}

function interfaceTable(): string {
  try {
    return readFileSync('/proc/self/net/dev', 'latin1')
  } catch {
    return ''
  }
}

/** Is there a /dev/ppp that this process may use? Throws ModemdError with the kernel's words. */
export function probePppDevice(): void {
  close(checked(open(DEVICE, O_RDWR), `cannot open ${DEVICE}`))
}

function withDevice<T>(use: (fd: number) => T): T {
  const fd = checked(open(DEVICE, O_RDWR | O_NONBLOCK), `cannot open ${DEVICE}`)
  try {
    return use(fd)
  } catch (error) {
    close(fd)
    throw error
  }
}

/** One for all: who keeps a frame copies it. */
const readBuffer = new Uint8Array(LARGEST_FRAME_BYTES)

class OpenFile implements PppFile {
  protected readonly fd: number
  readonly #watch: FdWatch
  readonly #handlers: FrameHandlers
  #isClosed = false
  #hasEnded = false

  constructor(fd: number, handlers: FrameHandlers) {
    this.fd = fd
    this.#handlers = handlers
    this.#watch = watchFd(fd, { readable: () => this.#read(), error: () => this.#end() })
  }

  write(frame: Uint8Array): void {
    if (!this.#isClosed) write(this.fd, frame, frame.length)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watch.close()
    close(this.fd)
  }

  /** For what a line that is gone refuses: `ended` tells of that. */
  protected trySetInt(request: number, value: number): void {
    if (!this.#isClosed) ioctl(this.fd, request, intBytes(value))
  }

  #read(): void {
    for (let left = FRAMES_PER_TURN; left > 0 && !this.#isClosed && !this.#hasEnded; left--) {
      const count = read(this.fd, readBuffer, LARGEST_FRAME_BYTES)
      if (count === -EAGAIN || count === -EINTR) return
      if (count > 0) this.#handlers.frame(readBuffer.subarray(0, count))
      else this.#end()
    }
  }

  #end(): void {
    if (this.#hasEnded || this.#isClosed) return
    this.#hasEnded = true
    // It stays readable for ever.
    this.#watch.pauseReading()
    this.#handlers.ended()
  }
}

class Channel extends OpenFile implements PppChannel {
  setTransmitAccm(accm: number): void {
    this.trySetInt(PPPIOCSASYNCMAP, accm)
  }

  setReceiveAccm(accm: number): void {
    this.trySetInt(PPPIOCSRASYNCMAP, accm)
  }

  setHeaderCompression({ pfc, acfc }: { readonly pfc: boolean; readonly acfc: boolean }): void {
    const flags = new Int32Array(1)
    if (ioctl(this.fd, PPPIOCGFLAGS, new Uint8Array(flags.buffer)) < 0) return
    const others = flags[0]! & ~(SC_COMP_PROT | SC_COMP_AC)
    this.trySetInt(PPPIOCSFLAGS, others | (pfc ? SC_COMP_PROT : 0) | (acfc ? SC_COMP_AC : 0))
  }

  setMru(bytes: number): void {
    this.trySetInt(PPPIOCSMRU, bytes)
  }

  connect(unit: PppUnit): void {
    setInt(this.fd, PPPIOCCONNECT, unit.number, `cannot connect the line to ${unit.name}`)
  }

  disconnect(): void {
    this.trySetInt(PPPIOCDISCONN, 0)
  }
}

class Unit extends OpenFile implements PppUnit {
  readonly number: number
  readonly name: string

  constructor(fd: number, number: number, name: string, handlers: FrameHandlers) {
    super(fd, handlers)
    this.number = number
    this.name = name
  }

  setPassing(protocol: number, on: boolean): void {
    const mode = new Int32Array([protocol, on ? NPMODE_PASS : NPMODE_DROP])
    ioctl(this.fd, PPPIOCSNPMODE, new Uint8Array(mode.buffer))
  }

  idleMs(): number | undefined {
    const seconds = new BigInt64Array(2)
    if (ioctl(this.fd, PPPIOCGIDLE64, new Uint8Array(seconds.buffer)) < 0) return undefined
    const [sent = 0n, received = 0n] = seconds
    return Number(sent < received ? sent : received) * 1000
  }
}

/** Answers the name it has then. Only while it is down. */
function renameInterface(name: string, wanted: string): string {
  const fd = checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'cannot open a socket')
  try {
    const request = new Uint8Array(IFREQ_BYTES)
    const ask = (number: number) => checked(ioctl(fd, number, request), `cannot name the interface ${name} ${wanted}`)
    const encoder = new TextEncoder()
    encoder.encodeInto(name, request)
    ask(SIOCGIFINDEX)
    const index = request.slice(IFNAMSIZ, IFNAMSIZ + 4)
    request.fill(0, IFNAMSIZ)
    encoder.encodeInto(wanted, request.subarray(IFNAMSIZ, 2 * IFNAMSIZ - 1))
    ask(SIOCSIFNAME)
    request.fill(0)
    request.set(index, IFNAMSIZ)
    ask(SIOCGIFNAME)
    return new TextDecoder().decode(request.subarray(0, request.indexOf(0)))
  } finally {
    close(fd)
  }
}

function intBytes(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer)
}

function getInt(fd: number, request: number, what: string): number {
  const value = new Int32Array(1)
  const answer = ioctl(fd, request, new Uint8Array(value.buffer))
  if (answer < 0) throw systemError(answer, what)
  return value[0]!
}

function setInt(fd: number, request: number, value: number, what: string): void {
  checked(ioctl(fd, request, intBytes(value)), what)
}
