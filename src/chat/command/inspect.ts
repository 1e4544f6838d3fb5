/** `--check` and `--dry-run`: a script is read whole and nothing is sent. */

import { readFileSync, statSync } from 'node:fs'
import { fromLatin1 } from '../../base/bytes.ts'
import { errnoText } from '../../system/libc.ts'
import { checkScript, type Fault } from '../check.ts'
import type { CommandLine } from '../command-line.ts'
import { describeScript } from '../describe.ts'
import { isSecret, outline } from '../outline.ts'
import { type PlacedWord, placedWords, type ScriptWord } from '../script.ts'
import { visible } from '../visible.ts'
import { jsonLine } from './json.ts'
import { toStderr, toStdout } from './messages.ts'
import { ownVariables } from './own-bytes.ts'

/** So many words on each side of a fault are shown. */
const AROUND = 2
const HIDDEN = '??????'
const OPEN_TO_ALL = 0o004

interface Script {
  /** undefined: words of the command line. */
  readonly file: string | undefined
  readonly words: readonly PlacedWord[]
}

/** Answers the exit code. */
export function inspect(commandLine: CommandLine): number {
  const script = readScript(commandLine)
  if (typeof script === 'string') {
    toStderr(`modem-chat: ${script}\n`)
    if (commandLine.wantsJson) toStderr(jsonLine({ exitCode: 1, message: script }))
    return 1
  }
  if (script.file === undefined && script.words.length === 1) toStderr(`modem-chat: ${noteOf(commandLine.words[0]!)}\n`)
  return commandLine.mode === 'check' ? check(script, commandLine) : dryRun(script, commandLine)
}

function readScript({ scriptFile, words }: CommandLine): Script | string {
  const file = scriptFile ?? (words.length === 1 && isFile(words[0]!) ? words[0] : undefined)
  if (scriptFile !== undefined && words.length > 0) return 'give either -f FILE or words, not both'
  if (file === undefined) return { file, words: words.map((word, index) => ({ word, line: index + 1, column: 1 })) }
  const content = readWhole(file)
  if (typeof content === 'string') return `${file} -- open failed: ${content}`
  return { file, words: [...placedWords(fromLatin1(content))].filter((word) => typeof word === 'object') }
}

/** Whoever meant a file's name would be told that all is well. */
function noteOf(word: string): string {
  return `there is no file "${visible(word)}": the word itself is taken for the whole script`
}

function check(script: Script, commandLine: CommandLine): number {
  const faults = checkScript(script.words, {
    ...substitutions(commandLine),
    readFile: readWhole,
    openTo,
    scriptFile: script.file,
  })
  const { length } = script.words
  const good = `${script.file ?? 'modem-chat'}: no faults in ${length} word${length === 1 ? '' : 's'}\n`
  const isWritten = toStdout(faults.map((fault) => faultText(fault, script)).join('') || good)
  const exitCode = isWritten && faults.length === 0 ? 0 : 1
  if (commandLine.wantsJson) toStderr(jsonLine({ exitCode, faults: faults.map((fault) => faultFields(fault, script)) }))
  return exitCode
}

function faultText(fault: Fault, script: Script): string {
  const { line, column } = script.words[fault.index]!
  const place = script.file === undefined ? `modem-chat: word ${line}` : `${script.file}:${line}:${column}`
  return `${place}: ${visible(fault.message)}\n    ${around(fault.index, script)}\n`
}

function faultFields(fault: Fault, script: Script): object {
  const { line, column } = script.words[fault.index]!
  const place = script.file === undefined ? { word: line } : { file: script.file, line, column }
  return { ...place, message: fault.message, around: around(fault.index, script) }
}

/** The word in brackets among its neighbours. Secrets are not shown. */
function around(index: number, { words }: Script): string {
  const secrets = secretsOf(words)
  const from = Math.max(0, index - AROUND)
  const shown = words.slice(from, index + AROUND + 1).map(({ word }, offset) => {
    const at = from + offset
    const text = secrets.has(at) ? HIDDEN : asWritten(word)
    return at === index ? `[${text}]` : text
  })
  return [from > 0 ? '...' : [], shown, index + AROUND + 1 < words.length ? '...' : []].flat(2).join(' ')
}

function secretsOf(words: readonly PlacedWord[]): Set<number> {
  const secrets = outline(words).flatMap((step) => (step.type === 'send' && step.isSecret ? [step.index] : []))
  // One whose quote has no end is no send yet.
  for (const [index, { word }] of words.entries()) {
    const before = words[index - 1]?.word
    if (typeof word !== 'string' && typeof before === 'string' && isSecret(word.text ?? '', before)) secrets.push(index)
  }
  return new Set(secrets)
}

function asWritten(word: ScriptWord): string {
  if (typeof word !== 'string') return visible(word.text ?? '')
  const text = visible(word)
  return text === '' || /[ \t]/.test(text) ? `'${text}'` : text
}

function dryRun(script: Script, commandLine: CommandLine): number {
  const lines = describeScript(script.words, substitutions(commandLine))
  const isWritten = toStdout(lines.map((line, index) => `${String(index + 1).padStart(3)}. ${line}\n`).join(''))
  const exitCode = isWritten ? 0 : 1
  if (commandLine.wantsJson) toStderr(jsonLine({ exitCode }))
  return exitCode
}

function substitutions({ timeoutMs, phoneNumber, phoneNumber2, usesEnvironment }: CommandLine) {
  return { timeoutMs, phoneNumber, phoneNumber2, env: usesEnvironment ? ownVariables() : undefined }
}

function readWhole(name: string): Uint8Array | string {
  try {
    return readFileSync(Buffer.from(name, 'latin1'))
  } catch (error) {
    const { code, errno = 0 } = error as NodeJS.ErrnoException
    return code === 'EISDIR' ? new Uint8Array() : errnoText(errno)
  }
}

function isFile(name: string): boolean {
  return statSync(Buffer.from(name, 'latin1'), { throwIfNoEntry: false })?.isFile() ?? false
}

/** Its mode, where everybody may read it. */
function openTo(name: string): string | undefined {
  const mode = statSync(Buffer.from(name, 'latin1'), { throwIfNoEntry: false })?.mode ?? 0
  return mode & OPEN_TO_ALL ? (mode & 0o777).toString(8).padStart(4, '0') : undefined
}
