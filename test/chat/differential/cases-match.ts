/** Sections 8 and 9: matching and reports. */

import { type ChatCase, hear, pause, say, signal, TOLD, talk, words } from './case.ts'

const received = (name: string, script: readonly string[], text: string, more: Partial<ChatCase> = {}): ChatCase =>
  words(name, ['', 'A', ...script], talk('A\r', text), more)

export const MATCHING: readonly ChatCase[] = [
  received('case counts', ['OK', 'B'], 'ok Ok oK'),
  received('overlaps', ['ababac', 'B', 'aab', 'C'], 'abababacaaaab'),
  received('in the middle of noise', ['OK', 'B'], '\r\n..OOKOOKx'),
  received('a NUL is a byte', ['OK', 'B'], 'O\0KOK'),
  received('a NUL before and after', ['OK', 'B'], '\0\0OK\0\0'),
  received('bit 7 of what is received is lost', ['OK', 'B'], '\xcf\xcb'),
  received('a string with bit 7 never matches', ['\xcfK', 'B'], '\xcfK OK'),
  received('an abort with bit 7 never matches', ['ABORT', '\xcfK', 'Z', 'B'], '\xcfKOKZ'),
  received('an earlier expect has consumed', ['AB', 'x', 'BC', 'y'], 'ABC BC'),
  received('a sub-expect starts anew', ['abc-x-cd', 'B'], 'abcabcd'.slice(0, 2)),
  received('half an expect before a timeout does not help', ['OK-x-K', 'B'], 'O', {
    modem: [...talk('A\r', 'O', 'x\r', 'K')],
  }),
  received('half an expect: the second half is not enough', ['OK-x-OK', 'B'], 'O', {
    modem: talk('A\r', 'O', 'x\r', 'K'),
  }),
  received('first completed wins: the abort', ['ABORT', 'BUS', 'BUSY', 'B'], 'BUSY'),
  received('first completed wins: the expect', ['ABORT', 'BUSY', 'BUS', 'B'], 'BUSY'),
  received('the same byte: the expect', ['ABORT', 'NO CARRIER', 'CARRIER', 'B'], 'NO CARRIER'),
  received('the same byte: the lower abort', ['ABORT', 'CARRIER', 'ABORT', 'NO CARRIER', 'OK', 'B'], 'NO CARRIER'),
  received(
    'the same byte: the lower abort, given the other way',
    ['ABORT', 'NO CARRIER', 'ABORT', 'CARRIER', 'OK', 'B'],
    'NO CARRIER',
  ),
  received('equal aborts: the first', ['ABORT', 'x', 'ABORT', 'BUSY', 'ABORT', 'BUSY', 'OK', 'B'], 'BUSY'),
  received('nothing after the match is looked at', ['ABORT', 'NO', 'OK', 'B'], 'OKNO'),
  received('an abort left over is found by the next expect', ['ABORT', 'NO', 'OK', 'B', 'x', 'C'], 'OKNO'),
  received('an abort over the end of an expect is not found', ['ABORT', 'KNO', 'OK', 'B', 'x', 'C'], 'OKNOx'),
  received('an empty ABORT matches at the first byte', ['ABORT', '', 'OK', 'B'], 'xOK'),
  received('an empty ABORT, and the expect at the first byte', ['ABORT', '', 'O', 'B', 'K', 'C'], 'OK'),
  received('an empty ABORT behind another', ['ABORT', 'x', 'ABORT', '', 'OK', 'B'], 'xOK'),
  received('aborts are not looked for at an empty expect', ['ABORT', 'NO', '', 'B', 'OK', 'C'], 'NO', {
    modem: [hear('A'), say('NO'), hear('C\r')],
  }),
  received('control bytes match', ['\\001\\177', 'B'], 'x\x01\x7f'),
  received('a blank matches a blank only', ['A\\sB', 'B'], 'A\tB A\xa0B'),
  received('the window slides', ['tail', 'B'], `${'0123456789'.repeat(330)}tail and more`),
  received('the window slides past an abort', ['ABORT', 'zx9', 'tail', 'B'], `${'0123456789'.repeat(102)}012zx9tail`),
  received('a match across the window', ['9012', 'B'], `${'abcdefgh'.repeat(127)}abcdef9012x`),
  received('a long expect across the window', [`${'ab'.repeat(200)}ac`, 'B'], `${'ab'.repeat(900)}ac`),
  received('an expect of 1024 bytes across the window', [`${'ab'.repeat(511)}ac`, 'B'], `x${'ab'.repeat(800)}ac`),
  received(
    'an expect of 1000 bytes and aborts',
    ['ABORT', 'abad', `${'ab'.repeat(499)}ac`, 'B'],
    `${'ab'.repeat(700)}ad`,
  ),
  received('exactly 1024 bytes', ['K', 'B'], `${'x'.repeat(1023)}K`),
  received('exactly 1025 bytes', ['K', 'B'], `${'x'.repeat(1024)}K`),
  received('a periodic string', ['aabaaabaaac', 'B'], 'aabaaabaaabaaacx'),
  received('echo of what is sent', ['OK', 'ATZ', 'OK', ''], 'OK', {
    modem: talk('A\r', 'A\r\r\nOK\r\n', 'ATZ\r', 'ATZ\r\r\nOK\r\n'),
  }),
  received('byte by byte', ['OK', 'B'], '', {
    modem: [hear('A\r'), ...[...'\r\nOK'].flatMap((byte) => [pause(30), say(byte)])],
  }),
]

const reporting = (name: string, script: readonly string[], text: string, more: Partial<ChatCase> = {}): ChatCase => ({
  name,
  args: [...TOLD, '-t1', '-r', 'DIR/report', '', 'A', ...script],
  modem: talk('A\r', text),
  ...more,
})

/** A full disk under -r is left out: the original loses the report without a word, ours tells it on stderr. Shorter than the original's buffer of 256 bytes: longer reports are a listed difference (there it may crash). */
export const REPORTS: readonly ChatCase[] = [
  reporting('a connect', ['REPORT', 'CONNECT', 'CONNECT', ''], 'CONNECT 9600\r\n~rest'),
  reporting('to stderr', [], '', {
    args: [...TOLD, 'REPORT', 'CONNECT', '', 'A', 'CONNECT', '\\c'],
    modem: talk('A\r', 'CONNECT 9600\r\n~rest'),
  }),
  reporting('to stderr without -s', [], '', {
    args: ['REPORT', 'CON', '', 'A', 'NECT', '\\c'],
    modem: talk('A\r', 'CONNECT 9600\r\n'),
  }),
  reporting('to stderr with -S only', [], '', {
    args: ['-S', 'REPORT', 'CON', '', 'A', 'NECT', '\\c'],
    modem: talk('A\r', 'CONNECT\t9600\r\n'),
  }),
  reporting('in another time zone', ['REPORT', 'C', 'C', ''], 'CONNECT\r', { env: { TZ: 'Asia/Tokyo' } }),
  reporting('in a POSIX time zone', ['REPORT', 'C', 'C', ''], 'CONNECT\r', { env: { TZ: 'JST-9' } }),
  reporting('in a time zone with a half hour', ['REPORT', 'C', 'C', ''], 'CONNECT\r', { env: { TZ: '<+0530>-5:30' } }),
  reporting('in another locale', ['REPORT', 'C', 'C', ''], 'CONNECT\r', {
    env: { LC_ALL: 'de_DE.UTF-8', LANG: 'de_DE' },
  }),
  reporting('nothing is reported', ['REPORT', 'C', 'K', ''], 'OK'),
  reporting('the file is appended to', ['REPORT', 'C', 'K', ''], 'C1\rOK', { files: { report: 'earlier\nlast' } }),
  reporting('ends at a tab', ['REPORT', 'C', 'K', ''], 'C1\t2\rOK'),
  reporting('ends at a NUL', ['REPORT', 'C', 'K', ''], 'C1\x002\rOK'),
  reporting('ends at 127', ['REPORT', 'C', 'K', ''], 'C1\x7f2\rOK'),
  reporting('ends at an escape byte', ['REPORT', 'C', 'K', ''], 'C1\x1b[0mOK'),
  reporting('loses bit 7', ['REPORT', 'C', 'K', ''], '\xc31\xe9\xffOK'),
  reporting('bit 7 of a CR', ['REPORT', 'C', 'K', ''], 'C1\x8dOK'),
  reporting('fires once', ['REPORT', 'A', 'K', ''], 'A1\rA2\rOK'),
  reporting('given twice fires twice', ['REPORT', 'A', 'REPORT', 'A', 'K', ''], 'A1\rA2\rA3\rOK'),
  reporting('given again later fires again', ['REPORT', 'A', 'K', 'x', 'REPORT', 'A', 'K', ''], 'A1\rK', {
    modem: talk('A\r', 'A1\rK', 'x\r', 'A2\rK'),
  }),
  reporting('while one is gathered no other is', ['REPORT', 'A', 'REPORT', 'B', 'K', ''], 'A B\rB2\rOK'),
  reporting('two completed at once: the first', ['REPORT', 'AB', 'REPORT', 'B', 'K', ''], 'AB1\rB2\rAB3\rOK'),
  reporting('two completed at once, given the other way', ['REPORT', 'B', 'REPORT', 'AB', 'K', ''], 'AB1\rAB2\rOK'),
  reporting('an empty one swallows a byte', ['REPORT', '', 'K', ''], 'xyz\rOK'),
  reporting('an empty one, and a control byte', ['REPORT', '', 'K', ''], '\ryz\rOK'),
  reporting('a string with a control byte', ['REPORT', 'A\\rB', 'K', ''], 'A\rB1\rOK'),
  reporting('a string that ends in a control byte', ['REPORT', 'A\\r', 'K', ''], 'A\rB1\rOK'),
  reporting('a string with bit 7', ['REPORT', '\\301', 'K', ''], '\xc1A1\rOK'),
  reporting('the expect ends it: the rest is read', ['REPORT', 'C', 'NN', ''], 'CONNECT 1\r\n'),
  reporting('goes on over later expects', ['REPORT', 'CON', 'N', 'x', 'C', 'y', 'd', 'z'], 'CONNE', {
    modem: talk('A\r', 'CONNE', 'x\r', 'CT 4', 'y\r', '2 d\r\n'),
  }),
  reporting('over a timeout and a sub-send', ['REPORT', 'C', 'K-x-K', ''], 'C1', {
    modem: talk('A\r', 'C1', 'x\r', '2\rOK'),
  }),
  reporting('the end waits a second for each byte', ['REPORT', 'C', 'C', ''], 'C', {
    modem: [hear('A\r'), say('C'), pause(500), say('1'), pause(600), say('2'), pause(600), say('\r3')],
  }),
  reporting('the end waits a second and no longer', ['REPORT', 'C', 'C', ''], 'C12'),
  reporting(
    'at the end nothing is told or looked at',
    ['ABORT', 'NO', 'ECHO', 'ON', 'REPORT', 'C', 'C', ''],
    'CONNECT NO\nNO',
  ),
  reporting('ended by an abort', ['ABORT', 'NO', 'REPORT', 'REASON', 'K', ''], 'REASON: NO CARRIER\r\nx'),
  reporting('an abort in its last byte', ['ABORT', '\\r', 'REPORT', 'C', 'K', ''], 'C1\rxx'),
  reporting('the expect in its last byte', ['REPORT', 'C', '1\\r', ''], 'C1\rxx'),
  reporting('ended by a timeout', ['REPORT', 'C', 'K', ''], 'C12'),
  reporting('ended by a timeout with bytes after it', ['REPORT', 'C', 'K', ''], 'C12', {
    modem: [hear('A\r'), say('C1'), pause(1400), say('2\r3')],
  }),
  reporting('ended by a signal', ['TIMEOUT', '9', 'REPORT', 'C', 'K', ''], 'C12', {
    modem: [...talk('A\r', 'C12'), pause(200), signal('SIGINT')],
  }),
  reporting('ended by a signal, the rest comes', ['TIMEOUT', '9', 'REPORT', 'C', 'K', ''], 'C12', {
    modem: [...talk('A\r', 'C12'), pause(200), signal('SIGTERM'), pause(300), say('34\r5')],
  }),
  reporting('a signal while the end is gathered', ['REPORT', 'C', 'C', 'B'], 'C12', {
    modem: [...talk('A\r', 'C12', 'B\r', ''), pause(300), signal('SIGINT')],
  }),
  reporting('ended by a failing send', ['REPORT', 'C', '1', '@DIR/none'], 'C12\r'),
  reporting('a report of 230 bytes', ['REPORT', 'C', 'K', ''], `C${'0123456789'.repeat(22)}\rOK`),
  reporting('no file can be made', [], '', {
    args: [...TOLD, '-r', 'DIR/none/x', 'REPORT', 'C', '', 'A', 'K', ''],
    modem: talk('A\r', 'C1\rOK'),
  }),
  reporting('no file can be made, without -v', [], '', {
    args: ['-r', 'DIR/none/x', 'REPORT', 'C', '', 'A', 'K', ''],
    modem: talk('A\r', 'C1\rOK'),
  }),
  reporting('the file is a directory', [], '', {
    args: [...TOLD, '-r', 'DIR/', 'REPORT', 'C', '', 'A', 'K', ''],
    modem: talk('A\r', 'C1\rOK'),
  }),
  reporting('-v before -r', [], '', { args: ['-vsS', '-r', 'DIR/r', '', 'A'], modem: [] }),
  reporting('-v after -r', [], '', { args: ['-r', 'DIR/r', '-vsS', '', 'A'], modem: [] }),
  reporting('-r without -v', [], '', { args: ['-sS', '-r', 'DIR/r', '', 'A'], modem: [] }),
  reporting('-v -r, and -s after it', [], '', {
    args: ['-v', '-r', 'DIR/r', '-sS', 'REPORT', 'C', '', 'A', 'K', ''],
    modem: talk('A\r', 'C1\rK'),
  }),
  reporting('-r twice with -v', [], '', { args: ['-vsS', '-rDIR/a', '-rDIR/b', '', 'A'], modem: [] }),
  reporting(
    '50 reports',
    [...Array.from({ length: 50 }, (_, index) => ['REPORT', `<${index}>`]).flat(), 'K', ''],
    '<49>a\r<0>b\rOK',
  ),
]
