/**
 * What comes over D-Bus, checked at the edge (DESIGN §7.6), so that it cannot become a second AT command, a second line
 * of a file or a path. Every refusal is InvalidArgs and never repeats the value, which may be a secret. Called by `api/`.
 */

import { printable } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import type { ConnectOptions, ProfileFields } from '../link/snapshot.ts'
import type { Variant } from './signature.ts'

const MAX_TIMEOUT_MS = 3_600_000
const MAX_POLL_SECONDS = 86_400
const MAX_KEYS = 100

/** What a text must look like, and how to say so. */
interface TextRule {
  readonly pattern: RegExp
  readonly wanted: string
}

const CREDENTIAL: TextRule = {
  pattern: /^[^"'\x00-\x1f\x7f-\x9f]{0,128}$/u,
  wanted: 'at most 128 characters without quotes and control characters',
}

const RULES = {
  apn: { pattern: /^[A-Za-z0-9.-]{0,100}$/, wanted: 'letters, digits, dots and hyphens, at most 100' },
  user: CREDENTIAL,
  password: CREDENTIAL,
  number: { pattern: /^[0-9*#+,]{1,40}$/, wanted: 'digits and * # + , only, at most 40' },
  pin: { pattern: /^[0-9]{4,8}$/, wanted: '4 to 8 digits' },
  puk: { pattern: /^[0-9]{8}$/, wanted: '8 digits' },
  plmn: { pattern: /^([0-9]{5,6})?$/, wanted: '5 or 6 digits, or nothing for automatic' },
  ip: { pattern: /^(4|6|46)$/, wanted: '4, 6 or 46' },
  engine: { pattern: /^(auto|kernel|builtin|pppd)$/, wanted: 'auto, kernel, builtin or pppd' },
  device: { pattern: /^[\x21-\x7e]{1,256}$/, wanted: "a modem's id, its device or a tty" },
} as const satisfies Readonly<Record<string, TextRule>>

export type TextKind = keyof typeof RULES

export function checkText(kind: TextKind, value: unknown, name: string = kind): string {
  const rule: TextRule = RULES[kind]
  if (typeof value !== 'string' || !rule.pattern.test(value)) throw invalid(`${name} must be ${rule.wanted}.`)
  return value
}

/** A name that no profile can have is one that does not exist: NotFound. */
export function checkProfileName(value: unknown): string {
  const name = String(value)
  if (/^[A-Za-z0-9._-]{1,64}$/.test(name)) return name
  throw new ModemdError('NotFound', `There is no profile "${printable(name, 64)}": see "mmctl profile list".`)
}

export function checkPollSeconds(value: unknown): number {
  const seconds = Number(value)
  if (seconds > MAX_POLL_SECONDS) throw invalid(`seconds must be at most ${MAX_POLL_SECONDS}.`)
  return seconds
}

const OPTION_SIGNATURES: Readonly<Record<string, string>> = {
  apn: 's',
  user: 's',
  password: 's',
  number: 's',
  pin: 's',
  ip: 's',
  engine: 's',
  timeout: 'u',
  wait: 'b',
}

export interface ConnectCall {
  readonly options: ConnectOptions
  /** Answer only when the link is up or failed. */
  readonly wait: boolean
}

/** The `a{sv}` of Manager1.Connect and Modem1.Connect. */
export function checkConnectOptions(dictionary: unknown): ConnectCall {
  const options: Record<string, string | number> = {}
  let wait = false
  for (const [key, { signature, value }] of entries(dictionary)) {
    const wanted = Object.hasOwn(OPTION_SIGNATURES, key) ? OPTION_SIGNATURES[key] : undefined
    if (wanted === undefined) {
      throw invalid(`There is no option "${printable(key, 40)}": use ${Object.keys(OPTION_SIGNATURES).join(', ')}.`)
    }
    if (signature !== wanted) throw invalid(`The option ${key} must have the type ${wanted}.`)
    if (key === 'wait') wait = value === true
    else if (key === 'timeout') options.timeout = checkTimeout(value)
    else options[key] = checkText(key as TextKind, value)
  }
  return { options, wait }
}

function checkTimeout(value: unknown): number {
  const timeoutMs = Number(value)
  if (timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) throw invalid(`timeout must be 1 to ${MAX_TIMEOUT_MS} milliseconds.`)
  return timeoutMs
}

/** Keys of a profile's file whose values go to the modem, with the rule for each; '' always stands for "not given". */
const PROFILE_RULES: Readonly<Record<string, TextKind>> = {
  apn: 'apn',
  number: 'number',
  pin: 'pin',
  username: 'user',
  password: 'password',
}

/** The `a{sv}` of SaveProfile: no value can begin a second line of the file. Which keys there are the configuration knows. */
export function checkProfileFields(dictionary: unknown): ProfileFields {
  const fields: Record<string, string | number | boolean> = {}
  for (const [key, { value }] of entries(dictionary)) {
    if (!/^[A-Za-z][A-Za-z0-9.-]{0,63}$/.test(key)) throw invalid(`"${printable(key, 40)}" is no key of a profile.`)
    fields[key] = checkProfileValue(key, value)
  }
  return fields
}

function checkProfileValue(key: string, value: unknown): string | number | boolean {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  if (typeof value !== 'string' || value.length > 1024 || /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) {
    throw invalid(`${key} must be a number, a boolean or one line of text.`)
  }
  const kind = Object.hasOwn(PROFILE_RULES, key) ? PROFILE_RULES[key] : undefined
  return kind === undefined || value === '' ? value : checkText(kind, value, key)
}

function entries(dictionary: unknown): readonly (readonly [string, Variant])[] {
  const isPlain = typeof dictionary === 'object' && Object.getPrototypeOf(dictionary) === Object.prototype
  // A key `__proto__` does not come as a key.
  if (!isPlain) throw invalid('A key of the options is not allowed.')
  const found = Object.entries(dictionary as Readonly<Record<string, Variant>>)
  if (found.length > MAX_KEYS) throw invalid(`There are more than ${MAX_KEYS} keys.`)
  return found
}

function invalid(message: string): ModemdError {
  return new ModemdError('InvalidArgs', message)
}
