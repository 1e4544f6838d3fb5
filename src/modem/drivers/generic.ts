/** Any modem after 3GPP TS 27.007 and ITU-T V.250; vendors' drivers start from it. */

import { parseCesq } from '../at/replies/cesq.ts'
import { parseRegistrationDetails } from '../at/replies/creg.ts'
import { parseCrsmIccid, parseIccid } from '../at/replies/iccid.ts'
import { parseAti, parseImei, parseText } from '../at/replies/identity.ts'
import { parseCpinr } from '../at/replies/pin-tries.ts'
import type { SignalMeasure } from '../at/replies/signal-measure.ts'
import { measureOfCsq } from '../signal.ts'
import type { Change } from '../state.ts'
import type { ContextLogIn, ModemDriver, Query } from './driver.ts'

export const CSQ: Query<SignalMeasure> = { command: 'AT+CSQ', parse: measureOfCsq }

export const CESQ: Query<SignalMeasure> = { command: 'AT+CESQ', parse: parseCesq }

/** For makers whose modems know the level 2 of whatever they know at all. */
export const REGISTRATION_REPORTS = [['AT+CREG=2'], ['AT+CGREG=2'], ['AT+CEREG=2']] as const

export const generic: ModemDriver = {
  name: 'generic',
  usbIds: [],
  manufacturers: undefined,
  portInit: ['ATE0', 'AT+CMEE=1'],
  simInit: [],
  networkInit: [
    ['AT+CREG=2', 'AT+CREG=1'],
    ['AT+CGREG=2', 'AT+CGREG=1'],
    ['AT+CEREG=2', 'AT+CEREG=1'],
  ],
  manufacturer: [
    { command: 'AT+CGMI', parse: parseText },
    { command: 'AT+GMI', parse: parseText },
    { command: 'ATI', parse: (lines) => parseAti(lines).manufacturer },
  ],
  model: [
    { command: 'AT+CGMM', parse: parseText },
    { command: 'AT+GMM', parse: parseText },
    { command: 'ATI', parse: (lines) => parseAti(lines).model },
  ],
  revision: [
    { command: 'AT+CGMR', parse: parseText },
    { command: 'AT+GMR', parse: parseText },
    { command: 'ATI', parse: (lines) => parseAti(lines).revision },
  ],
  imei: [
    { command: 'AT+CGSN', parse: parseImei },
    { command: 'AT+GSN', parse: parseImei },
    { command: 'ATI', parse: (lines) => parseAti(lines).imei },
  ],
  iccid: [
    { command: 'AT+CCID', expects: ['+ICCID'], parse: parseIccid },
    { command: 'AT+ICCID', expects: ['+CCID'], parse: parseIccid },
    { command: 'AT+CRSM=176,12258,0,0,10', parse: parseCrsmIccid },
  ],
  triesLeft: [{ command: 'AT+CPINR', parse: parseCpinr }],
  registration: ['AT+CEREG?', 'AT+CGREG?', 'AT+CREG?'],
  signal: [[CSQ], [CESQ]],
  technology: [],
  contextLogIn: ({ cid, username, password, auth }) => [
    `AT+CGAUTH=${cid},${authNumber(auth)},"${username}","${password}"`,
  ],
  packetReports: ['AT+CGEREP=2,1', 'AT+CGEREP=1'],
  radioOn: 'AT+CFUN=1',
  radioOff: ['AT+CFUN=4', 'AT+CFUN=0'],
  reset: ['AT+CFUN=1,1'],
  reports: {
    '+CREG': registrationReport,
    '+CGREG': registrationReport,
    '+CEREG': registrationReport,
    '+C5GREG': registrationReport,
  },
}

function registrationReport(line: string): Change | undefined {
  const [reply] = parseRegistrationDetails([line])
  return reply && { type: 'registration', reply }
}

/** As +CGAUTH and its like number them; CHAP where either would do: it does not show the password. */
export function authNumber(auth: ContextLogIn['auth']): number {
  return auth === 'pap' ? 1 : 2
}

/** Qualcomm's own, with the password first. */
export function qualcommLogIn({ cid, username, password, auth }: ContextLogIn): string {
  return `AT$QCPDPP=${cid},${authNumber(auth)},"${password}","${username}"`
}

/** A report of the technology alone. */
export function technologyReport(technologies: readonly string[] | undefined): Change | undefined {
  return technologies && { type: 'technologies', source: 'report', technologies }
}
