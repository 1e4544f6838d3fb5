/** u-blox's modules (u-blox Cellular Modules AT Commands Manual, UBX-13002752; SARA-R4 and -R5 AT Commands Manuals). */

import { parseUreg } from '../at/replies/access-technology.ts'
import { parsePinCounters } from '../at/replies/pin-tries.ts'
import { parseUcged } from '../at/replies/ucged.ts'
import type { ModemDriver } from './driver.ts'
import { authNumber, CESQ, CSQ, generic, REGISTRATION_REPORTS, technologyReport } from './generic.ts'

export const ublox: ModemDriver = {
  ...generic,
  name: 'ublox',
  usbIds: ['1546:*'],
  manufacturers: /u-?blox/i,
  simInit: [['AT+USIMSTAT=7']],
  networkInit: REGISTRATION_REPORTS,
  triesLeft: [{ command: 'AT+UPINCNT', parse: parsePinCounters }, ...generic.triesLeft],
  // TOBY-L1 and the like measure LTE without +CESQ.
  signal: [[CSQ], [CESQ, { command: 'AT+UCGED=5;+UCGED?', expects: ['+RSRP', '+RSRQ'], parse: parseUcged }]],
  technology: [{ command: 'AT+UREG?', parse: parseUreg }],
  contextLogIn: ({ cid, username, password, auth }) => [
    `AT+UAUTHREQ=${cid},${authNumber(auth)},"${username}","${password}"`,
  ],
  reset: ['AT+CFUN=16', 'AT+CFUN=1,1'],
  reports: { ...generic.reports, '+UREG': (line) => technologyReport(parseUreg([line])) },
}
