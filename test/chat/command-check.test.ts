/** `modem-chat --check` and `--dry-run` by their pure parts: what is found in a script, where, and what it is said to do. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CheckOptions, checkScript } from '../../src/chat/check.ts'
import { describeScript } from '../../src/chat/describe.ts'
import { NOT_YET, type PlacedWord, placedWords } from '../../src/chat/script.ts'

function wordsOf(script: string): PlacedWord[] {
  return [...placedWords(script)].filter((word) => word !== NOT_YET)
}

/** `line:column message`, the message up to its first colon. */
function faultsIn(script: string, options: CheckOptions = {}): string[] {
  const words = wordsOf(script)
  return checkScript(words, options).map(({ index, message }) => {
    const { line, column } = words[index]!
    return `${line}:${column} ${message.split(':')[0]}`
  })
}

const NEVER_REACHED = 'never reached, nor is anything behind it'

test('a good script has no faults', () => {
  const script = `# dial
ABORT BUSY ABORT 'NO CARRIER'
REPORT CONNECT TIMEOUT 30
'' ATZ OK-AT-OK 'AT+CGDCONT=1,"IP","internet"' OK ATD\\T CONNECT \\c`
  assert.deepEqual(faultsIn(script, { phoneNumber: '*99#' }), [])
})

test('an open quote: place, and what is never reached', () => {
  assert.deepEqual(faultsIn(`'' AT\nOK "ATD 1\nCONNECT ''\n`), [
    '2:4 unterminated quote (line 2)',
    `3:1 ${NEVER_REACHED}`,
  ])
})

test('lines and columns count in the file, also where chat cuts a line', () => {
  const long = `'' ${'a'.repeat(1100)} 'x`
  assert.deepEqual(faultsIn(`# c\n${long}`), ['2:1105 unterminated quote (line 3)'])
})

const CASES: readonly (readonly [name: string, script: string, faults: readonly string[], options?: CheckOptions])[] = [
  ['a keyword without its argument', `'' AT ABORT`, ['1:7 ABORT without an argument has no effect']],
  ['a lower-case keyword', `timeout 3`, ['1:1 is waited for as a text']],
  ['a keyword where something is sent', `OK ABORT BUSY`, ['1:4 is sent to the modem as a text']],
  ['an ABORT that another one hides', `ABORT NO ABORT 'NO CARRIER'`, ['1:16 can never decide']],
  [
    'an ABORT that comes with everything',
    `ABORT ''`,
    ['1:7 an empty ABORT string comes with the first byte, whatever that is'],
  ],
  ['an ABORT with bit 7', 'ABORT \xe9', ['1:7 can never come']],
  [
    'an over-long ABORT',
    `ABORT ${'x'.repeat(50)} OK`,
    [`1:7 Illegal or too-long ABORT string ('${'x'.repeat(50)}')`, `1:58 ${NEVER_REACHED}`],
  ],
  [
    '51 ABORTs',
    `${'ABORT a\n'.repeat(51)}OK`,
    [
      ...Array.from({ length: 49 }, (_, at) => `${at + 2}:7 can never decide`),
      '51:7 Too many ABORT strings',
      `52:1 ${NEVER_REACHED}`,
    ],
  ],
  ['CLR_ABORT of nothing', `ABORT A CLR_ABORT B`, ['1:19 has no effect']],
  ['CLR_ABORT frees the place', `ABORT NO CLR_ABORT NO 'NO CARRIER' x`, []],
  ['TIMEOUT 0', `TIMEOUT 0`, ['1:9 is no number of seconds above 0']],
  [
    'ECHO yes',
    `ECHO yes HANGUP off`,
    ['1:6 ECHO wants ON or OFF; this is taken for OFF', '1:17 HANGUP wants ON or OFF; this is taken for ON'],
  ],
  ['an expect with an ABORT in it', `ABORT NO 'NO CARRIER' x y`, ['1:10 can never be met', `1:23 ${NEVER_REACHED}`]],
  ['an expect that ends with an ABORT string wins', `ABORT OK OK x`, []],
  ['an expect with bit 7', 'CONN\xc9 x', ['1:1 can never be met', `1:7 ${NEVER_REACHED}`]],
  ['an expect with bit 7 and a sub-send goes on', 'CONN\xc9-AT x', ['1:1 can never be met']],
  ['parts behind an empty one', `a---b x`, ['1:1 an empty part is found at once']],
  ['\\c in the middle', `'' a\\cb`, ['1:4 a \\c that is not the end of the word is the letter c; a CR is sent']],
  ['no number', `'' ATD\\T`, ['1:4 \\T is the letter T here']],
  ['a number', `'' ATD\\T`, [], { phoneNumber: '1' }],
  [
    'delays beyond the limit',
    `TIMEOUT 2 '' a\\d\\db OK`,
    ['1:14 cannot be sent within the limit of 2 seconds', `1:21 ${NEVER_REACHED}`],
  ],
  ['a delay at the end', `TIMEOUT 2 '' a\\d\\d\\c OK`, []],
  [
    'an absent file',
    `'' @f OK`,
    ['1:4 f -- open failed', `1:7 ${NEVER_REACHED}`],
    { readFile: () => 'No such file or directory' },
  ],
  [
    'an unset variable',
    `$A $B`,
    ['1:4 $B is not set and stands for nothing'],
    { env: (name) => (name === 'A' ? 'a' : undefined) },
  ],
  ['a DOS file', `'' ATZ\r\n`, ['1:4 ends with a CR, which belongs to the word']],
  [
    'a password for all to read',
    `word: secret`,
    ['1:7 a password in a file that everybody may read'],
    { scriptFile: 's', openTo: () => '0644' },
  ],
  [
    'a PIN for all to read',
    `'' AT+CPIN=1234`,
    ['1:4 a password in a file that everybody may read'],
    { scriptFile: 's', openTo: () => '0644' },
  ],
  ['a password in a closed file', `word: secret`, [], { scriptFile: 's', openTo: () => undefined }],
  [
    'a password in a closed file of its own',
    `word: @p`,
    [],
    { scriptFile: 's', openTo: (path) => (path === 's' ? '0644' : undefined), readFile: () => new Uint8Array(3) },
  ],
]

for (const [name, script, faults, options] of CASES)
  test(name, () => {
    assert.deepEqual(faultsIn(script, options), faults)
  })

test('a script in words', () => {
  const script = `ABORT BUSY ABORT ERR CLR_ABORT BUSY ABORT X REPORT CONN TIMEOUT 5 ECHO ON SAY hi\\c HANGUP OFF
'' ATZ OK-AT-OK ATD\\T CONN-EOT 'a\\db\\K\\c' assword: hunter2 '' @f '' \\c x-\\qy z-w`
  assert.deepEqual(describeScript(wordsOf(script), { phoneNumber: '*99#' }), [
    'from now on end with exit code 4 when "BUSY" comes',
    'from now on end with exit code 5 when "ERR" comes',
    'no longer end when "BUSY" comes; the exit codes of later ABORT strings move down',
    'from now on end with exit code 5 when "X" comes',
    'report "CONN" and the rest of its line when it comes',
    'from now on wait up to 5 s',
    'show on standard error what is received',
    'say "hi" on standard error',
    'ignore a hang-up of the line',
    'send "ATZ^M"',
    'wait up to 5 s for "OK"; if it does not come, send "AT^M", then wait up to 5 s for "OK"; if it does not come, end with exit code 3',
    'send "ATD*99#^M"',
    'wait up to 5 s for "CONN"; if it does not come, send "^D", then go on',
    'send "a", wait 1 s, send "b", send a break',
    'wait up to 5 s for "assword:"; if it does not come, end with exit code 3',
    'send ?????? (a secret)',
    'send the content of the file f',
    'send nothing',
    'wait up to 5 s for "x"; if it does not come, send ?????? (a secret), then go on',
    'send "z-w^M"',
    'end with exit code 0',
  ])
})

test('a script that cannot end well, in words', () => {
  assert.deepEqual(describeScript(wordsOf(`OK "x`), { timeoutMs: Number.POSITIVE_INFINITY }), [
    'wait without limit for "OK"; if it does not come, end with exit code 3',
    'end with exit code 1: unterminated quote (line 1)',
  ])
})

test('an over-long expect', () => {
  const words = ['x'.repeat(1025), 'a'].map((word) => ({ word, line: 1, column: 1 }))
  assert.deepEqual(
    checkScript(words, {}).map(({ index, message }) => [index, message.split(/[(:]/)[0]]),
    [
      [0, 'expect string is too long '],
      [1, NEVER_REACHED],
    ],
  )
})
