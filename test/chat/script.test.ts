import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1 } from '../../src/base/bytes.ts'
import { expectParts, sendSteps, unescapeExpect, unescapeSend } from '../../src/chat/escapes.ts'
import { type ScriptWord, scriptWords } from '../../src/chat/script.ts'
import { echoed, visible } from '../../src/chat/visible.ts'

test('words of a file', () => {
  const cases: [string, ScriptWord[]][] = [
    ['', []],
    ['# only a comment\n', []],
    [' # not a comment', ['#', 'not', 'a', 'comment']],
    ['a\tb  \'c d\' "e f" \'\' ""\n', ['a', 'b', 'c d', 'e f', '', '']],
    ["x'y z'", ["x'y", "z'"]],
    ['"A"OK', ['A', 'OK']],
    ['"a\\"b" \'a"b\'', ['a\\"b', 'a"b']],
    ['a\\ b\\\nc', ['a\\', 'b\\', 'c']],
    ['OK\r\n', ['OK\r']],
    ['a\0b\nc', ['a', 'c']],
    ['a\n"b c\nd', ['a', { message: 'unterminated quote (line 2)', text: '"b' }, 'd']],
    ['"a\\', [{ message: 'unterminated quote (line 1)', text: '"a\\' }]],
    [
      `"${'a'.repeat(1100)}"`,
      [{ message: 'unterminated quote (line 1)', text: `"${'a'.repeat(1022)}` }, `${'a'.repeat(78)}"`],
    ],
    [`${'x'.repeat(1022)}\ny`, ['x'.repeat(1022), 'y']],
    [`${'x'.repeat(1023)}\ny`, ['x'.repeat(1023), 'y']],
  ]
  for (const [text, words] of cases) assert.deepEqual([...scriptWords(text)], words, JSON.stringify(text))
})

test('escapes, first pass: as written, in a send, in an expect', () => {
  const cases: [string, string, string][] = [
    ['\\b\\n\\r\\t\\s', '\b\n\r\t \r', '\b\n\r\t '],
    ['a\\c', 'a', 'ac'],
    ['\\ca', 'ca\r', 'ca'],
    ['\\d\\K\\p', '\\d\\K\\p\r', 'dKp'],
    ['\\\\', '\\\\\r', '\\'],
    ['\\N', '\\\0\r', 'N'],
    ['a\\qb', 'ab\r', 'ab'],
    ['\\T\\U', '\\T5\r', '\\T\\U'],
    ['\\101\\60\\7x\\1018', 'A0\x07xA8\r', 'A0\x07xA8'],
    ['\\400\\777\\134', '\\\0\xff\\\\\r', '\xff\\'],
    ['\\0', '\\\0\r', ''],
    ['\\a\\8\\-\\^', '\\a\\8\\-\\^\r', 'a8-^'],
    ['a\\', 'a\\\\\r', 'a'],
    ['^A^z^@^ ^?^^^$^\\n', '\x01\x1a\x1f\x1e\x04\x1cn\r', '\x01\x1a\x1f\x1e\x04\x1cn'],
    ['a^', 'a^\r', 'a^'],
    ['$V_1.$NONE$', 'v\\n.\r', 'v\\n.'],
    ['\\$V', '$V\r', '$V'],
    ['', '\r', ''],
  ]
  const substitutions = { phoneNumber2: '5', env: (name: string) => (name === 'V_1' ? 'v\\n\0hidden' : undefined) }
  for (const [written, send, expected] of cases) {
    assert.equal(unescapeSend(written, substitutions).text, send, written)
    assert.equal(unescapeExpect(written, substitutions), expected, written)
  }
  assert.equal(unescapeSend('$V\\$V', {}).text, '$V\\$V\r')
  assert.equal(unescapeSend('a\\q', {}).isQuiet, true)
  assert.equal(unescapeSend('a\\\\q', {}).isQuiet, false)
})

test('escapes, second pass', () => {
  const steps = (text: string) =>
    sendSteps(text).map((step) =>
      step.type === 'bytes' ? fromLatin1(step.bytes) : step.type === 'delay' ? step.ms : 'BREAK',
    )
  assert.deepEqual(steps('a\\d\\db\\pc\\K\r'), ['a', 1000, 1000, 'b', 10, 'c', 'BREAK', '\r'])
  assert.deepEqual(steps('\\\\d\\x\\\0y'), ['\\dx\0y'])
  assert.deepEqual(steps('end\\'), ['end\0'])
  assert.deepEqual(steps(''), [])
})

test('the parts of an expect word', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['a', ['a']],
    ['a-b', ['a', 'b']],
    ['a-', ['a']],
    ['a--', ['a', '']],
    ['a---b', ['a', '', '', 'b']],
    ['-', ['']],
    ['-x', ['', 'x']],
    ['a\\-b-c', ['a\\-b', 'c']],
    ['a\\\\-b', ['a\\\\', 'b']],
    ['^-b', ['^', 'b']],
  ]
  for (const [word, parts] of cases) assert.deepEqual(expectParts(word), parts, word)
})

test('bytes for people', () => {
  assert.equal(visible('a\0\x1f\t\n\x7f\x80\x89\xc1\xff'), 'a^@^_\t^J^?M-^@M-\tM-AM-^?')
  assert.deepEqual([0x41, 0x0d, 0x0a, 0x09, 0x00, 0x7f].map(echoed), ['A', '', '\n', '^I', '^@', '^?'])
})
