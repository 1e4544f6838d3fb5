/**
 * One PPP session, frame by frame (RFC 1661 §3): LCP, then authentication, then the network protocols, and packets while one of
 * these is opened. Both roles, any carrier: `serial-session.ts` puts it on a tty, PPPoE will on Ethernet. Pure: its owner tells
 * it the time, and sends what it gives to the carrier.
 */

import { equalBytes } from '../base/bytes.ts'
import type { Cause, Failure } from '../base/cause.ts'
import type { Deadline } from '../base/machine.ts'
import type { Random } from '../base/ports.ts'
import { Authentication } from './auth/authentication.ts'
import { Alarms } from './control/alarms.ts'
import { Automaton } from './control/automaton.ts'
import type { Carrier } from './control/carrier.ts'
import { KeepAlive } from './control/keep-alive.ts'
import { DEFAULT_MRU_BYTES, Lcp } from './control/lcp.ts'
import { Networks } from './control/networks.ts'
import { RateLimit } from './control/rate-limit.ts'
import type { AutomatonHost, DropReason } from './control/rules.ts'
import { UseLimits } from './control/use-limits.ts'
import { pppExitCode } from './exit-codes.ts'
import type { PacketTrace, SessionCounters, SessionEvent } from './session-events.ts'
import type { PppPhase, PppSettings } from './settings.ts'
import { DEFAULT_FRAMING } from './wire/hdlc-encoder.ts'
import { CODE, controlBytes, HEADER_BYTES } from './wire/packets.ts'
import { printPacket } from './wire/printing.ts'
import { CHAP, EAP, IPV4, IPV6, LCP, PAP } from './wire/protocols.ts'

export type { PacketTrace, SessionCounters, SessionEvent }

/** Between these two are the control protocols of the network layer; above, the link's (RFC 1661 §2). */
const FIRST_CONTROL_PROTOCOL = 0x8000
const FIRST_LINK_PROTOCOL = 0xc000
const MAX_EVIDENCE_CHARS = 240
/** The ends where nobody is left to wait for. */
const SILENT_ENDS: ReadonlySet<Cause> = new Set(['loopback', 'echo-lost'])
interface Frame {
  readonly protocol: number
  readonly info: Uint8Array
}

export class PppSession {
  readonly counters: SessionCounters = {
    rxPackets: 0,
    rxBytes: 0,
    txPackets: 0,
    txBytes: 0,
    txDrops: 0,
    malformed: 0,
    unexpected: 0,
    flood: 0,
    rejected: 0,
  }
  readonly #settings: PppSettings
  readonly #carrier: Carrier
  readonly #emit: (event: SessionEvent) => void
  readonly #onPacket: (packet: Uint8Array) => void
  readonly #trace: PacketTrace | undefined
  readonly #alarms = new Alarms()
  readonly #lcpRules: Lcp
  readonly #lcp: Automaton
  readonly #keepAlive: KeepAlive
  readonly #authentication: Authentication
  readonly #networks: Networks
  readonly #useLimits: UseLimits
  readonly #protocolRejects = new RateLimit(5, 1)
  readonly #doubts = new RateLimit(1, 0.1)
  #phase: PppPhase | undefined
  #failure: Failure | undefined
  #lastSent: Frame | undefined
  #lastReceived: Frame | undefined
  #mtuBytes = DEFAULT_MRU_BYTES
  /** When the last packet passed, or the link came up. */
  #usedAtMs = 0

  constructor(
    settings: PppSettings,
    random: Random,
    carrier: Carrier,
    emit: (event: SessionEvent) => void,
    trace?: PacketTrace,
    onPacket: (packet: Uint8Array) => void = (bytes) => emit({ type: 'packet', bytes }),
  ) {
    this.#settings = settings
    this.#carrier = carrier
    this.#emit = emit
    this.#onPacket = onPacket
    this.#trace = trace
    this.#lcpRules = new Lcp(settings, random, carrier, {
      protocolRejected: (protocol) => this.#protocolRejected(protocol),
      echoReplied: (id) => this.#keepAlive.replied(id),
      echoRefused: () => this.#keepAlive.stop(),
    })
    this.#lcp = new Automaton(this.#lcpRules, settings, this.#alarms, this.#lcpHost())
    this.#keepAlive = new KeepAlive(settings, this.#alarms, {
      sendEcho: () => this.#sendEcho(),
      lost: (count) => this.#echoLost(count),
    })
    this.#authentication = new Authentication(settings, random, this.#alarms, {
      send: (protocol, info) => this.#send(protocol, info),
      authenticated: () => this.#startNetworks(),
      failed: (failure) => this.#failWithEvidence(failure),
      dropped: (reason) => this.#dropped(reason),
    })
    this.#networks = new Networks(settings, random, this.#alarms, {
      ...this.#commonHost(),
      changed: () => this.#networksChanged(),
      stopped: (network, failure) => this.#emit({ type: 'stopped', network, failure }),
      failed: (failure) => this.#failWithEvidence(failure),
      peerName: () => this.peerName,
    })
    this.#useLimits = new UseLimits(settings, this.#alarms, {
      idleMs: () => (carrier.idleMs ? carrier.idleMs() : this.#alarms.nowMs - this.#usedAtMs),
      reached: (failure) => this.#fail(failure),
    })
  }

  get phase(): PppPhase | undefined {
    return this.#phase
  }

  /** What the peer called itself when it logged in; as it came, not cleaned. */
  get peerName(): string | undefined {
    return this.#authentication.peerName
  }

  get deadline(): Deadline | undefined {
    return this.#alarms.next
  }

  open(nowMs: number): void {
    if (this.#phase) return
    this.#alarms.nowMs = nowMs
    this.#setPhase('establish')
    this.#lcp.open()
    this.#lcp.up(this.#settings.silent)
  }

  timeout(nowMs: number): void {
    this.#alarms.nowMs = nowMs
    this.#alarms.fireDue()
  }

  /** A frame without a carrier's headers. `info` must stay what it is. */
  receive(protocol: number, info: Uint8Array, nowMs: number): void {
    if (!this.#phase || this.#phase === 'dead') return
    this.#alarms.nowMs = nowMs
    if ((protocol === IPV4 && this.#networks.carries(4)) || (protocol === IPV6 && this.#networks.carries(6))) {
      this.#receivePacket(info, protocol === IPV4 ? 4 : 6)
      return
    }
    if (protocol !== IPV4 && protocol !== IPV6) {
      this.#lastReceived = { protocol, info }
      this.#trace?.('rcvd', protocol, info)
      if (this.#isOwn(protocol, info) && this.#doubts.allows(nowMs)) this.#sendEcho()
    }
    const isForNetwork = protocol >= FIRST_CONTROL_PROTOCOL && protocol < FIRST_LINK_PROTOCOL
    if (isForNetwork && this.#phase === 'authenticate') this.#authentication.peerWentOn()
    if (protocol === LCP) this.#lcp.receive(info)
    else if (protocol === PAP || protocol === CHAP || protocol === EAP) this.#authentication.receive(protocol, info)
    else if (this.#phase !== 'network' && this.#phase !== 'running') this.#dropped('unexpected')
    else if (!this.#networks.receive(protocol, info)) this.#rejectProtocol(protocol, info)
  }

  /** An IPv4 or IPv6 packet for the peer. False: dropped. */
  sendPacket(packet: Uint8Array, nowMs: number): boolean {
    const version = packet.length === 0 ? 0 : packet[0]! >>> 4
    if (!this.#networks.carries(version) || packet.length > this.#mtuBytes) {
      this.counters.txDrops++
      return false
    }
    this.#usedAtMs = nowMs
    this.counters.txPackets++
    this.counters.txBytes += packet.length
    this.#carrier.send(version === 4 ? IPV4 : IPV6, packet)
    return true
  }

  /** Negotiates all anew on a link that is up (RFC 1661 §4.3, the restart option): `up` comes again. Without one, nothing happens. */
  renegotiate(nowMs: number): void {
    this.#alarms.nowMs = nowMs
    if (this.#lcp.state === 'Opened') this.#lcp.restart()
  }

  /** Takes the link down in order; `down` follows with this failure unless one is on its way already. */
  terminate(failure: Failure, nowMs: number): void {
    this.#alarms.nowMs = nowMs
    this.#fail(failure)
  }

  /** The line is gone, or says so: nothing can be sent any more. */
  lost(detail: string, nowMs: number): void {
    this.#alarms.nowMs = nowMs
    this.#finish(this.#failure ?? { cause: 'hung-up', detail: `${detail}; ${this.#evidence()}` })
  }

  /** Above LCP a frame like our last may be chance; the magic number in an Echo-Request tells (RFC 1661 §6.4). */
  #isOwn(protocol: number, info: Uint8Array): boolean {
    const sent = this.#lastSent
    if (protocol === LCP || sent?.protocol !== protocol || this.#lcp.state !== 'Opened') return false
    return equalBytes(sent.info, info)
  }

  #receivePacket(packet: Uint8Array, version: 4 | 6): void {
    if (packet.length === 0 || packet[0]! >>> 4 !== version) {
      this.#dropped('malformed')
      return
    }
    this.#usedAtMs = this.#alarms.nowMs
    this.counters.rxPackets++
    this.counters.rxBytes += packet.length
    this.#onPacket(packet)
  }

  #lcpHost(): AutomatonHost {
    return {
      ...this.#commonHost(),
      isPassive: this.#settings.passive,
      layerUp: () => this.#lcpUp(),
      layerDown: () => this.#lcpDown(),
      layerFinished: (failure) => this.#finish(this.#failure ?? this.#blamed(failure)),
      terminateRequested: (message, wasOpened) => this.#terminateRequested(message, wasOpened),
      gaveUp: (failure) => this.#fail(this.#blamed(failure)),
    }
  }

  #commonHost(): Pick<AutomatonHost, 'peerMruBytes' | 'send' | 'dropped'> {
    return {
      peerMruBytes: () => this.#lcpRules.peerMruBytes,
      send: (protocol, info) => this.#send(protocol, info),
      dropped: (reason) => this.#dropped(reason),
    }
  }

  #lcpUp(): void {
    this.#carrier.reframe(this.#lcpRules.framing, this.#lcpRules.receiveAccm)
    this.#mtuBytes = Math.min(this.#settings.mtuBytes, this.#lcpRules.peerMruBytes, this.#carrier.maxMtuBytes)
    this.#keepAlive.start()
    const { login, examination } = this.#lcpRules
    if (!login && !examination) {
      this.#startNetworks()
      return
    }
    this.#setPhase('authenticate')
    this.#authentication.start(login, examination)
  }

  /** LCP left the opened state: the end, or the peer begins anew, and then everything does. */
  #lcpDown(): void {
    if (this.#phase !== 'terminate') this.#setPhase('establish')
    this.#stopAboveLcp()
    this.#carrier.reframe(DEFAULT_FRAMING, DEFAULT_FRAMING.accm)
  }

  #stopAboveLcp(): void {
    this.#keepAlive.stop()
    this.#useLimits.stop()
    this.#authentication.stop()
    this.#networks.stop()
  }

  #startNetworks(): void {
    this.#setPhase('network')
    this.#networks.start(this.#mtuBytes)
  }

  #networksChanged(): void {
    if (this.#phase !== 'network' && this.#phase !== 'running') return
    if (!this.#networks.isAnyOpen) {
      this.#setPhase('network')
      this.#useLimits.stop()
      return
    }
    if (this.#phase === 'network') {
      this.#usedAtMs = this.#alarms.nowMs
      this.#useLimits.start()
    }
    this.#setPhase('running')
    this.#emit({ type: 'up', address: this.#networks.address(this.#mtuBytes) })
  }

  /** An opened link ends here and now; one that is being made may see what is left of the call before, and goes on. */
  #terminateRequested(message: string, wasOpened: boolean): void {
    const isRefusal = this.#phase !== 'running' && this.#lcpRules.refusedAuth !== undefined
    if (!wasOpened && !isRefusal) return
    const detail = `the peer sent Terminate-Request "${message}" (${this.#phase})`
    const failure = this.#blamed({ cause: 'hung-up', detail })
    if (wasOpened) this.#beginEnd(failure)
    else this.#fail(failure)
  }

  /** Where we refused the log-in that the peer asks for, that is the cause of what came of it. */
  #blamed(failure: Failure | undefined): Failure {
    const { cause, detail } = failure ?? { cause: 'lcp-timeout', detail: 'LCP came to an end' }
    const refused = this.#phase === 'running' ? undefined : this.#lcpRules.refusedAuth
    const evidence = this.#evidence()
    if (!refused || (cause !== 'hung-up' && cause !== 'lcp-timeout')) return { cause, detail: `${detail}; ${evidence}` }
    const why = `the peer asks for a log-in by ${refused}, which the settings do not allow`
    return { cause: 'auth-refused', detail: `${why}: ${detail}; ${evidence}` }
  }

  #protocolRejected(protocol: number): void {
    if (protocol === LCP) this.#lcp.protocolRejected()
    this.#authentication.protocolRejected(protocol)
    this.#networks.protocolRejected(protocol)
  }

  #rejectProtocol(protocol: number, info: Uint8Array): void {
    if (!this.#protocolRejects.allows(this.#alarms.nowMs)) {
      this.#dropped('flood')
      return
    }
    this.counters.rejected++
    const rejected = info.subarray(0, this.#lcpRules.peerMruBytes - HEADER_BYTES - 2)
    const data = Uint8Array.of(protocol >>> 8, protocol & 0xff, ...rejected)
    this.#send(LCP, controlBytes(CODE.protocolReject, this.#lcp.nextId(), data))
  }

  #sendEcho(): number {
    const id = this.#lcp.nextId()
    this.#send(LCP, controlBytes(CODE.echoRequest, id, this.#lcpRules.magicBytes()))
    return id
  }

  #echoLost(count: number): void {
    const seconds = this.#settings.echoIntervalMs / 1000
    this.#failWithEvidence({ cause: 'echo-lost', detail: `no reply to ${count} LCP Echo-Requests, ${seconds} s apart` })
  }

  #send(protocol: number, info: Uint8Array): void {
    this.#trace?.('sent', protocol, info)
    if (protocol !== LCP) this.#lastSent = { protocol, info }
    this.#carrier.send(protocol, info)
  }

  #dropped(reason: DropReason): void {
    this.counters[reason]++
  }

  #failWithEvidence({ cause, detail }: Failure): void {
    this.#fail({ cause, detail: `${detail}; ${this.#evidence()}` })
  }

  /** The first failure counts. LCP says good-bye, but for where nobody would answer. */
  #fail(failure: Failure): void {
    if (this.#phase === 'dead') return
    if (!this.#phase) {
      this.#finish(failure)
      return
    }
    const isFirst = this.#phase !== 'terminate'
    const named = this.#lcpRules.explain(failure)
    this.#beginEnd(named)
    if (!isFirst) return
    this.#lcp.close(closeText(named))
    const isAlone = this.#lastReceived === undefined || SILENT_ENDS.has(named.cause)
    if (isAlone || this.#lcp.state === 'Closed') this.#finish(named)
  }

  #beginEnd(failure: Failure): void {
    if (this.#phase === 'terminate') return
    this.#failure = failure
    this.#setPhase('terminate', failure)
    this.#stopAboveLcp()
  }

  #finish(failure: Failure): void {
    if (this.#phase === 'dead') return
    this.#setPhase('dead')
    this.#stopAboveLcp()
    this.#alarms.clear()
    this.#emit({ type: 'down', failure, exitCode: pppExitCode(failure.cause) })
  }

  #setPhase(phase: PppPhase, failure?: Failure): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#emit({ type: 'phase', phase, ...(failure && { failure }) })
  }

  #evidence(): string {
    const last = this.#lastReceived
    const heard = last ? `last received ${cut(printPacket(last.protocol, last.info))}` : 'nothing received'
    const noise = this.#carrier.evidence()
    return noise ? `${heard}, ${noise}` : heard
  }
}

/** A packet may hold hundreds of options. */
function cut(text: string): string {
  return text.length > MAX_EVIDENCE_CHARS ? `${text.slice(0, MAX_EVIDENCE_CHARS)}…` : text
}

/** The words of a Terminate-Request; a failure's detail is not the peer's business. */
function closeText({ cause }: Failure): string {
  return cause.replaceAll('-', ' ')
}
