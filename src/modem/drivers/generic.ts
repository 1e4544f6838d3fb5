/** Any modem after 3GPP TS 27.007 and ITU-T V.250; vendors' drivers start from it. */

import { parseCpin } from '../at/replies/cpin.ts'
import { parseRegistrations } from '../at/replies/creg.ts'
import { parseCrsmIccid, parseIccid } from '../at/replies/iccid.ts'
import { parseImei, parseText } from '../at/replies/identity.ts'
import { parseCpinr } from '../at/replies/pin-tries.ts'
import type { Change } from '../state.ts'
import type { ModemDriver } from './driver.ts'

export const generic: ModemDriver = {
  name: 'generic',
  portInit: ['ATE0', 'AT+CMEE=1'],
  networkInit: [
    ['AT+CREG=2', 'AT+CREG=1'],
    ['AT+CGREG=2', 'AT+CGREG=1'],
    ['AT+CEREG=2', 'AT+CEREG=1'],
  ],
  manufacturer: [
    { command: 'AT+CGMI', parse: parseText },
    { command: 'AT+GMI', parse: parseText },
  ],
  model: [
    { command: 'AT+CGMM', parse: parseText },
    { command: 'AT+GMM', parse: parseText },
  ],
  revision: [
    { command: 'AT+CGMR', parse: parseText },
    { command: 'AT+GMR', parse: parseText },
  ],
  imei: [
    { command: 'AT+CGSN', parse: parseImei },
    { command: 'AT+GSN', parse: parseImei },
  ],
  iccid: [
    { command: 'AT+CCID', expects: ['+ICCID'], parse: parseIccid },
    { command: 'AT+ICCID', expects: ['+CCID'], parse: parseIccid },
    { command: 'AT+CRSM=176,12258,0,0,10', parse: parseCrsmIccid },
  ],
  triesLeft: [{ command: 'AT+CPINR', parse: parseCpinr }],
  registration: ['AT+CEREG?', 'AT+CGREG?', 'AT+CREG?'],
  radioOn: 'AT+CFUN=1',
  radioOff: ['AT+CFUN=4', 'AT+CFUN=0'],
  reset: 'AT+CFUN=1,1',
  reports: { '+CREG': registrationReport, '+CGREG': registrationReport, '+CEREG': registrationReport },
  isSimReport: (line) => parseCpin([line]) !== undefined,
}

function registrationReport(line: string): Change | undefined {
  const [reply] = parseRegistrations([line])
  return reply && { type: 'registration', reply }
}
