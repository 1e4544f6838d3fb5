/**
 * Checks of data files: each check either gives the typed value or adds a sentence to the faults, so that one reading
 * names every fault at once. Used by `personality.ts`.
 */

export type Check<T> = (value: unknown, path: string, faults: string[]) => T

export type Checked<C> = C extends Check<infer T> ? T : never

function fault<T>(faults: string[], path: string, sentence: string, standIn: T): T {
  faults.push(`${path}: ${sentence}`)
  return standIn
}

export const text: Check<string> = (value, path, faults) =>
  typeof value === 'string' ? value : fault(faults, path, 'must be a text', '')

export const flag: Check<boolean> = (value, path, faults) =>
  typeof value === 'boolean' ? value : fault(faults, path, 'must be true or false', false)

/** A whole number from 0 up to `limit`. */
export function count(limit = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value, path, faults) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= limit
      ? (value as number)
      : fault(faults, path, `must be a whole number from 0 to ${limit}`, 0)
}

export function matching(pattern: RegExp, meaning: string): Check<string> {
  return (value, path, faults) =>
    typeof value === 'string' && pattern.test(value) ? value : fault(faults, path, `must be ${meaning}`, '')
}

export function oneOf<const T extends readonly (string | number)[]>(...allowed: T): Check<T[number]> {
  return (value, path, faults) =>
    allowed.includes(value as T[number])
      ? (value as T[number])
      : fault(faults, path, `must be one of ${allowed.join(', ')}`, allowed[0]!)
}

/** null stands for "this modem has none". */
export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, path, faults) => (value === null ? null : check(value, path, faults))
}

/** What a file may leave out. */
export function withDefault<T>(check: Check<T>, standIn: T): Check<T> {
  return (value, path, faults) => (value === undefined ? standIn : check(value, path, faults))
}

export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value, path, faults) =>
    Array.isArray(value)
      ? value.map((each, index) => check(each, `${path}[${index}]`, faults))
      : fault(faults, path, 'must be a list', [])
}

export function mapOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, path, faults) => {
    if (!isObject(value)) return fault(faults, path, 'must be an object', {})
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, check(each, `${path}[${JSON.stringify(key)}]`, faults)]),
    )
  }
}

/** All of the fields and no others. */
export function fields<S extends Record<string, Check<unknown>>>(
  shape: S,
): Check<{ readonly [K in keyof S]: Checked<S[K]> }> {
  return (value, path, faults) => {
    const given = isObject(value)
      ? value
      : fault<Record<string, unknown>>(faults, path || 'file', 'must be an object', {})
    const name = (key: string) => (path ? `${path}.${key}` : key)
    for (const key of Object.keys(given)) if (!(key in shape)) faults.push(`${name(key)}: is not known`)
    const checked = Object.entries(shape).map(([key, check]) => [key, check(given[key], name(key), faults)])
    return Object.fromEntries(checked) as { readonly [K in keyof S]: Checked<S[K]> }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
