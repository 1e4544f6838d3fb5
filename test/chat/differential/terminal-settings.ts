/** The settings of a case's terminal, as the kernel has them: struct termios of TCGETS. */

import { checked, ioctl } from '../../../src/system/libc.ts'
import type { SettingsChange } from './case.ts'

const TCGETS = 0x5401
const TCSETS = 0x5402
const TERMIOS_BYTES = 36
const CHARACTERS = 17
const VERASE = CHARACTERS + 2
const VKILL = CHARACTERS + 3

export function readSettings(fd: number): string {
  return Buffer.from(settingsOf(fd)).toString('hex')
}

/** chat has no erase and kill characters, while every terminal here starts with them. */
export function isSetUp(fd: number): boolean {
  const bytes = new Uint8Array(TERMIOS_BYTES)
  // Hung up: there is nothing to wait for.
  if (ioctl(fd, TCGETS, bytes) < 0) return true
  return bytes[VERASE] === 0 && bytes[VKILL] === 0
}

/** The bits of each word are turned over. */
export function changeSettings(fd: number, change: SettingsChange): void {
  const bytes = settingsOf(fd)
  const words = new Uint32Array(bytes.buffer, 0, 4)
  for (const [index, bits] of [change.input, change.output, change.control, change.local].entries())
    words[index]! ^= bits ?? 0
  for (const [index, value] of Object.entries(change.characters ?? {})) bytes[CHARACTERS + Number(index)] = value
  checked(ioctl(fd, TCSETS, bytes), 'cannot set the terminal')
}

function settingsOf(fd: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TERMIOS_BYTES)
  checked(ioctl(fd, TCGETS, bytes), 'cannot read the settings of the terminal')
  return bytes
}
