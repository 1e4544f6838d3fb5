/**
 * Huawei's sticks and modules (UMTS Datacard Modem AT Command Interface Specification; MU709 and ME909s AT Command Interface
 * Specifications): own commands for ICCID, tries, signal and technology, and reports of signal and mode that come unasked.
 */

import { parseRejinfo } from '../at/replies/ceer.ts'
import { parseHcsq } from '../at/replies/hcsq.ts'
import { parseIccid } from '../at/replies/iccid.ts'
import { parseHuaweiCpin } from '../at/replies/pin-tries.ts'
import { parseMode, parseSysinfo, parseSysinfoex } from '../at/replies/sysinfo.ts'
import { measureOfCsq, reportedSignal } from '../signal.ts'
import type { ModemDriver } from './driver.ts'
import { authNumber, CSQ, generic, technologyReport } from './generic.ts'

export const huawei: ModemDriver = {
  ...generic,
  name: 'huawei',
  usbIds: ['12d1:*'],
  manufacturers: /huawei/i,
  // The sticks report mode and flow by themselves; this asks for them where a firmware is mute.
  networkInit: [...generic.networkInit, ['AT^CURC=1']],
  iccid: [{ command: 'AT^ICCID?', expects: ['^ICCID'], parse: parseIccid }, ...generic.iccid],
  triesLeft: [{ command: 'AT^CPIN?', parse: parseHuaweiCpin }, ...generic.triesLeft],
  signal: [[{ command: 'AT^HCSQ?', parse: parseHcsq }, CSQ]],
  technology: [
    { command: 'AT^SYSINFOEX', parse: (lines) => parseSysinfoex(lines)?.technologies },
    { command: 'AT^SYSINFO', parse: (lines) => parseSysinfo(lines)?.technologies },
  ],
  // The sticks take and give packed septets, whatever +CSCS says.
  ussdForms: ['packed'],
  contextLogIn: (logIn) => {
    const { cid, username, password, auth } = logIn
    return [`AT^AUTHDATA=${cid},${authNumber(auth)},"","${password}","${username}"`, ...generic.contextLogIn(logIn)]
  },
  radioOff: ['AT+CFUN=4', 'AT^RFSWITCH=0', 'AT+CFUN=0'],
  reset: ['AT+CFUN=1,1', 'AT^RESET'],
  reports: {
    ...generic.reports,
    '^RSSI': (line, context) => reportedSignal(measureOfCsq([line]), '^RSSI', context),
    '^HCSQ': (line, context) => reportedSignal(parseHcsq([line]), '^HCSQ', context),
    '^REJINFO': (line) => {
      const cause = parseRejinfo([line])
      return cause && { type: 'denial', cause }
    },
    '^MODE': (line) => technologyReport(parseMode([line])),
  },
}
