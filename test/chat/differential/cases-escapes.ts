/**
 * Section 5: the escapes of sends and expects, caret notation, -T, -U and -E. Left out: a send that ends in a value's lone
 * backslash. There the original sends what lies behind its string in memory until a NUL comes.
 */

import { type ChatCase, file, TOLD, talk, words } from './case.ts'

const sends = (name: string, ...texts: readonly string[]): ChatCase =>
  words(
    name,
    texts.flatMap((text) => ['', text]),
  )
const quoted = (name: string, text: string, heard: string, more: Partial<ChatCase> = {}): ChatCase =>
  words(name, ['', 'A', text, 'B'], talk('A\r', heard), more)
const withValue = (name: string, text: string, value: string, more: Partial<ChatCase> = {}): ChatCase => ({
  name,
  args: [...TOLD, '-t1', '-E', '-T', value, '-U', `${value}u`, '', text],
  env: { X: value, E: '' },
  ...more,
})

export const ESCAPES: readonly ChatCase[] = [
  sends('short forms', '\\b\\n\\r\\t\\s', 'a\\bb\\nc\\rd\\te\\sf\\c'),
  sends('\\c last, elsewhere, twice, alone', 'a\\c', 'a\\cb', 'a\\c\\c', '\\c', '\\cx\\c', 'a\\\\c', 'a\\\\\\c'),
  sends('delay, pause and break', 'a\\db', 'c\\pd\\p\\p', '\\Ke\\K', '\\d', '\\p\\c', '\\K\\c'),
  sends('backslashes', '\\\\', '\\\\\\\\', 'a\\', 'a\\\\\\', '\\'),
  sends('NUL', '\\N', 'a\\Nb\\c', '\\N\\N', '\\0', '\\00', '\\000', '\\0001', 'a\\0'),
  sends('\\q hides', 'se\\qcret', '\\q', '\\qx\\c', 'x\\q\\c', 'y\\c\\q'),
  sends(
    'octal',
    '\\101\\1\\12\\123\\1234',
    '\\8\\9\\08\\18',
    '\\400\\377\\777\\200',
    '\\134',
    '\\134n\\134d',
    '\\60\\060\\c',
  ),
  sends('the dollar', '\\$', '$HOME', '$', 'a$', '\\$X'),
  sends('unknown escapes', '\\a\\e\\f\\v\\x41\\u\\-\\^\\@\\"\\ \\A\\Z\\z', '\\C\\D\\S\\Q\\R\\P\\k\\t'),
  sends('carets', '^A^a^M^m^[^]^_', '^@x', '^ x', '^?', '^^', '^^^', '^\\n', '^$', '^1^9', '^'),
  sends('caret at the end and with \\c', 'a^', 'a^\\c', '\\^', '\\^A', '^\\\\c'),
  sends('bytes above 127', '\xe9\xff\x80', '\\351\\200', '^\xe1'),
  sends('\\T and \\U without values', '\\T', '\\U', 'a\\Tb\\Uc\\c'),
  words('\\T and \\U with values', [], [], {
    args: [...TOLD, '-T', '123', '-U', '456', '', 'A\\T,\\U', '', '\\T\\c', '', 'T\\\\T'],
  }),
  words('values meet the second pass only', [], [], {
    args: [...TOLD, '-T', 'a\\nb\\\\c\\sd^Ae\\cf\\xg', '', '\\T', '', '\\Tz\\c'],
  }),
  words('values with delays and breaks', [], [], {
    args: [...TOLD, '-T', '1\\d2\\K3\\p4', '-U', '\\c', '', '\\T', '', '\\U'],
  }),
  words('a value that ends in a backslash', [], [], {
    args: [...TOLD, '-T', 'ab\\', '', '\\T', '', '\\Tc'],
  }),
  words('a value with a dollar', [], [], { args: [...TOLD, '-E', '-T', '$X', '', '\\T'], env: { X: 'no' } }),
  words('an octal in a value', [], [], { args: [...TOLD, '-T', '\\101\\0', '', '\\T'] }),
  words('values above 127', [], [], { args: [...TOLD, '-T', 'caf\xe9', '', '\\T'] }),

  quoted('expect: short forms', 'a\\bb\\nc\\rd\\te\\sf', 'a\bb\nc\rd\te f'),
  quoted('expect: \\c is a letter', 'a\\cb\\c', 'acbc'),
  quoted('expect: letters of the second pass', '\\d\\K\\p\\N', 'dKpN'),
  quoted('expect: backslashes', 'a\\\\b\\', 'a\\b'),
  quoted('expect: \\q is nothing', 'a\\qb\\q', 'ab'),
  quoted('expect: only \\q', '\\q', ''),
  quoted('expect: \\T and \\U', 'x\\Ty\\U', 'x\\Ty\\U', {
    args: [...TOLD, '-t1', '-T', '5', '', 'A', 'x\\Ty\\U', 'B'],
  }),
  quoted('expect: octal', '\\101\\60\\7x\\134', 'A0\x07x\\'),
  quoted('expect: an octal 0 is nothing', 'a\\0b\\000c\\400d', 'abcd'),
  quoted('expect: \\8 is 8', '\\8\\9', '89'),
  quoted('expect: an octal above 127 never matches', 'a\\351', 'ai\xe9a\xe9'),
  quoted('expect: carets', 'a^A^M^^b', 'a\x01\r\x1eb'),
  quoted('expect: caret without a byte', 'a^@b^ c', 'abc'),
  quoted('expect: caret question mark', 'a^?', 'a\x1f'),
  quoted('expect: caret at the end', 'a^', 'a^'),
  quoted('expect: caret before a backslash', 'a^\\n', 'a\x1cn'),
  quoted('expect: unknown escapes', '\\a\\x\\-\\^\\@\\"', 'ax-^@"'),
  quoted('expect: a backslash and a blank', 'a\\ b', 'a b'),
  quoted('expect: a dollar without -E', '$X\\$', '$X$'),

  withValue('-E: in a send', 'A$X.$X', 'val'),
  withValue('-E: the longest name', '$Xy $X_1 $X-$X', 'val'),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: chat knows no braces
  withValue('-E: unset, empty and no name', 'a$NONE$E${X}$$X$', 'val'),
  withValue('-E: protected', '\\$X \\\\$X "$X"', 'val'),
  withValue('-E: a value is not expanded again', '$X', '$HOME $X'),
  withValue('-E: a value meets the second pass', '$X\\c', 'a\\nb\\\\c\\cd'),
  withValue('-E: a value with a delay and a caret', '$X', '1\\d2^A'),
  withValue('-E: not in -T', '\\T$X', '$X'),
  withValue('-E: a value that is a keyword or @', '$X', 'EOT'),
  withValue('-E: a value that looks like a file', '$X', '@/etc/hostname'),
  withValue('-E: value bytes above 127', '$X', 'caf\xe9'),
  withValue('-E: a caret before a dollar', '^$X', 'val'),
  withValue('-E: empty value, no CR', '$E\\c', 'val'),
  words('-E: in expects', [], talk('A\r', 'got\\n val'), {
    args: [...TOLD, '-t1', '-E', '', 'A', 'got$N\\s$V', 'B'],
    env: { N: '\\n', V: 'val' },
  }),
  words('-E: a dash of a value does not part', [], talk('A\r', 'a-b'), {
    args: [...TOLD, '-t1', '-E', '', 'A', '$V', 'B'],
    env: { V: 'a-b' },
  }),
  words('-E: in sub-sends and sub-expects', [], talk('sub\r', 'yes'), {
    args: [...TOLD, '-t1', '-E', 'x$N-$S-$Y', 'B'],
    env: { N: 'never', S: 'sub', Y: 'yes' },
  }),
  words('-E: a keyword of a variable is none', [], talk('B\r', 'ABORT'), {
    args: [...TOLD, '-t1', '-E', '', 'A', '$K-B-$K', 'C'],
    env: { K: 'ABORT' },
  }),
  words('-E: in the content of a file, not in its name', [], [], {
    args: [...TOLD, '-E', '', '@DIR/$X', '', '@$F'],
    files: { $X: 'a$X\n' },
    env: { X: 'val', F: 'DIR/$X' },
  }),
  file('-E: an empty name before quotes', `'' $ '' "$" '' $'x'`, [], { args: [...TOLD, '-E'] }),
  words('-E: in an expect an unset one is found at once', [], [], {
    args: [...TOLD, '-t1', '-E', '$NONE', 'A', '$NONE-x', 'B'],
  }),
]
