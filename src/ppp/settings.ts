/** What a PPP session is asked to do and what it comes to; the vocabulary of session, engines and supervisor. */

export type PppPhase = 'establish' | 'authenticate' | 'network' | 'running' | 'terminate' | 'dead'

export type AuthProtocol = 'pap' | 'chap'

export interface PppSettings {
  readonly role: 'client' | 'server'
  /** Client: what we answer when asked (none: refuse all). Server: what we ask for, strongest first (empty: no authentication). */
  readonly auth: readonly AuthProtocol[]
  /** Client: our name and secret. Server: our name (`user`) in CHAP challenges. */
  readonly user: string
  readonly password: string
  /** Server: the secret of a peer's name; undefined: unknown. */
  readonly secretOf?: ((peerName: string) => string | undefined) | undefined
  readonly mruBytes: number
  readonly mtuBytes: number
  /** Async-Control-Character-Map we ask the peer to use. */
  readonly accm: number
  /** Our own IPv4 address; 0: ask the peer. */
  readonly localAddress: number
  /** Server: what the peer gets; 0: accept what it says. */
  readonly remoteAddress: number
  /** Client: ask for name servers. */
  readonly requestDns: boolean
  /** Server: what the peer gets (at most 2). */
  readonly dnsServers: readonly number[]
  /** RFC 1661 §4.6. */
  readonly restartMs: number
  readonly maxConfigure: number
  readonly maxTerminate: number
  readonly maxFailure: number
  /** 0: no keep-alive. */
  readonly echoIntervalMs: number
  /** Unanswered requests that end the link, counted only after a first reply was seen. */
  readonly echoFailure: number
  /** From LCP up to the end of authentication. */
  readonly authTimeoutMs: number
  /** Wait for the peer's first packet before sending (pppd's `silent`). */
  readonly silent: boolean
}

export interface PppAddress {
  readonly local: number
  /** 0: the peer named none. */
  readonly peer: number
  readonly dns: readonly number[]
  readonly mtuBytes: number
}

export const CLIENT_DEFAULTS: PppSettings = {
  role: 'client',
  auth: ['chap', 'pap'],
  user: '',
  password: '',
  mruBytes: 1500,
  mtuBytes: 1500,
  accm: 0,
  localAddress: 0,
  remoteAddress: 0,
  requestDns: true,
  dnsServers: [],
  restartMs: 3000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 5,
  echoIntervalMs: 10_000,
  echoFailure: 3,
  authTimeoutMs: 30_000,
  silent: false,
}

export const SERVER_DEFAULTS: PppSettings = { ...CLIENT_DEFAULTS, role: 'server', auth: [], requestDns: false }
