/** ZTE's sticks and modules (ZTE MF and ME series AT Commands Reference Guides): AT+Z…, and +ZPASR that comes unasked. */

import { parseZpas, technologyOf } from '../at/replies/access-technology.ts'
import { bodiesOf, decimalOf, fieldsOf, numberOf } from '../at/replies/fields.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import type { TriesLeft } from '../at/replies/pin-tries.ts'
import { measureOf, type SignalMeasure } from '../at/replies/signal-measure.ts'
import type { Change } from '../state.ts'
import type { ModemDriver } from './driver.ts'
import { CSQ, generic, qualcommLogIn, REGISTRATION_REPORTS, technologyReport } from './generic.ts'

export const zte: ModemDriver = {
  ...generic,
  name: 'zte',
  usbIds: ['19d2:*'],
  manufacturers: /\bZTE\b/i,
  networkInit: REGISTRATION_REPORTS,
  iccid: [{ command: 'AT+ZGETICCID', parse: parseIccid }, ...generic.iccid],
  triesLeft: [{ command: 'AT+ZPINPUK=?', parse: parseZpinpuk }, ...generic.triesLeft],
  signal: [[{ command: 'AT+ZRSSI', parse: parseZrssi }], [CSQ]],
  technology: [{ command: 'AT+ZPAS?', parse: parseZpas }],
  contextLogIn: (logIn) => [qualcommLogIn(logIn), ...generic.contextLogIn(logIn)],
  reset: ['AT+CFUN=1,1', 'AT+ZRST'],
  reports: { ...generic.reports, '+ZPASR': serviceReport },
}

/** `+ZPINPUK: 3,10` */
export function parseZpinpuk(lines: readonly string[]): TriesLeft | undefined {
  const [pin, puk] = fieldsOf(bodiesOf(lines, '+ZPINPUK').at(-1) ?? '').map(numberOf)
  if (pin === undefined || pin < 0 || pin > 10) return undefined
  return puk !== undefined && puk >= 0 && puk <= 10 ? { pin, puk } : { pin }
}

/**
 * `+ZRSSI: 71,12,154` (RSSI, Ec/Io and RSCP without their signs, the last two in halves; 1000 is unknown), of LTE `+ZRSSI:
 * -102,-6.5,-76,19` (RSRP, RSRQ, RSSI, SINR).
 */
export function parseZrssi(lines: readonly string[]): SignalMeasure | undefined {
  const [first, second, third, fourth] = fieldsOf(bodiesOf(lines, '+ZRSSI').at(-1) ?? '').map(decimalOf)
  if (first === undefined) return undefined
  if (first < 0 && third !== undefined && third < 0)
    return measureOf('lte', { rsrp: first, rsrq: second, rssi: third, sinr: fourth })
  const rscp = third === undefined ? undefined : -third / 2
  const ecio = second === undefined ? undefined : -second / 2
  const isKnown = rscp !== undefined && rscp > -200
  return measureOf(isKnown ? 'umts' : undefined, { rssi: -Math.abs(first), rscp, ecio: isKnown ? ecio : undefined })
}

/** `+ZPASR: "UMTS"`, `+ZPASR: "No Service"` */
function serviceReport(line: string): Change | undefined {
  const technology = technologyOf(fieldsOf(bodiesOf([line], '+ZPASR')[0] ?? '')[0]?.text ?? '')
  return technologyReport(technology === undefined ? [] : [technology])
}
