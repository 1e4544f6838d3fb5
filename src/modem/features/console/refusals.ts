/**
 * Commands that would pull the ground from under modemd (its session, the radio, its calls, its reports), and what to use
 * instead. Questions (`?`, `=?`) disturb nothing. Pure data; used by `console.ts`.
 */

import { type LineCommand, splitLine } from './command-line.ts'

const RESET = 'use `mmctl reset`'
const RADIO = 'use `mmctl enable`, `mmctl disable` or `mmctl reset`'
const CONNECT = 'use `mmctl connect`'
const HANG_UP = 'use `mmctl disconnect`'
const SESSION = 'modemd reads every answer by it'
const REPORTS = 'modemd lives by these reports; `mmctl status` shows what they tell'
const MESSAGES = 'use `mmctl sms`'
const CONTEXT = 'set `apn` with `mmctl profile` or `mmctl connect --apn`, which chooses the context'
const OFF = 'use `mmctl disable`, or `mmctl inhibit` to have the ports for yourself'
const PORTS = 'it changes the ports that modemd holds: use it under `mmctl inhibit`'

const ADVICE: Readonly<Record<string, string>> = {
  // ITU-T V.250
  Z: RESET,
  '&F': RESET,
  '&W': RESET,
  '&Y': RESET,
  E: SESSION,
  Q: SESSION,
  V: SESSION,
  X: SESSION,
  '&C': SESSION,
  '&D': SESSION,
  '&K': SESSION,
  '&S': SESSION,
  '\\Q': SESSION,
  D: CONNECT,
  A: 'modemd takes no calls',
  O: CONNECT,
  H: HANG_UP,
  S0: 'modemd takes no calls',
  S2: SESSION,
  S3: SESSION,
  S4: SESSION,
  S5: SESSION,
  S12: SESSION,
  '+IPR': 'set `baud` in a [device] section of modemd.conf',
  '+ICF': SESSION,
  '+IFC': SESSION,
  // 3GPP TS 27.007
  '+CFUN': RADIO,
  '+CMUX': SESSION,
  '+CMEE': SESSION,
  '+CSCS': MESSAGES,
  '+CGDCONT': CONTEXT,
  '+CGAUTH': CONTEXT,
  '+CGQREQ': CONTEXT,
  '+CGACT': CONNECT,
  '+CGATT': CONNECT,
  '+CGDATA': CONNECT,
  '+CGANS': CONNECT,
  '+CHUP': HANG_UP,
  '+COPS': 'use `mmctl register` or `mmctl scan`',
  '+CREG': REPORTS,
  '+CGREG': REPORTS,
  '+CEREG': REPORTS,
  '+C5GREG': REPORTS,
  '+CGEREP': REPORTS,
  '+CMER': REPORTS,
  '+CUSD': 'use `mmctl ussd`',
  '+CPOF': OFF,
  // 3GPP TS 27.005
  '+CMGF': MESSAGES,
  '+CPMS': MESSAGES,
  '+CNMI': MESSAGES,
  '+CSMS': MESSAGES,
  '+CMGS': MESSAGES,
  '+CMGW': MESSAGES,
  '+CMSS': MESSAGES,
  '+CMGC': MESSAGES,
  '+CMGD': MESSAGES,
  '+CNMA': MESSAGES,
  '+CRES': MESSAGES,
  // Vendors: off, restart, another set of USB ports, calls beside PPP
  '^RESET': RESET,
  '^CURC': REPORTS,
  '^RFSWITCH': RADIO,
  '^SETPORT': PORTS,
  '^U2DIAG': PORTS,
  '^GETPORTMODE': PORTS,
  '^NDISDUP': CONNECT,
  '+ZCDRUN': PORTS,
  '+ZRESET': RESET,
  '+ZOPRT': RADIO,
  '+QPOWD': OFF,
  '+QRST': RESET,
  '+QUSBCFG': PORTS,
  '+QIACT': CONNECT,
  '+CPOWD': OFF,
  '+CRESET': RESET,
  '+CUSBPIDSWITCH': PORTS,
  '+NETOPEN': CONNECT,
  $QCRMCALL: CONNECT,
  '!RESET': RESET,
  '!UDUSBCOMP': PORTS,
  '!SCACT': CONNECT,
  '#REBOOT': RESET,
  '#SHDN': OFF,
  '#SGACT': CONNECT,
  '#USBCFG': PORTS,
  '+UPSDA': CONNECT,
  '+CPWROFF': OFF,
  '+UUSBCONF': PORTS,
  _OWANCALL: CONNECT,
}

/** Formats of the answer, and a look around, that change nothing for long. */
const HARMLESS: Readonly<Record<string, RegExp>> = { '+COPS': /^=3\b/, '^SETPORT': /^$/, '^GETPORTMODE': /^$/ }

/** Why the line is not for the console, as a sentence for people; undefined: it may go. */
export function refusalOf(line: string): string | undefined {
  const plain = line.replace(/ /g, '')
  if (/^A\//i.test(plain)) return "A/ repeats a line of modemd's own: give the command itself."
  if (/^\+\+\+/.test(plain)) return `+++ leaves a call: ${HANG_UP}.`
  const refused = splitLine(line).find(isRefused)
  return refused && `${shown(refused)} is not sent: ${ADVICE[refused.name]}, or --force.`
}

function isRefused({ name, rest }: LineCommand): boolean {
  if (!Object.hasOwn(ADVICE, name) || HARMLESS[name]?.test(rest)) return false
  return name === 'D' || !/^=?\?$/.test(rest)
}

function shown({ name, rest }: LineCommand): string {
  return `AT${name}${rest}`.slice(0, 40)
}
