import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIpv6, linkLocal, parseIpv6 } from '../../../src/base/ipv6.ts'
import { RouterDiscovery } from '../../../src/ppp/ipv6/router-discovery.ts'
import {
  type AdvertisedPrefix,
  buildAdvertisement,
  buildIcmp6Packet,
  buildSolicitation,
  INFINITE_LIFETIME_SECONDS,
  isSolicitation,
  parseAdvertisement,
} from '../../../src/ppp/ipv6/router-messages.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const ROUTER = parseIpv6('fe80::64')!
const HOUR = 3600

function prefix(text: string, more: Partial<AdvertisedPrefix> = {}): AdvertisedPrefix {
  return {
    prefix: parseIpv6(text)!,
    prefixLength: 64,
    validSeconds: INFINITE_LIFETIME_SECONDS,
    preferredSeconds: INFINITE_LIFETIME_SECONDS,
    ...more,
  }
}

class Host {
  nowMs = 0
  readonly sentAtMs: number[] = []
  changes = 0
  readonly discovery = new RouterDiscovery(linkLocal(2n), {
    solicit: (message) => {
      assert.deepEqual(message, buildSolicitation())
      this.sentAtMs.push(this.nowMs)
    },
    changed: () => this.changes++,
  })

  /** Timers up to there. */
  async to(nowMs: number): Promise<void> {
    for (;;) {
      const { deadlineMs } = this.discovery
      if (deadlineMs === undefined || deadlineMs > nowMs) break
      this.nowMs = Math.max(this.nowMs, deadlineMs)
      this.discovery.timeout(this.nowMs)
      assert.ok((this.discovery.deadlineMs ?? Infinity) > this.nowMs, 'a deadline moves on')
    }
    this.nowMs = nowMs
  }

  hear(routerSeconds: number, prefixes: AdvertisedPrefix[], source = ROUTER, hopLimit = 255): void {
    this.hearBytes(buildAdvertisement({ routerSeconds, prefixes }), source, hopLimit)
  }

  hearBytes(bytes: Uint8Array, source = ROUTER, hopLimit = 255): void {
    this.discovery.receive({ source, hopLimit, bytes }, this.nowMs)
  }

  /** `address via router`, `+` while there is a default router. */
  get found(): string {
    const { address, hasRouter } = this.discovery.found
    const text = address ? `${formatIpv6(address.address)} via ${formatIpv6(address.gateway)}` : 'nothing'
    return hasRouter ? `${text} +` : text
  }
}

test('three solicitations, four seconds apart, then silence', async () => {
  const host = new Host()
  host.discovery.start(0)
  await host.to(60_000)
  assert.deepEqual(host.sentAtMs, [0, 4000, 8000])
  assert.equal(host.discovery.deadlineMs, undefined)
  assert.deepEqual([host.found, host.changes], ['nothing', 0])
  host.hear(1800, [prefix('2001:db8:5::')])
  assert.equal(host.found, '2001:db8:5::2 via fe80::64 +', 'an advertisement may come unasked')
})

test('an answer ends the asking; repetitions change nothing; lifetimes end', async () => {
  const host = new Host()
  host.discovery.start(0)
  const lasting = prefix('2001:db8:5::', { validSeconds: 3 * HOUR, preferredSeconds: HOUR })
  host.hear(1800, [lasting])
  host.hear(1800, [lasting])
  assert.deepEqual([host.found, host.changes], ['2001:db8:5::2 via fe80::64 +', 1])
  await host.to(1_800_000)
  assert.deepEqual([host.found, host.changes, host.sentAtMs], ['2001:db8:5::2 via fe80::64', 2, [0]])
  host.hear(9000, [])
  assert.equal(host.found, '2001:db8:5::2 via fe80::64 +')
  host.hear(0, [])
  assert.equal(host.found, '2001:db8:5::2 via fe80::64')
  await host.to(3 * HOUR * 1000)
  assert.deepEqual([host.found, host.discovery.deadlineMs], ['nothing', undefined])
})

test('a lifetime is not cut short below two hours by one message (RFC 4862 §5.5.3 e)', async () => {
  const host = new Host()
  host.hear(0, [prefix('2001:db8:5::')])
  host.hear(0, [prefix('2001:db8:5::', { validSeconds: 0, preferredSeconds: 0 })])
  await host.to(2 * HOUR * 1000 - 1)
  assert.match(host.found, /2001:db8:5::2/)
  host.hear(0, [prefix('2001:db8:5::', { validSeconds: 0, preferredSeconds: 0 })])
  await host.to(2 * HOUR * 1000)
  assert.equal(host.found, 'nothing')
})

test('the first usable prefix is kept; another one takes over when it is deprecated', () => {
  const host = new Host()
  host.hear(600, [prefix('fe80::'), prefix('2001:db8:5::'), prefix('2001:db8:6::')])
  assert.equal(host.found, '2001:db8:5::2 via fe80::64 +')
  host.hear(600, [prefix('2001:db8:6::')])
  assert.equal(host.found, '2001:db8:5::2 via fe80::64 +')
  host.hear(600, [prefix('2001:db8:5::', { preferredSeconds: 0 }), prefix('2001:db8:6::')])
  assert.equal(host.found, '2001:db8:6::2 via fe80::64 +')
})

test('prefixes that are no network for hosts, or not made for identifiers of 64 bits, are left alone', () => {
  const host = new Host()
  for (const text of ['fe80::', '::', '::ffff:0:0', 'ff02::', 'fec0::', '64:ff9b::']) host.hear(0, [prefix(text)])
  host.hear(0, [prefix('2001:db8::', { prefixLength: 48 }), prefix('2001:db8::', { prefixLength: 200 })])
  host.hear(0, [prefix('2001:db8::', { validSeconds: 1, preferredSeconds: 2 })])
  host.hear(0, [prefix('2001:db8::', { preferredSeconds: 0 })])
  const notAutonomous = buildAdvertisement({ routerSeconds: 0, prefixes: [prefix('2001:db8::')] })
  notAutonomous[16 + 3] = 0x80
  host.hearBytes(notAutonomous)
  assert.deepEqual([host.found, host.changes, host.discovery.dropped], ['nothing', 0, 0])
  host.hear(0, [prefix('fd00:1:2:3::')])
  assert.equal(host.found, 'fd00:1:2:3::2 via fe80::64')
})

test('RFC 4861 §6.1.2: messages that are no valid advertisements are dropped', () => {
  const host = new Host()
  const good = buildAdvertisement({ routerSeconds: 600, prefixes: [prefix('2001:db8:5::')] })
  const changed = (at: number, value: number) => {
    const bytes = good.slice()
    bytes[at] = value
    return bytes
  }
  host.hearBytes(good, ROUTER, 254)
  host.hearBytes(good, parseIpv6('2001:db8::1')!)
  host.hearBytes(good, 0n)
  const bad = [
    changed(0, 133),
    changed(1, 1),
    changed(17, 0),
    changed(17, 5),
    good.subarray(0, 15),
    good.subarray(0, 47),
  ]
  for (const bytes of bad) host.hearBytes(bytes)
  assert.deepEqual([host.found, host.discovery.dropped], ['nothing', 3 + bad.length])
  // Options that nobody knows are passed over.
  const unknown = new Uint8Array([...good.subarray(0, 16), 99, 1, 0, 0, 0, 0, 0, 0, ...good.subarray(16)])
  host.hearBytes(unknown)
  assert.match(host.found, /2001:db8:5::2/)
})

test('a peer that invents routers and prefixes costs a bounded amount, and nothing throws', () => {
  const host = new Host()
  const random = new SeededRandom(4861)
  for (let round = 0; round < 20_000; round++) {
    const length = random.bytes(1)[0]! % 96
    const bytes = random.bytes(length)
    bytes[0] = 134
    bytes[1] = 0
    host.hearBytes(bytes, linkLocal(BigInt(round)))
    host.hear(60_000, [prefix(`2001:db8:${(round % 0x10000).toString(16)}::`)], linkLocal(BigInt(round)))
  }
  assert.match(host.found, /^2\S+::2 via \S+ \+$/)
  assert.ok(host.changes < 100, `${host.changes} changes`)
})

test('an operator without a kernel: whole packets, with the checksum of RFC 4443', () => {
  const solicitation = buildIcmp6Packet(linkLocal(2n), parseIpv6('ff02::2')!, buildSolicitation())
  assert.equal(
    Buffer.from(solicitation).toString('hex'),
    `6000000000083aff${'fe800000000000000000000000000002'}${'ff020000000000000000000000000002'}85007d3500000000`,
  )
  assert.equal(isSolicitation(solicitation), true)
  for (const [at, value] of [
    [0, 0x45],
    [6, 17],
    [7, 254],
    [40, 134],
    [41, 1],
  ] as const) {
    const other = solicitation.slice()
    other[at] = value
    assert.equal(isSolicitation(other), false, `${at}`)
  }
  assert.equal(isSolicitation(solicitation.subarray(0, 47)), false)
  const advertised = {
    routerSeconds: 1800,
    prefixes: [prefix('2001:db8:5::', { validSeconds: 7, preferredSeconds: 6 })],
  }
  assert.deepEqual(parseAdvertisement(buildAdvertisement(advertised)), advertised)
})
