/** One of our engines at our end of a line, with what it told, and ways to look at the machine. */

import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { formatIpv4 } from '../../../src/base/ipv4.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import type { PppLink, PppLinkEvent, PppLinkOptions } from '../../../src/ppp/engines/engine.ts'
import { createKernelEngine } from '../../../src/ppp/engines/kernel.ts'
import { CLIENT_DEFAULTS, type PppSettings } from '../../../src/ppp/settings.ts'
import { printPacket } from '../../../src/ppp/wire/printing.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import { systemClock, systemRandom } from '../../../src/system/clock.ts'
import { openRouteSocket } from '../../../src/system/netlink.ts'
import { until } from '../../system/until.ts'
import { openTtyWire } from './line.ts'

export const LOCAL = '10.9.0.2'
export const REMOTE = '10.9.0.1'
export const DNS = '10.9.0.53'
/** What makes a pppd the server of LOCAL. */
export const SERVER = [`${REMOTE}:${LOCAL}`, 'noauth', 'ms-dns', DNS]

export type Up = Extract<PppLinkEvent, { type: 'up' }>
export type Down = Extract<PppLinkEvent, { type: 'down' }>

export const SETTINGS: PppSettings = {
  ...CLIENT_DEFAULTS,
  restartMs: 1000,
  echoIntervalMs: 0,
}

const engine = createKernelEngine({
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  openRouteSocket,
  watchesCarrier: true,
})

export class OurEnd {
  readonly events: PppLinkEvent[] = []
  readonly packets: string[] = []
  readonly link: PppLink
  readonly wire: Wire

  constructor(wire: Wire, settings: Partial<PppSettings> = {}, options: Partial<PppLinkOptions> = {}) {
    this.wire = wire
    this.link = engine.open(
      wire,
      {
        settings: { ...SETTINGS, ...settings },
        trace: (direction, protocol, info) => this.packets.push(`${direction} ${printPacket(protocol, info)}`),
        ...options,
      },
      (event) => this.events.push(event),
    )
  }

  get ups(): Up[] {
    return this.events.filter((event): event is Up => event.type === 'up')
  }

  get ended(): Down | undefined {
    return this.events.find((event): event is Down => event.type === 'down')
  }

  async up(): Promise<Up> {
    await until(`it is up (${this.#story})`, () => this.ups.length > 0 || this.ended !== undefined, 20_000)
    const [up] = this.ups
    if (!up) throw new Error(`it went down: ${this.#story}`)
    return up
  }

  async down(limitMs = 20_000): Promise<Down> {
    await until('it is down', () => this.ended !== undefined, limitMs)
    return this.ended!
  }

  async close(): Promise<Down> {
    this.link.terminate({ cause: 'user-request', detail: 'the test is over' })
    return this.down()
  }

  get #story(): string {
    return [...this.packets.slice(-12), JSON.stringify(this.ended ?? 'no end')].join('\n')
  }
}

export function addressText({ address: { ip4 } }: Up): string {
  return ip4 ? `${formatIpv4(ip4.local)} ${formatIpv4(ip4.peer)} ${ip4.dns.map(formatIpv4).join(' ')}` : ''
}

/** In a process of its own, until it is killed. */
export async function holdLink(path: string): Promise<void> {
  await new OurEnd(await openTtyWire(path)).down(3_600_000)
}

export function sh(command: string): string {
  return execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

const execLater = promisify(execFile)

/** While our own process goes on. */
export async function shLater(command: string): Promise<string> {
  return (await execLater('sh', ['-c', command], { maxBuffer: 1 << 24 })).stdout.trim()
}

export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd')
}

export function interfaces(): string[] {
  return readFileSync('/proc/self/net/dev', 'latin1')
    .split('\n')
    .flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? [])
}
