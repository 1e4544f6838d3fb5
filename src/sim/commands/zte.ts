/** ZTE's own commands (AT+Z…), as chat scripts and logs of the MF sticks show them. */

import { cme, type Handler, info } from '../answer.ts'
import type { Radio } from '../radio.ts'
import { logInCommand } from './log-in.ts'
import { iccid } from './sim.ts'

const TECHNOLOGIES = { gsm: 'EDGE', umts: 'HSDPA', lte: 'LTE' } as const

/** dBm without its sign, with Ec/Io and RSCP in halves of it and 1000 for what is not there; of LTE RSRP, RSRQ, RSSI and SINR as they are. */
function signalOf({ technology, rssi, rsrp, rsrq, sinr, rscp, ecio }: Radio): string {
  if (technology === 'lte') return `${rsrp},${rsrq},${rssi},${sinr}`
  return technology === 'gsm' ? `${-rssi},1000,1000` : `${-rssi},${-2 * ecio},${-2 * rscp}`
}

export const ZTE_COMMANDS: Readonly<Record<string, Handler>> = {
  $QCPDPP: logInCommand('$QCPDPP', { kind: 1, password: 2, user: 3 }),
  /** Technology and domain. */
  '+ZPAS': (command, { modem }) => {
    if (command.form !== 'read') return undefined
    if (!modem.isRegistered) return info(`+ZPAS: "${modem.registration === 3 ? 'Limited Service' : 'No Service'}"`)
    return info(`+ZPAS: "${TECHNOLOGIES[modem.personality.radio.technology]}","CS_PS"`)
  },
  '+ZRSSI': (command, { modem, nowMs }) => {
    if (command.form !== 'execute') return undefined
    const radio = modem.radioAt(nowMs)
    if (!radio) return info('+ZRSSI: 1000,1000,1000')
    return info(`+ZRSSI: ${signalOf(radio)}`)
  },
  '+ZGETICCID': (command, context) => {
    if (command.form === 'test') return undefined
    const value = iccid(context)
    return value ? info(`+ZGETICCID: ${value}`) : cme(10)
  },
  /** How many PIN and PUK tries are left: the answer of the test form. */
  '+ZPINPUK': (command, { modem }) => {
    if (command.form !== 'test') return undefined
    const { sim } = modem
    return sim.state === 'absent' ? cme(10) : info(`+ZPINPUK: ${sim.pinTries},${sim.pukTries}`)
  },
}
