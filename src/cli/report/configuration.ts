/**
 * A configuration file for a bug report: only values of keys that are known to hold no secret are shown. What is mistyped, what a
 * comment has, what is on a broken line may be a password; it is left out, and what it may be is told, to be looked for elsewhere. Pure.
 */

import { CAUSES } from '../../base/cause.ts'

/** Of modemd.conf(5). What is not here is withheld: a new key is so until somebody has thought about it. */
export const SHOWN_KEYS: ReadonlySet<string> = new Set([
  ...[
    'log-level',
    'modemmanager-api',
    'at-console',
    'metrics',
    'apn-database',
    'allow',
    'ignore',
    'baud',
    'power-gpio',
  ],
  ...['type', 'apn', 'number', 'modem', 'autoconnect', 'dial-timeout', 'roaming', 'ip', 'chat-script', 'priority'],
  ...['sim', 'cid', 'interface', 'service', 'ac-name', 'share', 'check', 'data-limit'],
  ...['engine', 'auth', 'mtu', 'lcp-restart', 'lcp-max-configure', 'lcp-echo-interval', 'lcp-echo-failure'],
  ...['default-route', 'route-metric', 'dns', 'reset-after', ...CAUSES],
])

export interface ShownFile {
  readonly text: string
  /** What was withheld and may stand elsewhere: passwords, user names, PINs. */
  readonly secrets: readonly string[]
}

const WITHHELD = '***'
const HEADING = /^\s*\[\s*(daemon|detect|profile|ppp|redial|device(?:\s+"(?:tty|usb):[\w/:.-]*")?)\s*\]/
const KEY_AND_VALUE = /^[\s;#]*([^=]*?)\s*=\s*(.*?)\s*$/

export function shownConfiguration(text: string): ShownFile {
  const secrets: string[] = []
  let hidden = 0
  const lines = text.split(/\r\n|\r|\n/).flatMap((line) => {
    if (line.trim() === '') return []
    const [, heading] = HEADING.exec(line) ?? []
    if (heading !== undefined) return [`[${heading}]`]
    const [, key = '', value = ''] = KEY_AND_VALUE.exec(line) ?? []
    const isComment = /^\s*[;#]/.test(line)
    if (!isComment && SHOWN_KEYS.has(key)) return [`${key} = ${withoutComment(value)}`]
    if (key === 'username') secrets.push(...formsOf(value).filter(isPersonal))
    else if (!SHOWN_KEYS.has(key)) secrets.push(...formsOf(value))
    if (!isComment && /^[a-z][a-z-]{0,30}$/.test(key)) return [value === '' ? `${key} =` : `${key} = ${WITHHELD}`]
    hidden++
    return []
  })
  if (hidden > 0) lines.push(`; ${hidden} comments or broken lines are left out`)
  return { text: lines.join('\n'), secrets: [...new Set(secrets)].filter((each) => each !== '' && each !== WITHHELD) }
}

/** Many networks have one name for all (`internet`, `web`), and to take that out everywhere would blacken the report. */
function isPersonal(username: string): boolean {
  return /@|\d{4}/.test(username)
}

/** The value as it stands, without a comment behind it, without its quotation marks, and its words (of `options`). */
function formsOf(value: string): readonly string[] {
  const bare = withoutComment(value)
  const unquoted = /^"(.*)"/.exec(value)?.[1]
  const words = bare.split(/\s+/)
  const afterName = words.filter((_, at) => /^(?:password|user|name|remotename)$/.test(words[at - 1] ?? ''))
  return [value, bare, ...(unquoted === undefined ? [] : [unquoted, unquoted.replaceAll('""', '"')]), ...afterName]
}

function withoutComment(value: string): string {
  return value.replace(/\s;.*$/, '').trim()
}
