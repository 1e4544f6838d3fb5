/** Numbers as people read them. */

/** `0.12 s`, `12.3 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 9.995) return `${Math.max(0, seconds).toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}

/** `7.2 Mbit/s` from bit/s. */
export function formatSpeed(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, 'bit/s')
}

/** `1.5 MB` from bytes, by thousands. */
export function formatBytes(bytes: number | bigint): string {
  return scaled(Number(bytes), 'B')
}

function scaled(value: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T']
  let power = 0
  let rest = value
  for (; rest >= 1000 && power < prefixes.length - 1; power++) rest /= 1000
  return `${Number(rest.toFixed(1))} ${prefixes[power]}${unit}`
}

/** `-71 dBm`; decimals only where there are some. */
export function formatLevel(value: number, unit: string): string {
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`
}

/** Milliseconds since 1970 as local time: `14:03:09`, or `14:03:09.042`. */
export function formatTime(atMs: number, precision: 'seconds' | 'milliseconds' = 'seconds'): string {
  const time = new Date(atMs)
  const digits = (value: number, count = 2) => String(value).padStart(count, '0')
  const text = `${digits(time.getHours())}:${digits(time.getMinutes())}:${digits(time.getSeconds())}`
  return precision === 'seconds' ? text : `${text}.${digits(time.getMilliseconds(), 3)}`
}
