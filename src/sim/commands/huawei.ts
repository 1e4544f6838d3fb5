/** Huawei's own commands with a state behind them (UMTS Datacard Modem AT Command Interface Specification; ME909s LTE Module AT Command Interface Specification); fixed replies are in the personality. */

import { cme, type Handler, info, OK } from '../answer.ts'
import type { ModemState } from '../modem-state.ts'
import { type Radio, steps } from '../radio.ts'
import { logInCommand } from './log-in.ts'
import { iccid } from './sim.ts'

const pin: Handler = (command, { modem }) => {
  if (command.form !== 'read') return undefined
  const { sim } = modem
  const { word } = sim
  if (!word) return cme(sim.state === 'absent' ? 10 : 13)
  const current = sim.state === 'pin' ? sim.pinTries : sim.state === 'puk' ? sim.pukTries : ''
  return info(`^CPIN:${word},${current},${sim.pukTries},${sim.pinTries},${sim.puk2Tries},${sim.pin2Tries}`)
}

const simNumber = (modem: ModemState) => (modem.sim.state === 'ready' ? 1 : modem.sim.state === 'absent' ? 255 : 0)

/** Service status, domain, roaming, mode, SIM state, lock, sub-mode. */
const systemInformation: Handler = (command, { modem }) => {
  if (command.form !== 'execute') return undefined
  const roams = modem.registration === 5 ? 1 : 0
  const service = modem.isRegistered ? `2,3,${roams},${modem.personality.radio.systemMode}` : '0,255,0,0'
  return info(`^SYSINFO:${service},${simNumber(modem)},,4`)
}

const SYSTEM_MODES = {
  gsm: '1,"GSM",3,"EDGE"',
  umts: '3,"WCDMA",25,"HSPA"',
  lte: '6,"LTE",101,"LTE"',
} as const

/** The same with names. */
const extendedSystemInformation: Handler = (command, { modem }) => {
  if (command.form !== 'execute') return undefined
  const roams = modem.registration === 5 ? 1 : 0
  const service = modem.isRegistered ? `2,3,${roams}` : '0,255,0'
  const mode = modem.isRegistered ? SYSTEM_MODES[modem.personality.radio.technology] : '0,"NO SERVICE",0,"NO SERVICE"'
  return info(`^SYSINFOEX:${service},${simNumber(modem)},,${mode}`)
}

/** Steps of 1 dB from -120 dBm, RSRP from -140; of 0.2 dB from -20 for SINR, of 0.5 dB for the ratios. */
function signalSteps({ technology, rssi, rsrp, rsrq, sinr, rscp, ecio }: Radio): string {
  const strength = steps(rssi, -120, 1, 96)
  if (technology === 'gsm') return `"GSM",${strength}`
  if (technology === 'umts') return `"WCDMA",${strength},${steps(rscp, -120, 1, 96)},${steps(ecio, -32, 2, 65)}`
  return `"LTE",${strength},${steps(rsrp, -140, 1, 97)},${steps(sinr, -20, 5, 251)},${steps(rsrq, -19.5, 2, 34)}`
}

const signal: Handler = (command, { modem, nowMs }) => {
  if (command.form !== 'read') return undefined
  const radio = modem.isRegistered ? modem.radioAt(nowMs) : undefined
  return info(`^HCSQ:${radio ? signalSteps(radio) : '"NOSERVICE"'}`)
}

const reports: Handler = (command, { modem, port }) => {
  if (command.form === 'read') return info(`^CURC:${port.wantsVendorReports ? 1 : 0}`)
  if (command.form !== 'set') return undefined
  port.wantsVendorReports = command.args[0] !== '0'
  if (!port.wantsVendorReports) modem.stopBootReports()
  return OK
}

export const HUAWEI_COMMANDS: Readonly<Record<string, Handler>> = {
  '^AUTHDATA': logInCommand('^AUTHDATA', { kind: 1, password: 3, user: 4 }),
  '^CPIN': pin,
  '^SYSINFO': systemInformation,
  '^SYSINFOEX': extendedSystemInformation,
  '^HCSQ': signal,
  '^CURC': reports,
  '^ICCID': (command, context) => {
    if (command.form !== 'read') return undefined
    const value = iccid(context)
    return value ? info(`^ICCID:${value}`) : cme(10)
  },
  '^RFSWITCH': (command, { modem }) =>
    command.form === 'read' ? info(`^RFSWITCH:${modem.radio === 1 ? 1 : 0},1`) : undefined,
}
