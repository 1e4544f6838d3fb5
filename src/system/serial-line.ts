/**
 * What a serial line is set to for PPP: speed, character size, flow control, modem lines (ioctl_tty(2), by struct termios2, which
 * takes any speed). modem-ppp's line uses it; the settings before are put back at the end.
 */

import { fstatSync } from 'node:fs'
import { checked, ioctl, ioctlNumber } from './libc.ts'
import { CONTROL_CHARACTERS, CONTROL_FLAGS, INPUT_FLAGS, LOCAL_FLAGS, OUTPUT_FLAGS, VMIN, VTIME } from './termios.ts'

const TCGETS2 = 0x802c542a
const TCSETS2 = 0x402c542b
const TCFLSH = 0x540b
const TCIOFLUSH = 2
const TIOCMGET = 0x5415
const TIOCMBIS = 0x5416
const TIOCMBIC = 0x5417
const TIOCGEXCL = 0x80045440
const TIOCM_DTR = 0x002
const TIOCM_CD = 0x040

const TERMIOS2_BYTES = 44
const VSTART = CONTROL_CHARACTERS + 8
const VSTOP = CONTROL_CHARACTERS + 9
const INPUT_SPEED = 36
const OUTPUT_SPEED = 40

const IGNBRK = 0o1
const IGNPAR = 0o4
const IXON = 0o2000
const IXOFF = 0o10000

const CBAUD = 0o010017
const CSIZE = 0o60
const CS8 = 0o60
const CSTOPB = 0o100
const CREAD = 0o200
const PARENB = 0o400
const HUPCL = 0o2000
const CLOCAL = 0o4000
/** The speed is in the two speed fields, whatever it is. */
const BOTHER = 0o010000
const SPEED_FOR_INPUT_SHIFT = 16
const CRTSCTS = 0x80000000

const XON = 0x11
const XOFF = 0x13

export interface LineSettings {
  /** undefined: as it is. */
  readonly speedBaud: number | undefined
  readonly flowControl: 'leave' | 'none' | 'rts-cts' | 'xon-xoff'
  readonly stopBits: 1 | 2
  /** A carrier that goes ends the line, and closing it drops DTR; false: neither (CLOCAL). */
  readonly watchesCarrier: boolean
}

/** A struct termios2 as it was read. Throws ModemdError: the descriptor is no tty, or its line is gone. */
export function readLine(fd: number): Uint8Array {
  const line = new Uint8Array(TERMIOS2_BYTES)
  checked(ioctl(fd, TCGETS2, line), 'cannot read the settings of the tty')
  return line
}

/** Bits per second; 0: hung up. */
export function speedOf(line: Uint8Array): number {
  return viewOf(line).getUint32(OUTPUT_SPEED, true)
}

/** Eight bits, no parity, nothing cooked; what is not named stays as `before` has it. Answers 0 or a negative errno. */
export function setUpLine(fd: number, before: Uint8Array, settings: LineSettings): number {
  const line = before.slice()
  const view = viewOf(line)
  let control = view.getUint32(CONTROL_FLAGS, true) & ~(CSIZE | CSTOPB | PARENB | CLOCAL | HUPCL)
  if (settings.stopBits === 2) control |= CSTOPB
  control |= CS8 | CREAD | (settings.watchesCarrier ? HUPCL : CLOCAL)
  let input = IGNBRK | IGNPAR
  if (settings.flowControl !== 'leave') control &= ~CRTSCTS
  if (settings.flowControl === 'rts-cts') control |= CRTSCTS
  if (settings.flowControl === 'xon-xoff') {
    input |= IXON | IXOFF
    line[VSTART] = XON
    line[VSTOP] = XOFF
  }
  if (settings.speedBaud !== undefined) {
    control = (control & ~(CBAUD | (CBAUD << SPEED_FOR_INPUT_SHIFT))) | BOTHER
    view.setUint32(INPUT_SPEED, settings.speedBaud, true)
    view.setUint32(OUTPUT_SPEED, settings.speedBaud, true)
  }
  view.setUint32(INPUT_FLAGS, input, true)
  view.setUint32(OUTPUT_FLAGS, 0, true)
  view.setUint32(CONTROL_FLAGS, control >>> 0, true)
  view.setUint32(LOCAL_FLAGS, 0, true)
  line[VTIME] = 0
  line[VMIN] = 1
  return writeLine(fd, line)
}

/** At once: nothing is flushed, nothing waited for. Answers 0 or a negative errno. */
export function writeLine(fd: number, line: Uint8Array): number {
  return ioctl(fd, TCSETS2, line)
}

/** Drops unsent and unread bytes. */
export function flushLine(fd: number): void {
  ioctlNumber(fd, TCFLSH, TCIOFLUSH)
}

/** False: there is no such line (a pty). */
export function setDtr(fd: number, on: boolean): boolean {
  return ioctl(fd, on ? TIOCMBIS : TIOCMBIC, new Uint8Array(new Int32Array([TIOCM_DTR]).buffer)) >= 0
}

/**
 * `on` false: the kernel hangs the tty up when the carrier (DCD) goes, for everyone who has it open; they all have to open it again.
 * Answers 0 or a negative errno.
 */
export function setLocal(fd: number, on: boolean): number {
  const line = new Uint8Array(TERMIOS2_BYTES)
  const answer = ioctl(fd, TCGETS2, line)
  if (answer < 0) return answer
  const view = viewOf(line)
  const control = view.getUint32(CONTROL_FLAGS, true) & ~CLOCAL
  view.setUint32(CONTROL_FLAGS, (on ? control | CLOCAL : control) >>> 0, true)
  return writeLine(fd, line)
}

/** Does the modem hear another? undefined: there is no such line (a pty). */
export function hasCarrier(fd: number): boolean | undefined {
  const lines = new Int32Array(1)
  if (ioctl(fd, TIOCMGET, new Uint8Array(lines.buffer)) < 0) return undefined
  return (lines[0]! & TIOCM_CD) !== 0
}

/**
 * Has somebody asked for this tty alone (TIOCEXCL)? The kernel lets root in all the same. A pseudo terminal says no: it keeps the
 * mark of a program that is long gone for as long as its other end is open.
 */
export function isExclusive(fd: number): boolean {
  const answer = new Int32Array(1)
  return ioctl(fd, TIOCGEXCL, new Uint8Array(answer.buffer)) >= 0 && answer[0] !== 0 && !isPseudoTerminal(fd)
}

/** By the majors of Linux's Documentation/admin-guide/devices.txt. */
function isPseudoTerminal(fd: number): boolean {
  const major = (fstatSync(fd).rdev >> 8) & 0xfff
  return major >= 136 && major <= 143
}

function viewOf(line: Uint8Array): DataView {
  return new DataView(line.buffer, line.byteOffset, line.byteLength)
}
