/**
 * The system's passwords: crypt(3) by libcrypt, and shadow(5) for root. For PAP under pppd's `login` option, and for
 * crypted secrets in pap-secrets. Used by modem-ppp.
 */

import { timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import koffi from 'koffi'

type Crypt = (password: string, setting: string) => string | null

const LIBRARIES = ['libcrypt.so.1', 'libcrypt.so.2']
const MS_A_DAY = 86_400_000

let loaded: Crypt | null | undefined

/** undefined: there is no libcrypt here, or it does not know the setting's method. */
export function crypt(password: string, setting: string): string | undefined {
  const answer = library()?.(password, setting)
  // libcrypt's "I cannot" begins with a star.
  return !answer || answer.startsWith('*') ? undefined : answer
}

function library(): Crypt | null {
  if (loaded === undefined) loaded = load()
  return loaded
}

function load(): Crypt | null {
  for (const name of LIBRARIES) {
    try {
      return koffi.load(name).func('crypt', 'str', ['str', 'str']) as unknown as Crypt
    } catch {}
  }
  return null
}

/**
 * Is that the user's password? Locked, expired and passwordless accounts have none. undefined: it cannot be told here (no
 * libcrypt, /etc/shadow is not ours to read). `nowMs`: since 1970.
 */
export function checkSystemPassword(
  user: string,
  password: string,
  nowMs: number,
  shadowFile = '/etc/shadow',
): boolean | undefined {
  if (!library()) return undefined
  let text: string
  try {
    text = readFileSync(shadowFile, 'utf8')
  } catch {
    return undefined
  }
  const fields = text.split('\n').map((line) => line.split(':'))
  const entry = fields.find(([name]) => name === user && name !== '')
  const hash = entry?.[1] ?? ''
  if (!entry || hash === '' || hash.startsWith('!') || hash.startsWith('*')) return false
  const expiresOnDay = Number(entry[7] || Number.POSITIVE_INFINITY)
  if (nowMs / MS_A_DAY >= expiresOnDay) return false
  const answer = crypt(password, hash)
  return answer !== undefined && isSame(answer, hash)
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
