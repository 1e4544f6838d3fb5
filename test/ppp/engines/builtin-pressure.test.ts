/** The builtin engine between a real TUN and a line that takes nothing for a while: what waits is bounded, the rest is the kernel's to drop. */

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { parseIpv4 } from '../../../src/base/ipv4.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { createBuiltinEngine } from '../../../src/ppp/engines/builtin.ts'
import { CLIENT_DEFAULTS, SERVER_DEFAULTS } from '../../../src/ppp/settings.ts'
import type { WireListener } from '../../../src/serial/wire.ts'
import { WireDecorator } from '../../../src/serial/wire-decorator.ts'
import { systemClock, systemRandom } from '../../../src/system/clock.ts'
import { createNetworkNamespace } from '../../../src/system/namespace.ts'
import { openRouteSocket } from '../../../src/system/netlink.ts'
import { openTun } from '../../../src/system/tun.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { virtualWires } from '../../support/virtual-wire.ts'
import { run } from '../../system/run.ts'
import { until } from '../../system/until.ts'

const PACKETS = 4000
const PAYLOAD_BYTES = 1000

if (inNamespace(import.meta.url, needs('tun', 'ip'))) tests()

/** While it is stuck it takes what it is given, as a full queue does, and asks for no more. */
class StickyWire extends WireDecorator {
  isStuck = false
  readonly waiting: Uint8Array[] = []
  #listener: WireListener | undefined

  override listen(listener: WireListener | undefined): void {
    this.#listener = listener
    super.listen(listener)
  }

  override write(bytes: Uint8Array): boolean {
    if (!this.isStuck) return super.write(bytes)
    this.waiting.push(bytes.slice())
    return false
  }

  get waitingBytes(): number {
    return this.waiting.reduce((sum, { length }) => sum + length, 0)
  }

  loosen(): void {
    this.isStuck = false
    for (const bytes of this.waiting.splice(0)) super.write(bytes)
    this.#listener?.drain()
  }
}

function tests(): void {
  test('a line that stands still: a bounded queue here, drops in the kernel, and then all goes on', async (t) => {
    const [near, far] = virtualWires(systemClock)
    const wire = new StickyWire(near)
    const operator = createNetworkNamespace()
    const services = { openTun, openRouteSocket, clock: systemClock, random: systemRandom, logger: silentLogger }
    const local = parseIpv4('10.64.0.2')!
    const peer = parseIpv4('10.64.64.64')!
    let ups = 0
    const count = ({ type }: { type: string }) => {
      if (type === 'up') ups++
    }
    const there = {
      ...services,
      openTun: (name: string) => operator.run(() => openTun(name)),
      openRouteSocket: () => operator.run(openRouteSocket),
    }
    const server = createBuiltinEngine(there).open(
      far,
      { settings: { ...SERVER_DEFAULTS, localAddress: peer, remoteAddress: local } },
      count,
    )
    const client = createBuiltinEngine(services).open(
      wire,
      { settings: { ...CLIENT_DEFAULTS, echoIntervalMs: 0 } },
      count,
    )
    const socket = createSocket('udp4')
    t.after(async () => {
      socket.close()
      for (const link of [client, server]) link.terminate({ cause: 'user-request', detail: 'the test is over' })
      await near.close()
      operator.close()
    })
    await until('both up', () => ups === 2)

    wire.isStuck = true
    const send = () =>
      new Promise<void>((resolve) => socket.send(Buffer.alloc(PAYLOAD_BYTES), 9, '10.64.64.64', () => resolve()))
    for (let sent = 0; sent < PACKETS; sent++) await send()
    const dropped = await droppedPackets()
    assert.ok(wire.waitingBytes > 0 && wire.waitingBytes < 64 * 1024, `${wire.waitingBytes} bytes wait here`)
    assert.ok(dropped > PACKETS / 2, `the kernel dropped ${dropped} of ${PACKETS}`)

    wire.loosen()
    const arrived = () => server.counters().rxBytes
    const rest = BigInt((PACKETS - dropped) * (PAYLOAD_BYTES + 28))
    await until('what was not dropped has arrived', () => arrived() >= rest)
    for (let sent = 0; sent < 10; sent++) await send()
    await until('and what came later', () => arrived() >= rest + 10n * BigInt(PAYLOAD_BYTES + 28))
  })
}

async function droppedPackets(): Promise<number> {
  const [link] = JSON.parse((await run('ip', '-s', '-j', 'link', 'show', 'ppp0')).output)
  return link.stats64.tx.dropped
}
