import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { latin1 } from '../../src/base/bytes.ts'
import { AtChannel, type ChannelEvent } from '../../src/modem/at/channel.ts'
import { readTranscripts } from './support/transcripts.ts'

/** How a modem answers one command. */
interface Manner {
  readonly delayMs: number
  readonly echo: 'none' | 'before' | 'late' | 'glued'
  readonly lineEnd: string
  /** What it says unasked, and where. */
  readonly report: string
  readonly place: 'before' | 'inside' | 'behind' | 'glued' | 'nowhere'
  readonly isRefusal: boolean
  /** The result twice in one go. */
  readonly isDoubled: boolean
  readonly isResultGlued: boolean
  /** Where the bytes are cut, in parts of their length. */
  readonly cuts: readonly number[]
}

const manner: fc.Arbitrary<Manner> = fc.record({
  // Beyond the command's patience of 500 ms now and then.
  delayMs: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 60 }), fc.integer({ min: 520, max: 2500 })),
  echo: fc.constantFrom('none', 'before', 'late', 'glued'),
  lineEnd: fc.constantFrom('\r\n', '\r\r\n', '\r', '\n'),
  report: fc.constantFrom(
    '^RSSI:18',
    '+CREG: 1',
    'RING',
    '+CMTI: "SM",3',
    '\0\0\xff',
    '+CMT: ,23\r\n07914356060013F106',
  ),
  place: fc.constantFrom('before', 'inside', 'behind', 'glued', 'nowhere'),
  isRefusal: fc.boolean(),
  isDoubled: fc.boolean(),
  isResultGlued: fc.boolean(),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
})

interface Due {
  readonly atMs: number
  readonly text: string
}

test('a reply is of its own command, whatever the modem does to it', () => {
  fc.assert(
    fc.property(fc.array(manner, { minLength: 1, maxLength: 12 }), (manners) => {
      const channel = new AtChannel()
      const events: ChannelEvent[] = []
      const asked = new Map<number, number>()
      let due: Due[] = []
      let nowMs = 0
      /** The modem does one thing after the other. */
      let busyUntilMs = 0
      let lateEcho = ''
      const hear = (command: string) => {
        const number = /^AT\^Q(\d+)\?$/.exec(command)?.[1]
        const how = number === undefined ? undefined : manners[Number(number)]
        busyUntilMs = Math.max(busyUntilMs, nowMs) + (how?.delayMs ?? 5)
        const text = how ? answer(number!, command, how, lateEcho) : '\r\nOK\r\n'
        if (how) lateEcho = how.echo === 'late' ? `${command}\r` : ''
        // A second result in a read of its own has to be met once before it is known: `channel.test.ts` has that.
        const cuts = [
          ...new Set((how?.isDoubled ? [] : (how?.cuts ?? [])).map((cut) => Math.floor(cut * text.length))),
        ].sort((a, b) => a - b)
        let from = 0
        for (const cut of [...cuts, text.length]) {
          due.push({ atMs: busyUntilMs, text: text.slice(from, cut) })
          from = cut
        }
      }
      const drain = () => {
        for (let output = channel.poll(); output; output = channel.poll())
          if (output.type === 'event') events.push(output.event)
          else hear(Buffer.from(output.bytes).toString('latin1').replace(/\r$/, ''))
      }
      for (const number of manners.keys())
        asked.set(channel.submit({ text: `AT^Q${number}?`, timeoutMs: 500 }, 0), number)
      drain()
      for (let round = 0; round < 2000 && events.filter(isEnd).length < manners.length; round++) {
        const next = due[0]
        const deadline = channel.deadline()
        assert.ok(next || deadline, 'the channel waits for ever')
        if (next && (!deadline || next.atMs <= deadline.atMs)) {
          due = due.slice(1)
          nowMs = Math.max(nowMs, next.atMs)
          channel.handle({ type: 'data', bytes: latin1(next.text) }, nowMs)
        } else {
          nowMs = Math.max(nowMs, deadline!.atMs)
          channel.handle({ type: 'timeout' }, nowMs)
        }
        drain()
      }
      assert.equal(events.filter(isEnd).length, manners.length, 'every command ends')
      for (const event of events) {
        if (event.type !== 'reply') continue
        const number = asked.get(event.id)!
        const how = manners[number]!
        assert.deepEqual(event.reply, {
          isOk: !how.isRefusal,
          lines: how.isRefusal ? [] : [`^Q${number}: ${number},"x"`],
          final: how.isRefusal ? `+CME ERROR: ${1000 + number}` : 'OK',
        })
      }
    }),
    { seed: 20_261_122, numRuns: 1500 },
  )
})

function answer(number: string, command: string, how: Manner, lateEcho: string): string {
  const end = how.lineEnd
  const result = how.isRefusal ? `+CME ERROR: ${1000 + Number(number)}` : 'OK'
  const line = how.isRefusal ? '' : `^Q${number}: ${number},"x"`
  const echo = how.echo === 'before' ? `${command}\r` : how.echo === 'glued' && line !== '' ? command : ''
  const { place } = how
  const isBinary = how.report.startsWith('\0')
  const report = `${end}${how.report}${end}`
  const isGlued = place === 'glued' && !how.report.includes('\r') && !isBinary && how.report !== 'RING'
  const body = line === '' ? '' : how.isResultGlued ? line : `${line}${end}`
  return [
    lateEcho,
    echo,
    place === 'before' ? report : '',
    echo !== '' && how.echo === 'glued' ? '' : end,
    body,
    place === 'inside' && !how.isResultGlued ? report : '',
    isGlued && result === 'OK' ? `${result}${how.report}` : result,
    end,
    how.isDoubled ? `${result}${end}` : '',
    place === 'behind' ? report : '',
  ].join('')
}

function isEnd({ type }: ChannelEvent): boolean {
  return type === 'reply' || type === 'silent'
}

test('however a transcript is cut, the channel tells the same', () => {
  const transcripts = readTranscripts().filter(({ command }) => command !== undefined)
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.constantFrom(...transcripts), cuts, ({ bytes, command }, places) => {
      const tell = (positions: readonly number[]) => {
        const channel = new AtChannel()
        const told: unknown[] = []
        channel.submit({ timeoutMs: 1000, ...command! }, 0)
        let from = 0
        for (const to of [...positions, bytes.length]) {
          channel.handle({ type: 'data', bytes: bytes.slice(from, to) }, 0)
          from = to
        }
        for (let output = channel.poll(); output; output = channel.poll()) told.push(output)
        return told
      }
      const positions = places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b)
      assert.deepEqual(tell(positions), tell([]))
    }),
    { seed: 5, numRuns: 1000 },
  )
})

test('whatever bytes come, a channel keeps no more than a line and tells no time that never comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 3000 })), { maxLength: 30 }),
      (parts) => {
        const channel = new AtChannel()
        let nowMs = 0
        channel.submit({ text: 'AT+CSQ', timeoutMs: 1000 }, nowMs)
        channel.submit({ text: 'AT+CMGS=10', timeoutMs: 1000, afterPrompt: '00' }, nowMs)
        for (const [bytes, waitMs] of parts) {
          channel.handle({ type: 'data', bytes }, nowMs)
          nowMs += waitMs
          for (let round = 0; ; round++) {
            const deadline = channel.deadline()
            if (!deadline || deadline.atMs > nowMs) break
            assert.ok(round < 100, `${deadline.why}, for ever`)
            channel.handle({ type: 'timeout' }, Math.max(deadline.atMs, 0))
          }
          while (channel.poll());
        }
      },
    ),
    { seed: 11, numRuns: 500 },
  )
})
