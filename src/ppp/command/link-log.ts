/**
 * What pppd says of a link's packets, where it says it: each control packet with `debug`, and what follows from one. `link.ts` hangs it
 * on the engine's trace, because the engine's own events come after the packets of the same turn.
 */

import { fromLatin1, printable } from '../../base/bytes.ts'
import type { Cause } from '../../base/cause.ts'
import type { PacketTrace } from '../session-events.ts'
import { CODE, type ControlPacket, parseControl, parseOptions } from '../wire/packets.ts'
import { printPacket } from '../wire/printing.ts'
import { CHAP, EAP, IPCP, IPV6CP, LCP, PAP } from '../wire/protocols.ts'
import type { Messages } from './messages.ts'

const PAP_REQUEST = 1
const PAP_ACK = 2
const PAP_NAK = 3
const CHAP_RESPONSE = 2
const CHAP_SUCCESS = 3
const CHAP_FAILURE = 4
/** LCP's authentication option, and CHAP's algorithm in it (RFC 1994 §3; 128 and 129 are Microsoft's). */
const AUTH_OPTION = 3
const MD5 = 5
const EAP_REQUEST = 1
const EAP_RESPONSE = 2
const EAP_SUCCESS = 3
const EAP_FAILURE = 4

/** The words of our own Terminate-Request for what the session finds by itself. */
const OWN_ENDS: Readonly<Record<string, Cause>> = {
  'Link inactive': 'idle',
  idle: 'idle',
  'Connect time expired': 'time-limit',
  'time limit': 'time-limit',
  'Loopback detected': 'loopback',
  loopback: 'loopback',
}

/** What a peer shows by EAP (RFC 3748 §5.1, §5.2). */
const EAP_PROMPTS: Readonly<Record<number, string>> = { 1: 'Identity prompt', 2: 'Notification' }

/** RFC 2433 §8, RFC 2759 §6. */
const MS_CHAP_ERRORS: Readonly<Record<string, string>> = {
  646: 'E=646 Restricted logon hours',
  647: 'E=647 Account disabled',
  648: 'E=648 Password expired',
  649: 'E=649 No dialin permission',
  691: 'E=691 Authentication failure',
  709: 'E=709 Error changing password',
}

export interface LinkLogListener {
  /** The log-ins are over: the first packet of a network protocol goes out. */
  networkPhase(): void
  /** LCP leaves the opened state: the link's statistics are due. */
  linkDown(): void
}

export class LinkLog {
  readonly #messages: Messages
  readonly #debugLevel: number
  readonly #listener: LinkLogListener
  /** Our last Configure-Request was acked, and we acked the peer's. */
  #isAcked = false
  #hasAcked = false
  #isNetworkPhase = false
  #peerName = ''
  #wasTerminatedByPeer = false
  #saidAuthFailed = false
  #chapAlgorithm = MD5
  /** By what the peer logs in, as it last tried. */
  #examines: 'PAP' | 'CHAP' | 'EAP' = 'PAP'
  #saidOwnEnd = false
  /** Echoes are not shown while the link is up, unless debug is 2. */
  isUp = false

  constructor(messages: Messages, debugLevel: number, listener: LinkLogListener) {
    this.#messages = messages
    this.#debugLevel = debugLevel
    this.#listener = listener
  }

  /** A line about it is in the log. */
  get saidAuthFailed(): boolean {
    return this.#saidAuthFailed
  }

  /** LCP, or a network protocol, by the peer's own Terminate-Request. */
  get wasTerminatedByPeer(): boolean {
    return this.#wasTerminatedByPeer
  }

  readonly trace: PacketTrace = (direction, protocol, info) => {
    const packet = parseControl(info)
    if (packet && direction === 'sent') this.#beforeSent(protocol, packet)
    if (this.#messages.showsDebug && !this.#isQuietEcho(protocol, packet))
      this.#messages.debug(`${direction} ${printPacket(protocol, info)}`)
    if (!packet) return
    if (direction === 'rcvd') this.#afterReceived(protocol, packet)
    else this.#afterSent(protocol, packet)
  }

  #isQuietEcho(protocol: number, packet: ControlPacket | undefined): boolean {
    if (protocol !== LCP || !this.isUp || this.#debugLevel > 1) return false
    return packet?.code === CODE.echoRequest || packet?.code === CODE.echoReply
  }

  /** What ends the link by our own doing is said once: with the Terminate-Request, or at the end where none was sent. */
  ownEnd(cause: Cause | undefined): void {
    if (this.#saidOwnEnd) return
    this.#saidOwnEnd = true
    if (cause === 'idle') this.#messages.notice('Terminating connection due to lack of activity.')
    else if (cause === 'time-limit') this.#messages.info('Connect time expired')
    else if (cause === 'loopback') this.#messages.notice('Serial line is looped back.')
    else this.#saidOwnEnd = false
  }

  get #isLcpOpened(): boolean {
    return this.#isAcked && this.#hasAcked
  }

  #beforeSent(protocol: number, { code, data }: ControlPacket): void {
    if (protocol === LCP && code === CODE.terminateRequest) {
      this.ownEnd(OWN_ENDS[fromLatin1(data)])
      this.#lcpClosed()
    }
    const isNetwork = protocol === IPCP || protocol === IPV6CP
    if (isNetwork && code === CODE.configureRequest && !this.#isNetworkPhase) {
      this.#isNetworkPhase = true
      this.#listener.networkPhase()
    }
  }

  #afterSent(protocol: number, packet: ControlPacket): void {
    const { code } = packet
    if (protocol === LCP && code === CODE.configureRequest) this.#isAcked = false
    if (protocol === LCP && code === CODE.configureAck) this.#hasAcked = true
    if (this.#isNetworkPhase) return
    if (protocol === PAP && code === PAP_ACK)
      this.#messages.notice(`PAP peer authentication succeeded for ${this.#peerName}`)
    if (protocol === PAP && code === PAP_NAK)
      this.#authFailed('warn', `PAP peer authentication failed for ${this.#peerName}`)
    if (protocol === CHAP && code === CHAP_FAILURE)
      this.#authFailed('warn', `Peer ${this.#peerName} failed CHAP authentication`)
    if (protocol === EAP && code === EAP_FAILURE) this.#authFailed('warn', 'EAP: peer authentication failed')
  }

  #afterReceived(protocol: number, packet: ControlPacket): void {
    const { code, data } = packet
    switch (protocol) {
      case LCP:
        this.#afterLcp(code, data)
        break
      case IPCP:
      case IPV6CP:
        if (code !== CODE.terminateRequest || !this.isUp) break
        this.#wasTerminatedByPeer = true
        this.#messages.info(terminatedByPeer(protocol === IPCP ? 'IPCP' : 'IPV6CP', data))
        break
      case PAP:
        this.#afterPap(code, data)
        break
      case CHAP:
        this.#afterChap(code, data)
        break
      case EAP:
        this.#afterEap(code, data)
    }
  }

  #afterEap(code: number, data: Uint8Array): void {
    if (code === EAP_RESPONSE) this.#examines = 'EAP'
    if (this.#isNetworkPhase) return
    const prompt = EAP_PROMPTS[data[0] ?? 0]
    if (code === EAP_REQUEST && prompt && data.length > 1)
      this.#messages.info(`EAP: ${prompt} "${textOf(data.subarray(1))}"`)
    if (code === EAP_SUCCESS) this.#messages.notice('EAP authentication succeeded')
    if (code === EAP_FAILURE) this.#authFailed('error', 'EAP: peer reports authentication failure')
  }

  /** Whom we have no secret for: pppd says it in other words for each protocol. */
  noSecretFor(name: string): void {
    const words = {
      PAP: 'no PAP secret found for',
      CHAP: 'No CHAP secret found for authenticating',
      EAP: 'EAP: no MD5 secret for auth of',
    }
    this.#messages.error(`${words[this.#examines]} ${printable(name)}`)
  }

  #afterLcp(code: number, data: Uint8Array): void {
    switch (code) {
      case CODE.configureRequest:
        // In the opened state this is where the peer begins anew.
        if (this.#isLcpOpened) this.#lcpClosed()
        this.#hasAcked = false
        this.#noteAuth(data)
        break
      case CODE.configureAck:
        this.#isAcked = true
        break
      case CODE.terminateRequest:
        if (!this.#isLcpOpened) break
        this.#wasTerminatedByPeer = true
        this.#messages.info(terminatedByPeer('LCP', data))
        this.#lcpClosed()
    }
  }

  #afterPap(code: number, data: Uint8Array): void {
    if (code === PAP_REQUEST) {
      this.#examines = 'PAP'
      this.#peerName = textOf(data.subarray(1, 1 + (data[0] ?? 0)))
    }
    if (this.#isNetworkPhase || (code !== PAP_ACK && code !== PAP_NAK)) return
    const message = textOf(data.subarray(1, 1 + (data[0] ?? 0)))
    if (message) this.#messages.info(`Remote message: ${message}`)
    if (code === PAP_ACK) this.#messages.notice('PAP authentication succeeded')
    else this.#authFailed('error', 'PAP authentication failed')
  }

  #afterChap(code: number, data: Uint8Array): void {
    if (code === CHAP_RESPONSE) {
      this.#examines = 'CHAP'
      this.#peerName = textOf(data.subarray(1 + (data[0] ?? 0)))
    }
    if (this.#isNetworkPhase || (code !== CHAP_SUCCESS && code !== CHAP_FAILURE)) return
    const isSuccess = code === CHAP_SUCCESS
    const message = textOf(data)
    const verdict = `CHAP authentication ${isSuccess ? 'succeeded' : 'failed'}`
    if (this.#chapAlgorithm === MD5) this.#messages.info(`${verdict}${message && `: ${message}`}`)
    else if (!isSuccess) this.#messages.error(`MS-CHAP authentication failed: ${msChapReason(message)}`)
    if (isSuccess) this.#messages.notice(verdict)
    else this.#authFailed('error', verdict)
  }

  /** The peer asks us for that log-in. */
  #noteAuth(data: Uint8Array): void {
    const auth = parseOptions(data)?.find(({ type }) => type === AUTH_OPTION)
    this.#chapAlgorithm = auth?.data[2] ?? MD5
  }

  #authFailed(level: 'warn' | 'error', line: string): void {
    this.#saidAuthFailed = true
    this.#messages[level](line)
  }

  #lcpClosed(): void {
    const wasOpened = this.#isLcpOpened
    this.#isAcked = false
    this.#hasAcked = false
    this.#isNetworkPhase = false
    this.isUp = false
    if (wasOpened) this.#listener.linkDown()
  }
}

function terminatedByPeer(name: string, data: Uint8Array): string {
  const message = textOf(data)
  return `${name} terminated by peer${message && ` (${message})`}`
}

/** `E=691 R=1 C=… V=3 M=Access denied`: the words behind M, else what the number means. */
function msChapReason(message: string): string {
  const words = /M=(.*)$/.exec(message)?.[1]
  return words ?? MS_CHAP_ERRORS[/^E=(\d+)/.exec(message)?.[1] ?? ''] ?? message
}

/** The peer's words, without control characters. */
function textOf(bytes: Uint8Array): string {
  return printable(fromLatin1(bytes))
}
