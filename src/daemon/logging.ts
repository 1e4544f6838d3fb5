/**
 * The daemon's log: lines on standard error, with the priorities of sd-daemon(3) where the journal reads them and with time and level
 * elsewhere. The only importer of winston. Secrets are masked, control characters escaped and the root taken off paths here, whatever
 * a caller, or an error of the system's, lets slip.
 */

import { fstatSync } from 'node:fs'
import { isAbsolute, normalize } from 'node:path'
import { createLogger as createWinston, format, transports } from 'winston'
import { printable } from '../base/bytes.ts'
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from '../base/ports.ts'
import { redacted } from '../base/redactor.ts'

export interface LoggingOptions {
  readonly level: LogLevel
  /** Asked for every line: a reload may bring new ones. */
  readonly secrets: () => readonly string[]
  /** modemd's --root, which no path shows; '' or '/': none. */
  readonly root?: string
  readonly stream?: NodeJS.WritableStream
  /** Does the journal read the stream? */
  readonly isJournal?: boolean
}

export interface DaemonLogger extends Logger {
  setLevel(level: LogLevel): void
}

const PRIORITY: Readonly<Record<LogLevel, string>> = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' }
const LONGEST_CHARS = 4000

export function createLogger(options: LoggingOptions): DaemonLogger {
  const { level, secrets, stream = process.stderr, isJournal = isJournalStream(process.stderr.fd) } = options
  const rootPattern = patternOf(options.root ?? '')
  const line = format.printf((info) => {
    const known = secrets()
    const clean = (text: string) => printable(redacted(text.replace(rootPattern, '/'), known), LONGEST_CHARS)
    const fields = Object.entries(info.fields as LogFields).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${fieldText(clean(String(value)))}`],
    )
    const text = [clean(String(info.message)), ...fields].join(' ')
    const named = info.level as LogLevel
    return isJournal ? `${PRIORITY[named]}${text}` : `${new Date().toISOString()} ${named.padEnd(5)} ${text}`
  })
  const levels = Object.fromEntries(LOG_LEVELS.map((each, index) => [each, index]))
  const winston = createWinston({ level, levels, format: line, transports: [new transports.Stream({ stream })] })

  const write =
    (named: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      void winston.log({ level: named, message, fields })
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    setLevel: (next) => {
      winston.level = next
    },
  }
}

/** The root where a path begins with it; matches nothing where there is none. */
function patternOf(root: string): RegExp {
  const bare = normalize(root).replace(/\/+$/, '')
  if (root === '' || bare === '') return /(?!)/g
  const literal = bare.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  // A relative one by itself may be any word.
  const alone = isAbsolute(bare) ? '|(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}])' : ''
  return new RegExp(`(?<![\\p{L}\\p{N}_./-])${literal}(?:/+${alone})`, 'gu')
}

function fieldText(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}

/** Before a line on standard error that is not the logger's; '' where no journal reads it. */
export function errorPriority(): string {
  return isJournalStream(process.stderr.fd) ? PRIORITY.error : ''
}

/** systemd names the stream that it made by device and inode (systemd.exec(5), JOURNAL_STREAM). */
function isJournalStream(fd: number): boolean {
  const named = process.env.JOURNAL_STREAM
  if (!named) return false
  try {
    const { dev, ino } = fstatSync(fd)
    return named === `${dev}:${ino}`
  } catch {
    return false
  }
}
