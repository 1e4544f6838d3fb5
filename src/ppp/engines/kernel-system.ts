/**
 * What the kernel engine asks of the system, and can it be had here: the tty under N_PPP, its channel, the unit. Tests give the
 * engine another one.
 */

import { type ErrorCode, errorText, ModemdError } from '../../base/errors.ts'
import { close, EINVAL, EIO, EPERM, O_NOCTTY, O_NONBLOCK, O_RDWR, open, read, systemError } from '../../system/libc.ts'
import { hasCarrier, lineDiscipline, N_PPP, N_TTY, setLineDiscipline } from '../../system/line-discipline.ts'
import {
  attachChannel,
  type FrameHandlers,
  type InterfaceCounters,
  makeUnit,
  type PppChannel,
  type PppUnit,
  probePppDevice,
  readInterfaceCounters,
} from '../../system/ppp-device.ts'
import { openPty } from '../../system/pty.ts'
import { setLocal } from '../../system/serial-line.ts'
import { isReady } from '../../system/shared-fd.ts'
import { readSettings, setRaw, type TtySettings, writeSettings } from '../../system/termios.ts'

export interface TakenTty {
  /** What had been received by then, up to 64 KiB: the line discipline's change would lose it. */
  readonly early: Uint8Array
  /** A tty like any other again, with the settings of before. Only while `fd` is still open. Never throws. */
  giveBack(): void
}

export interface KernelPppSystem {
  /** Throws ModemdError, and then the tty is as it was. */
  takeTty(fd: number): TakenTty
  attachChannel(tty: number, handlers: FrameHandlers): PppChannel
  makeUnit(name: string, handlers: FrameHandlers): PppUnit
  readCounters(interfaceName: string): InterfaceCounters | undefined
  hasCarrier(tty: number): boolean | undefined
  /** See `CarrierLine`. */
  setLocal(tty: number, on: boolean): number
}

const EARLY_BYTES = 65_536

export const kernelPppSystem: KernelPppSystem = {
  takeTty,
  attachChannel,
  makeUnit,
  readCounters: readInterfaceCounters,
  hasCarrier,
  setLocal,
}

function takeTty(fd: number): TakenTty {
  const before = readSettings(fd)
  if (typeof before === 'number') throw lineError(before, 'cannot read the settings of the tty')
  // Another program may have died with the line in N_PPP while a third still had it open.
  if (lineDiscipline(fd) === N_PPP) setLineDiscipline(fd, N_TTY)
  setRaw(fd)
  const early = readAll(fd)
  const answer = setLineDiscipline(fd, N_PPP)
  if (answer < 0) {
    writeSettings(fd, before)
    throw lineError(answer, 'cannot put the tty under PPP (modprobe ppp_async)')
  }
  return { early, giveBack: () => giveBack(fd, before) }
}

function giveBack(fd: number, before: TtySettings): void {
  setLineDiscipline(fd, N_TTY)
  writeSettings(fd, before)
}

function readAll(fd: number): Uint8Array {
  const bytes = new Uint8Array(EARLY_BYTES)
  let length = 0
  // Whoever opened it may not have made it non-blocking.
  while (length < EARLY_BYTES && isReady(fd, 'in')) {
    const count = read(fd, bytes.subarray(length), EARLY_BYTES - length)
    if (count <= 0) break
    length += count
  }
  return bytes.slice(0, length)
}

function lineError(negativeErrno: number, what: string): ModemdError {
  if (negativeErrno === -EIO) return new ModemdError('PppFailed', `${what}: the line was hung up`, 'hung-up')
  if (negativeErrno === -EINVAL) return missing(`${what}: this kernel has no asynchronous PPP`)
  return systemError(negativeErrno, what)
}

function missing(message: string, code: ErrorCode = 'Unsupported'): ModemdError {
  return new ModemdError(code, message, 'engine-missing')
}

/** Does this machine's kernel do PPP, and for us? `why` is a sentence for people. Loads the modules where the kernel may do that by itself. */
export function kernelUsable(): { readonly ok: true } | { readonly ok: false; readonly why: string } {
  try {
    probePppDevice()
  } catch (error) {
    return { ok: false, why: deviceAdvice(errorText(error)) }
  }
  try {
    probeDiscipline()
  } catch (error) {
    return { ok: false, why: errorText(error) }
  }
  return { ok: true }
}

function deviceAdvice(text: string): string {
  if (/ENOENT|ENXIO|ENODEV/.test(text))
    return `${text}: the kernel has no PPP, or it is not loaded (modprobe ppp_async)`
  if (/EPERM|EACCES/.test(text)) return `${text}: it needs CAP_NET_ADMIN (run as root)`
  return text
}

/** On a pseudo-terminal of our own: only the change itself tells whether the kernel has N_PPP. */
function probeDiscipline(): void {
  const pty = openPty()
  try {
    const slave = open(pty.slavePath, O_RDWR | O_NOCTTY | O_NONBLOCK)
    if (slave < 0) throw systemError(slave, 'cannot open a pseudo-terminal')
    const answer = setLineDiscipline(slave, N_PPP)
    if (answer === 0) setLineDiscipline(slave, N_TTY)
    close(slave)
    if (answer === -EPERM) throw missing('the kernel may not load the line discipline N_PPP (modprobe ppp_async)')
    if (answer < 0) throw lineError(answer, 'cannot put a tty under PPP (modprobe ppp_async)')
  } finally {
    pty.close()
  }
}
