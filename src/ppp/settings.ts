/** What a PPP session is asked to do and what it comes to; the vocabulary of session, engines, supervisor and modem-ppp. */

import type { AutomatonLimits } from './control/rules.ts'

export type PppPhase = 'establish' | 'authenticate' | 'network' | 'running' | 'terminate' | 'dead'

export type AuthProtocol = 'pap' | 'chap' | 'mschap' | 'mschapv2' | 'eap'

/** What LCP may agree on, in either direction: false rejects the peer's wish too (pppd's `nomagic`, `nopcomp`, …). */
export interface LcpOffers {
  readonly mru: boolean
  readonly accm: boolean
  readonly magic: boolean
  readonly pfc: boolean
  readonly acfc: boolean
}

/** Times and counts of a log-in; what is missing is LCP's (pppd's `pap-restart`, `chap-max-challenge`, …). */
export interface AuthLimits {
  /** Between repetitions of a request or challenge. */
  readonly restartMs: number
  readonly maxRequests: number
  /** A new challenge to an examined peer every so often (CHAP, EAP); 0: never. */
  readonly rechallengeMs: number
}

export interface PppSettings {
  /** Servers give addresses, clients take them. */
  readonly role: 'client' | 'server'
  /** The log-ins that we give when asked, best first; empty: refuse all. */
  readonly answersAuth: readonly AuthProtocol[]
  /** What we ask of the peer, strongest first, one of them; empty: nothing. */
  readonly requiresAuth: readonly AuthProtocol[]
  /** Our name: in our log-in, and in our challenges where `ownName` is missing. */
  readonly user: string
  /** In our challenges (pppd's `name` beside its `user`). */
  readonly ownName?: string | undefined
  readonly password: string
  /** Our secret towards a challenger of that name, instead of `password`; undefined: none, refuse. */
  readonly loginSecretOf?: ((challenger: string) => string | undefined) | undefined
  /** The secret of a peer that we examine; undefined: unknown. */
  readonly secretOf?: ((peerName: string) => string | undefined) | undefined
  /** PAP: instead of `secretOf` (the system's password check). */
  readonly checkPassword?: ((peerName: string, password: string) => boolean) | undefined
  /** Examined peers pass whatever they say: GSM modems ask for a log-in that means nothing. */
  readonly admitsAnyone: boolean
  readonly pap?: Partial<AuthLimits> | undefined
  readonly chap?: Partial<AuthLimits> | undefined
  readonly eap?: Partial<AuthLimits> | undefined
  readonly mruBytes: number
  readonly mtuBytes: number
  /** Async-Control-Character-Map we ask the peer to use. */
  readonly accm: number
  readonly lcpOffers: LcpOffers
  /** Which network protocols are opened; at least one. */
  readonly ipv4: boolean
  readonly ipv6: boolean
  /** Our own IPv4 address; 0: ask the peer. */
  readonly localAddress: number
  /** Server: what the peer gets; 0: accept what it says. */
  readonly remoteAddress: number
  /** The peer's idea of our address (of its own) wins over `localAddress` (`remoteAddress`): pppd's `ipcp-accept-local` (`-remote`). */
  readonly acceptLocal: boolean
  readonly acceptRemote: boolean
  /** What an examined peer gets instead of `remoteAddress`; undefined: that. */
  readonly remoteAddressOf?: ((peerName: string) => number | undefined) | undefined
  /** May this (examined) peer have that address? Missing: any that is usable. */
  readonly allowsRemoteAddress?: ((address: number, peerName: string | undefined) => boolean) | undefined
  /** Client: ask for name servers. */
  readonly requestDns: boolean
  /** Server: what the peer gets (at most 2). */
  readonly dnsServers: readonly number[]
  /** IPv6 interface identifiers (RFC 5072 §4.1), 64 bits; 0n: ours is drawn at random, the peer chooses its own. */
  readonly localInterfaceId: bigint
  readonly remoteInterfaceId: bigint
  /** RFC 1661 §4.6; LCP's, and the network protocols' where these have none of their own. */
  readonly restartMs: number
  readonly maxConfigure: number
  readonly maxTerminate: number
  readonly maxFailure: number
  readonly ipcp?: Partial<AutomatonLimits> | undefined
  readonly ipv6cp?: Partial<AutomatonLimits> | undefined
  /** 0: no keep-alive. */
  readonly echoIntervalMs: number
  /** Unanswered requests that end the link. */
  readonly echoFailure: number
  /** false: they count only after a first reply was seen, since many modems never answer. true: from the start, as pppd does. */
  readonly echoFromStart: boolean
  /** From LCP up to the end of authentication. */
  readonly authTimeoutMs: number
  /** Ends the link: without a packet for so long; so long after it came up. 0: never. */
  readonly idleMs: number
  readonly connectLimitMs: number
  /** Wait for the peer's first packet before sending (pppd's `silent`). */
  readonly silent: boolean
  /** An unanswered negotiation waits for the peer instead of ending (pppd's `passive`, RFC 1661's option p). */
  readonly passive: boolean
}

/** IPv4 as IPCP agreed on it. */
export interface Ip4Address {
  readonly local: number
  /** 0: the peer named none. */
  readonly peer: number
  readonly dns: readonly number[]
}

/** The interface identifiers that IPV6CP agreed on: the link-local addresses are fe80::/64 with these. */
export interface Ip6Identifiers {
  readonly local: bigint
  readonly peer: bigint
}

/** What was agreed so far; at least one of the two. */
export interface PppAddress {
  readonly ip4: Ip4Address | undefined
  readonly ip6: Ip6Identifiers | undefined
  readonly mtuBytes: number
}

export const CLIENT_DEFAULTS: PppSettings = {
  role: 'client',
  // The first is what a peer hears of that asks for something else: what every peer has, as pppd does it.
  answersAuth: ['chap', 'mschapv2', 'mschap', 'eap', 'pap'],
  requiresAuth: [],
  user: '',
  password: '',
  admitsAnyone: false,
  mruBytes: 1500,
  mtuBytes: 1500,
  accm: 0,
  lcpOffers: { mru: true, accm: true, magic: true, pfc: true, acfc: true },
  ipv4: true,
  ipv6: false,
  localAddress: 0,
  remoteAddress: 0,
  acceptLocal: false,
  acceptRemote: false,
  requestDns: true,
  dnsServers: [],
  localInterfaceId: 0n,
  remoteInterfaceId: 0n,
  restartMs: 3000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 5,
  echoIntervalMs: 10_000,
  echoFailure: 3,
  echoFromStart: false,
  authTimeoutMs: 30_000,
  idleMs: 0,
  connectLimitMs: 0,
  silent: false,
  passive: false,
}

export const SERVER_DEFAULTS: PppSettings = { ...CLIENT_DEFAULTS, role: 'server', answersAuth: [], requestDns: false }
