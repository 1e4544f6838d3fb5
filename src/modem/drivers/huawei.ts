/**
 * Huawei's sticks and modules (UMTS Datacard Modem AT Command Interface Specification; MU709 AT Command Interface
 * Specification): own commands for ICCID and tries, and reports of signal and mode that come unasked.
 */

import { parseCsq } from '../at/replies/csq.ts'
import { bodiesOf, fieldsOf, numberOf } from '../at/replies/fields.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import { parseHuaweiCpin } from '../at/replies/pin-tries.ts'
import { prefixOf } from '../at/unsolicited.ts'
import type { Change } from '../state.ts'
import type { ModemDriver, ReportContext } from './driver.ts'
import { generic } from './generic.ts'

/** `<sys_submode>` of ^MODE and ^SYSINFO. */
const SUBMODES: Readonly<Record<number, string>> = {
  1: 'gsm',
  2: 'gprs',
  3: 'edge',
  4: 'umts',
  5: 'hsdpa',
  6: 'hsupa',
  7: 'hspa',
  8: 'umts',
  9: 'hspa',
  17: 'hspa',
  18: 'hspa',
}

export const huawei: ModemDriver = {
  ...generic,
  name: 'huawei',
  // The sticks report mode and flow by themselves; this asks for them where a firmware is mute.
  networkInit: [...generic.networkInit, ['AT^CURC=1']],
  iccid: [{ command: 'AT^ICCID?', expects: ['^ICCID'], parse: parseIccid }, ...generic.iccid],
  triesLeft: [{ command: 'AT^CPIN?', parse: parseHuaweiCpin }, ...generic.triesLeft],
  reports: { ...generic.reports, '^RSSI': signalReport, '^MODE': modeReport },
  isSimReport: (line) => generic.isSimReport(line) || prefixOf(line) === '^SIMST',
}

function signalReport(line: string, { wallUs }: ReportContext): Change {
  const reply = parseCsq([line])
  if (!reply) return { type: 'no-signal' }
  return { type: 'signal', signal: { rssi: reply.dbm, atUs: wallUs, source: '^RSSI' }, quality: reply.quality }
}

/** `^MODE:5,7`: system mode, sub-mode. */
function modeReport(line: string): Change {
  const [, submode] = fieldsOf(bodiesOf([line], '^MODE')[0] ?? '')
  const technology = SUBMODES[numberOf(submode) ?? -1]
  return { type: 'technologies', source: 'report', technologies: technology === undefined ? [] : [technology] }
}
