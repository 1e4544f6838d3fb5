/** Huawei's own commands with a state behind them (UMTS Datacard Modem AT Command Interface Specification); fixed replies are in the personality. */

import { cme, type Handler, info, OK } from '../answer.ts'
import { iccid, PIN_WORDS } from './sim.ts'

const pin: Handler = (command, { modem }) => {
  if (command.form !== 'read') return undefined
  const { sim } = modem
  const word = PIN_WORDS[sim.state]
  if (!word) return cme(sim.state === 'absent' ? 10 : 13)
  const current = sim.state === 'pin' ? sim.pinTries : sim.state === 'puk' ? sim.pukTries : ''
  return info(`^CPIN:${word},${current},${sim.pukTries},${sim.pinTries},10,3`)
}

/** Service status, domain, roaming, mode, SIM state, lock, sub-mode. */
const systemInformation: Handler = (command, { modem }) => {
  if (command.form !== 'execute') return undefined
  const roams = modem.registration === 5 ? 1 : 0
  const service = modem.isRegistered ? `2,3,${roams},${modem.personality.radio.systemMode}` : '0,255,0,0'
  const sim = modem.sim.state === 'ready' ? 1 : modem.sim.state === 'absent' ? 255 : 0
  return info(`^SYSINFO:${service},${sim},,4`)
}

const reports: Handler = (command, { modem, port }) => {
  if (command.form === 'read') return info(`^CURC:${port.wantsVendorReports ? 1 : 0}`)
  if (command.form !== 'set') return undefined
  port.wantsVendorReports = command.args[0] !== '0'
  if (!port.wantsVendorReports) modem.stopBootReports()
  return OK
}

export const HUAWEI_COMMANDS: Readonly<Record<string, Handler>> = {
  '^CPIN': pin,
  '^SYSINFO': systemInformation,
  '^CURC': reports,
  '^ICCID': (command, context) => {
    if (command.form !== 'read') return undefined
    const value = iccid(context)
    return value ? info(`^ICCID:${value}`) : cme(10)
  },
  '^RFSWITCH': (command, { modem }) =>
    command.form === 'read' ? info(`^RFSWITCH:${modem.radio === 1 ? 1 : 0},1`) : undefined,
}
