/** USSD and the network's time: 3GPP TS 27.007 §7.15 (+CUSD), §8.15 (+CCLK), §8.40 (+CTZU), §8.41 (+CTZR). */

import { cme, ERROR, type Handler, info, OK, whole } from '../answer.ts'
import { clockText } from '../network-time.ts'
import { simFault } from './sim.ts'

const ussd: Handler = (command, context) => {
  const { modem, port, nowMs } = context
  if (command.form === 'test') return info('+CUSD: (0-2)')
  if (command.form === 'read') return info(`+CUSD: ${port.wantsUssd ? 1 : 0}`)
  const mode = whole(command.args[0])
  if (command.form !== 'set' || ![0, 1, 2].includes(mode)) return ERROR
  if (mode === 2) {
    modem.ussd.cancel()
    return OK
  }
  port.wantsUssd = mode === 1
  const [, string] = command.args
  if (string === undefined) return OK
  const fault = simFault(context)
  if (fault) return fault
  if (!modem.isRegistered) return cme(30)
  return modem.ussd.ask(string, nowMs) ? OK : cme(50)
}

const setting =
  (name: 'keepsTime' | 'timeReports', most: number): Handler =>
  (command, { modem }) => {
    if (command.form === 'test') return info(`${command.name}: (0-${most})`)
    if (command.form === 'read') return info(`${command.name}: ${modem[name]}`)
    const value = whole(command.args[0])
    if (command.form !== 'set' || !(value <= most)) return ERROR
    modem[name] = value
    return OK
  }

/** A clock that nobody set counts from the satellites' epoch. */
const clock: Handler = (command, { modem }) => {
  if (command.form === 'test') return OK
  if (command.form !== 'read') return command.form === 'set' ? OK : ERROR
  return info(`+CCLK: "${modem.keepsTime === 1 ? clockText(modem.wallMs()) : '80/01/06,00:00:00+00'}"`)
}

export const USSD_COMMANDS: Readonly<Record<string, Handler>> = {
  '+CUSD': ussd,
  '+CTZU': setting('keepsTime', 1),
  '+CTZR': setting('timeReports', 2),
  '+CCLK': clock,
}
