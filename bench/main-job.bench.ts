// The main job, timed from outside: real processes, real bus, a simulator that answers at once. Times of events are
// those at which their D-Bus signals reach a client.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BusClient, type Signal } from '../src/cli/bus-client.ts'
import { askControl } from '../src/sim/control.ts'
import { systemClock } from '../src/system/clock.ts'
import { Rig } from '../test/support/rig.ts'
import { printTable, type Row } from './table.ts'

const RUNS = 15
const MMCTL_RUNS = 31
const PROFILE = `[profile]
apn = internet
username = demo
password = sesame
pin = 1234
`

const rig = new Rig({
  sim: [
    ...['--unplugged', '--pin', '1234', '--apn', 'internet:demo:sesame', '--auth', 'chap', '--internet', 'tun'],
    ...['--latency', '0', '--register-after', '0s'],
  ],
  modemd: ['--log-level', 'warn'],
  files: { 'etc/modemd/profiles/bench.conf': PROFILE },
})
const signals: { atMs: number; signal: Signal }[] = []
await rig.start()
const client = await BusClient.open(rig.bus, systemClock, {
  onSignal: (signal) => signals.push({ atMs: performance.now(), signal }),
  onGone: console.error,
})
await client.call({
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'AddMatch',
  signature: 's',
  body: ["type='signal',sender='org.modemd'"],
})

const rows: Row[] = []
await plugging()
await connecting()
await redialling()
await processes()
memory()
printTable('The main job', rows)
client.close()
await rig.stop()
rig.remove()

/** Plug a modem in: from the simulator's uevent to the object on the bus, and to state `registered`. */
async function plugging(): Promise<void> {
  const exported: number[] = []
  const registered: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const fromMs = performance.now()
    await askControl(rig.control, { command: 'plug', args: [] })
    exported.push((await seen('InterfacesAdded', fromMs)) - fromMs)
    registered.push((await seen('"registered"', fromMs)) - fromMs)
    if (run === RUNS - 1) break
    const unpluggedAtMs = performance.now()
    await askControl(rig.control, { command: 'unplug', args: [] })
    await seen('InterfacesRemoved', unpluggedAtMs)
  }
  rows.push({ what: 'plug → exported', samples: exported, unit: 'ms', against: '≤ 300 ms' })
  rows.push({ what: 'plug → registered (PIN entered)', samples: registered, unit: 'ms', against: '≤ 600 ms' })
}

/** Connect on a registered modem, by D-Bus: from the call to state `up` (dial, LCP, CHAP, IPCP, interface, route). */
async function connecting(): Promise<void> {
  const samples: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const fromMs = performance.now()
    await manager('Connect', 'sa{sv}', ['bench', []])
    samples.push((await seen('"up"', fromMs)) - fromMs)
    await manager('Disconnect', 'o', ['/'])
  }
  rows.push({ what: 'Connect → link up', samples, unit: 'ms', against: '≤ 300 ms' })
}

/** The operator hangs up: until state `up` again, without the policy's own delay (state `waiting` to `dialling`). */
async function redialling(): Promise<void> {
  const samples: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const connectedFromMs = performance.now()
    await manager('Connect', 'sa{sv}', ['bench', []])
    await seen('"up"', connectedFromMs)
    const fromMs = performance.now()
    await askControl(rig.control, { command: 'hangup', args: [] })
    const waitingMs = await seen('"waiting"', fromMs)
    const diallingMs = await seen('"dialling"', waitingMs)
    samples.push((await seen('"up"', diallingMs)) - diallingMs + (waitingMs - fromMs))
    await manager('Disconnect', 'o', ['/'])
  }
  rows.push({ what: 'hang-up → up again, less the policy’s delay', samples, unit: 'ms', against: '≤ 300 ms' })
}

/** `mmctl list` as a whole process, in turn with a bare Node and with busctl. */
async function processes(): Promise<void> {
  const get = ['get-property', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'Modems']
  const timed: Record<string, number[]> = { mmctl: [], node: [], busctl: [] }
  for (let run = 0; run < MMCTL_RUNS; run++) {
    timed.mmctl!.push(timeOf(() => rig.read('mmctl', 'list')))
    timed.node!.push(timeOf(() => rig.read(process.execPath, '-e', '0')))
    timed.busctl!.push(timeOf(() => rig.read('busctl', ...get)))
  }
  rows.push({ what: 'mmctl list (process)', samples: timed.mmctl!, unit: 'ms', against: '≤ 40 ms' })
  rows.push({ what: '  beside it: node -e 0', samples: timed.node!, unit: 'ms', against: '' })
  rows.push({ what: '  beside it: busctl get-property', samples: timed.busctl!, unit: 'ms', against: '' })
}

/** The daemon's memory after all of the above. */
function memory(): void {
  const samples = [statusOf(modemdPid(), 'VmRSS') / 1024]
  rows.push({ what: `modemd RSS after ${RUNS} plugs and ${3 * RUNS} connections`, samples, unit: 'MiB', against: '' })
}

function modemdPid(): number {
  return rig.servants.find(({ name }) => name === 'modemd')!.child.pid!
}

function timeOf(run: () => void): number {
  const fromMs = performance.now()
  run()
  return performance.now() - fromMs
}

function statusOf(pid: number, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

async function manager(member: string, signature: string, body: readonly unknown[]): Promise<void> {
  await client.call({
    destination: 'org.modemd',
    path: '/org/modemd',
    interface: 'org.modemd.Manager1',
    member,
    signature,
    body,
  })
}

/** When the first signal after `fromMs` came that is called `text`, or that has it as a value of State. */
async function seen(text: string, fromMs: number): Promise<number> {
  for (;;) {
    const found = signals.find(
      ({ atMs, signal }) => atMs >= fromMs && (signal.member === text || isState(signal, text)),
    )
    if (found) return found.atMs
    if (performance.now() - fromMs > 20_000) throw new Error(`no ${text} within 20 s${rig.logs()}`)
    await sleep(1)
  }
}

function isState(signal: Signal, quoted: string): boolean {
  return signal.member === 'StateChanged' && `"${signal.body[1]}"` === quoted
}
