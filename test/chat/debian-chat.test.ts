/** The engine against Debian's own chat: the same dialogues over real ptys, with the same bytes, exit code, messages and rest. */

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { needs } from '../support/needs.ts'
import { type Dialogue, runBoth } from './debian-chat.ts'

const DIAL = [
  ...['ABORT', 'BUSY', 'ABORT', 'NO CARRIER', 'ABORT', 'NO DIALTONE', 'ABORT', 'ERROR', 'REPORT', 'CONNECT'],
  ...['TIMEOUT', '2', '', 'ATZ', 'OK', 'AT+CGDCONT=1,"IP","internet"', 'OK', 'ATD\\T', 'CONNECT', '\\c'],
]

const UP_TO_DIAL = [
  ['ATZ\r', 'ATZ\r\r\nOK\r\n'],
  ['"internet"\r', '\r\nOK\r\n'],
] as const

const DIALOGUES: Dialogue[] = [
  {
    name: 'a dial that connects, its report and the PPP bytes behind it',
    script: DIAL,
    phoneNumber: '*99#',
    modem: [...UP_TO_DIAL, ['ATD*99#\r', '\r\nCONNECT 150000000\r\n~\x7f}#\x21rest']],
  },
  { name: 'busy: 4', script: DIAL, phoneNumber: '*99#', modem: [...UP_TO_DIAL, ['ATD*99#\r', '\r\nBUSY\r\nmore']] },
  { name: 'no carrier: 5', script: DIAL, phoneNumber: '1', modem: [...UP_TO_DIAL, ['ATD1\r', '\r\nNO CARRIER\r\n']] },
  { name: 'no dialtone: 6', script: DIAL, phoneNumber: '1', modem: [...UP_TO_DIAL, ['ATD1\r', 'NO DIALTONE\r\n']] },
  { name: 'an error before the dial: 7', script: DIAL, modem: [['ATZ\r', '\r\nERROR\r\n']] },
  { name: 'a silent modem: 3', script: ['TIMEOUT', '1', '', 'AT', 'OK', 'ATZ'] },
  {
    name: 'a connect in many pieces',
    script: DIAL,
    phoneNumber: '5',
    modem: [...UP_TO_DIAL, ['ATD5\r', '\r\nCON'], ['', 'NE', 60], ['', 'CT 9', 60], ['', '600\r\n', 300]],
  },
  {
    name: 'a report whose line never ends',
    script: DIAL,
    phoneNumber: '5',
    modem: [...UP_TO_DIAL, ['ATD5\r', 'CONNECT 12']],
  },
  {
    name: 'the end of the report comes byte by byte',
    script: DIAL,
    phoneNumber: '5',
    modem: [...UP_TO_DIAL, ['ATD5\r', 'CONNECT '], ['', '3', 400], ['', '3', 400], ['', '6\t00', 400]],
  },
  {
    name: 'a report goes on over later expects',
    script: ['REPORT', 'CON', 'a', 'x', 'NECT', 'y', 'd', 'z'],
    modem: [
      ['', 'aCON'],
      ['x\r', 'NECT 4'],
      ['y\r', '2 d\r\n'],
    ],
  },
  {
    name: 'a report fires once, the same given twice fires twice',
    script: ['REPORT', 'A', 'REPORT', 'A', 'end', '\\c'],
    modem: [['', 'A1\rA2\rA3\rend']],
  },
  { name: 'an empty report swallows a byte', script: ['REPORT', '', 'end', '\\c'], modem: [['', 'xyz\rend']] },
  {
    name: 'a report that ends with the script by timeout',
    script: ['TIMEOUT', '1', 'REPORT', 'RING', 'never', ''],
    modem: [['', '\r\nRING 3']],
  },
  {
    name: 'a report that ends with an abort',
    script: ['ABORT', 'NO', 'REPORT', 'REASON', 'never', ''],
    modem: [['', 'REASON: NO CARRIER\r\n']],
  },
  {
    name: 'a cleared report',
    script: ['REPORT', 'A', 'REPORT', 'B', 'CLR_REPORT', 'A', 'end', ''],
    modem: [['', 'A1\rB2\rend']],
  },

  {
    name: 'sub-expect: the second try answers',
    script: ['TIMEOUT', '1', '', 'AT', 'OK-ATZ-OK', 'ATD'],
    modem: [['ATZ\r', 'OK\r']],
  },
  { name: 'sub-expect: none answers', script: ['TIMEOUT', '1', '', 'AT', 'OK-A-OK-B-OK', 'ATD'] },
  { name: 'sub-expect: send last means success', script: ['TIMEOUT', '1', 'OK-ATZ', 'ATD'] },
  { name: 'sub-expect: a dash last fails', script: ['TIMEOUT', '1', 'OK-', 'ATD'] },
  { name: 'sub-expect: two dashes last send a CR', script: ['TIMEOUT', '1', 'OK--', 'ATD'] },
  { name: 'sub-expect: an empty part is found', script: ['TIMEOUT', '1', 'OK---b', 'ATD'] },
  { name: 'sub-expect: a dash first never waits', script: ['-x', 'AT', '-', 'ATI'] },
  {
    name: 'sub-expect: escaped dashes, and a caret that protects none',
    script: ['TIMEOUT', '1', 'a\\-b-s^-c', 'x', 'a\\\\-y-z', 'x'],
    modem: [
      ['', 'a-b'],
      ['x\r', 'a\\'],
    ],
  },
  {
    name: 'sub-expect: an abort ends it without the sub-send',
    script: ['ABORT', 'NO', 'OK-ATZ-OK', 'ATD'],
    modem: [['', 'NO']],
  },
  { name: 'sub-send with a keyword and EOT are a send', script: ['TIMEOUT', '1', 'a-EOT-b-ABORT-c-BREAK', 'x'] },
  {
    name: 'sub-send from a file',
    script: ['TIMEOUT', '1', 'a-@DIR/f-b', 'x'],
    files: { f: 'from \\T file\n' },
    phoneNumber: '12',
    modem: [['file\r', 'b']],
  },

  {
    name: 'TIMEOUT: longer, then by default again',
    script: ['TIMEOUT', '1', 'TIMEOUT', '0', 'TIMEOUT', '-5', 'TIMEOUT', ' 12x', 'TIMEOUT', '4294967297', 'OK', ''],
    modem: [['', 'OK', 500]],
  },
  { name: 'TIMEOUT of the command line', script: ['OK', ''], timeout: 1 },
  { name: 'no time limit', script: ['OK', ''], timeout: 0, modem: [['', 'OK', 1200]] },
  {
    name: 'the limit is for the whole wait',
    script: ['TIMEOUT', '1', 'OK', ''],
    modem: [
      ['', 'a', 300],
      ['', 'b', 300],
      ['', 'c', 300],
      ['', 'OK', 300],
    ],
  },
  { name: 'a send runs out of time in its delays', script: ['TIMEOUT', '1', '', 'a\\d\\db', 'OK', ''] },
  { name: 'a send that only waits too long', script: ['TIMEOUT', '1', '', 'a\\d\\c', 'OK', 'x'], modem: [['a', 'OK']] },

  {
    name: 'after a send that waited too long the next expect finds nothing only if nothing is there',
    script: ['TIMEOUT', '1', '', 'a\\d\\c', 'OK-again-OK', 'x'],
    modem: [
      ['a', 'no', 200],
      ['again\r', 'OK', 200],
    ],
  },
  {
    name: '\\c, \\d, \\p, \\q and all short forms in sends',
    script: [
      '',
      'a\\b\\n\\r\\t\\s\\\\\\N\\a\\8\\$\\-\\^\\c',
      '',
      'secret\\q',
      '',
      '\\p1\\p2\\c',
      '',
      'x\\cy',
      '',
      'a\\',
      '',
      'b^',
    ],
  },
  {
    name: 'octal and carets in sends',
    script: ['', '\\101\\60\\7\\0\\400\\777\\134\\c', '', '^A^z^@^ ^?^^^\\n^[\\c', '', '\\1018\\c'],
  },
  {
    name: 'EOT, BREAK and what only looks like them',
    script: ['', 'EOT', '', 'BREAK', '', '\\EOT', '', 'eot', '', 'EOT\\c'],
  },
  { name: 'a break between bytes', script: ['', 'a\\Kb'] },
  {
    name: '\\T and \\U with and without values',
    script: ['', '\\T,\\U', '\\T\\U\\c', 'x'],
    phoneNumber: 'a\\db\\\\^A',
    modem: [['\r', '\\T\\Uc']],
  },
  { name: '\\U', script: ['', '\\T,\\U'], phoneNumber2: '0815\\' },
  {
    name: 'escapes in expects',
    script: ['a\\sb\\101\\060^M\\n\\q\\0\\d\\N\\T\\', 'x'],
    modem: [['', 'a bA0\r\ndN\\T']],
  },
  {
    name: 'variables',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: chat knows no braces
    script: ['$E-x', '$S $NONE.${S} \\$S ^$ $', 'ABORT', '$A', 'never', ''],
    variables: { E: 'go', S: 'v\\nx\\\\', A: 'B' },
    modem: [
      ['', 'go'],
      ['\x04 \r', 'B'],
    ],
  },
  { name: 'an ABORT that grew', script: ['ABORT', '$A'], variables: { A: 'longer' } },
  { name: 'without variables a dollar is data', script: ['', '$HOME'] },

  {
    name: 'ABORT: the first completed wins, of two at once the first given',
    script: ['ABORT', 'CARRIER', 'ABORT', 'NO CARRIER', 'ABORT', 'R', 'OK', ''],
    modem: [['', 'NO CARRIER']],
  },
  {
    name: 'ABORT: the expect wins over an abort in the same byte',
    script: ['ABORT', 'OK', 'OK', 'x', 'OK', 'y'],
    modem: [
      ['', 'OK'],
      ['x\r', 'O'],
      ['', 'K'],
    ],
  },
  { name: 'ABORT: nothing after the match is looked at', script: ['ABORT', 'NO', 'OK', 'x'], modem: [['', 'OK NO']] },
  { name: 'ABORT: an empty one takes the first byte', script: ['ABORT', '', 'OK', 'x'], modem: [['', 'zOK']] },
  {
    name: 'ABORT: not from what an earlier expect has taken',
    script: ['ABORT', 'AB', 'A', 'x', 'C', 'y'],
    modem: [
      ['', 'A'],
      ['x\r', 'BC'],
    ],
  },
  {
    name: 'CLR_ABORT moves the later ones down',
    script: ['ABORT', 'A', 'ABORT', 'B', 'ABORT', 'C', 'CLR_ABORT', '\\101', 'CLR_ABORT', 'Z', 'OK', ''],
    modem: [['', 'AC']],
  },
  {
    name: 'CLR_ABORT of equal strings leaves one',
    script: ['ABORT', 'A', 'ABORT', 'B', 'ABORT', 'A', 'CLR_ABORT', 'A', 'OK', ''],
    modem: [['', 'xA']],
  },
  { name: '51 ABORT strings', script: Array.from({ length: 51 }, (_, index) => ['ABORT', `a${index}`]).flat() },
  { name: '51 REPORT strings', script: Array.from({ length: 51 }, (_, index) => ['REPORT', `a${index}`]).flat() },
  {
    name: 'the 50th ABORT: 53',
    script: [...Array.from({ length: 50 }, (_, index) => ['ABORT', `<${index}>`]).flat(), 'OK', ''],
    modem: [['', '<4><49>'.slice(3)]],
  },
  { name: 'an ABORT of 49, and of 50 bytes', script: ['ABORT', 'x'.repeat(49), 'ABORT', 'y\\r'.repeat(50)] },
  { name: 'a too long CLR_REPORT', script: ['CLR_REPORT', 'y'.repeat(50)] },
  { name: 'an expect of 1025 bytes', script: ['a'.repeat(1025), 'x'] },
  {
    name: 'an expect of 1024 bytes over the sliding window',
    script: [`${'ab'.repeat(511)}ac`, 'x'],
    modem: [['', `${'ab'.repeat(700)}ac`]],
  },

  {
    name: 'overlaps are found',
    script: ['ababac', 'x', 'aab', 'y'],
    modem: [
      ['', 'abababac'],
      ['x\r', 'aaab'],
    ],
  },
  {
    name: 'bit 7 is lost, a string with it never matches',
    script: 'TIMEOUT 1 OK x \xcf y',
    modem: [
      ['', '\xcf\xcb'],
      ['x\r', '\xcfO'],
    ],
  },
  { name: 'a NUL is an ordinary byte', script: ['TIMEOUT', '1', 'AB', 'x'], modem: [['', 'A\0B\0AB']] },
  {
    name: 'text in messages: lines, controls, long pieces',
    script: ['end', ''],
    modem: [['', `\n\r\n${'x'.repeat(80)}\n${'y'.repeat(200)}\t\x01\x7f\nend`]],
  },
  {
    name: 'text in messages: the window slides',
    script: ['end', ''],
    modem: [['', `${`${'0123456789'.repeat(7)}\n${'short \r\n'}`.repeat(40)}tail end`]],
  },

  {
    name: 'SAY',
    script: [
      'SAY',
      'Hello\\n',
      'SAY',
      'no return\\c',
      'SAY',
      '\\d\\K\\p\\\\\\x\\T\\134\\c',
      'SAY',
      'to here\\Nnot\\c',
      'SAY',
      '@file',
      '',
      'AT',
    ],
  },
  {
    name: 'ECHO on and off',
    script: ['ECHO', 'ON', 'a', 'x', 'ECHO', 'OFF', 'b', 'y', 'ECHO', 'on', 'c', ''],
    modem: [
      ['', '1\r\n\t\x7fa'],
      ['x\r', '2b'],
      ['y\r', '3c'],
    ],
  },
  { name: 'echo from the start, ending in a line end', script: ['a\\n', ''], echo: true, modem: [['', 'xa\r\na\n']] },
  {
    name: 'every byte shown, and echoed too',
    script: ['ABORT', 'z', 'a\\n', ''],
    echo: true,
    echoReceived: true,
    modem: [['', '1\x01\r\n2z']],
  },
  { name: 'HANGUP', script: ['HANGUP', 'OFF', '', 'AT', 'HANGUP', 'ON', '', 'ATZ'] },
  {
    name: 'keywords in send places and last are nothing special',
    script: ['', 'ABORT', '', 'TIMEOUT', '', 'SAY', 'abort-x', 'y', 'ABORT'],
    modem: [['SAY\r', 'abort']],
  },
  { name: 'an empty script', script: [] },
  { name: 'empty words', script: ['', '', '', ''] },

  {
    name: '@file: one line feed less, up to a NUL, at most 1023 bytes',
    script: ['', '@DIR/a', '', '@ \tDIR/b', '', '@DIR/c', '', '@DIR/d', '', '@', '', '@  '],
    files: { a: 'AT\\sI\n\n', b: 'EOT\n', c: 'x\0y', d: `${'\\q'.repeat(510)}abcdef` },
  },
  { name: '@file that is not there', script: ['', '@DIR/none', 'x', 'y'] },

  {
    name: 'a script file',
    script: `# a comment\nABORT BUSY\t'ABORT'  "NO CARRIER"\n '' ATZ\nOK "AT D\\T"\n#ABORT x\nCONNECT \\c # not a comment`,
    phoneNumber: '7',
    modem: [
      ['ATZ\r', 'OK'],
      ['D7\r', 'CONNECT'],
      ['', '#a', 50],
    ],
  },
  {
    name: 'quotes: closing ends the word, escapes inside, none outside',
    script: `"A"OK 'b\\'c"' x"y\\ z "a\\"b"\n`,
    modem: [
      ['', 'A'],
      ['OK\r', `b'c"`],
      [`x"y\\\r`, 'z'],
    ],
  },
  {
    name: 'quotes: unterminated, when its line comes',
    script: `'' first\nOK-x-y "never\n`,
    timeout: 1,
    modem: [['first\r', 'OK']],
  },
  { name: 'a DOS line end is data', script: `'' AT\r\nOK x`, modem: [['AT\r\r', 'OK']] },
  {
    name: 'a line of over 1023 bytes falls in two, and so does a comment',
    script: `'' AT${' '.repeat(1015)}abcd\n# ${'c'.repeat(1021)}ef g\n`,
    modem: [
      ['AT\r', 'abc'],
      ['d\r', 'ef'],
    ],
  },
  { name: 'a NUL ends its line', script: `'' AT\0 ignored\n'' B` },
]

suite("Debian's chat and the engine do the same", { concurrency: 8 }, () => {
  for (const dialogue of DIALOGUES) {
    test(dialogue.name, { ...needs('chat'), timeout: 60_000 }, async () => {
      const { theirs, ours } = await runBoth(dialogue)
      assert.deepEqual(ours, theirs)
    })
  }
})
