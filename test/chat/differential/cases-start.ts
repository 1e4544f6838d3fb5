/**
 * Sections 1 and 2 of what chat(8) does: command line and terminal. Closed descriptors (`<&-`, `>&-`) are left out: Node opens
 * /dev/null in their place before any program of ours runs.
 */

import { type ChatCase, closeFiles, hangUp, hear, pause, say, TOLD, talk, words, write } from './case.ts'

const [BRKINT, IGNPAR, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON, IXOFF] = [
  ...[0o2, 0o4, 0o10, 0o40, 0o100, 0o200, 0o400, 0o2000, 0o10000],
] as const
const [OPOST, ONLCR] = [0o1, 0o4] as const
const [ISIG, ICANON, ECHO] = [0o1, 0o2, 0o10] as const
const COOKED = { input: ICRNL | IXON | BRKINT, output: OPOST, local: ISIG | ICANON | ECHO | 0o20 | 0o40 | 0o100000 }

const started = (name: string, args: readonly string[], more: Partial<ChatCase> = {}): ChatCase => ({
  name,
  args,
  modem: talk('A\r', 'OK\r\n'),
  ...more,
})

export const COMMAND_LINE: readonly ChatCase[] = [
  started('no arguments', []),
  started('options only', ['-v', '-s', '-S', '-e', '-V', '-E']),
  started('a cluster with an attached value', ['-svSt1', '', 'A', 'OK', 'B', 'never']),
  started('a value as the next argument', ['-sSvt', '1', 'never']),
  started('a value that looks like an option', ['-sS', '-T', '-v', '', 'A\\T']),
  started('a cluster whose value is the next argument', ['-sST', '5', '-U', '6', '', 'A\\T\\U']),
  started('an empty value', ['-sSv', '-T', '', '', 'A\\T']),
  started('a lone dash is the first word', ['-sSv', '-', 'x', '', 'A']),
  started('two dashes are dropped', ['-sSv', '--', '', 'A', '-x-y', 'B']),
  started('two dashes, then what looks like an option', ['-sSvt1', '--', '-V', 'x', '-e', 'y']),
  started('later options are words', ['-sSv', '', 'A', '-v', 'x', '-t', '1']),
  started('unknown option', ['-x']),
  started('unknown option in a cluster', ['-svqS', '', 'A']),
  started('unknown option with -s', ['-s', '-S', '-z', '', 'A']),
  started('-h', ['-h']),
  started('an option with two dashes', ['--verbose', '', 'A']),
  started('-t without a value', ['-t']),
  started('-T without a value', ['-s', '-T']),
  started('-U without a value', ['-U']),
  started('-f without a value', ['-f']),
  started('-r without a value', ['-sSv', '-r']),
  started('-f with words', ['-sSv', '-f', 'DIR/script2', '', 'A'], { files: { script2: "'' A\n" } }),
  started('-f with a lone dash', ['-sSv', '-f', 'DIR/script2', '-'], { files: { script2: "'' A\n" } }),
  started('-f with two dashes and no words', ['-sSv', '-f', 'DIR/script2', '--'], { files: { script2: "'' A\n" } }),
  started('-f twice: the last', ['-sSv', '-fDIR/none', '-f', 'DIR/b'], { files: { b: "'' B" } }),
  started('-t twice: the last', ['-sSvt5', '-t', '1', 'never']),
  started('-T twice: the last', ['-sSvT1', '-T2', '', 'A\\T']),
  started('-r twice: both are made, the last is written', [
    ...TOLD,
    '-rDIR/a',
    '-rDIR/b',
    'REPORT',
    'O',
    '',
    'A',
    'OK\\r',
    '',
  ]),
  started('-t with text behind the number', ['-sSv', '-t', '1x', 'never']),
  started('-t with a blank and a sign', ['-sSv', '-t', ' +1', 'never']),
  started('-t 0: no limit', ['-sSv', '-t0', '', 'A', 'OK', 'B'], { modem: [hear('A\r'), pause(1300), say('OK')] }),
  started('-t of text: no limit', ['-sSv', '-tx', '', 'A', 'OK', 'B'], {
    modem: [hear('A\r'), pause(1300), say('OK')],
  }),
  started('-t negative: no limit', ['-sSv', '-t-3', '', 'A', 'OK', 'B'], {
    modem: [hear('A\r'), pause(1300), say('OK')],
  }),
  started('without -t', ['-sSv', '', 'A', 'OK', 'B'], { modem: [hear('A\r'), pause(1300), say('OK')] }),
  started('no -f file', ['-sSv', '-f', 'DIR/none']),
  started('no -f file, quiet', ['-S', '-f', 'DIR/none']),
  started('-f a directory', ['-sSv', '-f', 'DIR/']),
  started('-f an empty file', ['-sSv', '-f', 'DIR/e'], { files: { e: '' } }),
  started('-f comments only', ['-sSv', '-f', 'DIR/e'], { files: { e: '# a\n#b\n\n  \n' } }),
  started('-f through a path that is no directory', ['-sSv', '-f', 'DIR/e/f'], { files: { e: '' } }),
  started('-f a FIFO, live', ['-sSv', '-t', '3', '-f', 'DIR/p'], {
    fifos: ['p'],
    modem: [write('p', "'' A\n"), hear('A\r'), write('p', 'OK B\n'), say('OK'), hear('B\r'), closeFiles],
  }),
  started('an error in a later line of a FIFO', ['-sSv', '-t', '3', '-f', 'DIR/p'], {
    fifos: ['p'],
    modem: [write('p', "'' A\n"), hear('A\r'), write('p', 'OK "B\n'), say('OK')],
  }),
]

export const TERMINAL: readonly ChatCase[] = [
  started('stdin is a file', ['-sSv', '', 'A'], { shell: 'exec "$@" </dev/null' }),
  started('stdin is a pipe, without -s', ['', 'A'], { shell: 'exec "$@" < <(sleep 0.2)' }),
  started('stdin is a file, and the script file is not there', ['-sSv', '-f', 'DIR/none'], {
    shell: 'exec "$@" </dev/null',
  }),
  started('stdin is a file: the report file is made first', ['-sSv', '-r', 'DIR/r', '', 'A'], {
    shell: 'exec "$@" </dev/null',
  }),
  started('stdin is a file: usage comes first', ['-sSv', '-x'], { shell: 'exec "$@" </dev/null' }),
  started('stdout is a file', ['-sSv', '', 'A', '', 'B\\c'], {
    shell: 'exec "$@" >DIR/out'.replace('DIR/', '$TMP_OUT'),
    env: { TMP_OUT: 'DIR/' },
  }),
  started('stdout is a full disk', ['-sSv', '', 'A', '', 'B'], { shell: 'exec "$@" >/dev/full' }),
  started('stdout cannot be written', ['-sSv', '', 'A'], { shell: 'exec "$@" >&3 3</dev/null' }),
  started('stdout is a pipe that nobody reads', ['-sSv', '', 'A'], {
    shell: 'exec 3> >(exit 0); wait $!; exec "$@" >&3',
  }),
  started('stderr is closed', ['-sSv', '', 'A', 'OK', 'B'], { shell: 'exec "$@" 2>&-' }),
  started('stderr is a full disk', ['-svSeV', '', 'A', 'OK', 'B'], { shell: 'exec "$@" 2>/dev/full' }),
  started('cooked settings', [...TOLD, '', 'A', 'OK\\n', 'B'], { settings: COOKED, modem: talk('A\r', 'O\rOK\r') }),
  started('a received CR turns into LF with ICRNL', [...TOLD, '', 'A', 'OK\\r', 'B'], {
    args: [...TOLD, '-t1', '', 'A', 'OK\\r', 'B'],
    settings: { input: ICRNL },
    modem: talk('A\r', 'OK\r\n'),
  }),
  started('INLCR', [...TOLD, '-t1', '', 'A', 'OK\\r', 'B'], { settings: { input: INLCR }, modem: talk('A\r', 'OK\n') }),
  started('IGNCR', [...TOLD, '-t1', '', 'A', 'OK\\n', 'B'], {
    settings: { input: IGNCR },
    modem: talk('A\r', 'O\rK\r\n'),
  }),
  started('IXON eats XON and XOFF', [...TOLD, '-t1', '', 'A', 'OK', 'B'], {
    settings: { input: IXON | IXOFF },
    modem: talk('A\r', 'O\x11K'),
  }),
  started('flags that stay', [...TOLD, '', 'A'], { settings: { input: PARMRK | BRKINT | IGNPAR | ISTRIP } }),
  started('other characters', [...TOLD, '', 'A'], { settings: { characters: { 0: 1, 1: 2, 4: 7, 5: 3, 6: 0, 8: 9 } } }),
  started('VMIN and VTIME', [...TOLD, '', 'A', 'OK', 'B'], { settings: { characters: { 5: 50, 6: 100 } } }),
  started('output flags', [...TOLD, '', 'A\\n', 'OK', 'B'], {
    modem: talk('A\n\r', 'OK'),
    settings: { output: OPOST | ONLCR },
  }),
  started('control flags', [...TOLD, '', 'A'], { settings: { control: 0o2000 | 0o4000 | 0o100 | 0o400 } }),
  started('a speed of 9600', [...TOLD, '', 'A'], { settings: { control: 0o17 ^ 0o15 } }),
  started('what came before the start is read', [...TOLD, '-t1', 'OK', 'B'], { before: '\r\nOK\r\n', modem: [] }),
  started('what came before the start stays', [...TOLD, '', 'B'], { before: '\r\nOK\r\n', modem: [] }),
  started('what comes after the match stays', [...TOLD, '', 'A', 'OK', ''], {
    modem: talk('A\r', 'OK\r\n~\x7d#\x21and more'),
  }),
  started('bit 7 of the rest is lost', [...TOLD, '', 'A', 'OK', 'B'], { modem: talk('A\r', 'OK\xff\xc1\x80') }),
  started('restored after an abort', [...TOLD, 'ABORT', 'BUSY', '', 'A', 'OK', 'B'], {
    settings: COOKED,
    modem: talk('A\r', 'BUSY'),
  }),
  started('restored after a timeout', [...TOLD, '-t1', '', 'A', 'OK', 'B'], { settings: COOKED, modem: [] }),
  started('restored after an error', [...TOLD, '-f', 'DIR/none'], { settings: COOKED, modem: [] }),
  started('left changed after -f with words', [...TOLD, '-f', 'DIR/x', 'A'], { settings: COOKED }),
  words('the line is gone: cannot be restored', ['', 'A', 'OK', 'B'], [hear('A\r'), pause(100), hangUp]),
  words(
    'the line is gone after an earlier match',
    ['', 'A', 'OK', 'B', 'OK', 'C'],
    [...talk('A\r', 'OK', 'B\r'), pause(100), hangUp],
  ),
]
