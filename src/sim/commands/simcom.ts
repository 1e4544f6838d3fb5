/** SIMCom's own commands (SIM800 Series AT Command Manual; SIM7500_SIM7600 Series AT Command Manual). */

import { cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { ModemState } from '../modem-state.ts'
import type { Radio } from '../radio.ts'
import { logInCommand } from './log-in.ts'
import { iccid } from './sim.ts'

/** RSRQ, RSRP and RSSI of LTE in tenths. */
function systemOf(plmn: string, { technology, rssi, rsrp, rsrq, sinr, rscp, ecio }: Radio): string {
  const network = `Online,${plmn.slice(0, 3)}-${plmn.slice(3)},0x0001`
  if (technology === 'gsm') return `GSM,${network},11325,62 EGSM 900,${rssi},0,32-32`
  if (technology === 'umts') return `WCDMA,${network},169552957,WCDMA IMT 2000,279,10663,0,${-ecio},${-rscp},33,52,500`
  return `LTE,${network},169552957,318,EUTRAN-BAND3,1650,5,5,${rsrq * 10},${rsrp * 10},${rssi * 10},${sinr}`
}

const system: Handler = (command, { modem, nowMs }) => {
  if (command.form !== 'read') return command.form === 'test' ? OK : ERROR
  const radio = modem.isRegistered ? modem.radioAt(nowMs) : undefined
  const { cell } = modem.network
  return info(`+CPSI: ${radio && cell ? systemOf(cell.plmn, radio) : 'NO SERVICE,Online'}`)
}

const pinTries: Handler = (command, { modem }) => {
  if (command.form === 'test') return OK
  const { sim } = modem
  return sim.state === 'absent'
    ? cme(10)
    : info(`+SPIC: ${sim.pinTries},${sim.pukTries},${sim.pin2Tries},${sim.puk2Tries}`)
}

const signalReports: Handler = (command, { port }) => {
  if (command.form === 'test') return info('+EXUNSOL: ("SQ")')
  if (command.form !== 'set' || command.args[0] !== 'SQ') return ERROR
  port.wantsSignalReports = command.args[1] === '1'
  return OK
}

/** 8 is LTE of the SIM7100 and its followers, 7 LTE-M of those that are called SIM70xx. */
function systemMode({ isRegistered, personality }: ModemState): number {
  if (!isRegistered) return 0
  const lte = /SIM70\d\d/.test(personality.identity.model) ? 7 : 8
  return { gsm: 3, umts: 7, lte }[personality.radio.technology]
}

export const SIMCOM_COMMANDS: Readonly<Record<string, Handler>> = {
  /** The password comes first here. */
  '+CGAUTH': logInCommand('+CGAUTH', { kind: 1, password: 2, user: 3 }),
  '+CPSI': system,
  '+SPIC': pinTries,
  '+CNSMOD': (command, { modem }) => {
    if (command.form === 'test') return info('+CNSMOD: (0,1)')
    return command.form === 'read' ? info(`+CNSMOD: 0,${systemMode(modem)}`) : OK
  },
  '+EXUNSOL': signalReports,
  /** Of the newer modules: automatic +CSQ lines. */
  '+AUTOCSQ': (command, { port }) => {
    if (command.form === 'read') return info(`+AUTOCSQ: ${port.wantsSignalReports ? 1 : 0},0`)
    if (command.form === 'set') port.wantsSignalReports = command.args[0] === '1'
    return OK
  },
  '+CICCID': (command, context) => {
    if (command.form !== 'execute') return OK
    const value = iccid(context)
    return value ? info(`+ICCID: ${value}F`) : cme(10)
  },
  /** The SIM800 answers with the bare number and its filler. */
  '+CCID': (command, context) => {
    if (command.form === 'test') return OK
    const value = iccid(context)
    return value ? info(`${value}f`) : cme(10)
  },
  '+GSV': (_command, { modem }) => info(...modem.personality.identity.info),
  '+CPOWD': () => ({ final: { own: 'NORMAL POWER DOWN' }, reboots: true }),
}
