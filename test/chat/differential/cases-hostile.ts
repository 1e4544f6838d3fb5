/**
 * Bad and odd input: what no section speaks of by itself. Left out: what a report file holds before the end of the program (the
 * original writes it at its end, ours at once).
 */

import { type ChatCase, closeFiles, hangUp, hear, pause, say, signal, TOLD, talk, words, write } from './case.ts'

const plain = (name: string, args: readonly string[], more: Partial<ChatCase> = {}): ChatCase => ({
  name,
  args,
  modem: talk('A\r', 'OK\r\n'),
  ...more,
})

/** So that a limit is not over in the moment a delay ends: which then comes first is chance in the original. */
const SOME_PAUSE = '\\p'.repeat(20)

/** Without a limit that a slow machine could meet. */
const patient = (name: string, script: readonly string[], modem: ChatCase['modem']) =>
  words(name, [], modem, { args: [...TOLD, ...script] })

const IXON = 0o2000

const IN_FOLDER = { shell: 'cd "$D" && exec "$@"', env: { D: 'DIR/' } }
const WITHOUT_BLOCKING = `exec perl -e 'use Fcntl; fcntl(STDIN, F_SETFL, O_NONBLOCK | O_RDWR) or die; exec @ARGV' "$@"`

export const HOSTILE: readonly ChatCase[] = [
  plain('-r whose value looks like an option', ['-sSv', '-r', '-v', '', 'A', 'OK', 'B'], IN_FOLDER),
  plain('files by relative names', ['-sSv', '-r', 'rep', '', '@f', 'OK', 'B'], { ...IN_FOLDER, files: { f: 'A\n' } }),
  plain('-f -', ['-sSv', '-f', '-'], { ...IN_FOLDER, files: { '-': "'' A OK B" } }),
  plain('-f with an empty name', ['-sSv', '-f', '']),
  plain('-r with an empty name', ['-sSv', '-r', '', 'REPORT', 'O', '', 'A', 'OK\\r', 'B']),
  plain('-t with an empty value', ['-sSv', '-t', '', '', 'A', 'OK', 'B']),
  plain('-t beyond 32 bits', ['-sSv', '-t', '4294967297', 'never']),
  plain('-t beyond 64 bits', ['-sSv', '-t', '99999999999999999999999', '', 'A', 'OK', 'B']),
  plain('-T and -f attached in a cluster', ['-sSvT5', '-fDIR/x'], { files: { x: `'' A\\T` } }),
  plain('an empty option word', ['-sSv', '', 'A', '', '']),
  plain('a name with bytes above 127 that is not there', ['-sSv', '-f', 'DIR/caf\xe9']),
  plain('a name of UTF-8', ['-sSv', '-r', 'DIR/r\xc3\xa9p', 'REPORT', 'O', '', '@DIR/caf', 'OK\\r', 'B'], {
    files: { caf: 'A\n' },
  }),
  plain('a name that is too long', ['-sSv', '-f', `DIR/${'x'.repeat(300)}`]),
  plain('a script that is a device', ['-sSv', '-f', '/dev/null']),
  plain('a name with control bytes', ['-sSv', '', '@DIR/a\tb\x01c\ndef']),
  words('100 sends', Array.from({ length: 100 }, () => ['', 'x\\c']).flat()),
  words('1000 expects', Array.from({ length: 1000 }, () => ['x', '\\c']).flat(), talk('', 'x'.repeat(1000))),
  patient('100 KB without a line end', ['', 'A', 'end', 'B'], talk('A\r', `${'0123456789abcdef'.repeat(6_250)}end`)),
  patient('100 KB of line ends', ['', 'A', 'end', 'B'], talk('A\r', `${'\r\n'.repeat(50_000)}end`)),
  patient('50 KB of NULs', ['', 'A', 'end', 'B'], talk('A\r', `${'\0'.repeat(50_000)}end`)),
  patient(
    'all that a modem can say',
    ['', 'A', 'end', 'B'],
    talk(
      'A\r',
      `${Array.from({ length: 4096 }, (_, at) => String.fromCharCode((at * 167 + (at >> 8)) & 0xff)).join('')}end`,
    ),
  ),
  plain('a script of 200 KB on one line', [...TOLD], { script: `'' A OK B${' '.repeat(200_000)}'' C` }),
  plain('a script with a word over several pieces', [...TOLD], {
    script: `'' A\nOK ${'\\q'.repeat(2500)}\nz ${'\\c'}`,
    modem: [],
    args: [...TOLD, '-t1'],
  }),
  plain('a script of random bytes', [...TOLD, '-t1'], {
    script: Array.from({ length: 400 }, (_, at) => String.fromCharCode((at * 73 + (at >> 3) * 31 + 5) & 0xff)).join(''),
  }),
  plain('a script of quotes', [...TOLD, '-t1'], { script: `"''" '""' "" '' """" ''''\n"\\""` }),
  plain('a script of backslashes', [...TOLD, '-t1'], { script: `'' \\\\\\\\ '' "\\\\" '' '\\\\\\'x' '' \\` }),
  plain('stdin was made non-blocking', [...TOLD, '-t1', '', 'A', 'OK', 'B'], {
    modem: [hear('A\r'), pause(100), say('OK')],
    shell: WITHOUT_BLOCKING,
  }),
  plain('stdin was made non-blocking, with a sub-send', [...TOLD, '-t1', '', 'A', 'OK-x-OK', 'B'], {
    modem: [hear('A\r'), pause(100), say('OK')],
    shell: WITHOUT_BLOCKING,
  }),
  words('a hang-up before anything is said', [], [pause(200), hangUp], { args: [...TOLD, '-t9', 'OK', 'B'] }),
  words('a hang-up with text before it', [], [...talk('A\r', 'abc\r\nOK'), pause(100), hangUp], {
    args: [...TOLD, '-t9', '', 'A', 'OK\\r', 'B'],
  }),
  words('a hang-up, then a delayed sub-send', [], [hear('A\r'), pause(100), hangUp], {
    args: [...TOLD, '-t9', '', 'A', 'OK-\\d-OK', 'B'],
  }),
  words('a hang-up on a controlling terminal without -s', [], [hear('A\r'), pause(100), hangUp], {
    args: ['-t9', '', 'A', 'OK', 'B'],
    isControlling: true,
  }),
  words(
    'a hang-up on a controlling terminal while a report is gathered',
    [],
    [...talk('A\r', 'CON 1'), pause(200), hangUp],
    {
      args: [...TOLD, '-t9', '-r', 'DIR/r', 'REPORT', 'CON', '', 'A', 'OK', 'B'],
      isControlling: true,
    },
  ),
  words('a hang-up on a controlling terminal in a delay', [], [hear('A'), pause(200), hangUp], {
    args: [...TOLD, '-t9', '', 'A\\dB', 'OK', 'B'],
    isControlling: true,
  }),
  words('two signals', [], [hear('A\r'), pause(200), signal('SIGTERM'), pause(50), signal('SIGINT')], {
    args: [...TOLD, '-t9', '', 'A', 'OK', 'B'],
  }),
  words(
    'SIGHUP between HANGUP OFF and ON',
    [],
    [hear('A\r'), pause(200), signal('SIGHUP'), pause(50), say('OK'), hear('B\r'), pause(200), signal('SIGHUP')],
    {
      args: [...TOLD, '-t9', 'HANGUP', 'OFF', '', 'A', 'OK', 'B', 'HANGUP', 'ON', 'x', 'C'],
    },
  ),
  words('a signal while a script FIFO is awaited', [], [pause(200), signal('SIGINT')], {
    args: [...TOLD, '-f', 'DIR/p'],
    fifos: ['p'],
  }),
  words(
    'a signal while a script FIFO is read',
    [],
    [write('p', "'' A\n"), hear('A\r'), pause(200), signal('SIGTERM')],
    {
      args: [...TOLD, '-f', 'DIR/p'],
      fifos: ['p'],
    },
  ),
  words('a signal while an @ FIFO is awaited', [], [pause(200), signal('SIGHUP')], {
    args: [...TOLD, '', '@DIR/p'],
    fifos: ['p'],
  }),
  words(
    'an @ FIFO that comes after the limit',
    [],
    [pause(1400), write('p', 'A\n'), pause(50), closeFiles, hear('A\r'), say('OK')],
    {
      args: [...TOLD, '-t1', '', '@DIR/p', 'OK', 'B'],
      fifos: ['p'],
    },
  ),
  words(
    'a script FIFO that comes after the limit',
    [],
    [pause(1400), write('p', "'' A OK B\n"), pause(50), closeFiles, hear('A\r'), say('OK')],
    {
      args: [...TOLD, '-t1', '-f', 'DIR/p'],
      fifos: ['p'],
    },
  ),
  words(
    'a script FIFO in small portions',
    [],
    [
      write('p', "'"),
      pause(50),
      write('p', "' A"),
      pause(50),
      write('p', 'B\nOK C'),
      hear('AB\r'),
      say('OK'),
      pause(50),
      closeFiles,
    ],
    {
      args: [...TOLD, '-t3', '-f', 'DIR/p'],
      fifos: ['p'],
    },
  ),
  words(
    'a script FIFO whose word waits for its line',
    [],
    [write('p', "'' A OK B "), pause(100), write('p', 'x y\n'), hear('A\r'), say('OKx'), pause(50), closeFiles],
    {
      args: [...TOLD, '-t3', '-f', 'DIR/p'],
      fifos: ['p'],
    },
  ),

  words('a SAY of 1500 bytes', ['SAY', `${'0123456789'.repeat(150)}\\c`, 'SAY', `${'\x01'.repeat(1500)}\\n\\c`]),
  words('a value of 2000 bytes', [], [], {
    args: [...TOLD, '-T', '0123456789'.repeat(200), 'SAY', '\\T\\c', '', '\\q\\c'],
  }),
  words('a send of 1100 bytes', [], [], { args: [...TOLD, '-t60', '', `${'0123456789'.repeat(110)}`, '', 'x'] }),
  words('an expect that a variable makes too long', [], [], {
    args: [...TOLD, '-E', '$X', 'B'],
    env: { X: '0123456789'.repeat(300) },
  }),
  words('an expect of 1024 bytes from a variable', [], talk('', '0123'.repeat(256)), {
    args: [...TOLD, '-t9', '-E', '$X', 'B'],
    env: { X: '0123'.repeat(256) },
  }),
  words('an ABORT that a variable makes too long', [], [], {
    args: [...TOLD, '-E', 'ABORT', '$X', 'B'],
    env: { X: 'x'.repeat(2000) },
  }),
  words('a file name of 1500 bytes', ['', `@${'DIR/../tmp/'.repeat(140)}x`]),

  words('a delay over the limit, then an expect of nothing', [
    `-${SOME_PAUSE}\\d\\d\\c`,
    `${SOME_PAUSE}\\d\\d\\c`,
    'OK',
    'B',
  ]),
  words(
    'a delay over the limit, then an expect that is there',
    ['', `${SOME_PAUSE}\\d\\d\\c`, 'OK', 'B'],
    [say('xOK')],
  ),
  words(
    'a delay over the limit, then one that is partly there',
    ['', `${SOME_PAUSE}\\d\\d\\c`, 'OK-x-K', 'B'],
    [say('O'), hear('x\r'), say('K')],
  ),
  words('a delay over the limit twice', ['', `${SOME_PAUSE}\\d\\d\\d\\d\\c`, '', 'x\\c', 'OK-y-OK', 'B'], [say('x')]),
  words(
    'a delay over the limit, then two expects',
    ['', `${SOME_PAUSE}\\d\\d\\c`, 'O', 'x\\c', 'K-y', 'B'],
    [say('O')],
  ),
  words('a delay over the limit in a sub-send', [`no-${SOME_PAUSE}\\d\\d\\c-OK-x-OK`, 'B'], talk('x\r', 'OK')),
  words('a delay over the limit, then keywords', [
    '',
    `${SOME_PAUSE}\\d\\d\\c`,
    'TIMEOUT',
    '2',
    'SAY',
    'x\\n\\c',
    'no-y-no',
    'B',
  ]),
  words(
    'a delay over the limit, then the end of a report',
    ['REPORT', 'C', 'C', `${SOME_PAUSE}\\d\\d\\c`],
    [say('C1')],
  ),

  words(
    'an outside SIGALRM while the end is gathered',
    ['REPORT', 'C', 'C', '\\c'],
    [say('C1'), pause(400), signal('SIGALRM'), pause(50), say('2\r')],
  ),
  words(
    'an outside SIGALRM while an @ FIFO is awaited',
    [],
    [
      ...[
        pause(200),
        signal('SIGALRM'),
        pause(200),
        write('p', 'A\n'),
        pause(50),
        closeFiles,
        hear('A\r'),
        pause(100),
        say('OK'),
      ],
    ],
    { args: [...TOLD, '-t9', '', '@DIR/p', 'OK', 'B'], fifos: ['p'] },
  ),
  words('an abort with echo and a report', [], talk('A\r', 'CON NO'), {
    args: [...TOLD, '-t1', '-e', 'ABORT', 'NO', 'REPORT', 'CON', '', 'A', 'OK', ''],
  }),
  words('HANGUP OFF leaves the other signals', [], [hear('A\r'), pause(200), signal('SIGTERM')], {
    args: [...TOLD, '-t9', 'HANGUP', 'OFF', '', 'A', 'OK', 'B'],
  }),

  plain('stdin can only be written', [...TOLD, '-t9', '', 'A', 'OK-x-OK', 'B'], { shell: 'exec "$@" 0>"$(tty)"' }),
  plain('stdin can only be read', [...TOLD, '-t9', '', 'A', 'OK', 'B'], { shell: 'exec "$@" 0<"$(tty)"' }),
  plain('stdout can only be read', [...TOLD, '-t9', '', 'A', 'OK', 'B'], { shell: 'exec "$@" 1<"$(tty)"' }),
  plain('stdout is a full pipe', [...TOLD, '-t1', '', 'A', 'OK', 'B'], {
    shell: 'exec 3> >(exec sleep 3); head -c 65536 /dev/zero >&3; exec "$@" >&3',
    modem: [],
  }),
  plain('stdout is a full pipe, and a signal comes', [...TOLD, '-t9', '', 'A', 'OK', 'B'], {
    shell: 'exec 3> >(exec sleep 3); head -c 65536 /dev/zero >&3; exec "$@" >&3',
    modem: [pause(300), signal('SIGTERM')],
  }),
  plain('stderr is a pipe that nobody reads', ['-sSv', '', 'A', 'OK', 'B'], {
    shell: 'exec 2> >(exit 0); wait $!; exec "$@"',
  }),
  plain('stderr is the line itself', ['-sSe', 'SAY', 'x\\c', '', 'A', 'OK', 'B'], { shell: 'exec "$@" 2>&0' }),
  plain('text before the start on a cooked terminal', [...TOLD, '-t1', 'OK', 'B'], {
    before: 'abcOK',
    modem: [],
    settings: { input: 0o400, local: 0o2 | 0o1 | 0o100000 },
  }),
  plain('lines before the start on an echoing terminal', [...TOLD, '-t1', 'OK', 'B'], {
    before: 'abc\rOK\rx',
    modem: [],
    settings: { input: 0o400, local: 0o2 | 0o10 },
  }),
  plain('what a terminal that parted lines keeps', [...TOLD, '-t1', 'OK', 'B'], {
    before: 'abc\rOK\rx\ry',
    modem: [],
    settings: { input: 0o400, local: 0o2 },
  }),

  ...[400, 1500, 2500].map((ms) =>
    plain(`stopped by XOFF for ${ms} ms`, [...TOLD, '-t1', '', 'A', 'OK', 'BCD', 'OK', 'E'], {
      settings: { input: IXON },
      modem: [hear('A\r'), say('\x13OK'), pause(ms), say('\x11'), hear('D\r'), say('OK')],
    }),
  ),
  plain('stopped by XOFF for ever', [...TOLD, '-t1', '', 'A', 'OK', 'BCD', 'OK', 'E'], {
    settings: { input: IXON },
    modem: [hear('A\r'), say('\x13OK'), pause(2500), signal('SIGTERM')],
  }),
  plain('stopped by XOFF in the last byte', [...TOLD, '-t1', '', 'A', 'OK', 'B\\c', 'OK', 'E'], {
    settings: { input: IXON },
    modem: [hear('A\r'), say('\x13OK'), pause(1500), say('\x11'), hear('B'), say('OK')],
  }),

  // Without -v: the original then tells whatever error it met last.
  plain('stopped by XOFF, and output is another opening of the line', ['-sS', '-t1', '', 'A', 'OK', 'BCD', 'OK', 'E'], {
    shell: 'exec "$@" >"$(tty)"',
    settings: { input: IXON },
    modem: [hear('A\r'), say('\x13OK'), pause(2500), say('\x11'), hear('B'), pause(100), say('OK')],
  }),
]
