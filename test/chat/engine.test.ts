import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { ChatEngine, type ChatEvent, type ChatOptions } from '../../src/chat/engine.ts'
import { Lease } from '../../src/serial/lease.ts'
import { Pump } from '../../src/serial/pump.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'

function started(options: ChatOptions) {
  const engine = new ChatEngine(options)
  const sent: string[] = []
  const events: ChatEvent[] = []
  const drain = () => {
    for (let output = engine.poll(); output; output = engine.poll()) {
      if (output.type === 'send') sent.push(fromLatin1(output.bytes))
      else events.push(output.event)
    }
  }
  const say = (text: string, nowMs = 0) => {
    engine.handle({ type: 'data', bytes: latin1(text) }, nowMs)
    drain()
  }
  const timeout = (nowMs: number) => {
    engine.handle({ type: 'timeout' }, nowMs)
    drain()
  }
  engine.handle({ type: 'open' }, 0)
  drain()
  return { engine, sent, events, say, timeout }
}

test('what comes before the script starts is read by it', () => {
  const engine = new ChatEngine({ words: ['RING', 'ATA\\c'] })
  engine.handle({ type: 'data', bytes: latin1('RING\r\n') }, 0)
  assert.equal(engine.poll(), undefined)
  engine.handle({ type: 'open' }, 5)
  assert.deepEqual(engine.poll(), { type: 'send', bytes: latin1('ATA') })
  assert.deepEqual(engine.poll(), { type: 'event', event: { type: 'end', exitCode: 0, message: '' } })
  assert.equal(fromLatin1(engine.unread()), '\r\n')
})

test('without a time limit there is no deadline', () => {
  const { engine, events, timeout } = started({ words: ['OK', ''], timeoutMs: Number.POSITIVE_INFINITY })
  assert.equal(engine.deadline(), undefined)
  timeout(1e15)
  assert.deepEqual(events, [])
})

test('words are taken one by one, when the script gets there', () => {
  const taken: string[] = []
  function* words() {
    for (const word of ['', 'AT', 'OK', 'ATZ']) {
      taken.push(word)
      yield word
    }
  }
  const { say } = started({ words: words() })
  assert.deepEqual(taken, ['', 'AT', 'OK'])
  say('OK')
  assert.deepEqual(taken, ['', 'AT', 'OK', 'ATZ'])
})

test('a buffer that its owner uses again does not change what was read', () => {
  const { engine, sent, timeout } = started({ words: ['', 'a\\d\\c', 'early', 'b'] })
  const buffer = latin1('early')
  engine.handle({ type: 'data', bytes: buffer }, 10)
  buffer.fill(0)
  timeout(1000)
  assert.deepEqual(sent, ['a', 'b\r'])
})

test('what comes during a delay is kept, the first 64 KiB of it', () => {
  const { engine, say, timeout } = started({ words: ['', 'a\\d\\c'] })
  for (let count = 0; count < 200_000; count += 100) say('x'.repeat(50).padEnd(100, 'y'), 10)
  timeout(1000)
  const unread = fromLatin1(engine.unread())
  assert.equal(unread.length, 65_536)
  assert.ok(unread.startsWith(`${'x'.repeat(50)}${'y'.repeat(50)}xx`))
})

test('a report that never ends is cut, during the script and after it', () => {
  const { events, say } = started({ words: ['REPORT', 'R', 'never', ''], timeoutMs: 1000 })
  say(`R${'x'.repeat(100_000)}\r`)
  assert.equal(events[0]?.type === 'report' && events[0].text.length, 65_536)

  const after = started({ words: ['REPORT', 'R', 'R', '\\c'] })
  after.say(`R${'x'.repeat(65_535)}rest`)
  assert.deepEqual(after.events.at(-1), { type: 'end', exitCode: 0, message: '' })
  assert.equal(fromLatin1(after.engine.unread()), 'rest')
})

test('@file without a reader is refused', () => {
  const { events } = started({ words: ['', '@/etc/passwd'] })
  const message = '/etc/passwd -- open failed: Operation not permitted'
  assert.deepEqual(events, [
    { type: 'log', level: 'error', text: message },
    { type: 'end', exitCode: 1, message },
  ])
})

test('an interrupt while the last report is gathered ends without it', () => {
  const { engine, events, say } = started({ words: ['REPORT', 'R', 'R', '\\c'] })
  say('R 1')
  engine.interrupt('SIGINT', 100)
  engine.interrupt('SIGINT', 100)
  assert.equal(engine.deadline(), undefined)
  const rest = [engine.poll(), engine.poll(), engine.poll()]
  assert.deepEqual(rest, [
    { type: 'event', event: { type: 'log', level: 'error', text: 'SIGINT' } },
    { type: 'event', event: { type: 'end', exitCode: 2, message: 'SIGINT', isSecondEnd: true } },
    undefined,
  ])
  assert.deepEqual(events, [])
})

test('an interrupt in a send still gathers the report from what has come', () => {
  const { engine, say, events } = started({ words: ['REPORT', 'R', 'R', 'a\\d'] })
  say('R')
  say(' 7\rrest', 10)
  engine.interrupt('SIGTERM', 20)
  const told = [engine.poll(), engine.poll(), engine.poll()].map((output) => output?.type === 'event' && output.event)
  assert.deepEqual(told.slice(1), [
    { type: 'report', text: 'R 7', atMs: 0 },
    { type: 'end', exitCode: 2, message: 'SIGTERM' },
  ])
  assert.deepEqual(events, [])
  assert.equal(fromLatin1(engine.unread()), 'rest')
})

test('messages are cut at 1023 bytes', () => {
  const { events } = started({ words: ['', 'x'.repeat(2000)], verbose: true })
  assert.equal(events[0]?.type === 'log' && events[0].text.length, 1023)
})

test('TIMEOUT reads a number as atoi does', () => {
  const limitOf = (argument: string) => {
    const { engine } = started({ words: ['TIMEOUT', argument, 'OK', ''] })
    return engine.deadline()?.atMs
  }
  assert.equal(limitOf('7'), 7000)
  assert.equal(limitOf('\\t +9x'), 9000)
  assert.equal(limitOf('\\61\\62'), 12_000)
  for (const none of ['0', '-3', 'ten', '', '2147483648']) assert.equal(limitOf(none), 45_000, none)
  assert.equal(limitOf('4294967299'), 3000)
  assert.equal(limitOf('99999999999999999999'), 45_000)
})

test('over a leased wire: dials, and hands PPP what came behind CONNECT', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  const lease = new Lease(near)
  const hold = lease.take('chat')
  let heard = ''
  far.listen({
    data(bytes) {
      heard += fromLatin1(bytes)
      if (heard.endsWith('ATZ\r')) far.write(latin1('\r\nOK\r\n'))
      if (heard.endsWith('ATD*99#\r')) far.write(latin1('\r\nCONNECT 7200000\r\n~\xff}#'))
    },
    drain() {},
    closed() {},
  })
  const words = ['ABORT', 'BUSY', 'REPORT', 'CONNECT', '', 'ATZ', 'OK', 'ATD\\T', 'CONNECT', '\\c']
  const engine = new ChatEngine({ words, phoneNumber: '*99#' })
  const events: ChatEvent[] = []
  const received: Uint8Array[] = []
  const pump: Pump<ChatEvent> = new Pump(hold, engine, {
    clock,
    onEvent(event) {
      events.push(event)
      if (event.type !== 'end') return
      pump.stop()
      const ppp = hold.handOver('ppp', engine.unread())
      ppp.listen({ data: (bytes) => received.push(bytes), drain() {}, closed() {} })
    },
  })
  await clock.advance(10)
  far.write(latin1('~more'))
  await clock.advance(10)
  assert.deepEqual(
    events.map(({ type }) => type),
    ['report', 'end'],
  )
  assert.equal(lease.owner, 'ppp')
  assert.equal(fromLatin1(concat(received)), '\n~\xff}#~more')
  assert.equal(clock.pending, 0)
})
