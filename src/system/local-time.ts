/** Local time as the C library knows it (localtime(3)): other than Node's it takes every form of TZ, as syslog and chat(8) do. */

import koffi from 'koffi'

const library = koffi.load(null)
const tzset = library.func('tzset', 'void', []) as () => void
const localtime = library.func('localtime_r', 'void *', ['void *', 'void *']) as (time: object, into: object) => unknown

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** struct tm begins with these as C ints; in all it has 56 bytes or less. */
const TM_INTS = 16

/** `Mon DD HH:MM:SS`; the day with `dayFill` before a single digit. */
export function timeStamp(wallUs: bigint, dayFill: '0' | ' '): string {
  const broken = new Int32Array(TM_INTS)
  tzset()
  localtime(new BigInt64Array([wallUs / 1_000_000n]), broken)
  const [seconds = 0, minutes = 0, hours = 0, day = 1, month = 0] = broken
  const clock = [hours, minutes, seconds].map((value) => String(value).padStart(2, '0')).join(':')
  return `${MONTHS[month]} ${String(day).padStart(2, dayFill)} ${clock}`
}
