/**
 * The tty around a pppd: what must be as before when pppd was killed and restored nothing. Its owner still has it open, so that
 * neither the line discipline nor the exclusive mode ends with pppd's own opening.
 */

import { fchmodSync, fstatSync, readlinkSync } from 'node:fs'
import { ioctl, ioctlNumber } from '../../system/libc.ts'
import { hasCarrier, lineDiscipline, N_TTY, setLineDiscipline } from '../../system/line-discipline.ts'
import { readSettings, writeSettings } from '../../system/termios.ts'

const TIOCEXCL = 0x540c
const TIOCNXCL = 0x540d
const TIOCGEXCL = 0x80045440
const MODE_BITS = 0o7777

export interface LentTty {
  /** undefined: this line has none (a pty), or it is gone. */
  hasCarrier(): boolean | undefined
  /** Its device is gone, as when a modem is unplugged. */
  isGone(): boolean
  /** Only while the descriptor is still open. Never throws. */
  takeBack(): void
}

export function lendTty(fd: number): LentTty {
  const settings = readSettings(fd)
  const { mode } = fstatSync(fd)
  const wasExclusive = isMarkedExclusive(fd)
  // A program of ours that opened the port alone would shut pppd out, unless that has CAP_SYS_ADMIN.
  ioctlNumber(fd, TIOCNXCL, 0)
  return {
    hasCarrier: () => hasCarrier(fd),
    isGone: () => isGone(fd),
    takeBack: () => {
      if (lineDiscipline(fd) !== N_TTY) setLineDiscipline(fd, N_TTY)
      ioctlNumber(fd, wasExclusive ? TIOCEXCL : TIOCNXCL, 0)
      if (typeof settings !== 'number') writeSettings(fd, settings)
      giveMode(fd, mode & MODE_BITS)
    },
  }
}

function isMarkedExclusive(fd: number): boolean {
  const answer = new Int32Array(1)
  return ioctl(fd, TIOCGEXCL, new Uint8Array(answer.buffer)) >= 0 && answer[0] !== 0
}

/** pppd takes the right to write from group and others while it runs. */
function giveMode(fd: number, mode: number): void {
  try {
    if ((fstatSync(fd).mode & MODE_BITS) !== mode) fchmodSync(fd, mode)
  } catch {
    // The device is gone.
  }
}

function isGone(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).endsWith(' (deleted)')
  } catch {
    return true
  }
}
