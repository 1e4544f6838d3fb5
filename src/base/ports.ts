/** What the outside gives to the inside: time, chance and a place for messages. Real ones: `system/clock.ts`, `daemon/logging.ts`. */

export type Cancel = () => void

export interface Clock {
  /** Monotonic milliseconds; no relation to the time of day. */
  nowMs(): number
  /** Microseconds since 1970, for what people and D-Bus see. Never used to compute a delay. */
  wallUs(): bigint
  /** Calls `fn` once when `nowMs()` reaches `atMs`. */
  at(atMs: number, fn: () => void): Cancel
}

export interface Random {
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array
}

/** A random number in [0, 1), for jitter. */
export function randomFraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4)
  return (a * 0x1000000 + b * 0x10000 + c * 0x100 + d) / 0x100000000
}

/** Resolves after `ms` on the clock. Rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.at(clock.nowMs() + ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** The most important first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Messages are sentences for people; secrets never come here (DESIGN §7.2). */
export interface Logger {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
}

export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} }
