/** SIMCom's modules (SIM800, SIM7000, SIM7500/SIM7600 and A76XX Series AT Command Manuals). */

import { parseCnsmod } from '../at/replies/access-technology.ts'
import { parseCpsi } from '../at/replies/cpsi.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import { parsePinCounters } from '../at/replies/pin-tries.ts'
import { prefixOf } from '../at/unsolicited.ts'
import { measureOfCsq, reportedSignal } from '../signal.ts'
import type { Change } from '../state.ts'
import type { ModemDriver, ReportContext } from './driver.ts'
import { authNumber, CSQ, generic, REGISTRATION_REPORTS, technologyReport } from './generic.ts'

export const simcom: ModemDriver = {
  ...generic,
  name: 'simcom',
  // SIM5215 and SIM5320 have Qualcomm's own.
  usbIds: ['1e0e:*', '05c6:9000'],
  manufacturers: /simcom|sim ?tech/i,
  simInit: [['AT+CSMINS=1']],
  networkInit: [...REGISTRATION_REPORTS, ['AT+AUTOCSQ=1,1', 'AT+EXUNSOL="SQ",1'], ['AT+CNSMOD=1']],
  iccid: [
    { command: 'AT+CCID', expects: ['+ICCID'], parse: parseIccid },
    { command: 'AT+CICCID', expects: ['+ICCID'], parse: parseIccid },
    ...generic.iccid.slice(1),
  ],
  triesLeft: [{ command: 'AT+SPIC', parse: parsePinCounters }, ...generic.triesLeft],
  signal: [[{ command: 'AT+CPSI?', parse: (lines) => parseCpsi(lines)?.signal }], [CSQ]],
  technology: [{ command: 'AT+CNSMOD?', parse: (lines, { model }) => parseCnsmod(lines, model) }],
  // The standard's command with the password first.
  contextLogIn: ({ cid, username, password, auth }) => [
    `AT+CGAUTH=${cid},${authNumber(auth)},"${password}","${username}"`,
  ],
  gps: { on: ['AT+CGPS=1', 'AT+CGNSPWR=1'], off: ['AT+CGPS=0', 'AT+CGNSPWR=0'] },
  reset: ['AT+CFUN=1,1', 'AT+CRESET'],
  reports: {
    ...generic.reports,
    '+CSQ': strengthReport,
    '+CSQN': strengthReport,
    '+CNSMOD': (line, { snapshot }) => technologyReport(parseCnsmod([line], snapshot.model)),
  },
}

function strengthReport(line: string, context: ReportContext): Change {
  return reportedSignal(measureOfCsq([line]), prefixOf(line) ?? '', context)
}
