/**
 * One modem of a run: what outlives its plugs (SIM, faults, statistics), and while it is plugged its ttys with their machines,
 * its place in the tree and its call. The shell around `virtual-modem.ts`.
 */

import { resolve } from 'node:path'
import type { Cancel, Clock, Logger, Random } from '../base/ports.ts'
import { Pump } from '../serial/pump.ts'
import type { AtPort } from './at-port.ts'
import { CallWire } from './call-wire.ts'
import type { DeviceFault } from './fault-table.ts'
import type { Fault, FaultPlan } from './faults.ts'
import type { Identity } from './identity.ts'
import type { Timings } from './modem-state.ts'
import type { ModemTty } from './modem-tty.ts'
import type { VirtualNetwork } from './network.ts'
import type { Operator, OperatorCall } from './operator.ts'
import type { Personality, UsbInterface } from './personality.ts'
import type { PortEvent } from './port-event.ts'
import type { SimCard, SimState } from './sim-card.ts'
import type { Mishap, SmsStore } from './sms-store.ts'
import type { Statistics } from './statistics.ts'
import type { PluggedDevice, TreePort } from './usb-tree.ts'
import { VirtualModem } from './virtual-modem.ts'

export interface SimulatedModemOptions {
  readonly personality: Personality
  readonly identity: Identity
  readonly sim: SimCard
  readonly messages: SmsStore
  readonly wallMs: () => number
  readonly network: VirtualNetwork
  readonly operator: Operator
  readonly faults: FaultPlan
  readonly statistics: Statistics
  readonly timings: Timings
  readonly speed: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Throws ModemdError. `onHostClosed`: the last program has closed the tty. */
  openTty(path: string, onHostClosed: () => void): ModemTty
  /** Which of the personality's interfaces become ttys, and how they are shown: the tree, `--link`, or `--tty`. */
  readonly interfaces: readonly UsbInterface[]
  ttyNames(lowest: number): readonly string[]
  show(ports: readonly TreePort[]): PluggedDevice
}

/** +CFUN=1,1 and the fault `reboot`. */
const REBOOT_MS = 2000
/** `port-moves`: where the numbers start again. */
const MOVED_TTY_NUMBER = 3

const CLOSES_TTYS: ReadonlySet<DeviceFault> = new Set(['unplug', 'replug', 'reboot', 'port-moves', 'pty-close'])

interface LivePort {
  readonly wire: ModemTty
  readonly name: string
  readonly at: AtPort | undefined
  readonly pump: Pump<PortEvent> | undefined
}

interface LiveCall {
  readonly port: LivePort
  readonly wire: CallWire
  readonly far: OperatorCall
}

export class SimulatedModem {
  readonly #options: SimulatedModemOptions
  #machine: VirtualModem | undefined
  #device: PluggedDevice | undefined
  #ports: LivePort[] = []
  #call: LiveCall | undefined
  #replug: Cancel | undefined

  constructor(options: SimulatedModemOptions) {
    this.#options = options
  }

  get options(): SimulatedModemOptions {
    return this.#options
  }

  get isPlugged(): boolean {
    return this.#device !== undefined
  }

  /** `/dev/ttyUSB0` and so on, or the link. */
  get ttys(): readonly string[] {
    return this.#ports.map((port) => port.name)
  }

  get callState(): string {
    return this.#machine?.state.call ?? 'none'
  }

  get registration(): number {
    return this.#machine?.state.registration ?? 0
  }

  /** As the host sees it; `failed`: it answers no more. */
  get simState(): SimState | 'failed' {
    return this.#machine?.state.hasSimFailed ? 'failed' : this.#options.sim.state
  }

  /** Throws ModemdError. Does nothing where it is plugged. */
  plug(lowestTty = 0): void {
    if (this.#device) return
    this.#replug?.()
    this.#replug = undefined
    const { interfaces, statistics, clock } = this.#options
    const names = this.#options.ttyNames(lowestTty)
    this.#options.sim.powerCycle()
    this.#machine = new VirtualModem(this.#options, clock.nowMs())
    this.#ports = interfaces.map((each, index) => this.#openPort(each, resolve('/dev', names[index] ?? '')))
    try {
      this.#device = this.#options.show(
        interfaces.map((each, index) => ({
          interface: each,
          tty: names[index] ?? '',
          slavePath: this.#ports[index]!.wire.slavePath,
        })),
      )
    } catch (error) {
      this.#closePorts()
      throw error
    }
    statistics.plugs++
  }

  unplug(): void {
    this.#replug?.()
    this.#replug = undefined
    if (!this.#device) return
    this.#endCall('unplugged')
    this.#closePorts()
    this.#device.unplug()
    this.#device = undefined
    this.#machine = undefined
  }

  /** Its USB port: without it the device is there, and nothing of it works. */
  authorise(on: boolean): void {
    if (!this.#device || on === (this.#machine !== undefined)) return
    if (on) {
      this.unplug()
      this.plug()
      return
    }
    this.#replug?.()
    this.#replug = undefined
    this.#endCall('its USB port was switched off')
    this.#closePorts()
    this.#device.unbind()
    this.#machine = undefined
  }

  /** Gone now, and back after so long. */
  replug(afterMs: number, lowestTty = 0): void {
    const { clock, logger } = this.#options
    this.unplug()
    this.#replug = clock.at(clock.nowMs() + afterMs, () => {
      try {
        this.plug(lowestTty)
      } catch (error) {
        logger.error(
          `the modem could not be plugged in again: ${error instanceof Error ? error.message : String(error)}`,
        )
      }
    })
  }

  /** The device stays; its ttys can be opened again after so long. */
  #hangUpTtys(afterMs: number): void {
    const { clock, interfaces } = this.#options
    const device = this.#device
    if (!device) return
    for (const { at } of this.#ports) at?.hostClosed(clock.nowMs())
    this.#endCall('the tty hung up')
    this.#closePorts()
    this.#replug?.()
    this.#replug = clock.at(clock.nowMs() + afterMs, () => {
      this.#replug = undefined
      this.#ports = interfaces.map((each, index) => this.#openPort(each, resolve('/dev', device.ports[index]!.tty)))
      device.reopened(this.#ports.map(({ wire }) => wire.slavePath))
    })
  }

  /** 0: for ever. */
  #loseNetwork(forMs: number): void {
    const { network, clock } = this.#options
    const before = network.mode
    network.mode = 'none'
    this.networkChanged()
    if (forMs === 0) return
    clock.at(clock.nowMs() + forMs, () => {
      // Somebody may have set another meanwhile.
      if (network.mode !== 'none') return
      network.mode = before
      this.networkChanged()
    })
  }

  /** The operator ends the call; false: there is none. */
  hangUp(): boolean {
    const call = this.#call
    call?.far.hangUp()
    return call !== undefined
  }

  networkChanged(): void {
    this.#machine?.state.networkChanged(this.#options.clock.nowMs())
    this.#pokeAll()
  }

  /** The network begins a session; false: the modem is not in one. */
  ussd(text: string, wantsReply: boolean): boolean {
    const state = this.#machine?.state
    if (!state?.isRegistered) return false
    state.ussd.begin(text, wantsReply, this.#options.clock.nowMs())
    this.#pokeAll()
    return true
  }

  signalChanged(): void {
    this.#machine?.state.signalChanged(this.#options.clock.nowMs())
    this.#pokeAll()
  }

  removeSim(): void {
    if (this.#machine) this.#machine.state.removeSim(this.#options.clock.nowMs())
    else this.#options.sim.remove()
    this.#pokeAll()
  }

  /** The card that was in; or the one of this number, which asks for `pin` if it was never in before. */
  insertSim(iccid: string | undefined, pin: string | undefined): void {
    const { sim, identity, clock } = this.#options
    if (iccid !== undefined) sim.take(iccid === identity.iccid ? undefined : iccid, pin)
    if (this.#machine) this.#machine.state.insertSim(clock.nowMs())
    else sim.insert()
    this.#pokeAll()
  }

  /** Somebody writes to this modem's SIM; how many parts came of it. */
  incomingMessage(from: string, text: string, messageClass: number | undefined, mishap: Mishap): number {
    const parts = this.#options.messages.incoming(from, text, messageClass, mishap)
    this.#machine?.state.messages.fetch(this.#options.clock.nowMs())
    this.#pokeAll()
    return parts
  }

  /** As `FaultPlan.arm`; what happens now happens. Throws ModemdError InvalidArgs. */
  fault(words: readonly string[]): void {
    const now = this.#options.faults.arm(words)
    if (now) this.#carryOut(now)
    else this.#call?.far.takeFaults()
  }

  #carryOut(fault: Fault<DeviceFault>): void {
    const afterMs = Number(fault.value) * 1000
    switch (fault.name) {
      case 'unplug':
        this.unplug()
        break
      case 'replug':
      case 'reboot':
        this.replug(afterMs)
        break
      case 'port-moves':
        this.replug(afterMs, MOVED_TTY_NUMBER)
        break
      case 'pty-close':
        this.#hangUpTtys(afterMs)
        break
      case 'sim-removed':
        this.removeSim()
        break
      case 'sim-failed':
        this.#machine?.state.failSim(this.#options.clock.nowMs())
        this.#pokeAll()
        break
      case 'sim-busy':
        this.#machine?.state.holdSim(afterMs, this.#options.clock.nowMs())
        break
      case 'network-lost':
        this.#loseNetwork(afterMs)
        break
      case 'context-lost':
        this.#machine?.state.context.end('NW', this.#options.clock.nowMs())
        this.#pokeAll()
        break
      case 'hang-up':
        this.hangUp()
    }
  }

  #openPort(usbInterface: UsbInterface, name: string): LivePort {
    const { clock } = this.#options
    const at = this.#machine?.ports.get(usbInterface.number)
    const machine = at ?? this.#machine?.gpsPorts.get(usbInterface.number)
    const wire = this.#options.openTty(name, () => {
      at?.hostClosed(clock.nowMs())
      pump?.poke()
    })
    const pump =
      machine &&
      new Pump(wire, machine, {
        clock,
        onEvent: (event) => this.#onEvent(port, event),
        onDrain: () => this.#call?.wire.drained(),
      })
    if (!pump) wire.listen({ data() {}, drain() {}, closed() {} })
    const port: LivePort = { wire, name, at, pump }
    return port
  }

  #closePorts(): void {
    for (const { pump, wire } of this.#ports) {
      pump?.stop()
      wire.hangUp()
    }
    this.#ports = []
  }

  #onEvent(port: LivePort, event: PortEvent): void {
    switch (event.type) {
      case 'wake':
        queueMicrotask(() => this.#pokeAll())
        break
      case 'call':
        this.#openCall(port)
        break
      case 'uplink':
        if (this.#call?.port === port) this.#call.wire.received(event.bytes)
        break
      case 'drained':
        if (!port.pump?.blocked) this.#call?.wire.drained()
        break
      case 'call-over':
        this.#endCall(event.reason)
        break
      case 'fault':
        // Nothing that was to be said at this stage gets out any more.
        if (CLOSES_TTYS.has(event.fault.name)) port.pump?.stop()
        queueMicrotask(() => this.#carryOut(event.fault))
        break
      case 'reboot':
        queueMicrotask(() => this.replug(REBOOT_MS))
    }
  }

  #openCall(port: LivePort): void {
    const { clock, faults, operator, personality, random } = this.#options
    const atPort = port.at!
    const pump = port.pump!
    const wire = new CallWire({
      path: port.name,
      send: (bytes) => {
        const mayGoOn = atPort.downlink(bytes, clock.nowMs())
        pump.poke()
        return mayGoOn && !pump.blocked
      },
      onClose: () => finish(),
      random,
    })
    const isOurs = () => this.#call?.wire === wire
    const finish = () => {
      if (!isOurs()) return
      atPort.finishCall(clock.nowMs())
      pump.poke()
    }
    const far = operator.open({
      wire,
      personality,
      faults,
      onFault: (fault) => queueMicrotask(() => this.#carryOut(fault)),
      onEnd: finish,
      onDrop: () => {
        if (!isOurs()) return
        atPort.dropCall(clock.nowMs())
        pump.poke()
      },
    })
    this.#call = { port, wire, far }
  }

  #endCall(reason: string): void {
    const call = this.#call
    this.#call = undefined
    call?.wire.over(reason)
  }

  #pokeAll(): void {
    for (const { pump } of this.#ports) pump?.poke()
  }
}
