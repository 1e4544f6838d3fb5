/** Sierra Wireless's modules (AirPrime MC7xxx, EM7xxx and EM9 AT Command References): AT!…, of which the dangerous need a password. */

import { parseCnti } from '../at/replies/access-technology.ts'
import { parseGstatus } from '../at/replies/gstatus.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import { parsePinCounters } from '../at/replies/pin-tries.ts'
import type { ModemDriver } from './driver.ts'
import { CSQ, generic, qualcommLogIn, REGISTRATION_REPORTS } from './generic.ts'

export const sierra: ModemDriver = {
  ...generic,
  name: 'sierra',
  usbIds: ['1199:*', '0f3d:*', '114f:*', '413c:81a*', '413c:81b*', '03f0:4e1d'],
  manufacturers: /sierra wireless/i,
  networkInit: REGISTRATION_REPORTS,
  iccid: [{ command: 'AT!ICCID?', parse: parseIccid }, ...generic.iccid],
  triesLeft: [{ command: 'AT+CPINC?', parse: parsePinCounters }, ...generic.triesLeft],
  signal: [[{ command: 'AT!GSTATUS?', parse: (lines) => parseGstatus(lines)?.signal }], [CSQ]],
  technology: [{ command: 'AT*CNTI=0', parse: parseCnti }],
  gps: { on: [], off: [], port: { on: '$GPS_START', off: '$GPS_STOP' } },
  contextLogIn: (logIn) => [qualcommLogIn(logIn), ...generic.contextLogIn(logIn)],
  reset: ['AT!RESET', 'AT+CFUN=1,1'],
}
