/**
 * A tty's line discipline and modem lines (ioctl_tty(2)): which part of the kernel reads the line. The kernel PPP engine puts
 * N_PPP on it and N_TTY back.
 */

import { ioctl } from './libc.ts'

/** Bytes go to who reads the descriptor. */
export const N_TTY = 0
/** Asynchronous PPP (drivers/net/ppp/ppp_async.c): frames go to /dev/ppp and the interface; a read of the tty gets nothing. */
export const N_PPP = 3

const TIOCGETD = 0x5424
const TIOCSETD = 0x5423
const TIOCMGET = 0x5415
const TIOCM_CAR = 0x40

/** Answers the discipline, or a negative errno: no tty, or its line is gone. */
export function lineDiscipline(fd: number): number {
  const number = new Int32Array(1)
  const answer = ioctl(fd, TIOCGETD, new Uint8Array(number.buffer))
  return answer < 0 ? answer : number[0]!
}

/**
 * Answers 0 or a negative errno: EINVAL where the kernel does not have it, EIO where the line is gone. What the old discipline
 * had read and nobody fetched is lost; what has not left yet goes out all the same.
 */
export function setLineDiscipline(fd: number, discipline: number): number {
  return ioctl(fd, TIOCSETD, new Uint8Array(new Int32Array([discipline]).buffer))
}

/** Data Carrier Detect: a modem holds it up as long as the call stands. undefined: this line has none (a pty), or it is gone. */
export function hasCarrier(fd: number): boolean | undefined {
  const lines = new Int32Array(1)
  if (ioctl(fd, TIOCMGET, new Uint8Array(lines.buffer)) < 0) return undefined
  return (lines[0]! & TIOCM_CAR) !== 0
}
