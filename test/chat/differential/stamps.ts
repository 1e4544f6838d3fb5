/** The time stamps of reports and syslog: taken out if they tell the time it is in the program's zone, marked if not. */

const STAMP = /\b([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) /g
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** A case takes a minute at most. */
const TOLERANCE_MS = 90_000

/** POSIX zones that ICU does not know by that name. */
const ZONES: Readonly<Record<string, string>> = { 'JST-9': 'Asia/Tokyo', '<+0530>-5:30': 'Asia/Kolkata' }

export function withoutStamps(text: string, zone: string | undefined): string {
  return text.replace(STAMP, (stamp, month, day, hours, minutes, seconds) => {
    const now = localNow(zone)
    const at = Date.UTC(now.getUTCFullYear(), MONTHS.indexOf(month), +day, +hours, +minutes, +seconds)
    return Math.abs(now.getTime() - at) < TOLERANCE_MS ? 'Mon DD HH:MM:SS ' : `(wrong:) ${stamp}`
  })
}

/** A Date whose UTC fields are the zone's local time. */
function localNow(zone: string | undefined): Date {
  const name = zone && (ZONES[zone] ?? zone)
  const text = new Date().toLocaleString('sv-SE', name ? { timeZone: name } : {})
  return new Date(`${text.replace(' ', 'T')}Z`)
}
