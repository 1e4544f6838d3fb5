/** Sierra Wireless's !GSTATUS?: a page of `label: value` pairs, two a line (MC7xxx, EM7xxx and EM9 AT Command References). */

import { technologyOf } from './access-technology.ts'
import { measureOf, type SignalMeasure } from './signal-measure.ts'

export interface GstatusReply {
  /** `lte`, `umts`, …; undefined without service. */
  readonly technology?: string | undefined
  readonly signal?: SignalMeasure | undefined
  /** `online`, `low power mode`, …: lower case. */
  readonly mode?: string | undefined
  readonly isAttached?: boolean | undefined
  readonly temperatureC?: number | undefined
}

/** Two pairs are less than half of it. */
const MAX_LINE = 240

/** Labels of each metric; of receivers that say the same the best counts. */
const LABELS = {
  rssi: /RSSI(?: ?\(dBm\))?$|RX level ?\(dBm\)$/i,
  rsrp: /RSRP(?: ?\(dBm\))?$/i,
  rsrq: /RSRQ(?: ?\(dB\))?$/i,
  sinr: /SINR(?: ?\(dB\))?$/i,
  rscp: /RSCP(?: ?\(dBm\))?$/i,
  ecio: /E[cC]\/?I[oO](?: ?\(dB\))?$/,
} as const

/** undefined where nothing in the lines is a pair of a status page. */
export function parseGstatus(lines: readonly string[]): GstatusReply | undefined {
  const pairs = lines.flatMap(pairsOf)
  const textOf = (label: RegExp) => pairs.find(([name]) => label.test(name))?.[1]
  const system = textOf(/^System mode$/i)
  const mode = textOf(/^Mode$/i)
  if (system === undefined && mode === undefined && !pairs.some(([name]) => LABELS.rssi.test(name))) return undefined
  const technology = technologyOf(system ?? '')
  const attached = textOf(/^PS state$/i)
  const temperature = numberIn(textOf(/^Temperature$/i) ?? '')
  const metrics = Object.entries(LABELS).map(([metric, label]) => [metric, bestOf(pairs, label)] as const)
  return {
    technology,
    signal: measureOf(familyOf(technology), Object.fromEntries(metrics)),
    ...(mode === undefined ? {} : { mode: mode.toLowerCase() }),
    ...(attached === undefined ? {} : { isAttached: /^attached/i.test(attached) }),
    ...(temperature === undefined ? {} : { temperatureC: temperature }),
  }
}

/** `Label:  value <blanks or tabs> Label: value`; what follows a value without a label belongs to it. */
function pairsOf(line: string): (readonly [string, string])[] {
  const found: [string, string][] = []
  for (const piece of line
    .slice(0, MAX_LINE)
    .trim()
    .split(/\t+|\s{2,}/)) {
    const at = piece.indexOf(':')
    const last = found.at(-1)
    if (at > 0) found.push([piece.slice(0, at).trim(), piece.slice(at + 1).trim()])
    else if (last && piece !== ':') last[1] = `${last[1]} ${piece}`.trim()
  }
  return found
}

function bestOf(pairs: readonly (readonly [string, string])[], label: RegExp): number | undefined {
  const values = pairs.flatMap(([name, value]) => {
    const number = label.test(name) ? numberIn(value) : undefined
    return number === undefined ? [] : [number]
  })
  return values.length === 0 ? undefined : Math.max(...values)
}

function numberIn(value: string): number | undefined {
  const digits = /^(-?\d{1,3}(?:\.\d+)?)(?:\s|d|C|$)/.exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function familyOf(technology: string | undefined): string | undefined {
  if (technology === undefined || technology === 'lte' || technology === '5gnr') return technology
  return ['gsm', 'gprs', 'edge'].includes(technology) ? 'gsm' : 'umts'
}
