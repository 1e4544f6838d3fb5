/**
 * The options and extra codes of the Link Control Protocol (RFC 1661 §5.7 to §6.6, RFC 1662 §7, RFC 1570): rules for
 * `automaton.ts`, owned by `session.ts`.
 */

import { ByteReader, equalBytes } from '../../base/bytes.ts'
import type { Cause, Failure } from '../../base/cause.ts'
import type { Random } from '../../base/ports.ts'
import { AUTH_METHODS, methodInstead, methodNamed } from '../auth/methods.ts'
import type { AuthProtocol, PppSettings } from '../settings.ts'
import { DEFAULT_FRAMING, type Framing } from '../wire/hdlc-encoder.ts'
import {
  CODE,
  type ConfigOption,
  type ControlPacket,
  u16Option,
  u16Value,
  u32Option,
  u32Value,
} from '../wire/packets.ts'
import { printOption } from '../wire/printing.ts'
import { LCP } from '../wire/protocols.ts'
import type { Carrier } from './carrier.ts'
import type { ControlRules, ExtraCode, Judgement } from './rules.ts'

export const DEFAULT_MRU_BYTES = 1500
const MIN_MRU_BYTES = 128
const MRU = 1
const ACCM = 2
const AUTH = 3
const MAGIC = 5
const PFC = 7
const ACFC = 8

/** How often our own magic number may come back; two honest ends never draw the same one twice. */
const MAX_LOOPS = 5
const MAX_NAKS_TAKEN = 20
/** What comes of a line that sends back what it gets. */
const LOOPED_ENDS: ReadonlySet<Cause> = new Set(['lcp-timeout', 'ipcp-failed', 'no-address', 'echo-lost'])

interface LcpOptions {
  mruBytes: number
  accm: number
  auth: AuthProtocol | undefined
  /** 0: none. */
  magic: number
  pfc: boolean
  acfc: boolean
}

const DEFAULTS: LcpOptions = {
  mruBytes: DEFAULT_MRU_BYTES,
  accm: DEFAULT_FRAMING.accm,
  auth: undefined,
  magic: 0,
  pfc: false,
  acfc: false,
}

export interface LcpListener {
  /** The peer does not take this protocol. */
  protocolRejected(protocol: number): void
  echoReplied(id: number): void
  /** The peer does not know Echo-Requests. */
  echoRefused(): void
}

export class Lcp implements ControlRules {
  readonly name = 'LCP'
  readonly protocol = LCP
  readonly cause = 'lcp-timeout'
  readonly maxNaksTaken = MAX_NAKS_TAKEN
  objection: Failure | undefined
  /** The option by which the peer last asked for a log-in that we cannot give. */
  refusedAuth: string | undefined
  readonly #settings: PppSettings
  readonly #random: Random
  readonly #carrier: Pick<Carrier, 'isAsync' | 'maxMtuBytes'>
  readonly #listener: LcpListener
  #ours: LcpOptions = { ...DEFAULTS }
  #peers: LcpOptions = { ...DEFAULTS }
  /** The log-ins that the peer may still choose from, strongest first. */
  #offeredAuth: readonly AuthProtocol[] = []
  #authNaks = 0
  #loops = 0

  constructor(
    settings: PppSettings,
    random: Random,
    carrier: Pick<Carrier, 'isAsync' | 'maxMtuBytes'>,
    listener: LcpListener,
  ) {
    this.#settings = settings
    this.#random = random
    this.#carrier = carrier
    this.#listener = listener
  }

  /** The failure, or what is behind it: our own magic number came back, and nobody else has answered since. */
  explain(failure: Failure): Failure {
    if (this.#loops === 0 || !LOOPED_ENDS.has(failure.cause)) return failure
    return { cause: 'loopback', detail: `LCP: our own magic number came back: ${failure.detail}` }
  }

  /** How we send, as the peer asked; valid while LCP is opened. */
  get framing(): Framing {
    return this.#peers
  }

  get receiveAccm(): number {
    return this.#ours.accm
  }

  get peerMruBytes(): number {
    return this.#peers.mruBytes
  }

  /** What the peer must prove by, and what we must. */
  get examination(): AuthProtocol | undefined {
    return this.#ours.auth
  }

  get login(): AuthProtocol | undefined {
    return this.#peers.auth
  }

  begin(): void {
    const { requiresAuth, accm, mruBytes, lcpOffers } = this.#settings
    const { isAsync, maxMtuBytes } = this.#carrier
    this.objection = undefined
    this.#offeredAuth = requiresAuth
    this.#authNaks = 0
    this.refusedAuth = undefined
    this.#peers = { ...DEFAULTS }
    this.#ours = {
      mruBytes: lcpOffers.mru ? Math.max(MIN_MRU_BYTES, Math.min(mruBytes, maxMtuBytes)) : DEFAULTS.mruBytes,
      accm: isAsync && lcpOffers.accm ? accm : DEFAULTS.accm,
      auth: this.#offeredAuth[0],
      magic: lcpOffers.magic ? this.#newMagic() : 0,
      pfc: isAsync && lcpOffers.pfc,
      acfc: isAsync && lcpOffers.acfc,
    }
  }

  /** Defaults need not be asked for (RFC 1661 §6); pppd's order. */
  request(): ConfigOption[] {
    const { mruBytes, accm, auth, magic, pfc, acfc } = this.#ours
    const options: ConfigOption[] = []
    if (mruBytes !== DEFAULTS.mruBytes) options.push(u16Option(MRU, mruBytes))
    if (accm !== DEFAULTS.accm) options.push(u32Option(ACCM, accm))
    if (auth) options.push({ type: AUTH, data: AUTH_METHODS[auth].option })
    if (magic !== 0) options.push(u32Option(MAGIC, magic))
    if (pfc) options.push({ type: PFC, data: new Uint8Array(0) })
    if (acfc) options.push({ type: ACFC, data: new Uint8Array(0) })
    return options
  }

  acked(): void {}

  naked(option: ConfigOption): void {
    const value = u32Value(option)
    if (option.type === MRU && this.#settings.lcpOffers.mru) this.#lowerMru(u16Value(option))
    else if (option.type === ACCM && value !== undefined) this.#ours.accm = (this.#ours.accm | value) >>> 0
    else if (option.type === MAGIC && this.#ours.magic !== 0) this.#ours.magic = this.#newMagic()
    else if (option.type === AUTH && this.#ours.auth) this.#authNaked(option.data)
  }

  rejected({ type }: ConfigOption): void {
    if (type === MRU) this.#ours.mruBytes = DEFAULTS.mruBytes
    else if (type === ACCM) this.#ours.accm = DEFAULTS.accm
    else if (type === MAGIC) this.#ours.magic = 0
    else if (type === PFC) this.#ours.pfc = false
    else if (type === ACFC) this.#ours.acfc = false
    else if (type === AUTH) this.#dropAuth('rejects')
  }

  judge(option: ConfigOption): Judgement {
    const { type, data } = option
    const { lcpOffers } = this.#settings
    switch (type) {
      case MRU: {
        const mru = lcpOffers.mru ? u16Value(option) : undefined
        if (mru === undefined) return 'reject'
        return mru >= MIN_MRU_BYTES ? 'ack' : u16Option(MRU, MIN_MRU_BYTES)
      }
      case ACCM:
        return this.#carrier.isAsync && lcpOffers.accm && data.length === 4 ? 'ack' : 'reject'
      case AUTH:
        return this.#judgeAuth(option)
      case MAGIC:
        return lcpOffers.magic ? this.#judgeMagic(u32Value(option)) : 'reject'
      case PFC:
        return this.#carrier.isAsync && lcpOffers.pfc && data.length === 0 ? 'ack' : 'reject'
      case ACFC:
        return this.#carrier.isAsync && lcpOffers.acfc && data.length === 0 ? 'ack' : 'reject'
      default:
        return 'reject'
    }
  }

  missing(): ConfigOption[] {
    return []
  }

  /** A rejected magic number would open a looped line. */
  insistsOn(type: number): boolean {
    return type === MAGIC
  }

  accepted(options: readonly ConfigOption[]): void {
    const peers = { ...DEFAULTS }
    for (const option of options) {
      if (option.type === MRU) peers.mruBytes = u16Value(option)!
      else if (option.type === ACCM) peers.accm = u32Value(option)!
      else if (option.type === AUTH) peers.auth = methodNamed(option.data, this.#settings.answersAuth)
      else if (option.type === MAGIC) peers.magic = u32Value(option)!
      else if (option.type === PFC) peers.pfc = true
      else if (option.type === ACFC) peers.acfc = true
    }
    this.#peers = peers
    this.#loops = 0
  }

  extraCode({ code, id, data }: ControlPacket, isOpened: boolean): ExtraCode {
    switch (code) {
      case CODE.protocolReject:
        if (isOpened && data.length >= 2) this.#listener.protocolRejected((data[0]! << 8) | data[1]!)
        return 'ignored'
      case CODE.echoRequest:
        return isOpened ? this.#echo(data) : 'ignored'
      case CODE.echoReply:
        this.#loops = 0
        if (isOpened) this.#listener.echoReplied(id)
        return 'ignored'
      case CODE.discardRequest:
      case CODE.identification:
      case CODE.timeRemaining:
        return 'ignored'
      default:
        return 'unknown'
    }
  }

  codeRejected(code: number): void {
    if (code === CODE.echoRequest) this.#listener.echoRefused()
  }

  /** The data of an Echo-Request or Echo-Reply of ours: the magic number, or zero where the peer rejected it. */
  magicBytes(): Uint8Array {
    return u32Option(MAGIC, this.#ours.magic).data
  }

  #echo(data: Uint8Array): ExtraCode {
    if (data.length < 4) return 'ignored'
    if (this.#ours.magic !== 0 && equalBytes(data.subarray(0, 4), this.magicBytes())) {
      this.#countLoop('Echo-Requests')
      return 'ignored'
    }
    const reply = data.slice(0, this.#peers.mruBytes - 4)
    reply.set(this.magicBytes())
    return { replyCode: CODE.echoReply, data: reply }
  }

  #judgeMagic(magic: number | undefined): Judgement {
    if (magic === undefined) return 'reject'
    if (magic === 0) return u32Option(MAGIC, this.#newMagic())
    if (magic !== this.#ours.magic) return 'ack'
    this.#countLoop('Configure-Requests')
    return u32Option(MAGIC, this.#newMagic())
  }

  #countLoop(of: string): void {
    if (++this.#loops < MAX_LOOPS) return
    this.objection = { cause: 'loopback', detail: `LCP: our own magic number came back in ${this.#loops} ${of}` }
  }

  #judgeAuth(option: ConfigOption): Judgement {
    if (methodNamed(option.data, this.#settings.answersAuth)) {
      this.refusedAuth = undefined
      return 'ack'
    }
    this.refusedAuth = printOption(LCP, option)
    const better = methodInstead(option.data, this.#settings.answersAuth)
    return better ? { type: AUTH, data: AUTH_METHODS[better].option } : 'reject'
  }

  /** The peer may choose from what the settings list, never something weaker. Where it names something else, the next is offered. */
  #authNaked(suggestion: Uint8Array): void {
    const chosen = methodNamed(suggestion, this.#offeredAuth)
    if (chosen) this.#ours.auth = chosen
    else if (this.#offeredAuth.length > 1) this.#dropAuth('refuses')
    if (++this.#authNaks > this.#settings.maxFailure) this.#objectToAuth('refuses')
  }

  #dropAuth(verb: string): void {
    this.#offeredAuth = this.#offeredAuth.filter((name) => name !== this.#ours.auth)
    this.#ours.auth = this.#offeredAuth[0]
    if (!this.#ours.auth) this.#objectToAuth(verb)
  }

  #objectToAuth(verb: string): void {
    const asked = this.#settings.requiresAuth.join(' and ')
    this.objection = { cause: 'peer-auth-refused', detail: `LCP: the peer ${verb} to log in by ${asked}` }
  }

  #lowerMru(mru: number | undefined): void {
    if (mru !== undefined && mru >= MIN_MRU_BYTES && mru < this.#ours.mruBytes) this.#ours.mruBytes = mru
  }

  #newMagic(): number {
    return new ByteReader(this.#random.bytes(4)).u32() || 1
  }
}
