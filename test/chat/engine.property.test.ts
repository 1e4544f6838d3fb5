import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { patternTable } from '../../src/chat/patterns.ts'
import { scriptWords } from '../../src/chat/script.ts'
import { type Cut, replay, type Step, WHOLE } from './transcript.ts'

const SETTINGS = { seed: 20_240_117, numRuns: 400 }

/** Any bytes, and such as mean something to chat. */
const byteText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
    fc.constantFrom(
      '\\d',
      '\\K',
      '\\N',
      '\\c',
      '\\q',
      '\\T',
      '^M',
      '^',
      '\\',
      '-',
      '$V',
      '@',
      '"',
      "'",
      'A',
      'OK',
      '\n',
      ' ',
    ),
  ),
  maxLength: 30,
})

const keyword = fc.constantFrom(
  'ABORT',
  'CLR_ABORT',
  'REPORT',
  'CLR_REPORT',
  'TIMEOUT',
  'ECHO',
  'SAY',
  'HANGUP',
  'EOT',
  'BREAK',
)

const script = fc
  .array(fc.oneof(keyword, byteText, fc.constantFrom('OK', 'A', 'OK-A-OK', "''", '@f')), { maxLength: 25 })
  .chain((words) => fc.constantFrom(' ', '\n').map((space) => words.join(space)))

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: byteText.map((text) => ({ type: 'modem' as const, text })) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 5000 }).map((ms) => ({ type: 'wait' as const, ms })) },
  { weight: 1, arbitrary: fc.constant({ type: 'close' as const, reason: 'hung up' }) },
  { weight: 1, arbitrary: fc.constant({ type: 'interrupt' as const, name: 'SIGINT' }) },
)

const options = fc.record(
  {
    phoneNumber: byteText,
    timeoutMs: fc.integer({ min: 1, max: 60_000 }),
    verbose: fc.boolean(),
    echo: fc.boolean(),
    echoReceived: fc.boolean(),
    variables: fc.record({ V: byteText }),
    files: fc.record({ f: byteText }),
  },
  { requiredKeys: ['timeoutMs'] },
)

const run = fc.record({ script, options, dialogue: fc.array(step, { maxLength: 20 }) })

test('any script against any modem ends, exactly once, and never throws', () => {
  fc.assert(
    fc.property(run, (given) => {
      const log = replay(given, WHOLE)
      assert.equal(log.filter((line) => / end \d+ /.test(line)).length, 1)
      assert.match(log.at(-2) ?? '', / end ([0-3]|[4-9]|[1-4]\d|5[0-3]) "/)
    }),
    SETTINGS,
  )
})

test('how what the modem says is cut into reads changes nothing', () => {
  fc.assert(
    fc.property(run, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (given, lengths) => {
      const pieces: Cut = (text, startsAt) => {
        const parts: string[] = []
        for (let at = 0, turn = startsAt; at < text.length; turn++) {
          const length = lengths[turn % lengths.length]!
          parts.push(text.slice(at, at + length))
          at += length
        }
        return parts
      }
      assert.deepEqual(replay(given, pieces), replay(given, WHOLE))
    }),
    SETTINGS,
  )
})

test('any text is words', () => {
  fc.assert(
    fc.property(byteText, (text) => {
      for (const word of scriptWords(text)) assert.ok(typeof word === 'object' || !word.includes('\n'))
    }),
    SETTINGS,
  )
})

test('the table finds what a plain search finds', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  fc.assert(
    fc.property(
      fc.array(letters, { maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 }),
      (patterns, text) => {
        const { next, hits } = patternTable(patterns)
        let node = 0
        for (let at = 0; at < text.length; at++) {
          node = next[node + text.charCodeAt(at)]!
          const expected = [...patterns.keys()].filter((index) => text.slice(0, at + 1).endsWith(patterns[index]!))
          assert.deepEqual(hits[node / 128] ?? [], expected)
        }
      },
    ),
    SETTINGS,
  )
})
