/** SIM and security: 3GPP TS 27.007 §8.3 (+CPIN), §8.65 (+CPINR), §7.4 (+CLCK), §7.5 (+CPWD), and what is read from the card. */

import { type Answer, type CommandContext, cme, ERROR, type Handler, info, OK } from '../answer.ts'
import type { SimAnswer, SimState } from '../sim-card.ts'

export const PIN_WORDS: Readonly<Partial<Record<SimState, string>>> = { ready: 'READY', pin: 'SIM PIN', puk: 'SIM PUK' }

/** What stands between the host and the card's files. */
export function simFault({ modem, nowMs }: CommandContext): Answer | undefined {
  const { state } = modem.sim
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
  if (command.form === 'read') {
    const word = PIN_WORDS[sim.state]
    return word ? info(`+CPIN: ${word}`) : cme(sim.state === 'absent' ? 10 : 13)
  }
  if (command.form !== 'set') return ERROR
  if (sim.state === 'absent') return cme(10)
  if (sim.state === 'blocked') return cme(13)
  const [first, second] = command.args
  if (!isPin(first) || (command.args.length > 1 && !isPin(second))) return cme(50)
  if (second !== undefined) return afterTry(sim.unblock(first, second), context)
  return sim.state === 'puk' ? cme(12) : afterPinTry(sim.verifyPin(first), context)
}

const pinTries: Handler = (command, { modem }) => {
  if (command.form !== 'execute' && command.form !== 'set') return command.form === 'test' ? OK : undefined
  if (modem.sim.state === 'absent') return cme(10)
  const all = [
    ['SIM PIN', `+CPINR: SIM PIN,${modem.sim.pinTries},3`],
    ['SIM PUK', `+CPINR: SIM PUK,${modem.sim.pukTries},10`],
  ] as const
  const wanted = command.args[0]
  const lines = all.filter(
    ([code]) => wanted === undefined || wanted === code || code.startsWith(wanted.replace('*', '')),
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
  if (command.form === 'test') return info('+CPWD: ("SC",8)')
  const [facility, oldPin, newPin] = command.args
  if (command.form !== 'set' || facility !== 'SC') return cme(4)
  if (!isPin(oldPin) || !isPin(newPin)) return cme(50)
  return simFault(context) ?? afterPinTry(context.modem.sim.changePin(oldPin, newPin), context)
}

/** The ICCID can be read before the PIN. */
export function iccid({ modem }: CommandContext): string | undefined {
  return modem.sim.state === 'absent' ? undefined : modem.identity.iccid
}

export const SIM_COMMANDS: Readonly<Record<string, Handler>> = {
  '+CPIN': pin,
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
