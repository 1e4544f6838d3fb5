/** Network service: 3GPP TS 27.007 §7.2 (+CREG), §10.1.20 (+CGREG), §10.1.22 (+CEREG), §7.3 (+COPS), §8.2 (+CFUN), §8.5 (+CSQ). */

import { cme, ERROR, type Handler, info, OK, whole } from '../answer.ts'
import { csqOf } from '../network.ts'
import type { RegistrationDomain } from '../port-settings.ts'
import { steps } from '../radio.ts'
import { simFault } from './sim.ts'

const registration =
  (domain: RegistrationDomain): Handler =>
  (command, { modem, port }) => {
    if (command.form === 'test') return info(`${domain}: (0-2)`)
    if (command.form === 'read') {
      const level = port.reportLevel[domain]
      const place = level === 2 && modem.isRegistered ? `,${modem.place}` : ''
      return info(`${domain}: ${level},${modem.registration}${place}`)
    }
    const level = whole(command.args[0])
    if (command.form !== 'set' || ![0, 1, 2].includes(level)) return ERROR
    port.reportLevel[domain] = level
    return OK
  }

const functionality: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return info('+CFUN: (0,1,4),(0,1)')
  if (command.form === 'read') return info(`+CFUN: ${modem.radio}`)
  const [level, reset] = command.args
  if (command.form !== 'set' || !['0', '1', '4'].includes(level ?? '')) return cme(50)
  if (reset !== '1') modem.setRadio(Number(level) as 0 | 1 | 4, nowMs)
  return OK
}

const operator: Handler = (command, context) => {
  const { modem, port, nowMs } = context
  const named = (cell: { plmn: string; name: string }) => (port.operatorFormat === 2 ? cell.plmn : cell.name)
  if (command.form === 'test') {
    const act = modem.accessTechnology
    const cells = modem.network.scan(modem.isRegistered, modem.cell)
    const seen = cells.map(({ cell, stat }) => `(${stat},"${cell.name}","${cell.name}","${cell.plmn}",${act})`)
    return simFault(context) ?? info(`+COPS: ${[...seen, '', '(0,1,2,3)', '(0,2)'].join(',')}`)
  }
  if (command.form === 'read') {
    const { cell } = modem
    const way = modem.chosenPlmn === undefined ? 0 : 1
    if (!modem.isRegistered || !cell) return info(`+COPS: ${modem.isDeregistered ? 2 : way}`)
    return info(`+COPS: ${way},${port.operatorFormat},"${named(cell)}",${modem.accessTechnology}`)
  }
  if (command.form !== 'set') return ERROR
  const [mode, format, wanted] = command.args
  if (mode === '3') {
    if (!['0', '1', '2'].includes(format ?? '')) return cme(50)
    port.operatorFormat = Number(format)
    return OK
  }
  const fault = simFault(context)
  if (fault) return fault
  if (mode === '1') {
    const cells = modem.network.scan(modem.isRegistered, modem.cell).map(({ cell }) => cell)
    const chosen = cells.find(({ plmn, name }) => plmn === wanted || name === wanted)
    if (!chosen) return cme(30)
    if (modem.network.registrationIn(chosen) === 3) {
      modem.lastEnd = `Registration rejected, cause #${modem.network.rejectCause}`
      return cme(32)
    }
    modem.choose(chosen.plmn, nowMs)
  } else if (mode !== '0' && mode !== '2') return cme(50)
  else modem.choose(undefined, nowMs)
  modem.isDeregistered = mode === '2'
  modem.refresh(nowMs)
  return OK
}

export const NETWORK_COMMANDS: Readonly<Record<string, Handler>> = {
  '+CFUN': functionality,
  '+CREG': registration('+CREG'),
  '+CGREG': registration('+CGREG'),
  '+CEREG': registration('+CEREG'),
  '+COPS': operator,
  '+CSQ': (command, { modem, nowMs }) => {
    if (command.form === 'test') return info('+CSQ: (0-31,99),(0-7,99)')
    return command.form === 'execute' ? info(`+CSQ: ${csqOf(modem.dbmAt(nowMs))},99`) : undefined
  },
  /** §8.69: of LTE only RSRQ and RSRP, of UMTS RSCP and Ec/No, of GSM RXLEV. */
  '+CESQ': (command, { modem, nowMs }) => {
    if (command.form === 'test') return info('+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)')
    const radio = modem.radioAt(nowMs)
    if (!radio) return info('+CESQ: 99,99,255,255,255,255')
    const { technology, rssi, rscp, ecio, rsrq, rsrp } = radio
    if (technology === 'gsm') return info(`+CESQ: ${steps(rssi, -110, 1, 63)},0,255,255,255,255`)
    if (technology === 'umts')
      return info(`+CESQ: 99,99,${steps(rscp, -120, 1, 96)},${steps(ecio, -24, 2, 49)},255,255`)
    return info(`+CESQ: 99,99,255,255,${steps(rsrq, -19.5, 2, 34)},${steps(rsrp, -140, 1, 97)}`)
  },
}
