/** The lines between two ends: a pair of ptys, or a USB modem's port (its gadget's side is the other end). */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { until } from '../../system/until.ts'

export type Carrier = 'pty' | 'usb'

export interface Line {
  /** The tty of the program under test, and that of what it is tried against. */
  readonly ours: string
  readonly theirs: string
  /** Both programs get SIGHUP (ptys only). */
  readonly hangUp: () => void
}

const PORTS = 4
let lines = 0
let ports = 0

/** A modem that the kernel's own driver `option` takes: /dev/ttyUSB0 to 3, with /dev/ttyGS0 to 3 on its inside. */
export async function plugModem(): Promise<void> {
  execFileSync('usb-gadget', ['init'])
  execFileSync('usb-gadget', ['add', 'modem', '0x2c7c', '0x0125', `${PORTS}`])
  await until('ttyUSB', () => existsSync(`/dev/ttyUSB${PORTS - 1}`) && existsSync(`/dev/ttyGS${PORTS - 1}`), 20_000)
}

/** Where a program has closed its end, the line stays until it is hung up: as a modem does that sees no DTR. */
export async function makeLine(t: TestContext, carrier: Carrier): Promise<Line> {
  if (carrier === 'pty') return ptyPair(t)
  const port = ports++ % PORTS
  return { ours: `/dev/ttyUSB${port}`, theirs: `/dev/ttyGS${port}`, hangUp: () => {} }
}

async function ptyPair(t: TestContext): Promise<Line> {
  const [ours, theirs] = ['ours', 'theirs'].map((end) => `/run/line${lines}.${end}`) as [string, string]
  lines++
  const addresses = [ours, theirs].map((end) => `PTY,link=${end},rawer`)
  const socat = spawn('socat', ['-b', '65536', ...addresses], { stdio: 'ignore' })
  const ended = once(socat, 'close')
  t.after(async () => {
    socat.kill()
    await ended
  })
  await until('a pair of ptys', () => existsSync(ours) && existsSync(theirs), 20_000)
  return { ours, theirs, hangUp: () => socat.kill() }
}
