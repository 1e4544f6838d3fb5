/** Quectel's modules (EC2x, EG9x, BG9x, RG50x AT Commands Manuals): signal and technology by +QCSQ and +QNWINFO, reports by +QIND. */

import { parseQnwinfo, technologyOf } from '../at/replies/access-technology.ts'
import { bodiesOf, fieldsOf } from '../at/replies/fields.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import { parseQpinc } from '../at/replies/pin-tries.ts'
import { parseQcsq, parseQindCsq } from '../at/replies/qcsq.ts'
import { parseQeng } from '../at/replies/qeng.ts'
import { signalOf } from '../at/replies/rfsts.ts'
import type { SignalMeasure } from '../at/replies/signal-measure.ts'
import { reportedSignal } from '../signal.ts'
import type { Change } from '../state.ts'
import type { ModemDriver, ReportContext } from './driver.ts'
import { authNumber, CSQ, generic, REGISTRATION_REPORTS, technologyReport } from './generic.ts'

/** EC2x, EG9x, EM12, EP06, BG9x, UC20, M95 …; RG50x and RM50x may be stand-alone in 5G. */
const BEFORE_5G = /^(?:BC|BG|E[CGMP]|M|UC|UG)\d/i

export const quectel: ModemDriver = {
  ...generic,
  name: 'quectel',
  // UC20, EC20 and UC15 have Qualcomm's own.
  usbIds: ['2c7c:*', '05c6:9003', '05c6:9090', '05c6:9215'],
  manufacturers: /quectel/i,
  simInit: [['AT+QSIMSTAT=1']],
  networkInit: [...REGISTRATION_REPORTS, ['AT+C5GREG=2'], ['AT+QINDCFG="csq",1']],
  unknownTo: { 'AT+C5GREG=2': BEFORE_5G, 'AT+C5GREG?': BEFORE_5G },
  iccid: [{ command: 'AT+QCCID', expects: ['+CCID'], parse: parseIccid }, ...generic.iccid],
  triesLeft: [{ command: 'AT+QPINC?', parse: parseQpinc }, ...generic.triesLeft],
  registration: [...generic.registration, 'AT+C5GREG?'],
  // Firmwares that lack the one have the other.
  signal: [[{ command: 'AT+QCSQ', parse: parseQcsq }, { command: 'AT+QENG="servingcell"', parse: signalOfCell }, CSQ]],
  technology: [{ command: 'AT+QNWINFO', parse: (lines) => parseQnwinfo(lines)?.technologies }],
  contextLogIn: ({ cid, type, apn, username, password, auth }) => {
    const types: Readonly<Record<string, number>> = { IP: 1, IPV6: 2, IPV4V6: 3 }
    const number = auth === 'any' ? 3 : authNumber(auth)
    return [`AT+QICSGP=${cid},${types[type] ?? 1},"${apn}","${username}","${password}",${number}`]
  },
  gps: { on: ['AT+QGPS=1'], off: ['AT+QGPSEND'] },
  reset: ['AT+CFUN=1,1', 'AT+QRST=1,0'],
  reports: { ...generic.reports, '+QIND': indication },
}

/** The anchor's, where a 5G leg stands beside it. */
function signalOfCell(lines: readonly string[]): SignalMeasure | undefined {
  return parseQeng(lines)
    ?.cells.map(signalOf)
    .find((measure) => measure !== undefined)
}

/** `+QIND: "csq",22,99`, `+QIND: "act","HSPA+"`; the others (`SMS DONE`, `FOTA`) are no news here. */
function indication(line: string, context: ReportContext): Change | undefined {
  const [kind, value] = fieldsOf(bodiesOf([line], '+QIND')[0] ?? '')
  switch (kind?.text.toLowerCase()) {
    case 'csq': {
      const reply = parseQindCsq([line])
      return reportedSignal(reply && { rssi: reply.dbm }, '+QIND', context)
    }
    case 'act': {
      const technology = technologyOf(value?.text ?? '')
      return technologyReport(technology === undefined ? [] : [technology])
    }
    default:
      return undefined
  }
}
