/**
 * The kernel engine: what pppd does, without pppd. Our control protocols, the kernel's data path: the tty under N_PPP, its
 * channel joined to an interface pppN, control frames through /dev/ppp. Packets never come through this process. The daemon
 * hands it to the supervisor where the kernel has PPP; it needs a wire with a descriptor.
 */

import type { Failure } from '../../base/cause.ts'
import { ModemdError } from '../../base/errors.ts'
import type { Cancel, Random } from '../../base/ports.ts'
import type { Wire } from '../../serial/wire.ts'
import type { PppChannel, PppUnit } from '../../system/ppp-device.ts'
import { PppSession } from '../session.ts'
import type { SessionEvent } from '../session-events.ts'
import type { PppAddress, PppPhase } from '../settings.ts'
import { HdlcDecoder } from '../wire/hdlc-decoder.ts'
import { IPV4, IPV6 } from '../wire/protocols.ts'
import { CarrierWatch } from './carrier-watch.ts'
import type { PppEngine, PppLink, PppLinkEvent, PppLinkOptions } from './engine.ts'
import { type InterfaceServices, PppInterface } from './interface.ts'
import { frameHandlers, KernelCarrier } from './kernel-carrier.ts'
import { type KernelPppSystem, kernelPppSystem, type TakenTty } from './kernel-system.ts'

export { kernelUsable } from './kernel-system.ts'

export interface KernelServices extends InterfaceServices {
  readonly random: Random
  /**
   * A carrier (DCD) that goes ends the link, on ttys that are set to live without one (CLOCAL), as the daemon's are (carrier-watch.ts).
   * On others the kernel hangs up by itself, and takes the tty away from everybody.
   */
  readonly watchesCarrier?: boolean
  /** Missing: this machine's kernel. */
  readonly system?: KernelPppSystem
}

const DEFAULT_INTERFACE = 'ppp%d'
const CARRIER_GONE = 'the modem dropped the carrier (DCD)'
const DEFAULT_MRU_BYTES = 1500

export function createKernelEngine(services: KernelServices): PppEngine {
  return {
    name: 'kernel',
    open: (wire, options, onEvent) => new KernelLink(services, wire, options, onEvent),
  }
}

interface Counts {
  readonly rxBytes: bigint
  readonly txBytes: bigint
}

const NO_BYTES: Counts = { rxBytes: 0n, txBytes: 0n }

class KernelLink implements PppLink {
  readonly #services: KernelServices
  readonly #system: KernelPppSystem
  readonly #wire: Wire
  readonly #options: PppLinkOptions
  readonly #onEvent: (event: PppLinkEvent) => void
  readonly #fd: number
  readonly #tty: TakenTty
  readonly #channel: PppChannel
  readonly #unit: PppUnit
  readonly #interface: PppInterface
  readonly #session: PppSession
  #events: SessionEvent[] = []
  #isTelling = false
  #isDown = false
  #isConfigured = false
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined
  #carrierWatch: CarrierWatch | undefined
  #countsAtUp: Counts | undefined
  #lastCounts = NO_BYTES

  constructor(services: KernelServices, wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void) {
    this.#services = services
    this.#system = services.system ?? kernelPppSystem
    this.#wire = wire
    this.#options = options
    this.#onEvent = onEvent
    this.#fd = descriptorOf(wire)
    wire.listen(undefined)
    this.#tty = this.#system.takeTty(this.#fd)
    const parts = this.#attach()
    this.#channel = parts.channel
    this.#unit = parts.unit
    this.#channel.setMru(Math.max(DEFAULT_MRU_BYTES, options.settings.mruBytes))
    this.#passPackets(undefined)
    this.#interface = new PppInterface(services, options, this.#unit.name, {
      configured: (address) => {
        // A fresh interface begins at nothing, also where nobody can look now.
        this.#countsAtUp ??= this.#system.readCounters(this.#unit.name) ?? NO_BYTES
        this.#onEvent({ type: 'up', interfaceName: this.#unit.name, address })
      },
      failed: (failure) => this.terminate(failure),
    })
    const carrier = new KernelCarrier(
      this.#channel,
      this.#unit,
      () => this.#system.readCounters(this.#unit.name)?.rxErrors ?? 0n,
    )
    const emit = (event: SessionEvent) => this.#events.push(event)
    this.#session = new PppSession(options.settings, services.random, carrier, emit, options.trace)
    // Whoever opened it has the link before it hears of it.
    queueMicrotask(() => this.#start())
  }

  get peerName(): string | undefined {
    return this.#session.peerName
  }

  counters(): Counts {
    if (this.#countsAtUp && !this.#isDown) this.#readCounts(this.#countsAtUp)
    return this.#lastCounts
  }

  terminate(failure: Failure): void {
    this.#do((nowMs) => this.#session.terminate(failure, nowMs))
  }

  lost(detail: string): void {
    this.#do((nowMs) => this.#session.lost(detail, nowMs))
  }

  #attach(): { readonly channel: PppChannel; readonly unit: PppUnit } {
    const receive = (protocol: number, info: Uint8Array) =>
      this.#do((nowMs) => this.#session.receive(protocol, info, nowMs))
    let channel: PppChannel | undefined
    let unit: PppUnit | undefined
    try {
      channel = this.#system.attachChannel(
        this.#fd,
        frameHandlers(receive, () => this.#hungUp()),
      )
      const name = this.#options.interfaceName ?? DEFAULT_INTERFACE
      unit = this.#system.makeUnit(
        name,
        frameHandlers(receive, () => this.#unitEnded()),
      )
      channel.connect(unit)
      return { channel, unit }
    } catch (error) {
      unit?.close()
      channel?.close()
      this.#tty.giveBack()
      throw error
    }
  }

  #start(): void {
    if (this.#isDown) return
    this.#options.onInterface?.(this.#unit.name)
    this.#do((nowMs) => {
      this.#session.open(nowMs)
      this.#receiveEarly(nowMs)
    })
    if (this.#services.watchesCarrier && !this.#isDown) this.#watchCarrier()
  }

  /** The peer's first frames may have come before the kernel took the line. */
  #receiveEarly(nowMs: number): void {
    const decoder = new HdlcDecoder(this.#tty.early.length + 1, {
      frame: (protocol, info) => this.#session.receive(protocol, info.slice(), nowMs),
      junk: () => {},
    })
    decoder.push(this.#tty.early)
  }

  /** Every call of the session goes through here: its events are told when it has returned, so that who hears them may call back. */
  #do(action: (nowMs: number) => void): void {
    if (this.#isDown) return
    action(this.#services.clock.nowMs())
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      for (let event = this.#events.shift(); event; event = this.#events.shift()) this.#happened(event)
    } finally {
      this.#isTelling = false
    }
    this.#arm()
  }

  #happened(event: SessionEvent): void {
    switch (event.type) {
      case 'phase':
        if (event.phase !== 'running') this.#stopPackets(event.phase)
        this.#onEvent(event)
        break
      case 'up':
        this.#isConfigured = true
        this.#passPackets(event.address)
        this.#interface.configure(event.address)
        break
      case 'stopped':
        this.#services.logger.info(`The link goes on without ${event.network}: ${event.failure.detail}.`)
        this.#onEvent({ type: 'stopped', network: event.network })
        break
      case 'down':
        this.#end()
        this.#onEvent(event)
        break
    }
  }

  /** Also when the peer negotiates anew: addresses may differ afterwards, and nothing may pass before authentication. */
  #stopPackets(phase: PppPhase): void {
    if (!this.#isConfigured) return
    this.#isConfigured = false
    this.#passPackets(undefined)
    if (phase !== 'dead') void this.#interface.clear()
  }

  #passPackets(address: PppAddress | undefined): void {
    this.#unit.setPassing(IPV4, address?.ip4 !== undefined)
    this.#unit.setPassing(IPV6, address?.ip6 !== undefined)
  }

  /** The line went, or somebody removed the interface. */
  #unitEnded(): void {
    if (this.#system.readCounters(this.#unit.name)) this.#hungUp()
    else this.terminate({ cause: 'internal', detail: `somebody removed the interface ${this.#unit.name}` })
  }

  #hungUp(): void {
    this.lost(this.#wire.outlivesHangUp ? `${CARRIER_GONE}, or is gone` : 'the line was hung up')
  }

  #watchCarrier(): void {
    const lost = () => this.lost(CARRIER_GONE)
    this.#carrierWatch = new CarrierWatch(this.#wire, this.#fd, this.#system, this.#services.clock, lost)
    // It may have gone in that very moment.
    if (this.#isDown) this.#carrierWatch.stop()
  }

  #readCounts(atUp: Counts): void {
    const now = this.#system.readCounters(this.#unit.name)
    if (now) this.#lastCounts = { rxBytes: now.rxBytes - atUp.rxBytes, txBytes: now.txBytes - atUp.txBytes }
  }

  #end(): void {
    this.counters()
    this.#isDown = true
    this.#timer?.cancel()
    this.#carrierWatch?.stop()
    this.#interface.close()
    this.#channel.disconnect()
    this.#channel.close()
    // Somebody may have closed the wire, and its number may be another file's.
    if (this.#wire.fd === this.#fd) this.#tty.giveBack()
    // The interface goes with the unit, which holds us up for some 15 ms: whoever waits for the news hears of it first.
    const { clock } = this.#services
    clock.at(clock.nowMs(), () => this.#unit.close())
  }

  /** A timer that fires too early only looks again, so a deadline that keeps moving on costs no new timers. */
  #arm(): void {
    const atMs = this.#isDown ? undefined : this.#session.deadline?.atMs
    if (atMs !== undefined && this.#timer && this.#timer.atMs <= atMs) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (atMs === undefined) return
    this.#timer = { atMs, cancel: this.#services.clock.at(atMs, () => this.#onTimer()) }
  }

  #onTimer(): void {
    this.#timer = undefined
    const deadline = this.#session.deadline
    if (deadline && deadline.atMs <= this.#services.clock.nowMs()) this.#do((nowMs) => this.#session.timeout(nowMs))
    else this.#arm()
  }
}

function descriptorOf({ fd, path }: Wire): number {
  if (fd !== undefined) return fd
  const what = `the kernel's PPP needs a tty of this machine, and ${path} is none that it can take`
  throw new ModemdError('Unsupported', `${what}: use the engine builtin`, 'engine-missing')
}
