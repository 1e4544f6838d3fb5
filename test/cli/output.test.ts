import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chartLines } from '../../src/cli/output/chart.ts'
import { formatBytes, formatDuration, formatLevel, formatSpeed } from '../../src/cli/output/format.ts'
import { idOfPath, jsonText, propertiesToJson } from '../../src/cli/output/json.ts'
import { pairs, table } from '../../src/cli/output/table.ts'
import { clean, cut, pad, widthOf, wrap } from '../../src/cli/output/text.ts'

test('text that could drive a terminal is shown, not sent', () => {
  assert.equal(clean('\x1b[31mred\x07\r\n'), '\\x1b[31mred\\x07\\x0d\\x0a')
  assert.equal(clean('\x9b2J\x7f'), '\\x9b2J\\x7f')
  assert.equal(clean('ab\u202ecd\u2066\u200b\u{e0041}'), 'ab\\u{202e}cd\\u{2066}\\u{200b}\\u{e0041}')
  assert.equal(clean('half \ud800'), 'half \\u{d800}')
  assert.equal(clean('Ünïcode 中国移动 🛜'), 'Ünïcode 中国移动 🛜')
  assert.equal(clean('x'.repeat(400)).length, 301)
})

test('widths are columns', () => {
  assert.equal(widthOf('abc'), 3)
  assert.equal(widthOf('中国'), 4)
  assert.equal(widthOf('e\u0301'), 1)
  assert.equal(widthOf('한국'), 4)
  assert.equal(cut('中国移动', 6), '中国…')
  assert.equal(cut('abcdef', 6), 'abcdef')
  assert.equal(cut('abcdefg', 6), 'abcde…')
  assert.equal(pad('中', 4), '中  ')
})

test('words are wrapped', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(wrap('a-word-that-is-long b', 5), ['a-word-that-is-long', 'b'])
})

const COLUMNS = [{ title: 'ID' }, { title: 'NAME', minWidth: 5 }, { title: 'S' }]

test('a table lines up, whatever the characters', () => {
  const rows = [
    [{ text: 'a' }, { text: '中国移动' }, { text: 'up' }],
    [{ text: 'bb' }, { text: 'Vodafone' }, { text: 'x' }],
  ]
  assert.deepEqual(table(COLUMNS, rows, 80), ['ID  NAME      S', 'a   中国移动  up', 'bb  Vodafone  x'])
})

test('a narrow terminal cuts only what may be cut, and no colour is counted', () => {
  const paint = (text: string) => `\x1b[1m${text}\x1b[0m`
  const rows = [[{ text: 'never-cut' }, { text: 'Vodafone', paint }, { text: 'up' }]]
  assert.deepEqual(table(COLUMNS, rows, 19)[1], 'never-cut  \x1b[1mVoda…\x1b[0m  up')
  assert.deepEqual(table(COLUMNS, rows, 1)[1], 'never-cut  \x1b[1mVoda…\x1b[0m  up')
})

test('a column that is cut last keeps its width as long as others can give', () => {
  const columns = [
    { title: 'ID', minWidth: 3, isCutLast: true },
    { title: 'NAME', minWidth: 5 },
  ]
  const rows = [[{ text: 'an-id-that-is-long' }, { text: 'Vodafone' }]]
  assert.deepEqual(table(columns, rows, 25)[1], 'an-id-that-is-long  Voda…')
  assert.deepEqual(table(columns, rows, 20)[1], 'an-id-that-i…  Voda…')
})

test('pairs leave out what is not known and wrap the rest under itself', () => {
  const list = [
    ['name', 'value'],
    ['unknown', undefined],
    ['empty', ''],
    ['lines', ['one', 'two']],
    ['long', 'some words that do not fit into a narrow line'],
  ] as const
  assert.deepEqual(pairs(list, 30), [
    '  name   value',
    '  lines  one',
    '         two',
    '  long   some words that do',
    '         not fit into a narrow',
    '         line',
  ])
})

test('JSON has no byte that a terminal acts on, and parses back', () => {
  const hostile = { a: '\x1b\x7f\x9b\u202e\u{e0041}é' }
  const text = jsonText(hostile)
  assert.match(text, /^[\x20-\x7eé]*$/)
  assert.deepEqual(JSON.parse(text), hostile)
  assert.equal(jsonText({ big: 2n ** 63n }), '{"big":"9223372036854775808"}')
})

test('properties become lowerCamelCase keys; the unknown is absent', () => {
  const properties = {
    SignalQuality: 67,
    SignalDbm: Number.NaN,
    StateReason: '',
    NextAttemptAt: 0,
    Modem: '/org/modemd/modem/imei_5f35',
    Links: ['/org/modemd/link/my_2dlink'],
    Ports: [['/dev/ttyUSB0', 'at', '']],
  }
  assert.deepEqual(propertiesToJson(properties), {
    signalQuality: 67,
    nextAttemptAt: 0,
    modem: 'imei_35',
    links: ['my-link'],
    ports: [{ name: '/dev/ttyUSB0', role: 'at', owner: '' }],
  })
  assert.deepEqual(propertiesToJson({ Modem: '/' }), {})
  assert.equal(idOfPath('/org/modemd/link/_c3_a9_5f'), 'é_')
  assert.equal(idOfPath('/org/modemd/link/_'), '')
})

test('numbers as people read them', () => {
  assert.deepEqual([0, 123, 9999, 12_340, 59_960, 185_000, 7_800_000, 273_600_000].map(formatDuration), [
    '0.00 s',
    '0.12 s',
    '10.0 s',
    '12.3 s',
    '1 min 0 s',
    '3 min 5 s',
    '2 h 10 min',
    '3 d 4 h',
  ])
  assert.deepEqual([9600, 115_200, 7_200_000, 150_000_000].map(formatSpeed), [
    '9.6 kbit/s',
    '115.2 kbit/s',
    '7.2 Mbit/s',
    '150 Mbit/s',
  ])
  assert.deepEqual([0, 999, 1_234_567, 2n ** 63n].map(formatBytes), ['0 B', '999 B', '1.2 MB', '9223372 TB'])
  assert.deepEqual([formatLevel(-71, 'dBm'), formatLevel(-98.55, 'dBm')], ['-71 dBm', '-98.5 dBm'])
})

test('a chart shows levels by their time, and nothing before the first', () => {
  const samples = [
    { atMs: 7000, level: -113 },
    { atMs: 8000, level: -82 },
    { atMs: 9000, level: -51 },
  ]
  const lines = chartLines(samples, { columns: 5, rows: 2, nowMs: 10_000, stepMs: 1000 })
  assert.deepEqual(lines, [' -51 ┤   ██', '-113 ┤ ▁███', '      5 s ago now'])
  const empty = chartLines([], { columns: 5, rows: 2, nowMs: 10_000, stepMs: 1000 })
  assert.deepEqual(empty, [' -51 ┤', '-113 ┤', '      5 s ago now'])
  const lte = chartLines([{ atMs: 0, level: -120 }], { columns: 3, rows: 2, nowMs: 10_000, stepMs: 1000 })
  assert.deepEqual(lte.slice(0, 2), [' -51 ┤', '-140 ┤▄▄▄'])
})
