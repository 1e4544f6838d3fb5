/** Telit's modules (LE910, HE910 and ME910 AT Commands Reference Guides): AT#…, and #QSS that tells of the SIM. */

import { parsePsnt } from '../at/replies/access-technology.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import { parsePct } from '../at/replies/pin-tries.ts'
import { parseRfsts, signalOf } from '../at/replies/rfsts.ts'
import type { ModemDriver } from './driver.ts'
import { authNumber, CSQ, generic, REGISTRATION_REPORTS, technologyReport } from './generic.ts'

export const telit: ModemDriver = {
  ...generic,
  name: 'telit',
  usbIds: ['1bc7:*'],
  manufacturers: /telit/i,
  simInit: [['AT#QSS=2', 'AT#QSS=1']],
  networkInit: REGISTRATION_REPORTS,
  iccid: [{ command: 'AT#CCID', parse: parseIccid }, ...generic.iccid],
  triesLeft: [{ command: 'AT#PCT', parse: (lines, { simStatus }) => parsePct(lines, simStatus) }, ...generic.triesLeft],
  signal: [[{ command: 'AT#RFSTS', parse: (lines) => signalOf(parseRfsts(lines) ?? {}) }], [CSQ]],
  technology: [{ command: 'AT#PSNT?', parse: parsePsnt }],
  contextLogIn: (logIn) => {
    const { cid, username, password, auth } = logIn
    return [`AT#PDPAUTH=${cid},${authNumber(auth)},"${username}","${password}"`, ...generic.contextLogIn(logIn)]
  },
  gps: { on: ['AT$GPSP=1', 'AT$GPSNMUN=3,1,1,1,1,1,1'], off: ['AT$GPSP=0'] },
  reset: ['AT#REBOOT', 'AT+CFUN=1,1'],
  reports: { ...generic.reports, '#PSNT': (line) => technologyReport(parsePsnt([line])) },
}
