// Detection, timed from outside: real processes, a real bus, and modem-sim as the modems, in a process of its own. From the plug to the
// modem's object on the bus, to `registered`, to CONNECT, for each personality; the AT commands before the dial; a port that
// never answers; and 64 and 256 modems plugged at once. Debian's ModemManager in modemd's place where it is installed and we are root.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BusClient, type Signal } from '../src/cli/bus-client.ts'
import { askControl } from '../src/sim/control.ts'
import { systemClock } from '../src/system/clock.ts'
import { Rig } from '../test/support/rig.ts'
import { ModemManager, obstacleToModemManager, showTree } from './modem-manager.ts'
import { printTable, type Row } from './table.ts'

/** The simulator's tree of files is not what is measured: in memory, as /sys is. */
process.env.TMPDIR = '/dev/shm'
const RUNS = 7
const MODEM_MANAGER_RUNS = 3
const FOLDER = new URL('../src/sim/personalities/', import.meta.url)
const PERSONALITIES = readdirSync(FOLDER).map((file) => {
  const { usb } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { readonly usb?: object }
  return { name: file.replace('.json', ''), isUsb: usb !== undefined }
})
const CROWDS = [
  { modems: 64, limit: '≤ 5 s' },
  { modems: 256, limit: '≤ 20 s' },
]
const FILES = {
  'etc/modemd/profiles/bench.conf': '[profile]\napn = internet\nautoconnect = yes\n',
  // A modem on a UART is not looked for by itself.
  'etc/modemd/modemd.conf': '[device "tty:/dev/ttyS0"]\n',
}
const QUICK = ['--latency', '0', '--register-after', '0s', '--internet', 'tun']

interface Seen {
  readonly atMs: number
  readonly signal: Signal
}

/** One simulator and one modemd, and every signal of modemd's with its time. */
class Scene {
  readonly rig: Rig
  readonly seen: Seen[] = []
  #client!: BusClient

  constructor(sim: readonly string[], files: Readonly<Record<string, string>> = {}) {
    this.rig = new Rig({ sim: ['--unplugged', ...sim], modemd: ['--log-level', 'warn'], files })
  }

  async start(): Promise<void> {
    await this.rig.start()
    this.#client = await BusClient.open(this.rig.bus, systemClock, {
      onSignal: (signal) => this.seen.push({ atMs: performance.now(), signal }),
      onGone: console.error,
    })
    await this.#client.addMatch("type='signal',sender='org.modemd'")
  }

  control(command: string, ...args: string[]): Promise<string> {
    return askControl(this.rig.control, { command, args })
  }

  pid(name: string): number {
    return this.rig.servants.find((servant) => servant.name === name)!.child.pid!
  }

  /** When the `count`th signal that `is` so came, in ms from `fromMs`. */
  async when(what: string, fromMs: number, is: (signal: Signal) => boolean, count = 1, limitMs = 60_000) {
    for (;;) {
      const found = this.seen.filter(({ atMs, signal }) => atMs >= fromMs && is(signal))[count - 1]
      if (found) return found.atMs - fromMs
      if (performance.now() - fromMs > limitMs) throw new Error(`no ${what} within ${limitMs} ms${this.rig.logs()}`)
      await sleep(1)
    }
  }

  /** That the simulator takes long to unplug a crowd is not what is measured here. */
  async stop(): Promise<void> {
    this.#client.close()
    await this.rig.stop().catch((error: Error) => console.error(error.message.split('\n')[0]))
    this.rig.remove()
  }
}

function isExport(signal: Signal): boolean {
  return signal.member === 'InterfacesAdded' && String(signal.body[0]).includes('/modem/')
}

function isState(state: string): (signal: Signal) => boolean {
  return ({ member, body }) => member === 'StateChanged' && body[1] === state
}

/** Behind CONNECT a link's PPP begins. */
const isConnected = ({ member, path, body }: Signal) =>
  member === 'StateChanged' && path.includes('/link/') && body[0] === 'dialling' && body[1] === 'connecting'

interface Statistics {
  readonly modems: readonly { readonly commands: { readonly total: number; readonly last: readonly string[] } }[]
}

/** AT commands before the first dial, of all ports. */
function commandsBeforeDial(statistics: string): number {
  const { total, last } = (JSON.parse(statistics) as Statistics).modems[0]!.commands
  const dial = last.findIndex((name) => /^ATD/.test(name))
  if (dial < 0) throw new Error(`no dial among ${last}`)
  return total - last.length + dial
}

/** As a PIN is entered it is some more. */
async function commandsWithPin(personality: string, rows: Row[]): Promise<void> {
  const files = { ...FILES, 'etc/modemd/profiles/bench.conf': `${FILES['etc/modemd/profiles/bench.conf']}pin = 1234\n` }
  const scene = new Scene(['--personality', personality, '--pin', '1234', ...QUICK], files)
  await scene.start()
  const fromMs = performance.now()
  await scene.control('plug')
  await scene.when('CONNECT', fromMs, isConnected)
  const samples = [commandsBeforeDial(await scene.control('stats'))]
  rows.push({ what: 'AT commands before ATD, with a PIN', samples, unit: '', against: '≤ 30' })
  await scene.stop()
}

async function coldPlug(personality: string, rows: Row[]): Promise<void> {
  const [exported, registered, connected, commands]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (let run = 0; run < RUNS; run++) {
    const scene = new Scene(['--personality', personality, ...QUICK], FILES)
    await scene.start()
    const fromMs = performance.now()
    await scene.control('plug')
    exported.push(await scene.when('export', fromMs, isExport))
    registered.push(await scene.when('registration', fromMs, isState('registered')))
    connected.push(await scene.when('CONNECT', fromMs, isConnected))
    commands.push(commandsBeforeDial(await scene.control('stats')))
    await scene.stop()
  }
  const row = (what: string, samples: number[], unit: string, against: string) =>
    rows.push({ what, samples, unit, against })
  row('plug → exported', exported, 'ms', '')
  row('plug → registered', registered, 'ms', '')
  row('plug → CONNECT', connected, 'ms', "≤ 0.1 of ModemManager's")
  row('AT commands before ATD', commands, '', '≤ 30')
}

/** The same modem with ModemManager in modemd's place. */
async function modemManagersPlug(personality: string, rows: Row[]): Promise<void> {
  const times: Record<'exportedMs' | 'registeredMs' | 'connectedMs', number[]> = {
    exportedMs: [],
    registeredMs: [],
    connectedMs: [],
  }
  const commands: number[] = []
  for (let run = 0; run < MODEM_MANAGER_RUNS; run++) {
    const rig = new Rig({ sim: ['--unplugged', '--personality', personality, ...QUICK] })
    await rig.startBus()
    await rig.startSim()
    showTree(rig.root)
    const manager = await ModemManager.start(rig.root, rig.bus)
    try {
      const fromMs = performance.now()
      await askControl(rig.control, { command: 'plug', args: [] })
      for (const [name, ms] of Object.entries(await manager.plugged(fromMs))) times[name as keyof typeof times].push(ms)
      commands.push(commandsBeforeDial(await askControl(rig.control, { command: 'stats', args: [] })))
    } finally {
      await manager.stop()
      for (const place of ['/sys', '/dev', `${rig.root}/dev-with-ttys`]) execFileSync('umount', ['-R', '-l', place])
      await rig.stop()
      rig.remove()
    }
  }
  const row = (what: string, samples: number[], unit: string) =>
    rows.push({ what: `ModemManager: ${what}`, samples, unit, against: '' })
  row('plug → exported', times.exportedMs, 'ms')
  row('plug → registered', times.registeredMs, 'ms')
  row('plug → CONNECT', times.connectedMs, 'ms')
  row('AT commands before ATD', commands, '')
}

/** A modem none of whose ports answers: how long until modemd has closed them. */
async function deafPorts(rows: Row[]): Promise<void> {
  const samples: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const scene = new Scene([...QUICK, '--fault', 'silent times=9999'])
    await scene.start()
    const fromMs = performance.now()
    await scene.control('plug')
    await until('modemd has the ports', () => ptysOf(scene.pid('modemd')) > 0)
    await until('modemd lets go of the ports', () => ptysOf(scene.pid('modemd')) === 0)
    samples.push(performance.now() - fromMs)
    await scene.stop()
  }
  rows.push({ what: 'a deaf modem let go of', samples, unit: 'ms', against: '≤ 3000 ms' })
}

async function crowd(modems: number, limit: string, rows: Row[]): Promise<void> {
  const scene = new Scene(['--modems', String(modems), ...QUICK])
  await scene.start()
  const daemon = scene.pid('modemd')
  await sleep(500)
  const [before, cpuBefore, simBefore] = [rssMiB(daemon), cpuMs(daemon), cpuMs(scene.pid('modem-sim'))]
  const fromMs = performance.now()
  await scene.control('plug')
  const exported = await scene.when('exports', fromMs, isExport, modems)
  const registered = await scene.when('registrations', fromMs, isState('registered'), modems)
  const peak = statusKiB(daemon, 'VmHWM') / 1024
  const used = [cpuMs(daemon) - cpuBefore, cpuMs(scene.pid('modem-sim')) - simBefore]
  await sleep(10_000)
  const after = rssMiB(daemon)
  const row = (what: string, value: number, unit: string, against = '') =>
    rows.push({ what, samples: [value], unit, against })
  row('all exported', exported, 'ms')
  row('all registered', registered, 'ms', limit)
  row("modemd's CPU time until then", used[0]!, 'ms')
  row("modem-sim's CPU time until then", used[1]!, 'ms')
  row('memory a modem, 10 s later', (after - before) / modems, 'MiB', '≤ 1 MiB')
  row('memory a modem, at the highest', (peak - before) / modems, 'MiB')
  await scene.stop()
}

async function until(what: string, isSo: () => boolean, limitMs = 30_000): Promise<void> {
  const untilMs = performance.now() + limitMs
  while (!isSo()) {
    if (performance.now() > untilMs) throw new Error(`waited ${limitMs} ms in vain until ${what}`)
    await sleep(1)
  }
}

function ptysOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith('/dev/pts/')
    } catch {
      return false
    }
  }).length
}

function statusKiB(pid: number, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

function rssMiB(pid: number): number {
  return statusKiB(pid, 'VmRSS') / 1024
}

/** User and system time; the clock ticks of /proc are 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const obstacle = obstacleToModemManager()
if (obstacle) console.log(`ModemManager is not measured: ${obstacle}.`)
for (const { name, isUsb } of PERSONALITIES) {
  const rows: Row[] = []
  await coldPlug(name, rows)
  await commandsWithPin(name, rows)
  // ModemManager takes a plain UART only where a udev rule of the user's names it.
  if (!obstacle && isUsb) await modemManagersPlug(name, rows).catch((error: Error) => console.log(error.message))
  printTable(`Cold plug of ${name}`, rows)
}
const rows: Row[] = []
await deafPorts(rows)
printTable('A deaf modem', rows)
for (const { modems, limit } of CROWDS) {
  const crowdRows: Row[] = []
  await crowd(modems, limit, crowdRows)
  printTable(`${modems} modems plugged at once`, crowdRows)
}
