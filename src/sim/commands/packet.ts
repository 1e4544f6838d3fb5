/** Packet domain: 3GPP TS 27.007 §10.1.1 (+CGDCONT), §10.1.9 (+CGATT), §10.1.10 (+CGACT), §10.1.19 (+CGEREP), §6.10 (+CEER). */

import { cme, ERROR, type Handler, info, OK, whole } from '../answer.ts'
import { logInCommand } from './log-in.ts'
import { simFault } from './sim.ts'

const MAX_CID = 16
const TYPES = ['IP', 'IPV6', 'IPV4V6']

const context: Handler = (command, { modem }) => {
  if (command.form === 'test') return info(...TYPES.map((type) => `+CGDCONT: (1-${MAX_CID}),"${type}",,,(0-2),(0-4)`))
  if (command.form === 'read') {
    const all = [...modem.contexts.values()].sort((a, b) => a.cid - b.cid)
    return info(...all.map(({ cid, type, apn }) => `+CGDCONT: ${cid},"${type}","${apn}","",0,0`))
  }
  if (command.form !== 'set') return ERROR
  const cid = whole(command.args[0])
  const [, type = '', apn = ''] = command.args
  if (!Number.isInteger(cid) || cid < 1 || cid > MAX_CID) return cme(50)
  if (command.args.length === 1) {
    modem.contexts.delete(cid)
    modem.logIns.delete(cid)
    return OK
  }
  if (!TYPES.includes(type.toUpperCase())) return cme(50)
  modem.contexts.set(cid, { cid, type: type.toUpperCase(), apn })
  return OK
}

/** Whether this port hears of contexts, and from which on while it carries no call: what came during one is not kept. */
const packetEvents: Handler = (command, { port }) => {
  if (command.form === 'test') return info('+CGEREP: (0-2),(0,1)')
  if (command.form === 'read') return info(`+CGEREP: ${port.packetEvents},0`)
  const [mode = '', buffer = '0'] = command.args
  if (command.form !== 'set' || !/^[012]$/.test(mode) || !/^[01]$/.test(buffer)) return ERROR
  port.packetEvents = Number(mode)
  return OK
}

const attach: Handler = (command, handlerContext) => {
  const { modem } = handlerContext
  if (command.form === 'test') return info('+CGATT: (0,1)')
  if (command.form === 'read') return info(`+CGATT: ${modem.isAttached && modem.isRegistered ? 1 : 0}`)
  if (command.form !== 'set' || !['0', '1'].includes(command.args[0] ?? '')) return ERROR
  const on = command.args[0] === '1'
  if (on && !modem.isRegistered) return simFault(handlerContext) ?? cme(30)
  modem.isAttached = on
  return OK
}

/** A context comes up by dialling; by hand it can only be seen and put down. */
const activate: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return info('+CGACT: (0,1)')
  if (command.form === 'read') {
    const all = [...modem.contexts.keys()].sort((a, b) => a - b)
    return info(...all.map((cid) => `+CGACT: ${cid},${modem.context.isUp && cid === modem.context.cid ? 1 : 0}`))
  }
  if (command.form !== 'set') return ERROR
  if (command.args[0] === '0') {
    modem.loseCall(nowMs, 'ME')
    return OK
  }
  return modem.isRegistered ? OK : cme(30)
}

const extendedError: Handler = (command, { modem }) =>
  command.form === 'test' ? OK : command.form === 'execute' ? info(`+CEER: ${modem.lastEnd}`) : ERROR

export const PACKET_COMMANDS: Readonly<Record<string, Handler>> = {
  '+CGDCONT': context,
  '+CGAUTH': logInCommand('+CGAUTH', { kind: 1, user: 2, password: 3 }),
  '+CGEREP': packetEvents,
  '+CGATT': attach,
  '+CGACT': activate,
  '+CEER': extendedError,
}
