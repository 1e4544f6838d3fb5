// The builtin PPP engine over a pty: two of our ends, each a process in a network namespace of its own, one with the pty's
// master and one with its slave through node-serialport, as modemd has it. TCP each way by a bare sender and receiver, the
// CPU time of each end meanwhile, and ping beside the same ping over lo.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseIpv4 } from '../src/base/ipv4.ts'
import { silentLogger } from '../src/base/ports.ts'
import { createBuiltinEngine } from '../src/ppp/engines/builtin.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../src/ppp/settings.ts'
import { createWireOpener } from '../src/serial/serialport-wire.ts'
import type { Wire } from '../src/serial/wire.ts'
import { systemClock, systemRandom } from '../src/system/clock.ts'
import { openRouteSocket } from '../src/system/netlink.ts'
import { openTun } from '../src/system/tun.ts'
import { PtyWire } from '../test/interop/pty-wire.ts'
import { median, printTable, type Row } from './table.ts'

const RUNS = 5
const SECONDS = 3
const PINGS = 200
const CLIENT = '10.64.0.2'
const SERVER = '10.64.64.64'
const PORT = 5001
const BLOCK_BYTES = 256 * 1024
/** /proc/PID/stat counts in these. */
const TICKS_PER_SECOND = 100

const SELF = fileURLToPath(import.meta.url)
function openSlave(path: string): Promise<Wire> {
  return createWireOpener({ root: '/', clock: systemClock, logger: silentLogger })(path)
}

async function runEnd(wire: Wire, settings: PppSettings): Promise<void> {
  await openRouteSocket().setLink('lo', { up: true })
  console.log(wire.path)
  const services = { openTun, openRouteSocket, clock: systemClock, random: systemRandom, logger: silentLogger }
  createBuiltinEngine(services).open(wire, { settings: { ...settings, restartMs: 300 } }, (event) => {
    if (event.type === 'up') console.log('up')
    if (event.type !== 'down') return
    console.error(event.failure.detail)
    process.exit(1)
  })
}

/** One connection; prints its Mbit/s, from the first byte to the last. */
function receive(): void {
  const server = createServer((socket) => {
    let bytes = 0
    let fromMs = 0
    let toMs = 0
    socket.on('data', (chunk) => {
      toMs = performance.now()
      if (bytes === 0) fromMs = toMs
      bytes += chunk.length
    })
    socket.on('end', () => {
      console.log((bytes * 8) / 1000 / (toMs - fromMs))
      socket.end()
      server.close()
    })
  })
  server.listen(PORT, () => console.log('listening'))
}

function send(address: string): void {
  const block = Buffer.alloc(BLOCK_BYTES, 'The quick brown fox jumps over the lazy dog. ')
  const socket = connect(PORT, address)
  const untilMs = performance.now() + SECONDS * 1000
  const more = () => {
    while (performance.now() < untilMs) if (!socket.write(block)) return
    socket.end()
  }
  socket.on('connect', more)
  socket.on('drain', more)
  socket.on('close', () => process.exit())
}

/** A process of this file, in the network namespace of `of`, or in a new one. */
class Part {
  readonly child: ChildProcess
  readonly #lines: string[] = []
  #wake = () => {}

  constructor(of: Part | undefined, ...args: string[]) {
    const [program, ...rest] = of ? ['nsenter', '-t', String(of.pid), '-n'] : ['unshare', '-n']
    const command = [...rest, process.execPath, '--import=tsx', SELF, ...args]
    this.child = spawn(program!, command, { stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake()
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  async line(): Promise<string> {
    while (this.#lines.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return this.#lines.shift()!
  }

  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  peakMiB(): number {
    return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]) / 1024
  }
}

async function measure(): Promise<void> {
  const server = new Part(undefined, 'server')
  const client = new Part(undefined, 'client', await server.line())
  await client.line()
  await Promise.all([server.line(), client.line()])
  const ends = { client, server }
  const rows: Row[] = []
  await throughput('client → server', client, server, SERVER, ends, rows)
  await throughput('server → client', server, client, CLIENT, ends, rows)
  await roundTrips(client, rows)
  for (const [name, end] of Object.entries(ends))
    rows.push({ what: `memory of the ${name}, at most`, samples: [end.peakMiB()], unit: 'MiB', against: '' })
  printTable('The builtin engine over a pty', rows)
  server.child.kill()
  client.child.kill()
}

async function throughput(
  what: string,
  from: Part,
  to: Part,
  address: string,
  ends: Readonly<Record<string, Part>>,
  rows: Row[],
): Promise<void> {
  const rates: number[] = []
  const cores: Record<string, number[]> = Object.fromEntries(Object.keys(ends).map((name) => [name, []]))
  for (let run = 0; run < RUNS; run++) {
    const receiver = new Part(to, 'receive')
    await receiver.line()
    const before = Object.entries(ends).map(([name, end]) => [name, end.cpuSeconds()] as const)
    const fromMs = performance.now()
    new Part(from, 'send', address)
    rates.push(Number(await receiver.line()))
    const seconds = (performance.now() - fromMs) / 1000
    for (const [name, cpu] of before) cores[name]!.push((ends[name]!.cpuSeconds() - cpu) / seconds)
  }
  rows.push({ what: `TCP ${what}`, samples: rates, unit: 'Mbit/s', against: '≥ 150 Mbit/s' })
  for (const [name, samples] of Object.entries(cores))
    rows.push({ what: `  CPU of the ${name}`, samples, unit: 'cores', against: '≤ 1' })
}

async function roundTrips(client: Part, rows: Row[]): Promise<void> {
  const link: number[] = []
  const lo: number[] = []
  for (let run = 0; run < RUNS; run++) {
    link.push(await ping(client, SERVER))
    lo.push(await ping(client, CLIENT))
  }
  rows.push({ what: 'ping through the link', samples: link, unit: 'ms', against: '' })
  rows.push({ what: '  beside it: to our own address', samples: lo, unit: 'ms', against: '' })
  rows.push({ what: '  added', samples: [median(link) - median(lo)], unit: 'ms', against: '≤ 0.3 ms' })
}

/** The median round trip in ms; the mean of one series would be the scheduler's. */
async function ping(from: Part, address: string): Promise<number> {
  const args = ['-t', String(from.pid), '-n', 'ping', '-c', String(PINGS), '-i', '0.005', address]
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close')
  return median([...output.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1])))
}

const [role, argument] = process.argv.slice(2)
if (role === 'server')
  await runEnd(new PtyWire(), {
    ...SERVER_DEFAULTS,
    localAddress: parseIpv4(SERVER)!,
    remoteAddress: parseIpv4(CLIENT)!,
  })
else if (role === 'client') await runEnd(await openSlave(argument!), CLIENT_DEFAULTS)
else if (role === 'receive') receive()
else if (role === 'send') send(argument!)
else await measure()
