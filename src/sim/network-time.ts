/** The virtual operator's time zone, and times as modems write them (3GPP TS 27.007 §8.15 and §8.41). Pure. */

/** Quarters of an hour east of UTC. */
const ZONE = 4

/** `26/11/22,13:30:00+04`: local. */
export function clockText(utcMs: number): string {
  return `${written(utcMs + ZONE * 900_000).slice(2)}${ZONE_TEXT}`
}

/** +CTZV, or with `level` 2 +CTZE, whose time is local, too. */
export function timeReport(level: number, utcMs: number): string {
  return level === 2 ? `+CTZE: "${ZONE_TEXT}",0,"${written(utcMs + ZONE * 900_000)}"` : `+CTZV: ${ZONE_TEXT}`
}

const ZONE_TEXT = `+${String(ZONE).padStart(2, '0')}`

/** `2026/11/22,12:30:00` */
function written(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ',')
}
