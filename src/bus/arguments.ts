/**
 * What comes over D-Bus, checked at the edge (DESIGN §7.6), so that it cannot become a second AT command, a second line
 * of a file or a path. Every refusal is InvalidArgs and never repeats the value, which may be a secret. Called by `api/`.
 */

import { printable } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import {
  apnFault,
  credentialFault,
  ENGINE_CHOICES,
  IP_CHOICES,
  isProfileName,
  numberFault,
  pinFault,
  type TextFault,
  timeoutFault,
} from '../base/values.ts'
import type { ConnectOptions, ProfileFields } from '../link/snapshot.ts'
import type { Variant } from './signature.ts'

const MAX_POLL_SECONDS = 86_400
const MAX_KEYS = 100
const MAX_VALUE_LENGTH = 1024

type TextCheck = (text: string) => TextFault

const CHECKS = {
  apn: apnFault,
  user: quotelessFault,
  password: quotelessFault,
  number: numberFault,
  pin: pinFault,
  puk: matching(/^[0-9]{8}$/, '8 digits'),
  ussdCode: matching(/^[0-9*#+]{1,182}$/, 'digits, *, # and +'),
  /** The modem's side says which of them it takes. */
  ussdText: matching(/^[\x20-\x7e]{1,182}$/, 'one line of plain letters, digits and punctuation'),
  plmn: matching(/^([0-9]{5,6})?$/, '5 or 6 digits, or nothing for automatic'),
  ip: oneOf(IP_CHOICES),
  engine: oneOf(ENGINE_CHOICES),
  device: matching(/^[\x21-\x7e]{1,256}$/, "a modem's id, its device or a tty"),
} as const satisfies Readonly<Record<string, TextCheck>>

export type TextKind = keyof typeof CHECKS

/** A file of root's may have an apostrophe in a password; what comes from others has quotes of no kind. */
function quotelessFault(text: string): TextFault {
  return text.includes("'") ? 'must have no quotation mark' : credentialFault(text)
}

function matching(pattern: RegExp, wanted: string): TextCheck {
  return (text) => (pattern.test(text) ? undefined : `must be ${wanted}`)
}

function oneOf(words: readonly string[]): TextCheck {
  return (text) => (words.includes(text) ? undefined : `must be one of: ${words.join(', ')}`)
}

export function checkText(kind: TextKind, value: unknown, name: string = kind): string {
  if (typeof value !== 'string') throw invalid(`${name} must be a text.`)
  const fault = CHECKS[kind](value)
  if (fault !== undefined) throw invalid(`${name} ${fault}.`)
  return value
}

/** A name that no profile can have is one that does not exist: NotFound. */
export function checkProfileName(value: unknown): string {
  const name = String(value)
  if (isProfileName(name)) return name
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
  const fault = timeoutFault(timeoutMs)
  if (fault !== undefined) throw invalid(`timeout ${fault}.`)
  return timeoutMs
}

/** Keys of a profile's file whose values go to the modem, with the check of each; '' always stands for "not given". */
const PROFILE_KINDS: Readonly<Record<string, TextKind>> = {
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
  if (typeof value !== 'string' || /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) {
    throw invalid(`${key} must be a number, a boolean or one line of text.`)
  }
  const kind = Object.hasOwn(PROFILE_KINDS, key) ? PROFILE_KINDS[key] : undefined
  if (kind !== undefined && value !== '') return checkText(kind, value, key)
  if (value.length > MAX_VALUE_LENGTH) throw invalid(`${key} may have at most ${MAX_VALUE_LENGTH} characters.`)
  return value
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
