/** A line between our engine and a pppd in the guest: two ptys joined by socat, or a USB gadget's two ends. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { silentLogger } from '../../../src/base/ports.ts'
import { createWireOpener } from '../../../src/serial/serialport-wire.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { until } from '../../system/until.ts'

export interface Line {
  readonly kind: string
  readonly ours: string
  readonly theirs: string
  openWire(): Promise<Wire>
  /** The cable is pulled out. */
  cut(): void
  close(): Promise<void>
}

const openTty = createWireOpener({ root: '', clock: systemClock, logger: silentLogger })
let count = 0
const GADGET_FOLDER = '/sys/kernel/config/usb_gadget/kernel'
/** A modem that the driver option knows, and no other gadget of these tests is. */
const PRODUCT = '0121'

export async function ptyLine(): Promise<Line> {
  const base = `/tmp/line${process.pid}-${count++}`
  const [ours, theirs] = [`${base}-ours`, `${base}-theirs`]
  const socat = spawn('socat', ['-b65536', `pty,raw,echo=0,link=${ours}`, `pty,raw,echo=0,link=${theirs}`], {
    stdio: 'ignore',
  })
  await until('socat made both ptys', () => existsSync(ours) && existsSync(theirs))
  return lineOf('pty', realpathSync(ours), realpathSync(theirs), () => socat.kill('SIGKILL'), socat)
}

export async function gadgetLine(): Promise<Line> {
  const run = (...args: string[]) => execFileSync('usb-gadget', args, { stdio: 'ignore' })
  if (!existsSync(GADGET_FOLDER)) {
    run('init', '2')
    run('add', 'kernel', '0x2c7c', `0x${PRODUCT}`, '1')
  } else if (read(`${GADGET_FOLDER}/UDC`) === '') run('plug', 'kernel')
  await until('the gadget is bound', () => hostTty() !== undefined, 20_000)
  const port = read(`${GADGET_FOLDER}/functions/gser.kernel0/port_num`)
  return lineOf('gadget', `/dev/${hostTty()}`, `/dev/ttyGS${port}`, () => run('unplug', 'kernel'))
}

/** Its controller and its port are free for another gadget again; does nothing where there is none. */
export function removeGadget(): void {
  if (existsSync(GADGET_FOLDER)) execFileSync('usb-gadget', ['remove', 'kernel'])
}

function hostTty(): string | undefined {
  return readdirSync('/sys/class/tty').find(
    (name) => name.startsWith('ttyUSB') && read(`/sys/class/tty/${name}/device/../../idProduct`) === PRODUCT,
  )
}

/** '' where it is not there (now). */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return ''
  }
}

function lineOf(kind: string, ours: string, theirs: string, cut: () => void, child?: ChildProcess): Line {
  let wire: Wire | undefined
  return {
    kind,
    ours,
    theirs,
    cut,
    openWire: async () => {
      wire = await openTty(ours)
      return wire
    },
    close: async () => {
      await wire?.close()
      child?.kill('SIGKILL')
    },
  }
}

/** In a process of its own, which is killed then. */
export async function openTtyWire(path: string): Promise<Wire> {
  return openTty(path)
}
