// The daemon itself: how soon it is there, what it takes, and what it does while nobody asks it anything.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BusClient, type Signal } from '../src/cli/bus-client.ts'
import { systemClock } from '../src/system/clock.ts'
import { needs } from '../test/support/needs.ts'
import { Rig, type Servant } from '../test/support/rig.ts'
import { printTable, type Row } from './table.ts'

const STARTS = 15
const IDLE_SECONDS = Number(process.env.MODEMD_IDLE_SECONDS ?? 60)
const PROFILE = '[profile]\napn = internet\nusername = demo\npassword = sesame\nautoconnect = yes\n'
const SIM = ['--apn', 'internet:demo:sesame', '--auth', 'chap', '--internet', 'tun', '--latency', '0']

const rig = new Rig({
  sim: [...SIM, '--unplugged', '--register-after', '0s'],
  modemd: ['--log-level', 'warn'],
  files: { 'etc/modemd/profiles/bench.conf': PROFILE },
})
const rows: Row[] = []
let onName: (signal: Signal) => void = () => {}
await rig.startBus()
await rig.startSim()
const client = await BusClient.open(rig.bus, systemClock, {
  onSignal: (signal) => onName(signal),
  onGone: console.error,
})
await client.call({
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'AddMatch',
  signature: 's',
  body: ["type='signal',member='NameOwnerChanged',arg0='org.modemd'"],
})

await coldStarts()
await withALink()
printTable('The daemon itself', rows)
client.close()
await rig.stop()
rig.remove()

/** From the start of the process to its name on the bus; beside it a Node that does nothing. */
async function coldStarts(): Promise<void> {
  const named: number[] = []
  const bare: number[] = []
  for (let run = 0; run < STARTS; run++) {
    const nodeMs = performance.now()
    rig.read(process.execPath, '-e', '0')
    bare.push(performance.now() - nodeMs)
    const isThere = new Promise<void>((resolve) => {
      onName = ({ body }) => body[2] !== '' && resolve()
    })
    const fromMs = performance.now()
    const servant = rig.spawn('modemd', ['--root', rig.root, '--bus', rig.bus, '--log-level', 'warn'])
    await isThere
    named.push(performance.now() - fromMs)
    if (run < STARTS - 1) await end(servant)
  }
  rows.push({ what: 'cold start → bus name', samples: named, unit: 'ms', against: '≤ 500 ms' })
  rows.push({ what: '  beside it: node -e 0', samples: bare, unit: 'ms', against: '' })
  await sleep(1000)
  rows.push({ what: 'RSS, no modem', samples: [residentMib()], unit: 'MiB', against: '' })
}

async function withALink(): Promise<void> {
  rig.sim('plug')
  await rig.until('the link is up', () => rig.link('bench').state === 'up')
  rows.push({ what: 'RSS, one link up', samples: [residentMib()], unit: 'MiB', against: '≤ 70 MiB' })
  // What is asked once, and late.
  await sleep(5000)
  const switches = count('voluntary_ctxt_switches')
  const cpuMs = cpuTimeMs()
  await sleep(IDLE_SECONDS * 1000)
  const perMinute = 60 / IDLE_SECONDS
  const woken = (count('voluntary_ctxt_switches') - switches) * perMinute
  rows.push({ what: 'idle, link up: wake-ups a minute', samples: [woken], unit: '', against: '6 polls, 6 echoes' })
  rows.push({ what: '  CPU time a minute', samples: [(cpuTimeMs() - cpuMs) * perMinute], unit: 'ms', against: '' })
  if (needs('strace').skip === undefined) await systemCalls()
}

/** Which calls they are. */
async function systemCalls(): Promise<void> {
  const strace = rig.spawn('strace', ['-f', '-c', '-p', String(pid())])
  await sleep(IDLE_SECONDS * 1000)
  const ended = new Promise((resolve) => strace.child.once('close', resolve))
  strace.child.kill('SIGINT')
  await ended
  rig.servants.splice(rig.servants.indexOf(strace), 1)
  // % time, seconds, µs a call, calls, [errors,] name
  const waits = Number(/^(?:\s*[\d.]+){3}\s+(\d+).*epoll_pwait$/m.exec(strace.log)?.[1] ?? Number.NaN)
  rows.push({ what: `  waits in ${IDLE_SECONDS} s (strace -c)`, samples: [waits], unit: '', against: '' })
  console.log(`System calls of the idle daemon with a link up in ${IDLE_SECONDS} s (strace -f -c):\n${strace.log}`)
}

async function end(servant: Servant): Promise<void> {
  const ended = new Promise((resolve) => servant.child.once('exit', resolve))
  servant.child.kill('SIGTERM')
  await ended
  rig.servants.splice(rig.servants.indexOf(servant), 1)
}

function pid(): number {
  return rig.servants.find(({ name }) => name === 'modemd')!.child.pid!
}

function residentMib(): number {
  return count('VmRSS') / 1024
}

/** Of /proc/PID/status; context switches are the main thread's. */
function count(key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid()}/status`, 'utf8'))![1])
}

function cpuTimeMs(): number {
  const fields = readFileSync(`/proc/${pid()}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
