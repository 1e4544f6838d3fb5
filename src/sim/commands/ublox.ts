/** u-blox's own commands (u-blox Cellular Modules AT Commands Manual, UBX-13002752). */

import { cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { ModemState } from '../modem-state.ts'
import { logInCommand } from './log-in.ts'
import { NETWORK_COMMANDS } from './network.ts'

/** What +UCGED was set to. */
const CELL_MODE = '+UCGED'

/** 0 no service, 2 EDGE, 6 HSDPA and HSUPA, 7 LTE. */
function packetNetwork({ isRegistered, personality }: ModemState): number {
  return isRegistered ? { gsm: 2, umts: 6, lte: 7 }[personality.radio.technology] : 0
}

/** Battery, signal in bars, service, sounder, message, call, roam, memory, and the like. */
const indicators: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test')
    return info('+CIND: ("battchg",(0-5)),("signal",(0-5)),("service",(0,1)),("roam",(0,1)),("gprs",(0-2))')
  if (command.form !== 'read') return ERROR
  const rssi = modem.radioAt(nowMs)?.rssi
  const bars = rssi === undefined ? 0 : Math.max(0, Math.min(5, Math.floor((rssi + 113) / 10)))
  const service = modem.isRegistered ? 1 : 0
  return info(`+CIND: 5,${bars},${service},${modem.registration === 5 ? 1 : 0},${service * 2}`)
}

/** Reports of the indicators above; the signal is the second. */
const eventReports: Handler = (command, { port }) => {
  if (command.form === 'test') return info('+CMER: (0-3),(0),(0),(0-2),(0,1)')
  if (command.form === 'read') return info(`+CMER: 1,0,0,${port.wantsSignalReports ? 2 : 0},0`)
  port.wantsSignalReports = command.args[3] === '1' || command.args[3] === '2'
  return OK
}

/** Mode 5: RSRP and RSRQ of the serving cell, with its number and channel before them. */
const cellInformation: Handler = (command, { modem, port, nowMs }) => {
  if (command.form === 'test') return info('+UCGED: (0,5)')
  if (command.form === 'set') {
    if (command.args[0] !== '0' && command.args[0] !== '5') return cme(50)
    port.registers.set(CELL_MODE, Number(command.args[0]))
    return OK
  }
  const radio = modem.isRegistered ? modem.radioAt(nowMs) : undefined
  if (port.registers.get(CELL_MODE) !== 5 || radio?.technology !== 'lte') return info('+UCGED: 0')
  const { rsrp, rsrq } = radio
  const value = (db: number) => `-${Math.abs(db).toFixed(2).padStart(6, '0')}`
  return info(`+RSRP: 162,5110,"${value(rsrp)}",`, `+RSRQ: 162,5110,"${value(rsrq)}",`)
}

export const UBLOX_COMMANDS: Readonly<Record<string, Handler>> = {
  '+UAUTHREQ': logInCommand('+UAUTHREQ', { kind: 1, user: 2, password: 3 }),
  /** 16 restarts it, the SIM with it. */
  '+CFUN': (command, context) =>
    command.text === '+CFUN=16' ? { ...OK, reboots: true } : NETWORK_COMMANDS['+CFUN']!(command, context),
  '+UPINCNT': (command, { modem }) => {
    if (command.form === 'test') return OK
    const { sim } = modem
    return sim.state === 'absent'
      ? cme(10)
      : info(`+UPINCNT: ${sim.pinTries},${sim.pin2Tries},${sim.pukTries},${sim.puk2Tries}`)
  },
  '+UREG': (command, { modem, port }) => {
    if (command.form === 'test') return info('+UREG: (0,1)')
    if (command.form === 'read') return info(`+UREG: ${port.wantsVendorReports ? 1 : 0},${packetNetwork(modem)}`)
    return OK
  },
  '+UCGED': cellInformation,
  '+USIMSTAT': (command) => (command.form === 'test' ? info('+USIMSTAT: (0-7)') : OK),
  '+UPSV': (command) => (command.form === 'read' ? info('+UPSV: 0') : OK),
  '+CIND': indicators,
  '+CMER': eventReports,
}
