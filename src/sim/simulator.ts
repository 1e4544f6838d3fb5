/** A run of modem-sim: operator, modems, tree, and the commands of the control socket. `command.ts` starts it. */

import { join } from 'node:path'
import { errorText, ModemdError } from '../base/errors.ts'
import { formatIpv4 } from '../base/ipv4.ts'
import { formatIpv6 } from '../base/ipv6.ts'
import type { Clock, Logger, Random } from '../base/ports.ts'
import { createBuiltinEngine } from '../ppp/engines/builtin.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import { AddressPool } from './address-pool.ts'
import { type Carrier, openCarrier, pageAddress } from './carriers.ts'
import { FAULT_LIST, FaultPlan } from './faults.ts'
import { identityOf } from './identity.ts'
import { CALL_PREFIX_LENGTH, Ip6Network, withRouter } from './ip6-network.ts'
import type { Timings } from './modem-state.ts'
import { csqOf, NETWORK_MODES, type NetworkMode, VirtualNetwork } from './network.ts'
import { Operator } from './operator.ts'
import type { SimulatorOptions } from './options.ts'
import { parseSignal } from './options.ts'
import { OwnedFiles } from './owned-files.ts'
import { interfacesOf, type Personality, type UsbInterface } from './personality.ts'
import { PtyWire } from './pty-wire.ts'
import { SimCard } from './sim-card.ts'
import { SimulatedModem } from './simulated-modem.ts'
import { type Mishap, SmsStore } from './sms-store.ts'
import { Statistics } from './statistics.ts'
import { TtyWire } from './tty-wire.ts'
import { UsbTree } from './usb-tree.ts'

export interface SimulatorPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Readiness {
  readonly personality: string
  readonly modems: readonly { readonly imei: string; readonly ttys: readonly string[] }[]
  readonly internet: string
  /** Of the operator's web server; absent with `--internet none`. */
  readonly page?: string
  /** Of the operator's side, for `nsenter --net=…`. */
  readonly namespace?: string
  readonly hotplug: string
}

/** A gadget's port takes a moment after its host went. */
const REOPEN_MS = 200

export type ControlAnswer = Readonly<Record<string, unknown>>

export class Simulator {
  readonly #options: SimulatorOptions
  readonly #ports: SimulatorPorts
  readonly #network: VirtualNetwork
  readonly #carrier: Carrier
  readonly #pool: AddressPool
  readonly #tree: UsbTree | undefined
  readonly #modems: readonly SimulatedModem[]
  readonly files: OwnedFiles
  #hotplug = 'none'

  /** Everything is there, and plugged unless asked otherwise, when it resolves. Rejects with ModemdError, with nothing left behind. */
  static async start(options: SimulatorOptions, ports: SimulatorPorts): Promise<Simulator> {
    const reserved = options.personality.ppp.peerAddress
    const pool = new AddressPool(options.pool, [...options.dns, ...(reserved === null ? [] : [reserved])])
    const own = new Set([pool.gateway, ...options.dns])
    const reachable = options.internet === 'echo' && reserved !== null ? [...own, reserved] : [...own]
    const ip6 = options.pool6 === undefined ? undefined : new Ip6Network(options.pool6)
    const carrier = await openCarrier(options.internet, reachable, ip6 ? [ip6.gateway] : [], ports)
    let simulator: Simulator | undefined
    try {
      simulator = new Simulator(options, ports, pool, ip6, carrier)
      if (!options.isUnplugged) for (const modem of simulator.#modems) modem.plug()
      return simulator
    } catch (error) {
      if (simulator) await simulator.close()
      else await carrier.close()
      throw error
    }
  }

  private constructor(
    options: SimulatorOptions,
    ports: SimulatorPorts,
    pool: AddressPool,
    ip6: Ip6Network | undefined,
    carrier: Carrier,
  ) {
    this.#options = options
    this.#ports = ports
    this.#pool = pool
    this.#carrier = carrier
    this.#network = new VirtualNetwork(
      { mode: options.network, apn: options.apn, signal: options.signal },
      ports.random,
    )
    this.files = new OwnedFiles(options.root && join(options.root, 'run/modem-sim'))
    this.#tree =
      options.root === undefined
        ? undefined
        : new UsbTree(options.root, this.files, (how, why) => {
            this.#hotplug = how
            if (why !== undefined) ports.logger.debug(`no uevents: ${why}`)
          })
    const operator = new Operator({
      settings: { auth: options.auth, user: options.user, password: options.password, dnsServers: options.dns },
      pool,
      ip6,
      engineFor: (prefix) => this.#engineFor(prefix),
      routePrefix: (prefix, interfaceName) => this.#routePrefix(prefix, interfaceName),
      ...ports,
    })
    this.#modems = Array.from({ length: options.modems }, (_, index) => this.#makeModem(index, operator))
    for (const fault of options.faults) this.#fault(this.#modems, fault)
  }

  get readiness(): Readiness {
    const { namespacePath } = this.#carrier
    return {
      personality: this.#options.personality.name,
      modems: this.#modems.map(({ options, ttys }) => ({ imei: options.identity.imei, ttys })),
      internet: this.#carrier.name,
      ...(this.#carrier.name === 'none' ? {} : { page: pageAddress(this.#pool.gateway) }),
      ...(namespacePath === undefined ? {} : { namespace: namespacePath }),
      hotplug: this.#hotplug,
    }
  }

  /** Throws ModemdError InvalidArgs, Unsupported or WrongState. `modem` is an index; undefined: all. */
  control(command: string, args: readonly string[], modem: number | undefined): ControlAnswer {
    const chosen = this.#chosen(modem)
    switch (command) {
      case 'ready':
        return { ...this.readiness }
      case 'plug':
        this.#forEach(chosen, (each) => each.plug())
        return { ttys: chosen.flatMap((each) => each.ttys) }
      case 'unplug':
        this.#forEach(chosen, (each) => each.unplug())
        return {}
      case 'hangup':
        return this.#hangUp(chosen)
      case 'signal':
        return this.#signal(args[0])
      case 'network':
        return this.#setNetwork(args)
      case 'silence':
        return this.#silence(chosen, args[0])
      case 'sim':
        return this.#sim(chosen, args)
      case 'fault':
        return this.#fault(chosen, args)
      case 'stats':
        return { modems: chosen.map((each) => this.#statistics(each)) }
      case 'sms':
        return this.#sms(chosen, args)
      case 'ussd':
        return this.#ussd(chosen, args)
      default:
        throw new ModemdError(
          'InvalidArgs',
          `there is no command "${command}": take plug, unplug, hangup, signal, network, sms, silence, fault, stats or ready`,
        )
    }
  }

  #forEach(modems: readonly SimulatedModem[], step: (modem: SimulatedModem) => void): void {
    this.files.together(() => {
      for (const modem of modems) step(modem)
    })
  }

  /** Unplugs all modems and removes what was made. */
  async close(): Promise<void> {
    this.#forEach(this.#modems, (each) => each.unplug())
    this.files.close()
    await this.#carrier.close()
  }

  #engineFor(prefix: bigint | undefined): PppEngine {
    const { openTun, openRouteSocket } = this.#carrier
    return createBuiltinEngine({
      ...this.#ports,
      openRouteSocket,
      openTun: (name) => (prefix === undefined ? openTun(name) : withRouter(openTun(name), prefix)),
    })
  }

  async #routePrefix(destination: bigint, interfaceName: string): Promise<void> {
    const routes = this.#carrier.openRouteSocket()
    try {
      await routes.addRoute({ destination, prefixLength: CALL_PREFIX_LENGTH, interfaceName, metric: 1024 })
    } catch (error) {
      // The call may have ended meanwhile, or its second protocol came up.
      this.#ports.logger.debug(`no route for ${formatIpv6(destination)}/64: ${errorText(error)}`)
    } finally {
      routes.close()
    }
  }

  #makeModem(index: number, operator: Operator): SimulatedModem {
    const { personality, link, ttys, pin, pinTries, puk, hasSim, seed, speed } = this.#options
    const interfaces = this.#interfacesShown(personality)
    const modem: SimulatedModem = new SimulatedModem({
      ...this.#ports,
      personality,
      identity: identityOf(personality, seed ?? 1, index),
      messages: new SmsStore(() => Number(this.#ports.clock.wallUs() / 1000n)),
      wallMs: () => Number(this.#ports.clock.wallUs() / 1000n),
      sim: new SimCard({ isInserted: hasSim, pin, pinTries, puk }),
      network: this.#network,
      operator,
      faults: new FaultPlan(this.#ports.random),
      statistics: new Statistics(),
      timings: timingsOf(personality, this.#options),
      speed,
      interfaces,
      openTty: (path, onHostClosed) =>
        ttys.length > 0 ? new TtyWire(path, () => modem.replug(REOPEN_MS)) : new PtyWire(path, onHostClosed),
      ttyNames: (lowest) => this.#tree?.ttyNames(interfaces, lowest) ?? (link === undefined ? ttys : [link]),
      show: (ports) => this.#show(index, ports),
    })
    return modem
  }

  /** All that are ttys in the tree; of ttys that are there already as many as there are; of a link the one that dials. */
  #interfacesShown(personality: Personality): readonly UsbInterface[] {
    const withTty = interfacesOf(personality).filter((each) => each.port !== null)
    const { ttys } = this.#options
    if (this.#tree) return withTty
    const shown =
      ttys.length > 1 ? withTty.slice(0, ttys.length) : withTty.filter((each) => each.port === 'modem').slice(0, 1)
    if (ttys.length > shown.length || !shown.some((each) => each.port === 'modem'))
      throw new ModemdError(
        'InvalidArgs',
        `${personality.name} has ${withTty.length} ttys, and one of those that are given must be the one that dials: give one --tty, or one for each`,
      )
    return shown
  }

  #show(index: number, ports: Parameters<UsbTree['plug']>[2]): ReturnType<UsbTree['plug']> {
    if (this.#tree) return this.#tree.plug(index + 1, this.#options.personality, ports)
    if (this.#options.link === undefined) return { ports, unplug: () => {} }
    const path = this.#options.link
    this.files.link(path, ports[0]!.slavePath)
    return { ports, unplug: () => this.files.remove(path) }
  }

  #chosen(modem: number | undefined): readonly SimulatedModem[] {
    if (modem === undefined) return this.#modems
    const chosen = this.#modems[modem]
    if (!chosen)
      throw new ModemdError('InvalidArgs', `there is no modem ${modem}: they are 0 to ${this.#modems.length - 1}`)
    return [chosen]
  }

  #hangUp(modems: readonly SimulatedModem[]): ControlAnswer {
    const calls = modems.filter((modem) => modem.hangUp()).length
    if (calls === 0) throw new ModemdError('WrongState', 'no call stands')
    return { calls }
  }

  #signal(value: string | undefined): ControlAnswer {
    this.#network.signal = parseSignal(value ?? '')
    for (const modem of this.#modems) modem.signalChanged()
    return { csq: csqOf(this.#network.dbmAt(this.#ports.clock.nowMs())) }
  }

  /** `MODE`, or `denied CAUSE`. */
  #setNetwork([mode, cause]: readonly string[]): ControlAnswer {
    if (!(NETWORK_MODES as readonly (string | undefined)[]).includes(mode))
      throw new ModemdError('InvalidArgs', `network takes one of ${NETWORK_MODES.join(', ')}`)
    if (cause !== undefined) {
      if (mode !== 'denied' || !/^\d{1,3}$/.test(cause))
        throw new ModemdError('InvalidArgs', 'only denied takes a cause, a number such as 13')
      this.#network.rejectCause = Number(cause)
    }
    this.#network.mode = mode as NetworkMode
    for (const modem of this.#modems) modem.networkChanged()
    return { network: this.#network.mode }
  }

  /** `TEXT [ask]`: the network begins. */
  #ussd(modems: readonly SimulatedModem[], [text, ask]: readonly string[]): ControlAnswer {
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
    return { sim: modems[0]?.options.sim.state }
  }

  #silence(modems: readonly SimulatedModem[], seconds: string | undefined): ControlAnswer {
    const silentS = Number(seconds)
    if (!(silentS >= 0)) throw new ModemdError('InvalidArgs', 'silence takes seconds')
    for (const { options } of modems) options.faults.silence(options.clock.nowMs() + silentS * 1000)
    return { seconds: silentS }
  }

  #fault(modems: readonly SimulatedModem[], words: readonly string[]): ControlAnswer {
    if (words[0] === undefined) return { faults: FAULT_LIST }
    if (words[0] === 'clear') {
      for (const { options } of modems) options.faults.clear()
      return {}
    }
    const { delayMs, rest } = takeDelay(words)
    // Checked at once, also when it is armed later.
    new FaultPlan(this.#ports.random).arm(rest)
    const arm = () => {
      for (const modem of modems) {
        const now = modem.options.faults.arm(rest)
        if (now) modem.carryOut(now)
      }
    }
    if (delayMs === 0) arm()
    else this.#later(delayMs, arm)
    return {}
  }

  #later(delayMs: number, fn: () => void): void {
    const { clock, logger } = this.#ports
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
        state: sim.state,
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
      dns: this.#options.dns.map(formatIpv4),
    }
  }
}

/** `after=S` among the words of a fault. */
function takeDelay(words: readonly string[]): { readonly delayMs: number; readonly rest: readonly string[] } {
  const delay = words.find((word) => word.startsWith('after='))
  if (delay === undefined) return { delayMs: 0, rest: words }
  const seconds = Number(delay.slice('after='.length))
  if (!(seconds >= 0)) throw new ModemdError('InvalidArgs', 'after= takes seconds')
  return { delayMs: seconds * 1000, rest: words.filter((word) => word !== delay) }
}

/** `--latency` stands for all of the personality's delays but registration, which has its own option. */
function timingsOf(personality: Personality, { latencyMs, registerAfterMs }: SimulatorOptions): Timings {
  const { timings } = personality
  return {
    bootMs: latencyMs === undefined ? timings.bootMs : 0,
    simBusyMs: latencyMs === undefined ? timings.simBusyMs : 0,
    simReadyMs: latencyMs ?? timings.simReadyMs,
    registerMs: registerAfterMs ?? timings.registerMs,
    replyMs: (key) => latencyMs ?? timings.slowMs[key] ?? timings.replyMs,
  }
}
