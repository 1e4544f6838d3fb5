/**
 * What the session is asked to do, as the words of a pppd(8) options file. `pppd-process.ts` hands the text over by a pipe: names and
 * secrets never come into the arguments, which everybody can read.
 */

import { ModemdError } from '../../base/errors.ts'
import { formatIpv4 } from '../../base/ipv4.ts'
import { formatIpv6 } from '../../base/ipv6.ts'
import type { AutomatonLimits } from '../control/rules.ts'
import type { AuthLimits, AuthProtocol, PppSettings } from '../settings.ts'
import type { PppLinkOptions } from './engine.ts'

/** pppd's MAXNAMELEN and MAXSECRETLEN, with the NUL: longer ones it would cut off without a word. */
const LONGEST_WORD_BYTES = 255

/** A program that can never be there: pppd takes its absence silently, and the machine's own /etc/ppp/ip-up, which may rewrite resolv.conf, is not run. */
const NO_SCRIPT = '/proc/none'

/** pppd's names for the log-ins in `refuse-…` and `require-…`. */
const AUTH_NAMES: Readonly<Record<AuthProtocol, string>> = {
  pap: 'pap',
  chap: 'chap',
  mschap: 'mschap',
  mschapv2: 'mschap-v2',
  eap: 'eap',
}

type Options = Pick<PppLinkOptions, 'settings' | 'interfaceName' | 'pppdOptions'>

/** Why pppd cannot do that, where it cannot: a sentence. What is decided by a function of ours is none of its business. */
export function pppdRefusal({ settings }: Options): string | undefined {
  if (settings.role === 'server') return 'the pppd engine is a client only: a server takes kernel or builtin'
  const ours = [settings.secretOf, settings.checkPassword, settings.loginSecretOf]
  if (ours.some(Boolean)) return 'the pppd engine takes secrets of peers from the files of /etc/ppp only'
  return undefined
}

/** One option a line. Throws ModemdError (InvalidArgs) for a value that no options file can carry. */
export function pppdOptions({ settings, interfaceName, pppdOptions }: Options): string {
  const lines = [
    // The dial is done and the tty is locked, by us; what the line's owner set stays.
    'local',
    'nocrtscts',
    ...interfaceWords(interfaceName),
    ...lcpWords(settings),
    ...authWords(settings),
    ...ipWords(settings),
    // Refused, as our own engines do (docs/decisions).
    'novj',
    'noccp',
    ...timeWords(settings),
    // Routes are ours, with our metric.
    'nodefaultroute',
    'nodefaultroute6',
    `ip-up-script ${NO_SCRIPT}`,
    `ip-down-script ${NO_SCRIPT}`,
  ]
  if (pppdOptions?.includes('\0')) throw unfit('the options of the profile')
  // As it stands: pppd splits it by its own rules, and nothing follows that an unclosed quote could swallow.
  return `${[...lines, pppdOptions ?? ''].join('\n')}\n`
}

/** A value as one word whatever is in it (options.c, getword): only `"` and `\` mean something within quotes. */
export function quoted(value: string, what: string): string {
  for (const char of value) {
    const code = char.codePointAt(0)!
    if (code < 0x20 || code === 0x7f) throw unfit(what, 'has a control character in it')
  }
  if (Buffer.byteLength(value) > LONGEST_WORD_BYTES) throw unfit(what, `is longer than ${LONGEST_WORD_BYTES} bytes`)
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

function unfit(what: string, why = 'has a control character in it'): ModemdError {
  return new ModemdError('InvalidArgs', `${what} ${why}: pppd cannot take it`, 'pppd-failed')
}

/** `ppp7` by its number, so that no renaming is needed. */
function interfaceWords(name: string | undefined): string[] {
  if (name === undefined || name === 'ppp%d') return []
  const unit = /^ppp(\d{1,5})$/.exec(name)?.[1]
  return [unit === undefined ? `ifname ${quoted(name, "the interface's name")}` : `unit ${unit}`]
}

function lcpWords(settings: PppSettings): string[] {
  const { mruBytes, mtuBytes, accm, lcpOffers: offers } = settings
  return [
    ...(offers.mru ? [`mru ${mruBytes}`] : ['default-mru']),
    `mtu ${mtuBytes}`,
    ...(offers.accm ? [`asyncmap ${accm.toString(16)}`] : ['default-asyncmap']),
    ...(offers.magic ? [] : ['nomagic']),
    ...(offers.pfc ? [] : ['nopcomp']),
    ...(offers.acfc ? [] : ['noaccomp']),
    ...limitWords('lcp', settings),
    ...echoWords(settings),
    ...(settings.silent ? ['silent'] : []),
    ...(settings.passive ? ['passive'] : []),
  ]
}

/** pppd cannot wait for a first reply as our engines do; `adaptive` at least asks nothing while anything comes from the peer. */
function echoWords({ echoIntervalMs, echoFailure, echoFromStart }: PppSettings): string[] {
  if (echoIntervalMs === 0) return ['lcp-echo-interval 0', 'lcp-echo-failure 0']
  const words = [`lcp-echo-interval ${seconds(echoIntervalMs)}`, `lcp-echo-failure ${echoFailure}`]
  return echoFromStart ? words : [...words, 'lcp-echo-adaptive']
}

function authWords(settings: PppSettings): string[] {
  const { answersAuth, requiresAuth, user, password, authTimeoutMs } = settings
  const names = Object.entries(AUTH_NAMES) as [AuthProtocol, string][]
  const requires = requiresAuth.map((protocol) => `require-${AUTH_NAMES[protocol]}`)
  const timeoutSeconds = seconds(authTimeoutMs)
  return [
    `user ${quoted(user, 'the user name')}`,
    `password ${quoted(password, 'the password')}`,
    ...names.filter(([protocol]) => !answersAuth.includes(protocol)).map(([, name]) => `refuse-${name}`),
    ...(requires.length > 0 ? ['auth', ...requires] : ['noauth']),
    `pap-timeout ${timeoutSeconds}`,
    `chap-timeout ${timeoutSeconds}`,
    `eap-timeout ${timeoutSeconds}`,
    ...authLimitWords(settings.pap, 'pap-restart', 'pap-max-authreq'),
    ...authLimitWords(settings.chap, 'chap-restart', 'chap-max-challenge', 'chap-interval'),
    ...authLimitWords(settings.eap, 'eap-restart', 'eap-max-sreq', 'eap-interval'),
  ]
}

function authLimitWords(
  limits: Partial<AuthLimits> | undefined,
  restart: string,
  maxRequests: string,
  interval?: string,
): string[] {
  return [
    ...(limits?.restartMs === undefined ? [] : [`${restart} ${seconds(limits.restartMs)}`]),
    ...(limits?.maxRequests === undefined ? [] : [`${maxRequests} ${limits.maxRequests}`]),
    ...(limits?.rechallengeMs === undefined || !interval ? [] : [`${interval} ${seconds(limits.rechallengeMs)}`]),
  ]
}

function ipWords(settings: PppSettings): string[] {
  return [...(settings.ipv4 ? ip4Words(settings) : ['noip']), ...(settings.ipv6 ? ip6Words(settings) : ['noipv6'])]
}

function ip4Words(settings: PppSettings): string[] {
  const { localAddress, remoteAddress, acceptLocal, acceptRemote, requestDns, dnsServers } = settings
  const [local, remote] = [localAddress, remoteAddress].map((address) => (address === 0 ? '' : formatIpv4(address)))
  return [
    'noipdefault',
    ...(local || remote ? [`${local}:${remote}`] : []),
    ...(acceptLocal ? ['ipcp-accept-local'] : []),
    ...(acceptRemote ? ['ipcp-accept-remote'] : []),
    ...(requestDns ? ['usepeerdns'] : []),
    ...dnsServers.map((server) => `ms-dns ${formatIpv4(server)}`),
    ...limitWords('ipcp', { ...settings, ...settings.ipcp }),
  ]
}

function ip6Words(settings: PppSettings): string[] {
  const { localInterfaceId: local, remoteInterfaceId: remote } = settings
  const [ours, theirs] = [local, remote].map((identifier) => (identifier === 0n ? '' : formatIpv6(identifier)))
  return [
    '+ipv6',
    ...(ours || theirs ? [`ipv6 ${ours},${theirs}`] : []),
    ...limitWords('ipv6cp', { ...settings, ...settings.ipv6cp }),
  ]
}

function limitWords(protocol: string, limits: AutomatonLimits): string[] {
  return [
    `${protocol}-restart ${seconds(limits.restartMs)}`,
    `${protocol}-max-configure ${limits.maxConfigure}`,
    `${protocol}-max-terminate ${limits.maxTerminate}`,
    `${protocol}-max-failure ${limits.maxFailure}`,
  ]
}

function timeWords({ idleMs, connectLimitMs }: PppSettings): string[] {
  return [
    ...(idleMs === 0 ? [] : [`idle ${seconds(idleMs)}`]),
    ...(connectLimitMs === 0 ? [] : [`maxconnect ${seconds(connectLimitMs)}`]),
  ]
}

/** pppd counts in whole ones; 0 would be never. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
