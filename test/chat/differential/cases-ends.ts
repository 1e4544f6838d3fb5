/** Sections 10, 11 and 12: messages, exit codes and signals, and where manual and program part. */

import { type ChatCase, hangUp, hear, pause, say, signal, TOLD, talk, words } from './case.ts'

const ABORTED = ['ABORT', 'BU\\tSY\\001', '', 'A', 'OK', '']
const told = (name: string, options: readonly string[], script: readonly string[], text: string): ChatCase => ({
  name,
  args: ['-t1', ...options, '--', ...script],
  modem: talk('A\r', text),
})
const TALK = ['SAY', 'hi\\n\\c', 'ABORT', 'NO', 'REPORT', 'CON', '', 'A\\sB', 'OK', 'C\\q', 'CONNECT', '\\d\\c']
const ANSWERS = talk('A B\r', '\r\nOK\r\n', 'C\r', 'C\r\r\nCONNECT 9600\r\n')

export const MESSAGES: readonly ChatCase[] = [
  ...['-s', '-S', '-v', '-sv', '-sS', '-vS', '-vsS', '-e', '-V', '-eV', '-esvS', '-VsvS', '-eVsvS'].map(
    (options): ChatCase => ({ name: `a dial with ${options}`, args: [options, ...TALK], modem: ANSWERS }),
  ),
  ...['-S', '-sS', '-vS', '-svS', '-sveS', '-svVS'].map((options) =>
    told(`an abort with ${options}`, [options], ABORTED, '..BU\tSY\x01z'),
  ),
  ...['-S', '-sS', '-vS', '-svS', '-sveS', '-svVS'].map((options) =>
    told(`a timeout with ${options}`, [options], ['', 'A', 'OK', ''], 'abc'),
  ),
  told('an abort with no waiting text', TOLD, ['ABORT', '\\n', '', 'A', 'OK', ''], 'x\ny'),
  told('lines', TOLD, ['', 'A', 'end', ''], '\n\n\r\none\ntwo\r\n\rthree\r\r\nend'),
  told('a line of exactly 80', TOLD, ['', 'A', 'end', ''], `${'x'.repeat(80)}\nend`),
  told('a line of 79 and 81', TOLD, ['', 'A', 'end', ''], `${'x'.repeat(79)}\n${'y'.repeat(81)}\nend`),
  told('a line of 80 with its CR', TOLD, ['', 'A', 'end', ''], `${'x'.repeat(79)}\r\nend`),
  told('a match after 80', TOLD, ['', 'A', 'end', ''], `${'x'.repeat(77)}end`),
  told('a match at the LF', TOLD, ['', 'A', 'end\\n', ''], 'the end\nmore'),
  told('an abort at the LF', TOLD, ['ABORT', 'end\\n', '', 'A', 'K', ''], 'the end\nmore'),
  told(
    'every control byte',
    TOLD,
    ['', 'A', 'end', ''],
    `${Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('')}end`,
  ),
  told(
    'bytes above 127',
    TOLD,
    ['', 'A', 'end', ''],
    `${Array.from({ length: 128 }, (_, code) => String.fromCharCode(code + 128)).join('')}end`,
  ),
  told(
    'echo of every byte',
    ['-e', '-S'],
    ['', 'A', 'end', ''],
    `${Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')}end`,
  ),
  told(
    '-V of every byte',
    ['-V', '-S'],
    ['', 'A', 'end', ''],
    `${Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')}end`,
  ),
  told('the window with short lines', TOLD, ['', 'A', 'end', ''], `${'some text\r\n'.repeat(120)}end`),
  told(
    'the window with a long expect',
    TOLD,
    ['', 'A', 'end'.repeat(40), ''],
    `${'0123456'.repeat(300)}${'end'.repeat(40)}`,
  ),
  told(
    'the window with a long expect and lines',
    TOLD,
    ['', 'A', `${'e'.repeat(900)}`, ''],
    `${`${'0123456'.repeat(7)}\n`.repeat(40)}${'e'.repeat(900)}`,
  ),
  told(
    'the window fills with 60 waiting',
    TOLD,
    ['', 'A', 'end', ''],
    `${`${'x'.repeat(80)}`.repeat(12)}${'y'.repeat(63)}z end`,
  ),
  told(
    'the window fills with 49 waiting',
    TOLD,
    ['', 'A', 'end', ''],
    `${`${'x'.repeat(74)}\n`.repeat(13)}${'y'.repeat(49)}z end`,
  ),
  told(
    'the window fills with 50 waiting',
    TOLD,
    ['', 'A', 'end', ''],
    `${`${'x'.repeat(74)}\n`.repeat(12)}${'y'.repeat(73)}\n${'z'.repeat(50)}z end`,
  ),
  words('quoted control and high bytes in messages', [
    'ABORT',
    'a\x01\x7f\t\xe9\x85',
    'x\x02\xff-y\x03',
    '',
    '',
    '\x04\x7f\xe9\t',
  ]),
  words('ARG as written', ['ABORT', '\\101\\s^M', 'CLR_ABORT', 'A\\040\\r', 'REPORT', '\\q\\102', 'CLR_REPORT', 'B']),
  words('messages of sends', [
    '',
    'a\\d\\p\\K\\\\\\x\\T\\c',
    '',
    '\\134\\0b',
    '',
    'a\\Nb',
    '',
    'secret\\q',
    '',
    '\\351\\t^A',
  ]),
  words('a message is cut at 1023 bytes', [`-${'\\q'.repeat(600)}x`, '\\c', '', `${'\\1'.repeat(600)}`.slice(0, 80)]),
  words('a long expect in a message', ['\x01'.repeat(700), 'B'], talk('', '\x01'.repeat(700))),
  words('a long illegal string in a message', ['ABORT', '\x02'.repeat(600), '', 'A']),
  words('an expect too long, in a message', [`${'\x01'.repeat(1100)}`, 'A']),
  words('an empty part', ['x--', 'A', '-y', 'B', '', 'C']),
  words('SAY between messages', ['SAY', 'a\\n\\c', '', 'A', 'OK', '\\c', 'SAY', 'b\\c'], talk('A\r', 'OK')),
  words('echo ends with a LF', [], talk('A\r', 'xOK'), { args: [...TOLD, '-e', '', 'A', 'OK', ''] }),
  words('echo that ended with a LF', [], talk('A\r', 'xOK\r\n'), { args: [...TOLD, '-e', '', 'A', 'OK\\r\\n', ''] }),
  words('echo with a last CR', [], talk('A\r', 'x\nOK\r'), { args: [...TOLD, '-e', '', 'A', 'OK\\r', ''] }),
  words('echo at an abort', [], talk('A\r', 'xNO'), { args: [...TOLD, '-e', 'ABORT', 'NO', '', 'A', 'OK', ''] }),
  words('echo at a timeout', [], talk('A\r', 'xy'), { args: [...TOLD, '-t1', '-e', '', 'A', 'OK', ''] }),
  words('echo off before the end', ['ECHO', 'ON', '', 'A', 'OK', '', 'ECHO', 'OFF'], talk('A\r', 'xOK')),
  words(
    'echo off, then more is received',
    ['ECHO', 'ON', '', 'A', 'OK', 'B', 'ECHO', 'OFF', 'x\\n', ''],
    talk('A\r', 'aOK', 'B\r', 'x\n'),
  ),
  words('echo and -V together', [], talk('A\r', 'a\r\n\tbOK'), { args: [...TOLD, '-e', '-V', '', 'A', 'OK', ''] }),
  words('echo with a report', [], talk('A\r', 'a\r\nCON 1\r\nOK'), {
    args: ['-e', '-V', '-v', '-s', '-S', 'REPORT', 'CON', '', 'A', 'OK', ''],
  }),
  words('echo, and a signal', [], [...talk('A\r', 'abc'), pause(200), signal('SIGINT')], {
    args: [...TOLD, '-t9', '-e', '', 'A', 'OK', ''],
  }),
]

const signalled = (
  name: string,
  which: NodeJS.Signals,
  script: readonly string[],
  more: Partial<ChatCase> = {},
): ChatCase => ({
  name,
  args: [...TOLD, '-t9', ...script],
  modem: [hear('A'), pause(200), signal(which)],
  ...more,
})

export const ENDS: readonly ChatCase[] = [
  words('0 at the end', ['', 'A', 'OK', ''], talk('A\r', 'OK')),
  words('0 with an odd script', ['', 'A', 'OK'], talk('A\r', 'OK')),
  words('3 without an answer', ['', 'A', 'OK', '']),
  ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).flatMap((which) => [
    signalled(`${which} in an expect`, which, ['', 'A', 'OK-x-OK', 'B']),
    signalled(`${which} in a delay`, which, ['', 'A\\d\\dB\\c', 'OK', 'C'], { settings: { input: 0o400 } }),
    signalled(`${which} without -s`, which, [], { args: ['-t9', '', 'A', 'OK', 'B'] }),
  ]),
  ...(['SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGPIPE', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGXCPU'] as const).map((which) =>
    signalled(`${which}: its default`, which, ['', 'A', 'OK', 'B'], { shell: 'ulimit -c 0; exec "$@"' }),
  ),
  ...(['SIGCHLD', 'SIGURG', 'SIGWINCH', 'SIGCONT'] as const).map((which) =>
    signalled(`${which}: nothing`, which, ['', 'A', 'OK', 'B'], {
      modem: [hear('A\r'), pause(100), signal(which), pause(100), say('OK')],
    }),
  ),
  signalled('SIGALRM in a delay', 'SIGALRM', ['', 'A\\dB', 'OK', 'C']),
  signalled('SIGHUP is ignored after HANGUP OFF', 'SIGHUP', ['HANGUP', 'OFF', '', 'A', 'OK', 'B'], {
    modem: [hear('A\r'), pause(200), signal('SIGHUP'), pause(100), say('OK')],
  }),
  signalled('SIGHUP is caught again after HANGUP ON', 'SIGHUP', ['HANGUP', 'OFF', 'HANGUP', 'ON', '', 'A', 'OK', 'B']),
  signalled('SIGHUP that was ignored before the start', 'SIGHUP', ['', 'A', 'OK', 'B'], {
    shell: `trap '' HUP; exec "$@"`,
  }),
  signalled('SIGINT that was ignored before the start', 'SIGINT', ['', 'A', 'OK', 'B'], {
    shell: `trap '' INT; exec "$@"`,
  }),
  words('a hang-up on a controlling terminal', [], [hear('A\r'), pause(100), hangUp], {
    args: [...TOLD, '-t9', '', 'A', 'OK-x-OK', 'B'],
    isControlling: true,
  }),
  words('a hang-up on a controlling terminal with HANGUP OFF', [], [hear('A\r'), pause(100), hangUp], {
    args: [...TOLD, '-t9', 'HANGUP', 'OFF', '', 'A', 'OK', 'B'],
    isControlling: true,
  }),
  words('a hang-up on another terminal', [], [hear('A\r'), pause(100), hangUp], {
    args: [...TOLD, '-t9', '', 'A', 'OK', 'B'],
  }),
  words('a hang-up, then the sub-send fails', [], [hear('A\r'), pause(100), hangUp], {
    args: [...TOLD, '-t9', '', 'A', 'OK-x-OK', 'B'],
  }),
  words('a hang-up, then a sub-send of nothing', [], [hear('A\r'), pause(100), hangUp], {
    args: [...TOLD, '-t9', '', 'A', 'OK-\\c-OK', 'B'],
  }),
  words('a hang-up in a delay', [], [hear('A'), pause(200), hangUp], {
    args: [...TOLD, '-t9', '', 'A\\dB', 'OK', 'B'],
  }),
  words('a hang-up in a delay, HANGUP OFF', [], [hear('A'), pause(200), hangUp], {
    args: [...TOLD, '-t9', 'HANGUP', 'OFF', '', 'A\\dB', 'OK', 'B'],
    isControlling: true,
  }),
  words('a hang-up while a report is gathered', [], [...talk('A\r', 'CON 1'), pause(200), hangUp], {
    args: [...TOLD, '-t9', '-r', 'DIR/r', 'REPORT', 'CON', '', 'A', 'OK', 'B'],
  }),
  words('a hang-up without -s', [], [hear('A\r'), pause(100), hangUp], { args: ['-t9', '', 'A', 'OK', 'B'] }),
  words('a hang-up with echo', [], [...talk('A\r', 'abc'), pause(100), hangUp], {
    args: [...TOLD, '-e', '-t9', '', 'A', 'OK', 'B'],
  }),
  words('an abort wins over what follows', ['ABORT', 'BUSY', '', 'A', 'OK-x-OK', 'B'], talk('A\r', 'BUSY\r\nOK')),
  words(
    'abort codes by their order',
    ['ABORT', 'BUSY', 'ABORT', 'NO CARRIER', 'ABORT', 'ERROR', '', 'A', 'OK', ''],
    talk('A\r', 'ERROR'),
  ),
  words('a failing sub-send', ['never-@DIR/none', 'B']),
  words('@file after an abort string', ['ABORT', 'x', '', '@DIR/none', 'x', '']),
]

/** So that a limit is not over in the moment a delay ends: which then comes first is chance in the original. */
const SOME_PAUSE = '\\p'.repeat(20)

const MANUAL_DIAL = [
  ...[
    'ABORT',
    'BUSY',
    'ABORT',
    'NO CARRIER',
    '',
    'ATDT5551212',
    'CONNECT',
    '',
    'ogin:',
    '^Uppp',
    'word:',
    '\\qhello2u2',
  ],
]

export const MANUAL: readonly ChatCase[] = [
  words('the manual’s login', MANUAL_DIAL, talk('1212\r', 'CONNECT\r', '\r', '\r\nlogin: ', 'ppp\r', 'Password: ')),
  words(
    'the manual’s ogin:--ogin:',
    ['ogin:--ogin:', 'ppp', 'ssword:', '\\qpass'],
    talk('\r', 'login: ', 'ppp\r', 'Password:'),
  ),
  words(
    'the manual’s SAY and ECHO',
    [
      ...[
        'ECHO',
        'OFF',
        'SAY',
        'Starting\\n',
        '',
        'ATZ',
        'OK',
        'ATDT',
        'SAY',
        'Waiting up to 2 seconds\\n',
        'CONNECT',
        '\\c',
      ],
      ...['SAY', 'Connected, now logging in\\n', 'ECHO', 'ON', 'ogin:', 'acct', 'ssword:', '\\qpw', '$ ', '\\c'],
    ],
    talk('Z\r', 'OK', 'DT\r', 'CONNECT login:', 'acct\r', 'Password:', 'pw\r', 'bash$ '),
  ),
  words('TIMEOUT limits sends', ['TIMEOUT', '1', '', `${SOME_PAUSE}\\d\\dx`, '', 'y']),
  words('\\p is no tenth of a second', ['', `A${'\\p'.repeat(9)}`, 'OK', ''], talk('A', 'OK')),
  words(
    'a GSM dial',
    [
      ...[
        'ABORT',
        'BUSY',
        'ABORT',
        'NO CARRIER',
        'ABORT',
        'ERROR',
        'REPORT',
        'CONNECT',
        'TIMEOUT',
        '3',
        '',
        'ATZ',
        'OK',
      ],
      ...['AT+CGDCONT=1,"IP","internet"', 'OK-AT-OK', 'ATD*99#', 'CONNECT', '\\c'],
    ],
    talk('ATZ\r', 'ATZ\r\r\nOK\r\n', '"internet"\r', '\r\nOK\r\n', '#\r', '\r\nCONNECT 150000000\r\n~\x7f}#!rest'),
  ),
]
