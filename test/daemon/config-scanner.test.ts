import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { iniText, readIni } from '../../src/daemon/config-scanner.ts'
import { changedIni } from '../../src/daemon/config-writer.ts'

function valuesOf(text: string): Record<string, string> {
  const { sections, faults } = readIni(text, 'f')
  assert.deepEqual(faults, [])
  return Object.fromEntries([...sections[0]!.values].map(([name, value]) => [name, value.text]))
}

function faultsOf(text: string): string[] {
  return readIni(text, 'f').faults.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
}

test('values keep what ini would cut, nest, convert or unescape', () => {
  assert.deepEqual(
    valuesOf(
      [
        '[s]',
        'number = *99#',
        'both = a;b #c',
        'hash = #5',
        'glued =;x',
        'empty =',
        'commented =                 ; nothing here',
        'tabbed = x\t; comment',
        'equals = a=b=c',
        'true = true',
        'null = null',
        'number-like = 007',
        String.raw`slashes = \;\#\\ \n`,
        "apostrophes = 'as they are'",
        'a.b = dot',
        'at = AT+CGDCONT=1,"IP","internet"',
        'quoted = " a ;b "      ; kept blanks',
        'doubled = """a"""',
        'half = "a" and "b',
        'marks = "a" and "b"',
        'constructor = c',
        'hasOwnProperty = h',
      ].join('\n'),
    ),
    {
      number: '*99#',
      both: 'a;b #c',
      hash: '#5',
      glued: ';x',
      empty: '',
      commented: '',
      tabbed: 'x',
      equals: 'a=b=c',
      true: 'true',
      null: 'null',
      'number-like': '007',
      slashes: String.raw`\;\#\\ \n`,
      apostrophes: "'as they are'",
      'a.b': 'dot',
      at: 'AT+CGDCONT=1,"IP","internet"',
      quoted: ' a ;b ',
      doubled: '"a"',
      half: '"a" and "b',
      marks: '"a" and "b"',
      constructor: 'c',
      hasOwnProperty: 'h',
    },
  )
})

test('sections are literal and may have an argument and a comment', () => {
  const { sections, faults } = readIni(
    '[a.b]\nx = 1\n[device "tty:/dev/ttyS1"]     ; a ] modem\nbaud = 1\n[a]\nb = 2',
    'f',
  )
  assert.deepEqual(faults, [])
  assert.deepEqual(
    sections.map(({ kind, argument, line, values }) => [kind, argument, line, [...values.keys()]]),
    [
      ['a.b', undefined, 1, ['x']],
      ['device', 'tty:/dev/ttyS1', 3, ['baud']],
      ['a', undefined, 5, ['b']],
    ],
  )
})

test('comments, blank lines, CRLF and a byte order mark', () => {
  assert.deepEqual(valuesOf('\ufeff; c\r\n# c\r\n\r\n  ; c\r\n[s] ; c\r\nx = 1\r\n\ty = 2\r\n'), { x: '1', y: '2' })
})

test('faults carry their line and say what to do', () => {
  assert.deepEqual(faultsOf('[s]\nx = 1\nnonsense\nx = 2'), [
    'f:3: has no `=`: write name = value, or put ; before a comment',
    'f:4: x is given twice, first in line 2: keep one',
  ])
  assert.deepEqual(faultsOf('x = 1'), ['f:1: stands before the first section: put [profile] or [daemon] above x'])
  assert.deepEqual(faultsOf('[s]\n[t]\n[s]'), ['f:3: this section begins twice, first in line 1: keep one'])
  assert.deepEqual(
    faultsOf('[s\n[]\n[s] x\n["a"]'),
    Array.from({ length: 4 }, (_, index) => `f:${index + 1}: is not a section heading: write [name], or [name "what"]`),
  )
  assert.match(faultsOf('[s]\n= 1')[0]!, /^f:2: has no valid name/)
  assert.match(faultsOf('[s]\n__proto__ = 1')[0]!, /^f:2: has no valid name/)
  assert.match(faultsOf('[s]\nx[] = 1')[0]!, /^f:2: has no valid name/)
  assert.match(faultsOf('[s]\nx = \x1b[31m')[0]!, /^f:2: has a control character/)
})

const fileText = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !/[\x00-\x08\x0a-\x1f\x7f]/.test(text))
const iniSoup = fc
  .array(fc.constantFrom(' ', ';', '"', '#', '=', '\\', '[', ']', 'a', '\t', '.', "'", 'true', '\u2028', 'é', '😀'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''))

test('any text is read as it was written, also behind a comment', () => {
  fc.assert(
    fc.property(fc.oneof(fileText, iniSoup), (text) => {
      assert.deepEqual(valuesOf(`[s]\nx = ${iniText(text)}`), { x: text })
      assert.deepEqual(valuesOf(`[s]\nx = ${iniText(text)}   ; "a" comment`), { x: text })
    }),
    { seed: 8, numRuns: 2000 },
  )
})

test('a changed value is read back, and nothing else moves', () => {
  fc.assert(
    fc.property(iniSoup, iniSoup, iniSoup, (before, after, other) => {
      const text = `; head\n[s]\nx = ${iniText(before)} ; note\n\ny = ${iniText(other)}\n[t]\nx = ${iniText(other)}\n`
      const changed = changedIni(text, [{ section: 's', key: 'x', value: after }])
      const { sections, faults } = readIni(changed, 'f')
      assert.deepEqual(faults, [])
      assert.equal(sections[0]!.values.get('x')!.text, after)
      assert.equal(sections[0]!.values.get('y')!.text, other)
      assert.equal(sections[1]!.values.get('x')!.text, other)
      assert.match(changed, /^; head\n/)
      assert.match(changed, / ; note\n/)
    }),
    { seed: 8, numRuns: 1000 },
  )
})

test('values are added, removed and put into new sections', () => {
  const text = '[profile]\napn = a ; mine\n\n[ppp]\nmtu = 1400\n'
  const changes = [
    { section: 'profile', key: 'number', value: '*99#' },
    { section: 'ppp', key: 'mtu', value: undefined },
    { section: 'redial', key: 'busy', value: '9s' },
    { section: 'redial', key: 'idle', value: undefined },
  ]
  assert.equal(changedIni(text, changes), '[profile]\napn = a ; mine\nnumber = *99#\n\n[ppp]\n\n[redial]\nbusy = 9s\n')
  assert.equal(changedIni('', [changes[0]!]), '[profile]\nnumber = *99#\n')
  assert.equal(
    changedIni('[profile]\npin =\n', [{ section: 'profile', key: 'pin', value: '1234' }]),
    '[profile]\npin = 1234\n',
  )
})

test('no text makes the scanner throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), iniSoup, (a, b) => {
      readIni(`${a}\n${b}\n[s]\n${b}=${a}`, 'f')
    }),
    { seed: 8, numRuns: 1000 },
  )
})
