/** Quectel's own commands (EC25&EC21 AT Commands Manual): signal, network, tries, reports. */

import { cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { ModemState } from '../modem-state.ts'
import type { Radio } from '../radio.ts'
import { logInCommand } from './log-in.ts'
import { iccid, simFault } from './sim.ts'

/** SINR in fifths of a decibel from -20. */
function signalOf({ technology, rssi, rsrp, rsrq, sinr, rscp, ecio }: Radio): string {
  if (technology === 'gsm') return `"GSM",${rssi}`
  if (technology === 'umts') return `"WCDMA",${rssi},${rscp},${ecio}`
  return `"LTE",${rssi},${rsrp},${(sinr + 20) * 5},${Math.round(rsrq)}`
}

const signal: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return info('+QCSQ: "NOSERVICE","GSM","WCDMA","LTE"')
  const radio = modem.isRegistered ? modem.radioAt(nowMs) : undefined
  return info(`+QCSQ: ${radio ? signalOf(radio) : '"NOSERVICE"'}`)
}

const NETWORKS = {
  gsm: ['EDGE', 'GSM 900', 62],
  umts: ['HSPA+', 'WCDMA 2100', 10_663],
  lte: ['FDD LTE', 'LTE BAND 3', 1650],
} as const

const networkInformation: Handler = (command, { modem }) => {
  const { cell } = modem.network
  if (!modem.isRegistered || !cell) return info('+QNWINFO: No Service')
  const [name, band, channel] = NETWORKS[modem.personality.radio.technology]
  return command.form === 'test' ? OK : info(`+QNWINFO: "${name}","${cell.plmn}","${band}",${channel}`)
}

/** The serving cell, by its values of each generation. */
function cellOf(plmn: string, { technology, rssi, rsrp, rsrq, sinr, rscp, ecio }: Radio): string {
  const network = `${plmn.slice(0, 3)},${plmn.slice(3)}`
  if (technology === 'gsm') return `"GSM",${network},0001,2C3D,30,62,0,${rssi},255,255,0,38,38,0,-,-,-,-,-,-,-,-,-`
  if (technology === 'umts') return `"WCDMA",${network},0001,A1B2C3D,10663,279,1,${rscp},${ecio},-,-,-,-,-`
  return `"LTE","FDD",${network},A1B2C3D,318,1650,3,5,5,0001,${rsrp},${Math.round(rsrq)},${rssi},${sinr},38`
}

const engineering: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return info('+QENG: ("servingcell","neighbourcell")')
  if (command.form !== 'set' || command.args[0] !== 'servingcell') return ERROR
  const radio = modem.isRegistered ? modem.radioAt(nowMs) : undefined
  const { cell } = modem
  if (!radio || !cell) return info('+QENG: "servingcell","SEARCH"')
  const state = modem.context.isUp ? 'CONNECT' : 'NOCONN'
  return info(`+QENG: "servingcell","${state}",${cellOf(cell.plmn, radio)}`)
}

const pinTries: Handler = (command, { modem }) => {
  if (command.form === 'test') return info('+QPINC: ("SC","P2")')
  const { sim } = modem
  if (sim.state === 'absent') return cme(10)
  const lines = [`+QPINC: "SC",${sim.pinTries},${sim.pukTries}`, `+QPINC: "P2",${sim.pin2Tries},${sim.puk2Tries}`]
  if (command.form === 'read') return info(...lines)
  return command.form === 'set' ? info(...lines.filter((line) => line.includes(`"${command.args[0]}"`))) : ERROR
}

const indications: Handler = (command, { port }) => {
  if (command.form === 'test') return info('+QINDCFG: "all",(0,1)', '+QINDCFG: "csq",(0,1)', '+QINDCFG: "act",(0,1)')
  const [what, on] = command.args
  if (command.form !== 'set' || !['all', 'csq', 'act', 'ring', 'smsincoming'].includes(what ?? '')) return ERROR
  if (on === undefined) return info(`+QINDCFG: "${what}",${what === 'csq' && port.wantsSignalReports ? 1 : 0}`)
  if (what === 'csq' || what === 'all') port.wantsSignalReports = on === '1'
  return OK
}

/** 0 none yet, and a bit each for SIM, messages and telephone book. */
const initialised = ({ sim }: ModemState) => (sim.state === 'ready' ? 7 : 0)

const gps: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return info('+QGPS: (1-4),(1-255),(1-1000),(0-1000),(1-65535)')
  if (command.form === 'read') return info(`+QGPS: ${modem.gps.isOn ? 1 : 0}`)
  // 504: the session is under way.
  if (command.form !== 'set' || command.args[0] !== '1') return ERROR
  if (modem.gps.isOn) return cme(504)
  modem.gps.switchOn(nowMs)
  modem.wantWake()
  return OK
}

export const QUECTEL_COMMANDS: Readonly<Record<string, Handler>> = {
  '+QICSGP': logInCommand('+QICSGP', { user: 3, password: 4, kind: 5, definesContext: true }),
  '+QCSQ': signal,
  '+QNWINFO': networkInformation,
  '+QENG': engineering,
  '+QPINC': pinTries,
  '+QINDCFG': indications,
  '+QCCID': (command, context) => {
    if (command.form === 'test') return OK
    const value = iccid(context)
    return value ? info(`+QCCID: ${value}F`) : cme(10)
  },
  '+QINISTAT': (command, { modem }) =>
    command.form === 'test' ? info('+QINISTAT: (0-7)') : info(`+QINISTAT: ${initialised(modem)}`),
  '+QSIMSTAT': (command, { modem }) =>
    command.form === 'read' ? info(`+QSIMSTAT: 0,${modem.sim.state === 'absent' ? 0 : 1}`) : OK,
  '+QSPN': (command, context) => {
    if (command.form === 'test') return OK
    const { cell } = context.modem.network
    return simFault(context) ?? info(`+QSPN: "${cell?.name ?? ''}","${cell?.name ?? ''}","",0,"${cell?.plmn ?? ''}"`)
  },
  '+QGPS': gps,
  '+QGPSEND': (command, { modem }) => {
    if (command.form === 'test') return OK
    if (!modem.gps.isOn) return cme(505)
    modem.gps.switchOff()
    return OK
  },
  '+QPOWD': () => ({ ...OK, reboots: true }),
}
