/**
 * The commands of the control socket that are for modems and their network: what they are given, checked, and done to each. Used by
 * `simulator.ts`, which plugs and unplugs.
 */

import { errorText, ModemdError } from '../base/errors.ts'
import { formatIpv4 } from '../base/ipv4.ts'
import type { Clock, Logger, Random } from '../base/ports.ts'
import { FAULT_LIST, VALUE_RANGES } from './fault-table.ts'
import { FaultPlan } from './faults.ts'
import { csqOf, NETWORK_MODES, type NetworkMode, type VirtualNetwork } from './network.ts'
import { parseSignal } from './options.ts'
import type { SimulatedModem } from './simulated-modem.ts'
import type { Mishap } from './sms-store.ts'

export type ControlAnswer = Readonly<Record<string, unknown>>

export interface ModemControlOptions {
  /** All: the network is one for them. */
  readonly modems: readonly SimulatedModem[]
  readonly network: VirtualNetwork
  readonly dns: readonly number[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What is done; `chosen`: the modems it is for. Throws ModemdError InvalidArgs or WrongState. */
export type ControlCommand = (args: readonly string[], chosen: readonly SimulatedModem[]) => ControlAnswer

/** A command that takes no words. */
export function withoutWords(
  name: string,
  command: (chosen: readonly SimulatedModem[]) => ControlAnswer,
): ControlCommand {
  return (words, chosen) => {
    refuseSurplus(name, words)
    return command(chosen)
  }
}

function refuseSurplus(name: string, words: readonly string[]): void {
  if (words.length > 0) throw new ModemdError('InvalidArgs', `${name} does not take "${words.join(' ')}"`)
}

export class ModemControl {
  readonly #options: ModemControlOptions
  readonly commands: Readonly<Record<string, ControlCommand>> = {
    hangup: withoutWords('hangup', (chosen) => this.#hangUp(chosen)),
    signal: (words) => this.#signal(words),
    network: (args) => this.#setNetwork(args),
    ussd: (args, chosen) => this.#ussd(chosen, args),
    sms: (args, chosen) => this.#sms(chosen, args),
    sim: (args, chosen) => this.#sim(chosen, args),
    silence: (words, chosen) => this.#silence(chosen, words),
    fault: (args, chosen) => this.fault(args, chosen),
    stats: withoutWords('stats', (chosen) => ({ modems: chosen.map((each) => this.#statistics(each)) })),
  }

  constructor(options: ModemControlOptions) {
    this.#options = options
  }

  /** `NAME …`, `clear`, or nothing for the list. Throws ModemdError InvalidArgs. */
  fault(words: readonly string[], modems: readonly SimulatedModem[]): ControlAnswer {
    if (words[0] === undefined) return { faults: FAULT_LIST }
    if (words[0] === 'clear') {
      for (const { options } of modems) options.faults.clear()
      return {}
    }
    const { delayMs, rest } = takeDelay(words)
    // Checked at once, also when it is armed later.
    new FaultPlan(this.#options.random).arm(rest)
    const arm = () => {
      for (const modem of modems) modem.fault(rest)
    }
    if (delayMs === 0) arm()
    else this.#later(delayMs, arm)
    return {}
  }

  #hangUp(modems: readonly SimulatedModem[]): ControlAnswer {
    const calls = modems.filter((modem) => modem.hangUp()).length
    if (calls === 0) throw new ModemdError('WrongState', 'no call stands')
    return { calls }
  }

  #signal([value, ...surplus]: readonly string[]): ControlAnswer {
    refuseSurplus('signal', surplus)
    this.#options.network.signal = parseSignal(value ?? '')
    for (const modem of this.#options.modems) modem.signalChanged()
    return { csq: csqOf(this.#options.network.dbmAt(this.#options.clock.nowMs())) }
  }

  /** `MODE`, or `denied CAUSE`. */
  #setNetwork([mode, cause, ...surplus]: readonly string[]): ControlAnswer {
    refuseSurplus('network', surplus)
    if (!(NETWORK_MODES as readonly (string | undefined)[]).includes(mode))
      throw new ModemdError('InvalidArgs', `network takes one of ${NETWORK_MODES.join(', ')}`)
    if (cause !== undefined) {
      if (mode !== 'denied' || !/^\d{1,3}$/.test(cause))
        throw new ModemdError('InvalidArgs', 'only denied takes a cause, a number such as 13')
      this.#options.network.rejectCause = Number(cause)
    }
    this.#options.network.mode = mode as NetworkMode
    for (const modem of this.#options.modems) modem.networkChanged()
    return { network: this.#options.network.mode }
  }

  /** `TEXT [ask]`: the network begins. */
  #ussd(modems: readonly SimulatedModem[], [text, ask, ...surplus]: readonly string[]): ControlAnswer {
    refuseSurplus('ussd', surplus)
    if (!text || (ask !== undefined && ask !== 'ask'))
      throw new ModemdError('InvalidArgs', 'ussd takes a text, and "ask" behind it where the network wants an answer')
    const told = modems.filter((modem) => modem.ussd(text, ask === 'ask')).length
    if (told === 0) throw new ModemdError('WrongState', 'no modem is in the network')
    return { told }
  }

  /** `NUMBER TEXT [flash] [lost=N] [twice] [reversed]` */
  #sms(modems: readonly SimulatedModem[], [from, text, ...words]: readonly string[]): ControlAnswer {
    if (!from || text === undefined) throw new ModemdError('InvalidArgs', 'sms takes a number (or a name) and a text')
    const unknown = words.find((word) => !/^(flash|twice|reversed|lost=\d{1,3})$/.test(word))
    if (unknown !== undefined)
      throw new ModemdError(
        'InvalidArgs',
        `sms takes flash, twice, reversed and lost=N behind the text, not "${unknown}"`,
      )
    const lost = words.find((word) => word.startsWith('lost='))
    const mishap: Mishap = {
      ...(lost === undefined ? {} : { lostPart: Number(lost.slice('lost='.length)) }),
      isTwice: words.includes('twice'),
      isReversed: words.includes('reversed'),
    }
    const messageClass = words.includes('flash') ? 0 : undefined
    const parts = modems.map((modem) => modem.incomingMessage(from, text, messageClass, mishap))
    return { parts: parts[0] ?? 0 }
  }

  /** `remove`, or `insert [ICCID] [pin=PIN]`: another card, which asks for that PIN or for none. */
  #sim(modems: readonly SimulatedModem[], [what, ...words]: readonly string[]): ControlAnswer {
    const pin = words.find((word) => word.startsWith('pin='))?.slice('pin='.length)
    const [iccid, ...rest] = words.filter((word) => !word.startsWith('pin='))
    const isRight = rest.length === 0 && /^(89\d{16,18})?$/.test(iccid ?? '') && /^(\d{4,8})?$/.test(pin ?? '')
    if (!isRight || (what !== 'insert' && (what !== 'remove' || words.length > 0)))
      throw new ModemdError(
        'InvalidArgs',
        'sim takes remove, or insert [ICCID] [pin=PIN]; an ICCID has 18 to 20 digits',
      )
    for (const modem of modems) what === 'insert' ? modem.insertSim(iccid, pin) : modem.removeSim()
    return { sim: modems[0]?.simState }
  }

  #silence(modems: readonly SimulatedModem[], [seconds, ...surplus]: readonly string[]): ControlAnswer {
    refuseSurplus('silence', surplus)
    const silentS = readSeconds(seconds, 'silence')
    for (const { options } of modems) options.faults.silence(options.clock.nowMs() + silentS * 1000)
    return { seconds: silentS }
  }

  #later(delayMs: number, fn: () => void): void {
    const { clock, logger } = this.#options
    clock.at(clock.nowMs() + delayMs, () => {
      try {
        fn()
      } catch (error) {
        logger.error(`a fault could not be carried out: ${errorText(error)}`)
      }
    })
  }

  #statistics(modem: SimulatedModem): ControlAnswer {
    const { statistics, sim, identity, network, messages } = modem.options
    return {
      imei: identity.imei,
      plugged: modem.isPlugged,
      ttys: modem.ttys,
      commands: statistics.commands,
      sim: {
        iccid: sim.iccid ?? identity.iccid,
        state: modem.simState,
        pinTries: sim.pinTries,
        pukTries: sim.pukTries,
        ...sim.tries,
      },
      network: { mode: network.mode, registration: modem.registration },
      messages: {
        stored: messages.used('SM') + messages.used('ME'),
        waiting: messages.waiting.length,
        sent: messages.sent,
      },
      calls: statistics.calls,
      call: modem.callState,
      rxBytes: statistics.rxBytes,
      txBytes: statistics.txBytes,
      drops: statistics.drops,
      plugs: statistics.plugs,
      faults: modem.options.faults.struck,
      dns: this.#options.dns.map(formatIpv4),
    }
  }
}

/** `after=S` among the words of a fault. */
function takeDelay(words: readonly string[]): { readonly delayMs: number; readonly rest: readonly string[] } {
  const delay = words.find((word) => word.startsWith('after='))
  if (delay === undefined) return { delayMs: 0, rest: words }
  const seconds = readSeconds(delay.slice('after='.length), 'after=')
  return { delayMs: seconds * 1000, rest: words.filter((word) => word !== delay) }
}

function readSeconds(text = '', what: string): number {
  const { least, most } = VALUE_RANGES.S
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= most)) throw new ModemdError('InvalidArgs', `${what} takes seconds from ${least} to ${most}`)
  return seconds
}
