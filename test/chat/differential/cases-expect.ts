/** Sections 6 and 7: dashed expect words, limits, and sends. */

import { type ChatCase, hear, pause, say, signal, TOLD, talk, words } from './case.ts'

const silent = (name: string, word: string): ChatCase => words(name, [word, 'B'])

/** So that a limit is not over in the moment a delay ends: which then comes first is chance in the original. */
const SOME_PAUSE = '\\p'.repeat(20)

export const EXPECTS: readonly ChatCase[] = [
  silent('a: fails', 'a'),
  silent('a-b: success after the send', 'a-b'),
  silent('a-: fails', 'a-'),
  silent('a--: a CR and success', 'a--'),
  silent('a---: a CR, then at once', 'a---'),
  silent('a---b', 'a---b'),
  silent('a--b', 'a--b'),
  silent('a-b-', 'a-b-'),
  silent('a-b--', 'a-b--'),
  silent('a-b-c', 'a-b-c'),
  silent('a-b-c-d: two waits', 'a-b-c-d'),
  silent('-x never waits', '-x'),
  silent('-: at once', '-'),
  silent('--: at once', '--'),
  silent('-x-y-z', '-x-y-z'),
  silent('a-\\c: nothing sent', 'a-\\c'),
  silent('a-\\d-: a delayed CR', 'a-\\p-'),
  words('the second try answers', ['OK-AT-OK', 'B'], talk('AT\r', 'OK')),
  words('the first answers', ['OK-AT-OK', 'B'], talk('', 'OK')),
  words('the third answers', ['OK-A-OK-B-OK', 'C'], talk('B\r', 'OK')),
  words('an escaped dash does not part', ['a\\-b-x', 'B'], talk('', 'a-b')),
  words('a dash after two backslashes parts', ['a\\\\-b', 'B'], talk('b\r', '')),
  words('a caret does not protect a dash', ['^-b', 'B'], talk('b\r', '')),
  words('a dash written in octal', ['a\\055b-x', 'B'], talk('', 'a-b')),
  words('a sub-send with a backslash dash', ['a-b\\-c-d', 'B'], talk('b-c\r', 'd')),
  words('a sub-send from a file', ['a-@DIR/f-b', 'B'], talk('file\r', 'b'), { files: { f: 'file\n' } }),
  words('a sub-send from a file that is not there', ['a-@DIR/none-b', 'B']),
  words('no sub-sends after an abort', ['ABORT', 'NO', 'OK-AT-OK', 'B'], talk('', 'NO')),
  words('an abort in a sub-expect', ['ABORT', 'NO', 'OK-AT-OK', 'B'], talk('AT\r', 'NO')),
  words('an empty word is skipped', ['', 'A', '', '', '', 'B']),
  words('a bare CR as a send', ['', '', 'OK', ''], talk('\r', 'OK')),
  words('an expect of 1024 bytes', ['a'.repeat(1024), 'B'], talk('', 'a'.repeat(1024))),
  words('an expect of 1025 bytes', ['a'.repeat(1025), 'B']),
  words('an expect written longer than 1024', ['\\141'.repeat(300), 'B'], talk('', 'a'.repeat(300))),
  words('a sub-expect of 1025 bytes', [`a-b-${'c'.repeat(1025)}-d`, 'B']),
  words(
    'the limit is for the whole wait',
    ['TIMEOUT', '2', 'never', 'B'],
    [...[say('a'), pause(700), say('b'), pause(700), say('c'), pause(1000), say('never')]],
  ),
  words('each wait has the full limit', ['a-x-b', 'B'], [hear('x\r'), pause(600), say('b')]),
  words('an outside SIGALRM is a timeout', [], [pause(200), signal('SIGALRM')], { args: [...TOLD, '-t9', 'a', 'B'] }),
  words('an outside SIGALRM, then the sub-send', [], [pause(200), signal('SIGALRM'), hear('x\r'), say('b')], {
    args: [...TOLD, '-t9', 'a-x-b', 'B'],
  }),
  words('TIMEOUT changes the next limit', ['TIMEOUT', '2', '', 'A', 'TIMEOUT', '1', 'never', 'B'], talk('A\r', 'x')),
  words('TIMEOUT between expects', ['a-x', 'y', 'TIMEOUT', '3', 'b', 'z'], [hear('y\r'), pause(1300), say('b')]),
]

export const SENDS: readonly ChatCase[] = [
  words('@file', ['', '@DIR/a', '', '@ \tDIR/a'], [], { files: { a: 'AT\\sI\n' } }),
  words('@file loses one line feed', ['', '@DIR/a', '', '@DIR/b'], [], { files: { a: 'x\n\n', b: 'y\r\n' } }),
  words('@file up to a NUL', ['', '@DIR/a', '', '@DIR/b'], [], { files: { a: 'x\0y', b: '\0' } }),
  words('@file of nothing', ['', '@DIR/a', '', '@DIR/b'], [], { files: { a: '', b: '\n' } }),
  words('@file with \\c at its end', ['', '@DIR/a', '', '@DIR/b'], [], { files: { a: 'x\\c\n', b: 'x\\c\n\n' } }),
  words('@file with an @', ['', '@DIR/a'], [], { files: { a: '@DIR/a\n' } }),
  words('@file of many lines', ['', '@DIR/a'], [], { files: { a: 'one\ntwo\nthree\n' } }),
  words('@file of 1023 bytes and more', [], [], {
    args: [...TOLD, '', '@DIR/a', '', '@DIR/b'],
    files: { a: `${'\\q'.repeat(510)}abcdef`, b: `${'\\q'.repeat(511)}\nx` },
  }),
  words('@ alone is data', ['', '@', '', '@ ', '', '@\t ', '', 'x@y', '', ' @DIR/a']),
  words('@file with a blank in its name', ['', '@DIR/a b', '', '@DIR/a b '], [], {
    files: { 'a b': 'x', 'a b ': 'y' },
  }),
  words('@file with an escape in its name', ['', '@DIR/a\\sb'], [], { files: { 'a\\sb': 'x' } }),
  words('@file that is not there', ['', 'A', '', '@DIR/none', '', 'B']),
  words('@file that is not there, quietly', [], [], { args: ['', '@DIR/none'] }),
  words('@ a directory', ['', '@DIR/', '', 'B']),
  words('@file in an expect place is text', ['@DIR-x', 'B'], talk('', '@DIR')),
  words('@file with a password is hidden', ['', '@DIR/a'], [], { files: { a: 'sec\\qret\n' } }),
  words(
    '@ a FIFO waits for its writer',
    ['', '@DIR/p', 'OK', 'B'],
    [
      { do: 'write', file: 'p', bytes: 'AT' },
      pause(150),
      { do: 'write', file: 'p', bytes: 'Z\n' },
      pause(50),
      { do: 'close-files' },
      hear('ATZ\r'),
      say('OK'),
    ],
    { fifos: ['p'] },
  ),
  words('a delay over the limit: the next byte fails', ['', `${SOME_PAUSE}a\\d\\db`, '', 'c']),
  words('a delay over the limit, then nothing', ['', `${SOME_PAUSE}a\\d\\d\\c`, '', 'c']),
  words('a delay within the limit', ['TIMEOUT', '3', '', 'a\\db', '', 'c']),
  words('a break counts no byte', ['', '\\K\\c', '', 'a\\K\\Kb']),
  words(
    'nothing is read while sending',
    ['', 'abcdef\\p\\pghij', 'c', 'x', 'd', 'y'],
    [hear('b'), say('cd'), hear('x\r')],
  ),
  words(
    'what comes during a delay is kept',
    ['TIMEOUT', '3', '', 'a\\db', 'OK', 'c'],
    [hear('a'), pause(100), say('xOK')],
  ),
  words('a send of 80 bytes', [], talk('!', 'OK'), {
    args: [...TOLD, '-t5', '', `${'0123456789'.repeat(8)}!`, 'OK', ''],
  }),
]
