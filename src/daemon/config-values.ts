/**
 * The kinds of values in configuration files: how each is read, what is wrong with a bad one, and how it is written back so that
 * it reads the same. `config-schema.ts` names the keys that have them.
 */

import { parseIpv4 } from '../base/ipv4.ts'
import { parseIpv6 } from '../base/ipv6.ts'
import { apnFault, credentialFault, isWellFormed, numberFault, pinFault, type TextFault } from '../base/values.ts'
import type { RedialRule } from '../link/redial.ts'

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

export interface ValueType<T> {
  /** For the manual page: `yes, no`, `a time such as 5s`. */
  readonly form: string
  parse(text: string): Parsed<T>
  format(value: T): string
}

function good<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

function bad(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}

export function word<const W extends string>(...words: readonly W[]): ValueType<W> {
  return {
    form: words.join(', '),
    parse: (text) => {
      const found = words.find((each) => each === text)
      return found === undefined ? bad(`must be one of: ${words.join(', ')}`) : good(found)
    },
    format: (value) => value,
  }
}

export const yesNo: ValueType<boolean> = {
  form: 'yes, no',
  parse: (text) => (text === 'yes' || text === 'no' ? good(text === 'yes') : bad('must be yes or no')),
  format: (value) => (value ? 'yes' : 'no'),
}

export function integer(least: number, most: number): ValueType<number> {
  return {
    form: `${least} to ${most}`,
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
      return value >= least && value <= most ? good(value) : bad(`must be a whole number from ${least} to ${most}`)
    },
    format: String,
  }
}

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

function parseMs(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (!match) return undefined
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
  return Math.abs(ms - Math.round(ms)) < 1e-6 ? Math.round(ms) : undefined
}

function formatMs(ms: number): string {
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    if (ms !== 0 && ms % size === 0) return `${ms / size}${unit}`
  }
  return '0s'
}

/** In milliseconds. */
export function duration(leastMs: number, mostMs: number): ValueType<number> {
  return {
    form: `${formatMs(leastMs)} to ${formatMs(mostMs)}`,
    parse: (text) => {
      const ms = parseMs(text)
      if (ms === undefined) return bad('must be a time with its unit: 500ms, 5s, 2m, 1h')
      return ms >= leastMs && ms <= mostMs ? good(ms) : bad(`must be from ${formatMs(leastMs)} to ${formatMs(mostMs)}`)
    },
    format: formatMs,
  }
}

const DAY_MS = 86_400_000
const HIGHEST_FACTOR = 100

/** `stop`, `5s`, `5s*2..5m`. */
export const redialRule: ValueType<RedialRule> = {
  form: 'stop, or first*factor..longest such as 5s*2..5m',
  parse: (text) => {
    if (text === 'stop') return good('stop')
    const match = /^([^*]+?)(?:\*(\d{1,3}(?:\.\d{1,3})?)\.\.([^*]+))?$/.exec(text)
    const firstMs = match && parseMs(match[1]!)
    if (!match || firstMs === undefined || firstMs === null)
      return bad('must be stop, a time such as 5s, or first*factor..longest such as 5s*2..5m')
    const factor = match[2] === undefined ? 1 : Number(match[2])
    const longestMs = match[3] === undefined ? firstMs : parseMs(match[3])
    if (longestMs === undefined) return bad(`${match[3]} must be a time with its unit: 5m`)
    if (firstMs < 1 || firstMs > DAY_MS || longestMs > DAY_MS) return bad('must wait from 1ms to 1d')
    if (longestMs < firstMs) return bad('has a longest delay that is shorter than its first')
    if (factor < 1 || factor > HIGHEST_FACTOR) return bad(`must have a factor from 1 to ${HIGHEST_FACTOR}`)
    return good({ firstMs, factor, longestMs })
  },
  format: (rule) => {
    if (rule === 'stop') return 'stop'
    const first = formatMs(rule.firstMs)
    return rule.factor === 1 && rule.longestMs === rule.firstMs
      ? first
      : `${first}*${rule.factor}..${formatMs(rule.longestMs)}`
  },
}

const UNIT_BYTES = { TB: 1e12, GB: 1e9, MB: 1e6, kB: 1e3, B: 1 } as const

/** In bytes; undefined where the text is empty. */
export const optionalSize: ValueType<number | undefined> = {
  form: 'a size such as 500MB, or empty',
  parse: (text) => {
    if (text === '') return good(undefined)
    const match = /^(\d{1,15}(?:\.\d{1,3})?)(B|[kK]B|MB|GB|TB)$/.exec(text)
    if (!match) return bad('must be a size with its unit: 500MB, 5GB')
    const bytes = Number(match[1]) * UNIT_BYTES[match[2]!.replace('K', 'k') as keyof typeof UNIT_BYTES]
    const isWhole = Math.abs(bytes - Math.round(bytes)) < 1e-6
    return isWhole && bytes >= 1 && bytes <= 1e15 ? good(Math.round(bytes)) : bad('must be from 1B to 1000TB')
  },
  format: (bytes) => {
    if (bytes === undefined) return ''
    for (const [unit, size] of Object.entries(UNIT_BYTES)) if (bytes % size === 0) return `${bytes / size}${unit}`
    return `${bytes}B`
  },
}

/** A text with a check of its own; `form` for the manual page. */
export function text(form: string, faultOf: (text: string) => TextFault): ValueType<string> {
  return {
    form,
    parse: (value) => {
      const fault = isPlain(value) ? faultOf(value) : 'must be plain text without control characters'
      return fault === undefined ? good(value) : bad(fault)
    },
    format: (value) => value,
  }
}

function isPlain(value: string): boolean {
  return !/[\x00-\x1f\x7f]/.test(value) && isWellFormed(value)
}

/** Nothing, or what `type` takes. */
function orEmpty(type: ValueType<string>): ValueType<string> {
  return {
    form: `${type.form}, or empty`,
    parse: (value) => (value === '' ? good('') : type.parse(value)),
    format: type.format,
  }
}

function matching(form: string, pattern: RegExp): ValueType<string> {
  return text(form, (value) => (pattern.test(value) ? undefined : `must be ${form}`))
}

export const apn: ValueType<string> = text('auto, or a name', (value) =>
  value === '' ? 'must not be empty: auto leaves the choice to the network' : apnFault(value),
)
export const phoneNumber: ValueType<string> = text('digits, *, #, + and commas', numberFault)
export const pin: ValueType<string> = orEmpty(text('4 to 8 digits', pinFault))
export const credential: ValueType<string> = text('text', credentialFault)
export const anyText: ValueType<string> = text('text', () => undefined)

const MODEM_SELECTOR =
  /^(any|imei:\d{14,16}|usb:\d{1,3}-\d{1,3}(\.\d{1,3}){0,6}|tty:(\/dev\/)?[A-Za-z0-9._-]+|[a-z]+_[A-Za-z0-9_]+)$/

export const modemSelector: ValueType<string> = matching(
  "any, a modem's id, imei:…, usb:1-2 or tty:/dev/ttyS1",
  MODEM_SELECTOR,
)

export const iccid: ValueType<string> = orEmpty(matching('an ICCID of 18 to 20 digits', /^\d{18,20}[0-9Ff]?$/))

export const interfaceName: ValueType<string> = orEmpty(
  matching('the name of a network interface', /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,15}$/),
)

export const hostPort: ValueType<string> = orEmpty(
  text('host:port, or [IPv6]:port', (value) => {
    const [, ip6, host = '', port] =
      /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(value) ?? []
    const isHost = ip6 === undefined ? isHostName(host) || parseIpv4(host) !== undefined : parseIpv6(ip6) !== undefined
    return isHost && Number(port) >= 1 && Number(port) <= 65_535
      ? undefined
      : 'must be host:port, an IPv6 address in brackets'
  }),
)

/** RFC 1123 §2.1: labels of letters, digits and hyphens, the last not of digits alone. */
function isHostName(text: string): boolean {
  return /^(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?!-|\d+$)[A-Za-z0-9-]{1,63}(?<!-)$/.test(text)
}

function pathFault(value: string): TextFault {
  if (value.split('/').includes('..')) return 'must not lead through `..`'
  return value.length > 4000 ? 'is too long' : undefined
}

export const path: ValueType<string> = orEmpty(text('a file', pathFault))

/** The daemon's working directory is nobody's business. */
export const wholePath: ValueType<string> = orEmpty(
  text('a file by its whole path', (value) =>
    value.startsWith('/') ? pathFault(value) : 'must be a whole path, from / on',
  ),
)

/** Of `[device]`: written as root where modemd runs so, so nothing outside /sys. */
export const sysFile: ValueType<string> = orEmpty(
  text('a file below /sys', (value) =>
    /^\/sys\/[A-Za-z0-9._:/-]{1,250}$/.test(value) && !value.split('/').includes('..')
      ? undefined
      : 'must be a file below /sys, without `..`',
  ),
)

export const contextId: ValueType<number | 'auto'> = {
  form: 'auto, 1 to 16',
  parse: (value) => (value === 'auto' ? good('auto') : integer(1, 16).parse(value)),
  format: String,
}

/** A command of `[device]`: begins with AT, one line. The PIN guard at the wire sees it like any other. */
export const atCommand: ValueType<string> = orEmpty(matching('an AT command', /^AT[ -~]{0,500}$/i))

export const DEVICE_PATTERN =
  /^(usb:[0-9a-f]{4}:([0-9a-f]{4}|\*)|usb:\d{1,3}-\d{1,3}(\.\d{1,3}){0,6}|tty:\/dev\/[A-Za-z0-9._-]+)$/

/** USB ids are the same in large and small letters; the kernel writes small ones. */
export function devicePattern(text: string): string {
  return text.startsWith('usb:') ? text.toLowerCase() : text
}

/** Blank-separated device patterns and at most one of the given words, which exclude each other. */
export function devicePatterns(...words: readonly string[]): ValueType<readonly string[]> {
  const form = [...words, 'usb:1199:68a3', 'usb:2341:*', 'usb:1-2', 'tty:/dev/ttyS1'].join(', ')
  return {
    form: `a list of ${form}`,
    parse: (value) => {
      const patterns = value
        .split(/[\s,]+/)
        .filter((each) => each !== '')
        .map(devicePattern)
      const odd = patterns.find((each) => !words.includes(each) && !DEVICE_PATTERN.test(each))
      if (odd !== undefined) return bad(`has "${odd}", which is none of ${form}`)
      const said = words.filter((each) => patterns.includes(each))
      return said.length > 1 ? bad(`has both ${said.join(' and ')}: keep one of them`) : good(patterns)
    },
    format: (patterns) => patterns.join(' '),
  }
}
