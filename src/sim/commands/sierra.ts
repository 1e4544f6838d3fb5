/** Sierra Wireless's own commands (AirPrime MC73xx AT Command Reference): status, ICCID, tries, reset behind a password. */

import { cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { ModemState } from '../modem-state.ts'
import { logInCommand } from './log-in.ts'
import { iccid } from './sim.ts'

const MODES = { gsm: 'GSM', umts: 'WCDMA', lte: 'LTE' } as const

/** Two columns, of which the right one may lack. */
function status(modem: ModemState, nowMs: number): readonly string[] {
  const radio = modem.radioAt(nowMs)
  const isIn = modem.isRegistered && radio !== undefined
  const pair = (left: string, right: string) => `${left.padEnd(24)}\t${right}`
  const head = [
    '!GSTATUS: ',
    pair(`Current Time:  ${Math.floor(nowMs / 1000)}`, 'Temperature: 36'),
    pair('Bootup Time:   5', `Mode:        ${modem.radio === 1 ? 'ONLINE' : 'LOW POWER MODE'}`),
    pair(
      `System mode:   ${isIn ? MODES[modem.personality.radio.technology] : 'No service'}`,
      `PS state:    ${isIn ? 'Attached' : 'Not attached'}`,
    ),
  ]
  if (!isIn) return head
  return [
    ...head,
    pair('LTE band:      B3', 'LTE bw:      20 MHz'),
    pair('LTE Rx chan:   1300', 'LTE Tx chan: 19300'),
    pair('EMM state:     Registered', 'Normal Service'),
    'RRC state:     RRC Idle',
    'IMS reg state: No Srv',
    pair(`RSSI (dBm):    ${radio.rssi}`, 'Tx Power:    0'),
    pair(`RSRP (dBm):    ${radio.rsrp}`, 'TAC:         0001 (1)'),
    pair(`RSRQ (dB):     ${radio.rsrq}`, 'Cell ID:     0A1B2C3D (169552957)'),
    `SINR (dB):     ${radio.sinr.toFixed(1)}`,
  ]
}

/** `!RESET` and its like are for those who know the word. */
const UNLOCKED = '!ENTERCND'

export const SIERRA_COMMANDS: Readonly<Record<string, Handler>> = {
  $QCPDPP: logInCommand('$QCPDPP', { kind: 1, password: 2, user: 3 }),
  '!GSTATUS': (command, { modem, nowMs }) => (command.form === 'read' ? info(...status(modem, nowMs)) : ERROR),
  '!ICCID': (command, context) => {
    if (command.form !== 'read') return ERROR
    const value = iccid(context)
    return value ? info(`!ICCID: ${value}`) : cme(10)
  },
  '+CPINC': (command, { modem }) => {
    if (command.form === 'test') return OK
    const { sim } = modem
    return sim.state === 'absent'
      ? cme(10)
      : info(`+CPINC: ${sim.pinTries}, ${sim.pin2Tries}, ${sim.pukTries}, ${sim.puk2Tries}`)
  },
  '*CNTI': (command, { modem }) => {
    if (command.form === 'test') return info('*CNTI: (0-2)')
    const names = { gsm: 'EDGE', umts: 'HSDPA/HSUPA', lte: 'LTE' } as const
    return info(`*CNTI: 0,${modem.isRegistered ? names[modem.personality.radio.technology] : 'NONE'}`)
  },
  '!ENTERCND': (command, { port }) => {
    if (command.form !== 'set' || command.args[0] !== 'A710') return ERROR
    port.registers.set(UNLOCKED, 1)
    return OK
  },
  '!RESET': (_command, { port }) => (port.registers.has(UNLOCKED) ? { ...OK, reboots: true } : ERROR),
}
