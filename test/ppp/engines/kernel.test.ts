import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../src/base/cause.ts'
import { ModemdError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import type { PppLink, PppLinkEvent, PppLinkOptions } from '../../../src/ppp/engines/engine.ts'
import { createKernelEngine, kernelUsable } from '../../../src/ppp/engines/kernel.ts'
import type { KernelPppSystem } from '../../../src/ppp/engines/kernel-system.ts'
import { PppSession } from '../../../src/ppp/session.ts'
import type { SessionEvent } from '../../../src/ppp/session-events.ts'
import { CLIENT_DEFAULTS, type PppSettings, SERVER_DEFAULTS } from '../../../src/ppp/settings.ts'
import { HdlcEncoder } from '../../../src/ppp/wire/hdlc-encoder.ts'
import { IPCP, LCP } from '../../../src/ppp/wire/protocols.ts'
import type { Wire, WireListener } from '../../../src/serial/wire.ts'
import type { RouteSocket } from '../../../src/system/netlink.ts'
import type { FrameHandlers, PppChannel, PppUnit } from '../../../src/system/ppp-device.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const CLIENT_ADDRESS = 0x0a090002
const SERVER_ADDRESS = 0x0a090001
const IPV4 = 0x0021
const IPV6 = 0x0057
const CLIENT: PppSettings = { ...CLIENT_DEFAULTS, echoIntervalMs: 0, restartMs: 1000 }
const SERVER: PppSettings = {
  ...SERVER_DEFAULTS,
  echoIntervalMs: 0,
  localAddress: SERVER_ADDRESS,
  remoteAddress: CLIENT_ADDRESS,
}

/** A tty of which only the number is used. */
class FakeTty implements Wire {
  readonly path = '/dev/ttyUSB0'
  isClosed = false
  fd: number | undefined = 11
  outlivesHangUp: boolean | undefined
  listener: WireListener | undefined = { data() {}, drain() {}, closed() {} }
  listen(listener: WireListener | undefined): void {
    this.listener = listener
  }
  write(): boolean {
    assert.fail('the kernel has the line')
  }
  async setBaud() {}
  async setLines() {}
  async sendBreak() {}
  async flush() {}
  setReadSize() {}
  async close() {}
}

interface Trouble {
  readonly unit?: ModemdError
  readonly early?: Uint8Array
}

/**
 * The kernel as far as the engine sees it, and a peer behind the line: another session of ours, whose frames take the way
 * that the kernel's routing would give them.
 */
class FakeKernel implements KernelPppSystem {
  /** Everything that was asked of it, in order. */
  readonly asked: string[] = []
  /** Frames by the descriptor they were written to. */
  readonly sent: [file: 'channel' | 'unit', protocol: number][] = []
  readonly peerEvents: SessionEvent[] = []
  readonly peer: PppSession
  readonly passing = new Map<number, boolean>([
    [IPV4, true],
    [IPV6, true],
  ])
  rxBytes = 100n
  rxErrors = 0n
  hasInterface = false
  carrier: boolean | undefined
  idleMs: number | undefined
  channel: FrameHandlers | undefined
  unit: FrameHandlers | undefined
  readonly #clock: VirtualClock
  readonly #trouble: Trouble
  #isConnected = false

  constructor(clock: VirtualClock, trouble: Trouble = {}, peer: PppSettings = SERVER) {
    this.#clock = clock
    this.#trouble = trouble
    const carrier = {
      isAsync: true,
      maxMtuBytes: 1500,
      send: (protocol: number, info: Uint8Array) => this.#later(() => this.fromPeer(protocol, info)),
      reframe() {},
      evidence: () => '',
    }
    this.peer = new PppSession(peer, new SeededRandom(7), carrier, (event) => this.peerEvents.push(event))
  }

  takeTty(fd: number) {
    this.asked.push(`take ${fd}`)
    return { early: this.#trouble.early ?? new Uint8Array(0), giveBack: () => void this.asked.push('give back') }
  }

  attachChannel(tty: number, handlers: FrameHandlers): PppChannel {
    this.asked.push(`channel of ${tty}`)
    this.channel = handlers
    return {
      write: (frame) => this.#toPeer('channel', frame),
      close: () => this.#closed('channel'),
      setTransmitAccm: (accm) => this.asked.push(`send accm ${(accm >>> 0).toString(16)}`),
      setReceiveAccm: (accm) => this.asked.push(`receive accm ${(accm >>> 0).toString(16)}`),
      setHeaderCompression: ({ pfc, acfc }) => this.asked.push(`pfc ${pfc} acfc ${acfc}`),
      setMru: (bytes) => this.asked.push(`mru ${bytes}`),
      connect: (unit) => {
        this.asked.push(`connect ${unit.name}`)
        this.#isConnected = true
      },
      disconnect: () => {
        this.asked.push('disconnect')
        this.#isConnected = false
      },
    }
  }

  makeUnit(name: string, handlers: FrameHandlers): PppUnit {
    this.asked.push(`unit ${name}`)
    if (this.#trouble.unit) throw this.#trouble.unit
    this.unit = handlers
    this.hasInterface = true
    return {
      number: 3,
      name: 'ppp3',
      write: (frame) => this.#toPeer('unit', frame),
      close: () => this.#closed('unit'),
      setPassing: (protocol, on) => this.passing.set(protocol, on),
      idleMs: () => this.idleMs,
    }
  }

  readCounters() {
    return this.hasInterface ? { rxBytes: this.rxBytes, txBytes: 40n, rxErrors: this.rxErrors } : undefined
  }

  hasCarrier(): boolean | undefined {
    return this.carrier
  }

  setLocal(_tty: number, on: boolean): number {
    this.asked.push(`local ${on}`)
    return 0
  }

  /** As ppp_input() does it: the link's own protocols to the channel, the others to the unit once there is one. */
  fromPeer(protocol: number, info: Uint8Array): void {
    const frame = Uint8Array.of(protocol >>> 8, protocol, ...info)
    const handlers = protocol >= 0xc000 || !this.#isConnected ? this.channel : this.unit
    handlers?.frame(frame)
    // The buffer is used again.
    frame.fill(0xee)
  }

  hangUp(): void {
    this.channel?.ended()
    this.unit?.ended()
  }

  #toPeer(file: 'channel' | 'unit', frame: Uint8Array): void {
    const protocol = (frame[0]! << 8) | frame[1]!
    this.sent.push([file, protocol])
    const info = frame.slice(2)
    this.#later(() => this.peer.receive(protocol, info, this.#clock.nowMs()))
  }

  #closed(file: 'channel' | 'unit'): void {
    this.asked.push(`close ${file}`)
    if (file === 'unit') this.hasInterface = false
    this[file] = undefined
  }

  #later(fn: () => void): void {
    this.#clock.at(this.#clock.nowMs() + 1, fn)
  }
}

class Bench {
  readonly clock = new VirtualClock()
  readonly tty = new FakeTty()
  readonly kernel: FakeKernel
  readonly events: PppLinkEvent[] = []
  /** What was asked of rtnetlink. */
  readonly network: string[] = []
  onEvent: (event: PppLinkEvent) => void = () => {}
  watchesCarrier = true

  constructor(trouble: Trouble = {}, peer?: PppSettings) {
    this.kernel = new FakeKernel(this.clock, trouble, peer)
  }

  open(settings: Partial<PppSettings> = {}, options: Partial<PppLinkOptions> = {}): PppLink {
    const engine = createKernelEngine({
      clock: this.clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      openRouteSocket: () => this.#routes(),
      system: this.kernel,
      watchesCarrier: this.watchesCarrier,
    })
    return engine.open(this.tty, { settings: { ...CLIENT, ...settings }, ...options }, (event) => {
      this.events.push(event)
      this.onEvent(event)
    })
  }

  async up(settings: Partial<PppSettings> = {}, options: Partial<PppLinkOptions> = {}): Promise<PppLink> {
    const link = this.open(settings, options)
    this.kernel.peer.open(this.clock.nowMs())
    await this.clock.advance(200)
    assert.equal(this.count('up'), 1, this.story)
    return link
  }

  count(type: PppLinkEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }

  get down(): Extract<PppLinkEvent, { type: 'down' }> | undefined {
    return this.events.find((event) => event.type === 'down') as Extract<PppLinkEvent, { type: 'down' }> | undefined
  }

  get story(): string {
    return [...this.kernel.asked, ...this.events.map((event) => event.type)].join('\n')
  }

  #routes(): RouteSocket {
    const note = async (what: string) => void this.network.push(what)
    return new Proxy({} as RouteSocket, {
      get: (_, name) => {
        if (name === 'close') return () => {}
        if (String(name).startsWith('list')) return async () => []
        if (name === 'keepKernelOutOfIpv6') return async () => undefined
        return (...args: unknown[]) =>
          note(
            `${String(name)} ${JSON.stringify(args, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
          )
      },
    })
  }
}

const USER_REQUEST: Failure = { cause: 'user-request', detail: 'enough' }

test('the kernel takes the line, which frame goes to which descriptor, and everything back at the end', async () => {
  const bench = new Bench()
  const { kernel, tty } = bench
  const names: string[] = []
  const link = await bench.up({}, { onInterface: (name) => names.push(name) })
  assert.equal(tty.listener, undefined, 'nobody reads the tty meanwhile')
  assert.deepEqual(kernel.asked.slice(0, 5), ['take 11', 'channel of 11', 'unit ppp%d', 'connect ppp3', 'mru 1500'])
  assert.deepEqual(names, ['ppp3'])
  assert.ok(kernel.sent.some(([, protocol]) => protocol === LCP))
  assert.ok(kernel.sent.some(([, protocol]) => protocol === IPCP))
  for (const [file, protocol] of kernel.sent) assert.equal(file, protocol === LCP ? 'channel' : 'unit')
  const up = bench.events.find((event) => event.type === 'up')!
  assert.ok(up.type === 'up' && up.address.ip4?.local === CLIENT_ADDRESS && up.interfaceName === 'ppp3')
  assert.ok(
    bench.network.some((each) => each.startsWith('addAddress ["ppp3"')),
    bench.network.join('\n'),
  )

  kernel.asked.length = 0
  link.terminate(USER_REQUEST)
  await bench.clock.advance(100)
  assert.deepEqual(bench.down, { type: 'down', failure: USER_REQUEST, exitCode: 5 })
  assert.equal(bench.events.at(-1), bench.down)
  const wanted = ['disconnect', 'close channel', 'give back', 'close unit']
  assert.deepEqual(kernel.asked.slice(-4), wanted, 'the tty only after /dev/ppp has let go of it')
  await bench.clock.advance(60_000)
  assert.equal(bench.clock.pending, 0, 'no timer is left')
  link.terminate(USER_REQUEST)
  assert.equal(bench.count('down'), 1)
})

test('framing: defaults until LCP is open, what it agreed then, defaults again when it is not', async () => {
  const bench = new Bench({}, { ...SERVER, accm: 0x000a0000, lcpOffers: { ...SERVER.lcpOffers, acfc: false } })
  const { kernel } = bench
  const link = bench.open({ accm: 0x00000200, mruBytes: 1600, mtuBytes: 1600 })
  assert.ok(kernel.asked.includes('mru 1600'))
  assert.ok(!kernel.asked.some((each) => /accm|pfc/.test(each)), "the kernel's own defaults are those of RFC 1661")
  kernel.peer.open(0)
  await bench.clock.advance(200)
  const framing = () => kernel.asked.filter((each) => /accm|pfc/.test(each)).slice(-3)
  assert.deepEqual(framing(), ['send accm a0000', 'pfc true acfc false', 'receive accm 200'])
  link.terminate(USER_REQUEST)
  assert.deepEqual(framing(), ['send accm ffffffff', 'pfc false acfc false', 'receive accm ffffffff'])
})

test('packets pass only while their protocol is open, and not when the peer begins anew', async () => {
  const bench = new Bench()
  const { kernel } = bench
  bench.open()
  assert.deepEqual([...kernel.passing.values()], [false, false], 'not before authentication')
  kernel.peer.open(0)
  await bench.clock.advance(200)
  assert.deepEqual([...kernel.passing.values()], [true, false])
  bench.network.length = 0
  bench.events.length = 0
  // A Configure-Request in Opened.
  kernel.fromPeer(LCP, Uint8Array.of(1, 99, 0, 4))
  assert.deepEqual([...kernel.passing.values()], [false, false], 'at once')
  await bench.clock.advance(1)
  assert.ok(
    bench.network.some((each) => each.startsWith('removeAddress')),
    bench.network.join('\n'),
  )
  assert.ok(bench.network.some((each) => /setLink.*"up":false/.test(each)))
  assert.deepEqual(bench.events[0], { type: 'phase', phase: 'establish' })
  assert.ok(!kernel.asked.includes('close unit'), 'the interface itself stays')
})

test('a peer without IPv6 is told of, and the end with its cause before it is over', async () => {
  const bench = new Bench()
  const link = await bench.up({ ipv6: true })
  assert.deepEqual(
    bench.events.filter(({ type }) => type === 'stopped'),
    [{ type: 'stopped', network: 'ipv6' }],
  )
  link.terminate(USER_REQUEST)
  assert.deepEqual(bench.events.at(-1), { type: 'phase', phase: 'terminate', failure: USER_REQUEST })
})

test('a hang-up is told at once, and whatever order the kernel tells it in', async () => {
  for (const first of ['channel', 'unit'] as const) {
    const bench = new Bench()
    await bench.up()
    bench.kernel[first]!.ended()
    assert.equal(bench.down?.failure.cause, 'hung-up')
    assert.equal(bench.down?.exitCode, 16)
    assert.match(bench.down!.failure.detail, /the line was hung up; last received \[IPCP Conf/)
    assert.ok(!bench.kernel.asked.includes('close unit'), 'the news does not wait for the end of the interface')
    await bench.clock.advance(0)
    assert.equal(bench.kernel.asked.at(-1), 'close unit')
    assert.equal(bench.count('down'), 1)
  }
})

test('somebody removes the interface: the link ends in order, with that as its cause', async () => {
  const bench = new Bench()
  await bench.up()
  bench.kernel.hasInterface = false
  bench.kernel.unit!.ended()
  await bench.clock.advance(100)
  assert.equal(bench.down?.failure.cause, 'internal')
  assert.match(bench.down!.failure.detail, /removed the interface ppp3/)
})

test('the carrier goes: hung up, within a quarter of a second; a line that has none, or whose owner does not care, is not asked again', async () => {
  const bench = new Bench()
  bench.kernel.carrier = false
  await bench.up()
  bench.kernel.carrier = true
  await bench.clock.advance(1000)
  assert.equal(bench.count('down'), 0)
  bench.kernel.carrier = false
  await bench.clock.advance(250)
  assert.equal(bench.down?.failure.cause, 'hung-up')
  assert.match(bench.down!.failure.detail, /DCD/)

  for (const [carrier, watchesCarrier] of [
    [undefined, true],
    [false, true],
    [true, false],
  ] as const) {
    const without = new Bench()
    without.kernel.carrier = carrier
    without.watchesCarrier = watchesCarrier
    await without.up()
    await without.clock.advance(5000)
    assert.equal(without.clock.pending, 0)
    without.kernel.carrier = !carrier
    await without.clock.advance(5000)
    assert.equal(without.count('down'), 0)
  }
})

test('a wire that can open its tty again: the kernel hangs it up when the carrier goes, and nobody looks for it', async () => {
  const bench = new Bench()
  bench.tty.outlivesHangUp = false
  bench.kernel.carrier = true
  await bench.up({ echoIntervalMs: 0 })
  assert.deepEqual(
    bench.kernel.asked.filter((each) => each.startsWith('local')),
    ['local false'],
  )
  assert.equal(bench.tty.outlivesHangUp, true)
  assert.equal(bench.clock.pending, 0, 'no timer')
  bench.kernel.carrier = undefined
  bench.kernel.hangUp()
  assert.equal(bench.down?.failure.cause, 'hung-up')
  assert.match(bench.down!.failure.detail, /DCD/)
  assert.equal(bench.tty.outlivesHangUp, true, 'who listens next opens it')

  const other = new Bench()
  other.tty.outlivesHangUp = false
  other.kernel.carrier = false
  const link = await other.up()
  other.kernel.carrier = true
  await other.clock.advance(1000)
  assert.equal(other.tty.outlivesHangUp, true, 'it came later')
  link.terminate({ cause: 'user-request', detail: '' })
  await other.clock.advance(10_000)
  assert.equal(other.count('down'), 1)
  assert.equal(other.tty.outlivesHangUp, false, 'from here on a hang-up is the end')
})

test('a wire that was closed meanwhile is not touched: its number may be another file', async () => {
  const bench = new Bench()
  bench.kernel.carrier = true
  await bench.up()
  bench.tty.fd = undefined
  bench.kernel.hangUp()
  assert.equal(bench.down?.failure.cause, 'hung-up')
  assert.ok(!bench.kernel.asked.includes('give back'))
  await bench.clock.advance(0)
  assert.equal(bench.clock.pending, 0, 'nobody looks for its carrier any more')
})

test('an interface that cannot be made is an error of open, and the tty is given back', () => {
  const bench = new Bench({ unit: new ModemdError('Busy', 'cannot make the interface wan0: EEXIST') })
  assert.throws(() => bench.open({}, { interfaceName: 'wan0' }), /wan0/)
  assert.deepEqual(bench.kernel.asked, ['take 11', 'channel of 11', 'unit wan0', 'close channel', 'give back'])
})

test('a wire without a descriptor is refused with words', () => {
  const bench = new Bench()
  bench.tty.fd = undefined
  assert.throws(
    () => bench.open(),
    (error) => error instanceof ModemdError && error.failureCause === 'engine-missing' && /builtin/.test(error.message),
  )
  assert.deepEqual(bench.kernel.asked, [])
})

test('frames that came before the kernel took the line are answered', async () => {
  const request = Uint8Array.of(1, 77, 0, 4)
  const bench = new Bench({ early: Uint8Array.of(10, ...new HdlcEncoder().encode(LCP, request)) })
  const traced: string[] = []
  bench.open({}, { trace: (direction, _, info) => traced.push(`${direction} ${info[0]} ${info[1]}`) })
  await bench.clock.advance(1)
  assert.ok(traced.includes('rcvd 1 77'))
  assert.ok(traced.includes('sent 2 77'), 'acknowledged')
})

test('counters begin with the link, and the last numbers stay', async () => {
  const bench = new Bench()
  const link = await bench.up()
  assert.deepEqual(link.counters(), { rxBytes: 0n, txBytes: 0n })
  bench.kernel.rxBytes += 5_000_000_000n
  assert.deepEqual(link.counters(), { rxBytes: 5_000_000_000n, txBytes: 0n })
  bench.kernel.rxBytes += 1n
  bench.kernel.hangUp()
  assert.deepEqual(link.counters(), { rxBytes: 5_000_000_001n, txBytes: 0n })
})

test('idle is what the kernel says, which alone sees the packets', async () => {
  const bench = new Bench()
  await bench.up({ idleMs: 10_000 })
  bench.kernel.idleMs = 4000
  await bench.clock.advance(10_500)
  assert.equal(bench.count('down'), 0)
  bench.kernel.idleMs = 10_000
  await bench.clock.advance(6000)
  assert.deepEqual([bench.down?.failure.cause, bench.down?.exitCode], ['idle', 12])
})

test('who hears an event may end the link from within', async () => {
  const bench = new Bench()
  const link = bench.open()
  let isInside = false
  bench.onEvent = (event) => {
    assert.ok(!isInside, 'one event after the other')
    isInside = true
    if (event.type === 'phase' && event.phase === 'network') link.terminate(USER_REQUEST)
    isInside = false
  }
  bench.kernel.peer.open(0)
  await bench.clock.advance(3000)
  assert.deepEqual(bench.down?.failure, USER_REQUEST)
  assert.equal(bench.count('up'), 0)
  assert.equal(bench.count('down'), 1)
})

test('a silent line: what was damaged is in the evidence, and frames too short for a protocol are dropped', async () => {
  const bench = new Bench()
  bench.open({ maxConfigure: 2 })
  await bench.clock.advance(1)
  bench.kernel.channel!.frame(new Uint8Array(0))
  bench.kernel.channel!.frame(Uint8Array.of(0xc0))
  bench.kernel.rxErrors = 3n
  await bench.clock.advance(10_000)
  assert.equal(bench.down?.failure.cause, 'lcp-timeout')
  assert.match(bench.down!.failure.detail, /3 damaged frames/)
})

test('where the kernel has no PPP for us, the reason says what to do', () => {
  const usable = kernelUsable()
  if (!usable.ok) assert.match(usable.why, /modprobe ppp_async|CAP_NET_ADMIN/)
})
