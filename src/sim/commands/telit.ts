/** Telit's own commands (LE910Cx AT Commands Reference Guide): cell, SIM, tries, technology. */

import { cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { ModemState } from '../modem-state.ts'
import type { Radio } from '../radio.ts'
import { logInCommand } from './log-in.ts'
import { iccid, simFault } from './sim.ts'

/** Serving cell: RSRP, RSSI and RSRQ of LTE; Ec/Io, RSCP and RSSI of UMTS; RSSI of GSM. */
function cellOf(modem: ModemState, radio: Radio): string {
  const { technology, rssi, rsrp, rsrq, rscp, ecio } = radio
  const { cell } = modem.network
  const plmn = `"${cell?.plmn.slice(0, 3)} ${cell?.plmn.slice(3)}"`
  const who = `"${modem.identity.imsi}","${cell?.name ?? ''}"`
  if (technology === 'gsm') return `${plmn},62,${rssi},0001,01,5,19,10,2,2C3D,${who},1,2`
  if (technology === 'umts')
    return `${plmn},10663,279,${ecio.toFixed(1)},${rscp},${rssi},0001,01,,64,19,1,1,,2C3D,${who},1,1`
  return `${plmn},1650,${rsrp},${rssi},${Math.round(rsrq)},0001,255,,128,3,0,A1B2C3D,${who},3,3`
}

const cell: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return OK
  const radio = modem.radioAt(nowMs)
  return radio && modem.isRegistered ? info(`#RFSTS: ${cellOf(modem, radio)}`) : ERROR
}

/** The tries of what is asked for, PIN's where nothing is. */
const pinTries: Handler = (command, { modem }) => {
  if (command.form === 'test') return OK
  const { sim } = modem
  if (sim.state === 'absent') return cme(10)
  return info(`#PCT: ${sim.state === 'puk' || sim.state === 'blocked' ? sim.pukTries : sim.pinTries}`)
}

/** 0 not there, 1 there, 2 open, 3 open with messages and telephone book. */
function simStatus({ sim }: ModemState): number {
  return sim.state === 'absent' ? 0 : sim.state === 'ready' ? 3 : 1
}

export const TELIT_COMMANDS: Readonly<Record<string, Handler>> = {
  '#PDPAUTH': logInCommand('#PDPAUTH', { kind: 1, user: 2, password: 3 }),
  '#RFSTS': cell,
  '#PCT': pinTries,
  '#CCID': (command, context) => {
    if (command.form === 'test') return OK
    const value = iccid(context)
    return value ? info(`#CCID: ${value}`) : cme(10)
  },
  '#CIMI': (command, context) =>
    command.form === 'test' ? OK : (simFault(context) ?? info(`#CIMI: ${context.modem.identity.imsi}`)),
  '#QSS': (command, { modem, port }) => {
    if (command.form === 'test') return info('#QSS: (0-3)')
    if (command.form === 'read') return info(`#QSS: ${port.wantsVendorReports ? 2 : 0},${simStatus(modem)}`)
    port.wantsVendorReports = command.args[0] !== '0'
    return OK
  },
  /** 0 GPRS, 1 EGPRS, 2 WCDMA, 3 HSDPA, 4 LTE, 5 none. */
  '#PSNT': (command, { modem }) => {
    if (command.form === 'test') return info('#PSNT: (0,1)')
    if (command.form !== 'read') return OK
    const numbers = { gsm: 1, umts: 3, lte: 4 } as const
    return info(`#PSNT: 0,${modem.isRegistered ? numbers[modem.personality.radio.technology] : 5}`)
  },
  '#PORTCFG': (command) => (command.form === 'read' ? info('#PORTCFG: 1,1') : OK),
  $GPSP: (command, { modem, nowMs }) => {
    if (command.form === 'test') return info('$GPSP: (0-1)')
    if (command.form === 'read') return info(`$GPSP: ${modem.gps.isOn ? 1 : 0}`)
    if (command.form !== 'set') return ERROR
    if (command.args[0] === '1') modem.gps.switchOn(nowMs)
    else modem.gps.switchOff()
    modem.wantWake()
    return OK
  },
  /** Which sentences, of which there is one set here. */
  $GPSNMUN: (command) => (command.form === 'read' ? info('$GPSNMUN: 3,1,1,1,1,1,1') : OK),
  '#REBOOT': () => ({ ...OK, reboots: true }),
}
