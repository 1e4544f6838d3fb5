/** A run of modem-sim: operator, modems, tree, and the commands of the control socket. `command.ts` starts it. */

import { join } from 'node:path'
import { errorText, ModemdError } from '../base/errors.ts'
import { formatIpv6 } from '../base/ipv6.ts'
import type { Clock, Logger, Random } from '../base/ports.ts'
import { createBuiltinEngine } from '../ppp/engines/builtin.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import { AddressPool } from './address-pool.ts'
import { type Carrier, openCarrier, pageAddress } from './carriers.ts'
import { FaultPlan } from './faults.ts'
import { identityOf } from './identity.ts'
import { CALL_PREFIX_LENGTH, Ip6Network, withRouter } from './ip6-network.ts'
import { type ControlAnswer, type ControlCommand, ModemControl, withoutWords } from './modem-control.ts'
import type { Timings } from './modem-state.ts'
import { VirtualNetwork } from './network.ts'
import { Operator } from './operator.ts'
import type { SimulatorOptions } from './options.ts'
import { OwnedFiles } from './owned-files.ts'
import { interfacesOf, type Personality, type UsbInterface } from './personality.ts'
import { PtyWire } from './pty-wire.ts'
import { SimCard } from './sim-card.ts'
import { SimulatedModem } from './simulated-modem.ts'
import { SmsStore } from './sms-store.ts'
import { Statistics } from './statistics.ts'
import { TtyWire } from './tty-wire.ts'
import { type PluggedDevice, type TreePort, UsbTree } from './usb-tree.ts'

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
  /** How it is announced; absent where that shows only when the first modem is plugged in. */
  readonly hotplug?: 'uevents' | 'directory' | 'none'
}

/** A gadget's port takes a moment after its host went. */
const REOPEN_MS = 200

export class Simulator {
  readonly #options: SimulatorOptions
  readonly #ports: SimulatorPorts
  readonly #network: VirtualNetwork
  readonly #carrier: Carrier
  readonly #pool: AddressPool
  readonly #tree: UsbTree | undefined
  readonly #modems: readonly SimulatedModem[]
  readonly #control: ModemControl
  readonly #commands: Readonly<Record<string, ControlCommand>>
  readonly files: OwnedFiles
  #hotplug: Readiness['hotplug']

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
      for (const fault of options.faults) simulator.#control.fault(fault, simulator.#modems)
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
    const { network: mode, apn, ip, signal, auth, user, password } = options
    // Nobody else asks for them then.
    const logIn = auth.length === 0 && user !== '' ? { user, password } : undefined
    this.#network = new VirtualNetwork({ mode, apn, ip, signal, logIn }, ports.random)
    this.files = new OwnedFiles(options.root && join(options.root, 'run/modem-sim'))
    this.#tree =
      options.root === undefined
        ? undefined
        : new UsbTree(options.root, this.files, (how, why) => {
            this.#hotplug = how
            if (why !== undefined) ports.logger.debug(`no uevents: ${why}`)
          })
    if (!this.#tree) this.#hotplug = 'none'
    const operator = new Operator({
      settings: { auth: options.auth, user: options.user, password: options.password, dnsServers: options.dns },
      pool,
      ip6,
      engineFor: (prefix) => this.#engineFor(prefix),
      routePrefix: (prefix, interfaceName) => this.#routePrefix(prefix, interfaceName),
      ...ports,
    })
    this.#modems = Array.from({ length: options.modems }, (_, index) => this.#makeModem(index, operator))
    this.#control = new ModemControl({ ...ports, modems: this.#modems, network: this.#network, dns: options.dns })
    this.#commands = {
      plug: withoutWords('plug', (chosen) => this.#plug(chosen)),
      unplug: withoutWords('unplug', (chosen) => this.#unplug(chosen)),
      ...this.#control.commands,
      ready: withoutWords('ready', () => ({ ...this.readiness })),
    }
  }

  get readiness(): Readiness {
    const { namespacePath } = this.#carrier
    return {
      personality: this.#options.personality.name,
      modems: this.#modems.map(({ options, ttys }) => ({ imei: options.identity.imei, ttys })),
      internet: this.#carrier.name,
      ...(this.#carrier.name === 'none' ? {} : { page: pageAddress(this.#pool.gateway) }),
      ...(namespacePath === undefined ? {} : { namespace: namespacePath }),
      ...(this.#hotplug === undefined ? {} : { hotplug: this.#hotplug }),
    }
  }

  /** Throws ModemdError InvalidArgs, Unsupported or WrongState. `modem` is an index; undefined: all. */
  control(command: string, args: readonly string[], modem: number | undefined): ControlAnswer {
    const chosen = this.#chosen(modem)
    const carryOut = Object.hasOwn(this.#commands, command) ? this.#commands[command] : undefined
    if (carryOut) return carryOut(args, chosen)
    const names = Object.keys(this.#commands).join(', ')
    throw new ModemdError('InvalidArgs', `there is no command "${command}": take one of ${names}`)
  }

  #plug(chosen: readonly SimulatedModem[]): ControlAnswer {
    this.#forEach(chosen, (each) => each.plug())
    return { ttys: chosen.flatMap((each) => each.ttys) }
  }

  #unplug(chosen: readonly SimulatedModem[]): ControlAnswer {
    this.#forEach(chosen, (each) => each.unplug())
    return {}
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
      show: (ports) => this.#show(index, ports, (on) => modem.authorise(on)),
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

  #show(index: number, ports: readonly TreePort[], onAuthorised: (on: boolean) => void): PluggedDevice {
    if (this.#tree) return this.#tree.plug(index + 1, this.#options.personality, ports, onAuthorised)
    if (this.#options.link === undefined) return { ports, reopened: () => {}, unbind: () => {}, unplug: () => {} }
    const path = this.#options.link
    this.files.link(path, ports[0]!.slavePath)
    return {
      ports,
      reopened: ([slavePath]) => this.files.link(path, slavePath!),
      unbind: () => {},
      unplug: () => this.files.remove(path),
    }
  }

  #chosen(modem: number | undefined): readonly SimulatedModem[] {
    if (modem === undefined) return this.#modems
    const chosen = this.#modems[modem]
    if (!chosen)
      throw new ModemdError('InvalidArgs', `there is no modem ${modem}: they are 0 to ${this.#modems.length - 1}`)
    return [chosen]
  }
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
