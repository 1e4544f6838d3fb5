/** A modem's messages: the feature on a virtual modem (or a script that answers for it), on virtual time. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { type LogFields, type Logger, silentLogger } from '../../src/base/ports.ts'
import type { AtReply } from '../../src/modem/at/channel.ts'
import { AtSession, errorOf } from '../../src/modem/at/session.ts'
import { generic } from '../../src/modem/drivers/generic.ts'
import type { FeatureRound } from '../../src/modem/features/feature.ts'
import { ModemMessaging } from '../../src/modem/features/messaging/messaging.ts'
import type { MessageSnapshot } from '../../src/modem/features/messaging/snapshot.ts'
import type { ModemSnapshot } from '../../src/modem/snapshot.ts'
import { Pump } from '../../src/serial/pump.ts'
import type { PortEvent } from '../../src/sim/port-event.ts'
import { SmsStore } from '../../src/sim/sms-store.ts'
import { ModemBench } from '../sim/modem-bench.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'

const START_MS = 1.75e12

class Bench {
  readonly clock = new VirtualClock()
  readonly commands: string[] = []
  readonly received: string[] = []
  readonly warnings: string[] = []
  readonly store: SmsStore
  readonly sim: ModemBench
  messaging: ModemMessaging
  /** Answers instead of the virtual modem; lines and the result. */
  script: (command: string) => readonly string[] | undefined = () => undefined
  ports = 2
  readonly #session: AtSession
  readonly #pump: Pump<PortEvent>
  #round = new AbortController()

  constructor(store = new SmsStore(() => START_MS)) {
    this.store = store
    this.sim = new ModemBench({ messages: store })
    const [host, device] = virtualWires(this.clock)
    this.#pump = new Pump(device, this.sim.port(), { clock: this.clock, onEvent: () => {} })
    this.#session = new AtSession(host, { clock: this.clock, onReport: (line) => void this.messaging.onReport(line) })
    this.messaging = this.#make()
  }

  /** modemd ends and begins anew: what is in the modem is all there is. */
  restart(): void {
    this.messaging.onGone()
    this.#round.abort()
    this.#round = new AbortController()
    this.messaging = this.#make()
  }

  async begin(): Promise<void> {
    // The virtual modem has been on for a while.
    await this.pass(2000)
    return this.settled(this.messaging.onRound(this.#context()))
  }

  /** Time passes until it settles. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isOver = false
    const watched = promise.finally(() => {
      isOver = true
    })
    watched.catch(() => {})
    for (let turn = 0; turn < 2000 && !isOver; turn++) await this.pass(50)
    return watched
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  async receive(from: string, text: string, messageClass?: number, mishap = {}): Promise<void> {
    this.store.incoming(from, text, messageClass, mishap)
    this.sim.modem.state.messages.fetch(this.clock.nowMs())
    this.#pump.poke()
    await this.pass(2000)
  }

  get messages(): readonly MessageSnapshot[] {
    return this.messaging.snapshot.messages
  }

  get states(): readonly string[] {
    return this.messages.map(({ state }) => state)
  }

  texts(): readonly string[] {
    return this.messages.map(({ id }) => this.messaging.read(id).text)
  }

  #make(): ModemMessaging {
    const messaging = new ModemMessaging(this.#context())
    messaging.onReceived((id) => this.received.push(messaging.read(id).text))
    return messaging
  }

  #context(): FeatureRound {
    const warn = (message: string, _fields?: LogFields) => void this.warnings.push(message)
    const logger: Logger = { ...silentLogger, warn }
    const attempt: FeatureRound['attempt'] = async (text, options): Promise<AtReply> => {
      this.commands.push(text)
      const scripted = this.script(text)
      if (!scripted) return this.#session.attempt(text, options)
      const final = scripted.at(-1)!
      return { isOk: final === 'OK', lines: scripted.slice(0, -1), final }
    }
    const ports = Array.from({ length: this.ports }, (_, index) => ({
      name: `/dev/ttyUSB${index}`,
      role: 'at',
      owner: '',
    }))
    return {
      clock: this.clock,
      logger,
      driver: generic,
      snapshot: { id: 'imei_1', sim: { status: 'ready' }, ports } as unknown as ModemSnapshot,
      signal: this.#round.signal,
      apply() {},
      attempt,
      command: async (text, options) => {
        const reply = await attempt(text, options)
        if (!reply.isOk) throw errorOf(text, reply)
        return reply
      },
    }
  }
}

async function opened(t: TestContext, store?: SmsStore): Promise<Bench> {
  const bench = new Bench(store)
  t.after(() => bench.messaging.onGone())
  await bench.begin()
  return bench
}

const LONG = `${'Näin pitkä viesti ei mahdu yhteen osaan. '.repeat(6)}😺`

test('what is in the modem is read at the start, and is no news', async (t) => {
  const store = new SmsStore(() => START_MS)
  const first = await opened(t, store)
  await first.receive('+358401234567', 'one')
  await first.receive('Operator', LONG)
  assert.deepEqual(first.received, ['one', LONG])
  first.restart()
  await first.begin()
  assert.deepEqual(first.texts(), ['one', LONG])
  assert.deepEqual(first.received, ['one', LONG])
  assert.deepEqual(
    first.messages.map(({ state, timestamp, isStored }) => [state, timestamp, isStored]),
    [
      ['received', '2025-06-15T17:06:40+02:00', true],
      ['received', '2025-06-15T17:06:40+02:00', true],
    ],
  )
})

test('a long message comes in parts, in any order and twice, and is told once', async (t) => {
  for (const mishap of [{}, { isReversed: true }, { isTwice: true }, { isReversed: true, isTwice: true }]) {
    const bench = await opened(t)
    await bench.receive('+46701234567', LONG, undefined, mishap)
    assert.deepEqual([bench.texts(), bench.states, bench.received], [[LONG], ['received'], [LONG]])
    assert.deepEqual(bench.messaging.read(bench.messages[0]!.id).number, '+46701234567')
  }
})

test('a part that never comes: the rest is shown after a while', async (t) => {
  const bench = await opened(t)
  await bench.receive('+46701234567', 'a'.repeat(320), undefined, { lostPart: 2 })
  assert.deepEqual(bench.states, ['receiving'])
  assert.deepEqual(bench.received, [])
  await bench.pass(301_000)
  assert.deepEqual(bench.states, ['incomplete'])
  assert.deepEqual(bench.received, [`${'a'.repeat(153)} […] ${'a'.repeat(14)}`])
})

test('a message of two ports is told twice and taken once', async (t) => {
  const bench = await opened(t)
  await bench.receive('1', 'hello')
  bench.messaging.onReport('+CMTI: "SM",0')
  await bench.pass(2000)
  assert.deepEqual([bench.texts(), bench.received], [['hello'], ['hello']])
})

test('only a person deletes, all parts of it and nothing else', async (t) => {
  const bench = await opened(t)
  await bench.receive('1', LONG)
  await bench.receive('2', 'stays')
  assert.ok(bench.commands.every((command) => !command.startsWith('AT+CMGD')))
  await bench.settled(bench.messaging.delete(bench.messages[0]!.id))
  assert.deepEqual(bench.texts(), ['stays'])
  assert.equal(bench.store.used('SM'), 1)
  assert.deepEqual(bench.received, [LONG, 'stays'], 'a deletion is no news')
})

test('a place that has another message by now keeps it', async (t) => {
  const bench = await opened(t)
  await bench.receive('1', 'old')
  const { id } = bench.messages[0]!
  bench.store.delete('SM', 0)
  bench.store.incoming('2', 'new', undefined)
  bench.sim.modem.state.messages.routing = { mt: 0, ds: 0 }
  bench.sim.modem.state.messages.fetch(bench.clock.nowMs())
  await bench.settled(bench.messaging.delete(id))
  assert.equal(bench.store.used('SM'), 1)
  assert.deepEqual(bench.texts(), ['new'])
})

test('a modem that refuses to delete: the message is still there', async (t) => {
  const bench = await opened(t)
  await bench.receive('1', 'hello')
  bench.script = (command) => (command.startsWith('AT+CMGD') ? ['+CMS ERROR: 302'] : undefined)
  await assert.rejects(bench.settled(bench.messaging.delete(bench.messages[0]!.id)), { code: 'WrongState' })
  assert.deepEqual(bench.texts(), ['hello'])
})

test('a place that cannot be looked at is not taken for empty', async (t) => {
  const bench = await opened(t)
  await bench.receive('1', 'hello')
  bench.script = (command) => (command.startsWith('AT+CMGR') ? ['+CMS ERROR: 314'] : undefined)
  await assert.rejects(bench.settled(bench.messaging.delete(bench.messages[0]!.id)), { code: 'Busy' })
  assert.deepEqual(bench.texts(), ['hello'])
})

test('a full memory is said once; what was deleted makes room', async (t) => {
  const bench = await opened(t)
  for (let count = 0; count < 21; count++) await bench.receive('1', `number ${count}`)
  assert.equal(bench.messaging.snapshot.isFull, true)
  assert.equal(bench.warnings.filter((text) => text.includes('is full')).length, 1)
  assert.deepEqual([bench.messages.length, bench.store.waiting.length], [20, 1])
  assert.ok(bench.commands.every((command) => !command.startsWith('AT+CMGD')))
  await bench.settled(bench.messaging.delete(bench.messages[3]!.id))
  await bench.pass(3000)
  assert.deepEqual(bench.texts().at(-1), 'number 20')
})

test('sent, long and short, with what the network says of it', async (t) => {
  const bench = await opened(t)
  const id = await bench.settled(bench.messaging.send('+358401234567', LONG, { wantsReport: true }))
  const [message] = bench.messages
  assert.deepEqual([message?.id, message?.state, message?.parts], [id, 'sent', 4])
  assert.equal(bench.store.sent.map(({ text }) => text).join(''), LONG)
  await bench.pass(3000)
  assert.deepEqual(bench.states, ['delivered'])
  assert.deepEqual(bench.messaging.read(id), { number: '+358401234567', text: LONG })
})

test('reports that the modem stores are taken and cleared away; of messages nothing is', async (t) => {
  const bench = await opened(t)
  bench.script = (command) => (/CNMI=\d,1,0,1/.test(command) ? ['+CMS ERROR: 303'] : undefined)
  bench.restart()
  await bench.begin()
  await bench.settled(bench.messaging.send('+358401234567', 'hi', { wantsReport: true }))
  await bench.pass(3000)
  assert.deepEqual(bench.states, ['delivered'])
  assert.equal(bench.store.used('SM'), 0)
})

test('a report for a message that nobody remembers is shown', async (t) => {
  const bench = await opened(t)
  bench.script = (command) => (/CNMI=\d,1,0,1/.test(command) ? ['+CMS ERROR: 303'] : undefined)
  bench.restart()
  await bench.begin()
  await bench.settled(bench.messaging.send('+358401234567', 'hi', { wantsReport: true }))
  bench.restart()
  await bench.pass(3000)
  await bench.begin()
  assert.deepEqual([bench.states, bench.texts()], [['report'], ['Delivery report: delivered']])
  assert.equal(bench.store.used('SM'), 1)
})

test('what the network refuses is said in words, and the message is failed', async (t) => {
  const bench = await opened(t)
  for (const [final, code, words] of [
    ['+CMS ERROR: 331', 'NoNetwork', /there is no network/],
    ['+CMS ERROR: 330', 'WrongState', /service centre/],
    ['+CMS ERROR: 28', 'Internal', /does not know the subscriber/],
    ['ERROR', 'Internal', /ERROR/],
  ] as const) {
    bench.script = (command) => (command.startsWith('AT+CMGS') ? [final] : undefined)
    const error = await bench.settled(bench.messaging.send('123', 'x')).catch((each) => each)
    assert.ok(error instanceof ModemdError)
    assert.equal(error.code, code)
    assert.match(error.message, words)
  }
  assert.deepEqual(bench.states, ['failed', 'failed', 'failed', 'failed'])
})

test('congestion is tried once more', async (t) => {
  const bench = await opened(t)
  let refusals = 1
  bench.script = (command) => (command.startsWith('AT+CMGS') && refusals-- > 0 ? ['+CMS ERROR: 42'] : undefined)
  await bench.settled(bench.messaging.send('123', 'x'))
  assert.deepEqual(bench.store.sent, [{ to: '123', text: 'x' }])
})

test('a part that fails in the middle tells how many were sent', async (t) => {
  const bench = await opened(t)
  let sent = 0
  bench.script = (command) => (command.startsWith('AT+CMGS') && ++sent > 2 ? ['+CMS ERROR: 38'] : undefined)
  await assert.rejects(bench.settled(bench.messaging.send('123', LONG)), /2 of 4 parts were sent before/)
})

test('unplugged in the middle: it tells how many parts were sent', async (t) => {
  const bench = await opened(t)
  let sent = 0
  bench.script = (command) => {
    if (command.startsWith('AT+CMGS') && ++sent > 2) throw new ModemdError('ModemGone', 'It is gone.', 'modem-gone')
    return undefined
  }
  await assert.rejects(bench.settled(bench.messaging.send('123', LONG)), {
    code: 'ModemGone',
    message: 'It is gone. 2 of 4 parts were sent before.',
    failureCause: 'modem-gone',
  })
})

test('nothing but a number is a recipient', async (t) => {
  const bench = await opened(t)
  for (const to of ['', 'Operator', '+', '12"\r', '123,1', '1'.repeat(21)])
    await assert.rejects(bench.messaging.send(to, 'x'), { code: 'InvalidArgs' }, to)
  assert.deepEqual(bench.messages, [])
})

test('a flash is shown and not kept', async (t) => {
  const bench = await opened(t)
  await bench.receive('1', 'now', 0)
  const [message] = bench.messages
  assert.deepEqual([message?.isFlash, message?.isStored, bench.received], [true, false, ['now']])
  await bench.settled(bench.messaging.delete(message!.id))
  assert.deepEqual(bench.messages, [])
})

test('a modem that only hands messages over: each is kept in the modem, then acknowledged', async (t) => {
  const bench = await opened(t)
  bench.script = (command) => (/CNMI=\d,1/.test(command) ? ['+CMS ERROR: 303'] : undefined)
  bench.sim.modem.state.messages.service = 1
  bench.restart()
  await bench.begin()
  await bench.receive('1', LONG)
  assert.deepEqual([bench.texts(), bench.received], [[LONG], [LONG]])
  assert.equal(bench.messages[0]!.isStored, true)
  const order = bench.commands.filter((command) => /CMGW|CNMA/.test(command)).map((command) => command.slice(0, 7))
  assert.deepEqual(order.slice(0, 4), ['AT+CMGW', 'AT+CNMA', 'AT+CMGW', 'AT+CNMA'])
  bench.restart()
  await bench.begin()
  assert.deepEqual(bench.texts(), [LONG], 'a crash loses nothing')
})

test('a modem that tells nothing is asked', async (t) => {
  const bench = await opened(t)
  bench.script = (command) => (command.startsWith('AT+CNMI') ? ['ERROR'] : undefined)
  bench.sim.say('AT+CNMI=2,0')
  bench.restart()
  await bench.begin()
  await bench.receive('1', 'hello')
  assert.deepEqual(bench.messages, [])
  await bench.pass(31_000)
  assert.deepEqual(bench.received, ['hello'])
})

test('with one port, what came during a call is read after it', async (t) => {
  const bench = new Bench()
  t.after(() => bench.messaging.onGone())
  bench.ports = 1
  bench.restart()
  await bench.begin()
  bench.sim.modem.state.messages.routing = { mt: 0, ds: 0 }
  bench.store.incoming('1', 'meanwhile', undefined)
  bench.store.put('SM', { status: 0, ...bench.store.waiting.shift()! })
  bench.messaging.onCallEnded()
  await bench.pass(3000)
  assert.deepEqual(bench.received, ['meanwhile'])
})

test('a modem without PDU mode: text mode, what its alphabet has', async (t) => {
  const bench = new Bench()
  t.after(() => bench.messaging.onGone())
  bench.script = (command) => (command === 'AT+CMGF=0' ? ['ERROR'] : undefined)
  await bench.begin()
  await bench.settled(bench.messaging.send('+358401234567', 'hello, 1!'))
  assert.deepEqual(bench.store.sent, [{ to: '+358401234567', text: 'hello, 1!' }])
  await bench.receive('+46701234567', 'back again')
  assert.deepEqual(bench.received, ['back again'])
  assert.equal(bench.messages.at(-1)?.timestamp, '2025-06-15T17:06:40+02:00')
  await assert.rejects(bench.settled(bench.messaging.send('1', 'žluťoučký')), { code: 'Unsupported' })
})

test('a modem without any message service leaves the rest alone', async (t) => {
  const bench = new Bench()
  t.after(() => bench.messaging.onGone())
  bench.script = () => ['ERROR']
  await assert.rejects(bench.begin(), ModemdError)
  await assert.rejects(bench.settled(bench.messaging.send('1', 'x')), ModemdError)
})

test('rubbish in reports and lists harms nothing', async (t) => {
  const bench = await opened(t)
  for (const line of ['+CMTI:', '+CMTI: "SM"', '+CMTI: "XX",-1', '+CMT: ,9', 'zzzz', '+CDS: 3', '', '+CMTI: "SM",99'])
    bench.messaging.onReport(line)
  await bench.pass(5000)
  bench.script = (command) =>
    command.startsWith('AT+CMGL')
      ? ['+CMGL: 1,1,,24', 'FFFFFF', '+CMGL: x', '+CMGL: 3,0,,3', '00', '\x1b[2J', 'OK']
      : undefined
  bench.restart()
  await bench.begin()
  assert.deepEqual(bench.received, [])
})

test('ESC, NUL and halves of characters stay what they are inside', async (t) => {
  const bench = await opened(t)
  const text = '\x1b[2J\0 \ud83d x'
  await bench.receive('1', text)
  assert.deepEqual(bench.received, [text])
})

test('a prompt that comes when nobody waits any more: nothing is sent, and the line is free again', async (t) => {
  const bench = await opened(t)
  bench.sim.faults.arm(['late', '100', 'on=+CMGS'])
  const failed = bench.settled(bench.messaging.send('1', 'first'))
  await assert.rejects(failed, { code: 'Timeout' })
  await bench.pass(20_000)
  await bench.settled(bench.messaging.send('1', 'second'))
  assert.deepEqual(
    bench.store.sent.map(({ text }) => text),
    ['second'],
  )
  assert.deepEqual(bench.states, ['failed', 'sent'])
})
