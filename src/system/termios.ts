/** A tty's line settings by TCGETS/TCSETS (termios(3), ioctl_tty(2)). The pty uses it, and whoever takes a tty over by its descriptor. */

import { checked, ioctl, ioctlSlowly } from './libc.ts'

const TCGETS = 0x5401
const TCSETS = 0x5402
const TCSBRK = 0x5409

/** The kernel's struct termios: four 32-bit flag words, the line discipline, 19 control characters; termios2 begins so too. */
const TERMIOS_BYTES = 36
export const INPUT_FLAGS = 0
export const OUTPUT_FLAGS = 4
export const CONTROL_FLAGS = 8
export const LOCAL_FLAGS = 12
export const CONTROL_CHARACTERS = 17
const VERASE = CONTROL_CHARACTERS + 2
const VKILL = CONTROL_CHARACTERS + 3
export const VTIME = CONTROL_CHARACTERS + 5
export const VMIN = CONTROL_CHARACTERS + 6

/** IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON, and IXOFF and IXANY: bytes are bytes. */
const COOKED_INPUT = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000 | 0o10000 | 0o4000
const OPOST = 0o1
/** IGNBRK IGNPAR ISTRIP. */
const DIALOGUE_INPUT = 0o1 | 0o4 | 0o40
/** ECHO ECHONL ICANON ISIG IEXTEN. */
const COOKED_LOCAL = 0o10 | 0o100 | 0o2 | 0o1 | 0o100000
const CSIZE_AND_PARENB = 0o60 | 0o400
const CS8 = 0o60

/** Every byte passes as it is and at once (cfmakeraw). */
export function setRaw(fd: number): void {
  const bytes = new Uint8Array(TERMIOS_BYTES)
  checked(ioctl(fd, TCGETS, bytes), 'cannot read the settings of the tty')
  const view = new DataView(bytes.buffer)
  const clear = (offset: number, flags: number) => view.setUint32(offset, view.getUint32(offset, true) & ~flags, true)
  clear(INPUT_FLAGS, COOKED_INPUT)
  clear(OUTPUT_FLAGS, OPOST)
  clear(LOCAL_FLAGS, COOKED_LOCAL)
  clear(CONTROL_FLAGS, CSIZE_AND_PARENB)
  view.setUint32(CONTROL_FLAGS, view.getUint32(CONTROL_FLAGS, true) | CS8, true)
  bytes[VTIME] = 0
  bytes[VMIN] = 1
  checked(ioctl(fd, TCSETS, bytes), 'cannot set the tty to raw mode')
}

/** A struct termios as it was read. */
export type TtySettings = Uint8Array

/** Or a negative errno: the descriptor is no tty, or its line is gone. */
export function readSettings(fd: number): TtySettings | number {
  const settings = new Uint8Array(TERMIOS_BYTES)
  const answer = ioctl(fd, TCGETS, settings)
  return answer < 0 ? answer : settings
}

/** At once: nothing is flushed, nothing waited for (TCSANOW). Answers 0 or a negative errno. */
export function writeSettings(fd: number, settings: TtySettings): number {
  return ioctl(fd, TCSETS, settings)
}

/** As chat(8) has a line during its script: seven bits, no echo, no signals; what else the input flags and the speed were stays. */
export function dialogueSettings(before: TtySettings): TtySettings {
  const settings = before.slice()
  const view = new DataView(settings.buffer)
  view.setUint32(INPUT_FLAGS, view.getUint32(INPUT_FLAGS, true) | DIALOGUE_INPUT, true)
  view.setUint32(OUTPUT_FLAGS, 0, true)
  view.setUint32(LOCAL_FLAGS, 0, true)
  settings[VERASE] = 0
  settings[VKILL] = 0
  settings[VTIME] = 0
  settings[VMIN] = 1
  return settings
}

/** What was written, then a break of a quarter of a second (tcsendbreak(3)); on a line without breaks (a pty) nothing. */
export function sendBreak(fd: number): Promise<void> {
  return ioctlSlowly(fd, TCSBRK, 0)
}
