/**
 * Random dialogues from a seed: options, scripts and modems that mostly understand each other. Excluded by construction is
 * what may differ: CLR_REPORT once a report can have fired, reports over the original's buffer, sends so long that its 10 ms
 * a byte meet a limit, a limit in the moment a `\d` ends, and a value that ends in a backslash.
 */

import { type ChatCase, hear, type Step, say } from './case.ts'
import type { Dice } from './dice.ts'

/** A case in the parts that can be left out one by one. */
export interface Dialogue {
  readonly options: readonly string[]
  readonly words: readonly string[]
  readonly isFile: boolean
  readonly modem: readonly Step[]
  readonly env: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
  readonly input: number
}

const TEXTS = [
  'OK',
  'CONNECT',
  'BUSY',
  'NO CARRIER',
  'ERROR',
  'A',
  'B',
  'AB',
  'ABA',
  'ABAAB',
  'KO',
  '\r\n',
  '\r',
  '\n',
  ' ',
  '1',
  '-',
]
const NOISE = [
  ...TEXTS,
  '\t',
  '\0',
  '\x01',
  '\x7f',
  '\x1b',
  '\xcf',
  '\x8d',
  '\x80',
  'ogin: ',
  '~',
  '0123456789'.repeat(9),
]
const VALUES = [
  '5551212',
  '*99#',
  'a b',
  '1\\d2'.replace('\\d', '\\p'),
  'x\\ny',
  'q\\\\r',
  '$V',
  '^A',
  'O\\cK',
  '',
  '@f',
  'caf\xe9',
]
const SEND_BITS = [
  'AT',
  'ATZ',
  'D',
  'x',
  '\\r',
  '\\n',
  '\\t',
  '\\s',
  '\\b',
  '\\\\',
  '\\q',
  '\\p',
  '\\K',
  '\\101',
  '\\0',
  '\\N',
  '\\377',
  '\\134',
]
const MORE_SEND_BITS = [
  '\\T',
  '\\U',
  '$V',
  '$W',
  '$',
  '\\$V',
  '\\c',
  '\\x',
  '\\-',
  '^M',
  '^A',
  '^@',
  '^^',
  '^',
  ' ',
  '#',
  '"',
  "'",
  '\xe9',
  '-',
]
const TIMEOUTS = ['1', '2', '1x', ' 1', '\\061', '+1']
const ICRNL = 0o400

export function generate(dice: Dice): Dialogue {
  const isSlow = dice.chance(0.04)
  const hasReports = dice.chance(0.4)
  const words: string[] = []
  const modem: Step[] = []
  const files: Record<string, string> = {}
  const strings: string[] = []
  const watch = (keyword: string) => {
    const text = dice.chance(0.05) ? '' : someText(dice)
    strings.push(text)
    words.push(keyword, written(dice, text))
  }
  for (let count = dice.below(4); count > 0; count--) watch('ABORT')
  for (let count = hasReports ? 1 + dice.below(3) : 0; count > 0; count--) watch('REPORT')
  if (dice.chance(0.15)) words.push('CLR_ABORT', written(dice, dice.pick([...strings, 'none'])))
  if (dice.chance(0.15)) words.push('CLR_REPORT', written(dice, dice.pick([...strings, 'none'])))
  let saidBytes = 0
  for (let pairs = 1 + dice.below(5); pairs > 0; pairs--) {
    if (dice.chance(0.15)) words.push(...keywordPair(dice, isSlow, strings))
    const expected = dice.chance(0.2) ? '' : someText(dice)
    words.push(expectWord(dice, expected), sendWord(dice, isSlow, files))
    if (modem.length > 0 || dice.chance(0.4))
      modem.push(hear(dice.chance(0.8) ? '\r' : dice.pick(['A', 'T', 'x', '\n'])))
    const text = answer(dice, expected, strings)
    saidBytes += text.length
    if (!hasReports || saidBytes < 200) modem.push(say(text))
  }
  if (dice.chance(0.1)) words.pop()
  return {
    options: options(dice, isSlow),
    words,
    isFile: dice.chance(0.35),
    modem,
    env: { V: dice.pick(VALUES), W: dice.pick(['', 'OK', 'AB']) },
    files,
    input: dice.chance(0.1) ? ICRNL : 0,
  }
}

export function toCase(name: string, { options, words, isFile, modem, env, files, input }: Dialogue): ChatCase {
  return {
    name,
    args: isFile ? options : [...options, '--', ...words],
    ...(isFile && { script: asFile(words) }),
    modem,
    env,
    files,
    settings: { input },
    ignoresBit7: true,
  }
}

function options(dice: Dice, isSlow: boolean): string[] {
  const clusters = ['-v', '-s', '-S', '-e', '-V', '-E', '-vsS', '-vsS'].filter(() => dice.chance(0.3))
  if (dice.chance(0.3)) clusters.push('-T', dice.pick(VALUES))
  if (dice.chance(0.2)) clusters.push('-U', dice.pick(VALUES))
  if (dice.chance(0.3)) clusters.push('-r', 'report')
  return dice.chance(0.7) ? [isSlow ? '-t3' : '-t1', ...clusters] : [...clusters, '-t', isSlow ? '3' : '1']
}

function someText(dice: Dice): string {
  return Array.from({ length: 1 + dice.below(2) }, () => dice.pick(TEXTS)).join('')
}

/** The text as a script may write it. */
function written(dice: Dice, text: string): string {
  const chars = [...text].map((char) => {
    const code = char.charCodeAt(0)
    const roll = dice.below(12)
    if (roll === 0) return `\\${code.toString(8).padStart(3, '0')}`
    if (roll === 1 && code > 0 && code < 0x20) return `^${String.fromCharCode(code + 0x40)}`
    if (char === '\r') return '\\r'
    if (char === '\n') return '\\n'
    if (char === ' ') return dice.chance(0.5) ? '\\s' : ' '
    if (roll === 2 && /[^bcdnrstKNpqTU0-7$]/.test(char)) return `\\${char}`
    return roll === 3 ? `${char}\\q` : char
  })
  return chars.join('')
}

function expectWord(dice: Dice, text: string): string {
  const first = dice.chance(0.1)
    ? `${written(dice, text)}\\`
    : written(dice, text).replaceAll('-', dice.pick(['-', '\\-']))
  if (dice.chance(0.75)) return dice.chance(0.04) ? `${first}$W` : first
  const parts = [first]
  for (let count = 1 + dice.below(3); count > 0; count--) {
    parts.push(dice.chance(0.2) ? '' : plainSend(dice).replaceAll('-', ''))
    if (dice.chance(0.7)) parts.push(dice.chance(0.15) ? '' : written(dice, someText(dice)).replaceAll('-', ''))
  }
  return parts.join('-')
}

function sendWord(dice: Dice, isSlow: boolean, files: Record<string, string>): string {
  const roll = dice.below(25)
  if (roll === 0) return 'EOT'
  if (roll === 1) return 'BREAK'
  if (roll === 2) return dice.pick(['@', '@ ', 'ABORT', 'SAY', '@none'])
  if (roll === 3) {
    files.f = dice.pick([`${plainSend(dice)}\n`, plainSend(dice), 'EOT', 'x\0y', 'a\nb\n', ''])
    return dice.pick(['@f', '@ f'])
  }
  return isSlow && roll < 12 ? `${plainSend(dice)}\\d` : plainSend(dice)
}

/** Short: the original takes 10 ms for each byte, and the limit may be a second. */
function plainSend(dice: Dice): string {
  const bits = Array.from({ length: dice.below(5) }, () => dice.pick(dice.chance(0.6) ? SEND_BITS : MORE_SEND_BITS))
  return bits.join('') + (dice.chance(0.15) ? '\\c' : '')
}

function keywordPair(dice: Dice, isSlow: boolean, strings: readonly string[]): string[] {
  switch (dice.below(isSlow ? 5 : 6)) {
    case 0:
      return ['ECHO', dice.pick(['ON', 'ON', 'OFF', 'on'])]
    case 1:
      return ['SAY', plainSend(dice)]
    case 2:
      return ['HANGUP', dice.pick(['ON', 'OFF'])]
    case 3:
      return ['ABORT', written(dice, someText(dice))]
    case 4:
      return ['CLR_ABORT', written(dice, dice.pick([...strings, 'none']))]
    default:
      return ['TIMEOUT', dice.pick(TIMEOUTS)]
  }
}

/** Mostly what is expected, among other things; sometimes a string that is watched for, sometimes nothing of use. */
function answer(dice: Dice, expected: string, strings: readonly string[]): string {
  const parts = Array.from({ length: dice.below(3) }, () => dice.pick(NOISE))
  if (strings.length > 0 && dice.chance(0.25)) parts.push(dice.pick(strings))
  if (dice.chance(0.8)) parts.push(dice.chance(0.1) ? `${expected[0] ?? ''}${expected}` : expected)
  if (dice.chance(0.03)) parts.unshift('ABAABABA'.repeat(150))
  if (dice.chance(0.3)) parts.push(dice.pick(NOISE), dice.pick(NOISE))
  return parts.join('')
}

/** Lines of a few words. Not every word stays the same word in a file: that is another script then. */
function asFile(words: readonly string[]): string {
  let text = ''
  for (const [index, word] of words.entries()) {
    const line = word.replaceAll('\n', '')
    const needsQuotes = line === '' || /[ \t]/.test(line) || (index % 3 === 0 && !line.includes('"'))
    text += needsQuotes ? `"${line.replaceAll('"', '\\"')}"` : line
    text += index % 4 === 3 ? '\n' : index % 5 === 0 ? '\t ' : ' '
  }
  return text
}
