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
import type { Personality } from './personality.ts'
import { SimCard } from './sim-card.ts'
import { SimulatedModem } from './simulated-modem.ts'
import { Statistics } from './statistics.ts'
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
        for (const each of chosen) each.plug()
        return { ttys: chosen.flatMap((each) => each.ttys) }
      case 'unplug':
        for (const each of chosen) each.unplug()
        return {}
      case 'hangup':
        return this.#hangUp(chosen)
      case 'signal':
        return this.#signal(args[0])
      case 'network':
        return this.#setNetwork(args[0])
      case 'silence':
        return this.#silence(chosen, args[0])
      case 'fault':
        return this.#fault(chosen, args)
      case 'stats':
        return { modems: chosen.map((each) => this.#statistics(each)) }
      case 'sms':
      case 'ussd':
        throw new ModemdError('Unsupported', `this modem-sim has no ${command} yet`)
      default:
        throw new ModemdError(
          'InvalidArgs',
          `there is no command "${command}": take plug, unplug, hangup, signal, network, silence, fault, stats or ready`,
        )
    }
  }

  /** Unplugs all modems and removes what was made. */
  async close(): Promise<void> {
    for (const modem of this.#modems) modem.unplug()
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
    const { personality, link, pin, pinTries, puk, hasSim, seed, speed } = this.#options
    const withTty = personality.usb.interfaces.filter((each) => each.port !== null)
    const interfaces = this.#tree ? withTty : withTty.filter((each) => each.port === 'modem').slice(0, 1)
    return new SimulatedModem({
      ...this.#ports,
      personality,
      identity: identityOf(personality, seed ?? 1, index),
      sim: new SimCard({ isInserted: hasSim, pin, pinTries, puk }),
      network: this.#network,
      operator,
      faults: new FaultPlan(this.#ports.random),
      statistics: new Statistics(),
      timings: timingsOf(personality, this.#options),
      speed,
      interfaces,
      ttyNames: (lowest) => this.#tree?.ttyNames(interfaces, lowest) ?? [link ?? ''],
      show: (ports) => this.#show(index, ports),
    })
  }

  #show(index: number, ports: Parameters<UsbTree['plug']>[2]): ReturnType<UsbTree['plug']> {
    if (this.#tree) return this.#tree.plug(index + 1, this.#options.personality, ports)
    const path = this.#options.link ?? ''
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

  #setNetwork(mode: string | undefined): ControlAnswer {
    if (!(NETWORK_MODES as readonly (string | undefined)[]).includes(mode))
      throw new ModemdError('InvalidArgs', `network takes one of ${NETWORK_MODES.join(', ')}`)
    this.#network.mode = mode as NetworkMode
    for (const modem of this.#modems) modem.networkChanged()
    return { network: this.#network.mode }
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
    const { statistics, sim, identity, network } = modem.options
    return {
      imei: identity.imei,
      plugged: modem.isPlugged,
      ttys: modem.ttys,
      commands: statistics.commands,
      sim: { state: sim.state, pinTries: sim.pinTries, pukTries: sim.pukTries, ...sim.tries },
      network: { mode: network.mode, registration: modem.registration },
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
    simReadyMs: latencyMs ?? timings.simReadyMs,
    registerMs: registerAfterMs ?? timings.registerMs,
    replyMs: (key) => latencyMs ?? timings.slowMs[key] ?? timings.replyMs,
  }
}
