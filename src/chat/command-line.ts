/**
 * The command line of chat(8), and what modem-chat has besides. Pure: `command.ts` acts on it. Options may be clustered, a
 * value is the rest of its cluster or the next argument, whatever that looks like; long options are ours alone.
 */

import { leadingInteger } from './keywords.ts'

export interface ReportFile {
  readonly name: string
  /** -v stood before it. */
  readonly isAnnounced: boolean
}

export interface CommandLine {
  readonly mode: 'run' | 'check' | 'dry-run' | 'help' | 'version'
  /** Each is opened, and so made; the last one counts. */
  readonly reportFiles: readonly ReportFile[]
  readonly scriptFile: string | undefined
  readonly words: readonly string[]
  readonly timeoutMs: number | undefined
  readonly phoneNumber: string | undefined
  readonly phoneNumber2: string | undefined
  readonly lockFile: string | undefined
  readonly paceMs: number
  readonly usesEnvironment: boolean
  readonly isVerbose: boolean
  readonly showsReceived: boolean
  readonly echoes: boolean
  readonly logsToStderr: boolean
  readonly logsToSyslog: boolean
  readonly wantsJson: boolean
}

/** The options before the fault count as far as they act at once: report files are made. */
export interface CommandLineFault extends Fault {
  readonly reportFiles: readonly ReportFile[]
  /** Asked for anywhere among the options. */
  readonly wantsJson: boolean
}

interface Fault {
  readonly message: string
  /** Of an option that chat(8) has not; of another one its usage is what is shown. */
  readonly isOurs?: true
}

type Draft = { -readonly [Key in keyof CommandLine]: CommandLine[Key] }

/** Lower than chat(8)'s own ten milliseconds a byte makes sense, higher than this does not. */
const SLOWEST_PACE_MS = 10_000

export function parseCommandLine(args: readonly string[]): CommandLine | CommandLineFault {
  const reportFiles: ReportFile[] = []
  const draft: Draft = {
    mode: 'run',
    reportFiles,
    scriptFile: undefined,
    words: [],
    timeoutMs: undefined,
    phoneNumber: undefined,
    phoneNumber2: undefined,
    lockFile: undefined,
    paceMs: 0,
    usesEnvironment: false,
    isVerbose: false,
    showsReceived: false,
    echoes: false,
    logsToStderr: false,
    logsToSyslog: true,
    wantsJson: false,
  }
  const rest = [...args]
  while (rest[0]?.startsWith('-') && rest[0] !== '-') {
    const option = rest.shift()!
    if (option === '--') break
    const fault = option.startsWith('--') ? longOption(option, rest, draft) : cluster(option, rest, draft, reportFiles)
    if (fault) return { ...fault, reportFiles, wantsJson: draft.wantsJson || optionsOf(rest).includes('--json') }
    if (draft.mode === 'help' || draft.mode === 'version') return draft
  }
  return { ...draft, words: rest }
}

function optionsOf(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => !word.startsWith('-') || word === '-' || word === '--')
  return end < 0 ? words : words.slice(0, end)
}

function longOption(option: string, rest: string[], draft: Draft): Fault | undefined {
  const [name, attached] = option.split(/=(.*)/s, 2) as [string, string?]
  if (name === '--pace') return pace(attached ?? rest.shift(), draft)
  switch (option) {
    case '--help':
    case '--version':
    case '--check':
    case '--dry-run':
      draft.mode = option.slice(2) as CommandLine['mode']
      return undefined
    case '--json':
      draft.wantsJson = true
      return undefined
    default:
      return { message: `there is no option ${option}` }
  }
}

function pace(value: string | undefined, draft: Draft): Fault | undefined {
  const paceMs = /^\d{1,5}$/.test(value ?? '') ? Number(value) : Number.NaN
  if (!(paceMs <= SLOWEST_PACE_MS))
    return {
      message: `--pace wants milliseconds before each byte, 0 to ${SLOWEST_PACE_MS} (chat has 10)`,
      isOurs: true,
    }
  draft.paceMs = paceMs
  return undefined
}

function cluster(option: string, rest: string[], draft: Draft, reportFiles: ReportFile[]): Fault | undefined {
  for (let at = 1; at < option.length; at++) {
    const letter = option[at]!
    if (setFlag(letter, draft)) continue
    if (!'ftrTUl'.includes(letter)) return { message: `there is no option -${letter}` }
    const value = at + 1 < option.length ? option.slice(at + 1) : rest.shift()
    if (letter === 'r') {
      if (value !== undefined) reportFiles.push({ name: value, isAnnounced: draft.isVerbose })
      return undefined
    }
    return value === undefined ? { message: `-${letter} wants a value` } : setValue(letter, value, draft)
  }
  return undefined
}

function setFlag(letter: string, draft: Draft): boolean {
  switch (letter) {
    case 'e':
      draft.echoes = true
      return true
    case 'E':
      draft.usesEnvironment = true
      return true
    case 'v':
      draft.isVerbose = true
      return true
    case 'V':
      draft.showsReceived = true
      return true
    case 's':
      draft.logsToStderr = true
      return true
    case 'S':
      draft.logsToSyslog = false
      return true
    default:
      return false
  }
}

function setValue(letter: string, value: string, draft: Draft): undefined {
  if (letter === 'f') draft.scriptFile = value
  if (letter === 'T') draft.phoneNumber = value
  if (letter === 'U') draft.phoneNumber2 = value
  if (letter === 'l') draft.lockFile = value
  if (letter !== 't') return
  const seconds = leadingInteger(value)
  draft.timeoutMs = seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY
}
