/** SIM and security: 3GPP TS 27.007 §8.3 (+CPIN), §8.65 (+CPINR), §7.4 (+CLCK), §7.5 (+CPWD), and what is read from the card. */

import { type Answer, type CommandContext, cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { SimAnswer } from '../sim-card.ts'

/** What stands between the host and the card's files. */
export function simFault({ modem, nowMs }: CommandContext): Answer | undefined {
  const { state } = modem.sim
  if (modem.isSimStarting(nowMs)) return cme(14)
  if (modem.hasSimFailed) return cme(13)
  if (state === 'absent') return cme(10)
  if (state === 'blocked') return cme(13)
  if (state === 'puk') return cme(12)
  if (state === 'pin') return cme(11)
  return modem.isSimBusy(nowMs) ? cme(14) : undefined
}

/** What the host is told when its PIN or PUK was taken, or was wrong. */
function afterTry(answer: SimAnswer, context: CommandContext): Answer {
  context.modem.afterPin(answer, context.nowMs)
  if (answer === 'ok') return OK
  if (answer === 'not-allowed') return cme(3)
  return context.modem.sim.state === 'blocked' ? cme(13) : cme(16)
}

/** The PIN that spends the last try is told so. */
function afterPinTry(answer: SimAnswer, context: CommandContext): Answer {
  const told = afterTry(answer, context)
  return context.modem.sim.state === 'puk' ? cme(12) : told
}

const isPin = (text: string | undefined): text is string => /^\d{4,8}$/.test(text ?? '')

const pin: Handler = (command, context) => {
  const { sim } = context.modem
  if (command.form === 'test') return OK
  if (context.modem.isSimStarting(context.nowMs)) return cme(14)
  if (context.modem.hasSimFailed) return cme(13)
  if (command.form === 'read') return sim.word ? info(`+CPIN: ${sim.word}`) : cme(sim.state === 'absent' ? 10 : 13)
  if (command.form !== 'set') return ERROR
  if (sim.state === 'absent') return cme(10)
  if (sim.state === 'blocked') return cme(13)
  const [first, second] = command.args
  if (!isPin(first) || (command.args.length > 1 && !isPin(second))) return cme(50)
  if (second !== undefined) return afterTry(sim.unblock(first, second), context)
  if (sim.state === 'puk') return cme(12)
  if (sim.word === 'SIM PUK2') return cme(18)
  return afterPinTry(sim.verifyPin(first), context)
}

/** Of phones that tell the second PIN apart: it is asked for where something has wanted it. */
const secondPin: Handler = (command, context) => {
  const { sim } = context.modem
  if (command.form === 'test') return OK
  const fault = simFault(context)
  if (fault) return fault
  if (command.form === 'read') return info(`+CPIN2: ${sim.word?.endsWith('2') ? sim.word : 'READY'}`)
  return pin(command, context)
}

const pinTries: Handler = (command, { modem }) => {
  if (command.form !== 'execute' && command.form !== 'set') return command.form === 'test' ? OK : undefined
  const { sim } = modem
  if (sim.state === 'absent') return cme(10)
  const all = [
    ['SIM PIN', `+CPINR: SIM PIN,${sim.pinTries},3`],
    ['SIM PUK', `+CPINR: SIM PUK,${sim.pukTries},10`],
    ['SIM PIN2', `+CPINR: SIM PIN2,${sim.pin2Tries},3`],
    ['SIM PUK2', `+CPINR: SIM PUK2,${sim.puk2Tries},10`],
  ] as const
  const wanted = command.args[0]
  const lines = all.filter(
    ([code]) => wanted === undefined || (wanted.endsWith('*') ? code.startsWith(wanted.slice(0, -1)) : code === wanted),
  )
  return info(...lines.map(([, line]) => line))
}

const lock: Handler = (command, context) => {
  if (command.form === 'test') return info('+CLCK: ("SC")')
  const [facility, mode, password] = command.args
  if (command.form !== 'set' || facility !== 'SC') return cme(4)
  const { sim } = context.modem
  if (sim.state === 'absent') return cme(10)
  if (mode === '2') return info(`+CLCK: ${sim.asksForPin ? 1 : 0}`)
  if ((mode !== '0' && mode !== '1') || !isPin(password)) return cme(50)
  return simFault(context) ?? afterPinTry(sim.askForPin(mode === '1', password), context)
}

const changePassword: Handler = (command, context) => {
  if (command.form === 'test') return info('+CPWD: ("SC",8),("P2",8)')
  const [facility, oldPin, newPin] = command.args
  if (command.form !== 'set' || (facility !== 'SC' && facility !== 'P2')) return cme(4)
  if (!isPin(oldPin) || !isPin(newPin)) return cme(50)
  const fault = simFault(context)
  if (fault) return fault
  const { sim } = context.modem
  if (facility === 'SC') return afterPinTry(sim.changePin(oldPin, newPin), context)
  const told = afterTry(sim.changePin2(oldPin, newPin), context)
  return sim.word === 'SIM PUK2' ? cme(18) : told
}

/** The ICCID can be read before the PIN. */
export function iccid({ modem }: CommandContext): string | undefined {
  return modem.sim.state === 'absent' ? undefined : (modem.sim.iccid ?? modem.identity.iccid)
}

export const SIM_COMMANDS: Readonly<Record<string, Handler>> = {
  '+CPIN': pin,
  '+CPIN2': secondPin,
  '+CPINR': pinTries,
  '+CLCK': lock,
  '+CPWD': changePassword,
  '+CCID': (command, context) => {
    if (command.form === 'test') return OK
    const value = iccid(context)
    return value ? info(`+CCID: ${value}`) : cme(10)
  },
  '+CIMI': (command, context) =>
    command.form === 'test' ? OK : (simFault(context) ?? info(context.modem.identity.imsi)),
  '+CNUM': (command, context) =>
    command.form === 'test' ? OK : (simFault(context) ?? info(`+CNUM: "","${context.modem.identity.ownNumber}",145`)),
}
