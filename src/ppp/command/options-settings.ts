/** The session's settings from the options' values, with pppd's defaults. Used by `options-read.ts`. */

import { CLIENT_DEFAULTS, type PppSettings } from '../settings.ts'
import type { Credentials } from './options-auth.ts'
import type { OptionServices } from './options-services.ts'
import { isBadAddress } from './options-special-network.ts'
import type { OptionValues } from './options-values.ts'

/** The longest a timer takes: what pppd calls "no limit". */
const NEVER_MS = 2 ** 31 - 1

/** RFC 1661 §6.1. */
const DEFAULT_MRU_BYTES = 1500

export function sessionSettings(values: OptionValues, services: OptionServices, credentials: Credentials): PppSettings {
  const login = credentials.settings()
  const own = ownAddress(values, services)
  return {
    ...CLIENT_DEFAULTS,
    ...login,
    role: values.remoteAddress !== 0 || login.requiresAuth.length > 0 ? 'server' : 'client',
    pap: { restartMs: seconds(values.papRestartS), maxRequests: values.papMaxRequests },
    chap: {
      restartMs: seconds(values.chapRestartS),
      maxRequests: values.chapMaxChallenge,
      rechallengeMs: seconds(values.chapIntervalS),
    },
    eap: {
      restartMs: seconds(values.eapRestartS),
      maxRequests: values.eapMaxRequests,
      rechallengeMs: seconds(values.eapIntervalS),
    },
    mruBytes: Math.min(Math.max(values.mru || DEFAULT_MRU_BYTES, 128), 16384),
    mtuBytes: values.mtu || DEFAULT_MRU_BYTES,
    accm: values.accm,
    lcpOffers: {
      mru: values.wantsMru === 1,
      // LCP's own default needs no asking (`default-asyncmap`).
      accm: values.wantsAccm === 1 && values.accm !== 0xffffffff,
      magic: values.wantsMagic === 1,
      pfc: values.wantsPfc === 1,
      acfc: values.wantsAcfc === 1,
    },
    ipv4: values.ip === 1,
    ipv6: values.ipv6 === 1,
    localAddress: own.address,
    remoteAddress: values.remoteAddress,
    acceptLocal: values.acceptsLocal === 1 || own.isGuess,
    acceptRemote: values.acceptsRemote === 1,
    requestDns: values.usesPeerDns === 1,
    dnsServers: values.dns.filter((address) => address !== 0),
    ...interfaceIds(values, services),
    restartMs: seconds(values.lcpRestartS),
    maxConfigure: values.lcpMaxConfigure,
    maxTerminate: values.lcpMaxTerminate,
    maxFailure: values.lcpMaxFailure,
    ipcp: {
      restartMs: seconds(values.ipcpRestartS),
      maxConfigure: values.ipcpMaxConfigure,
      maxTerminate: values.ipcpMaxTerminate,
      maxFailure: values.ipcpMaxFailure,
    },
    ipv6cp: {
      restartMs: seconds(values.ipv6cpRestartS),
      maxConfigure: values.ipv6cpMaxConfigure,
      maxTerminate: values.ipv6cpMaxTerminate,
      maxFailure: values.ipv6cpMaxFailure,
    },
    echoIntervalMs: seconds(values.echoIntervalS),
    echoFailure: Math.max(values.echoFailure, 0),
    echoFromStart: true,
    authTimeoutMs: authTimeoutMs(values, login.requiresAuth),
    idleMs: seconds(values.idleS),
    connectLimitMs: seconds(values.maxConnectS),
    silent: values.silent === 1,
    passive: values.passive === 1,
  }
}

function seconds(count: number): number {
  return Math.min(Math.max(count, 0) * 1000, NEVER_MS)
}

/** pppd's `pap-timeout` is the examiner's, `chap-timeout` and `eap-timeout` are limits of the other side: one clock does for all. */
function authTimeoutMs(values: OptionValues, required: PppSettings['requiresAuth']): number {
  const limits = [values.chapTimeoutS, ...(required.includes('pap') ? [values.papTimeoutS] : [])]
  return limits.includes(0) ? NEVER_MS : seconds(Math.max(...limits))
}

/** pppd's: without a local address, that of our host name, which we do not insist on. */
function ownAddress(values: OptionValues, services: OptionServices): { address: number; isGuess: boolean } {
  if (values.localAddress !== 0 || values.noDefaultAddress) return { address: values.localAddress, isGuess: false }
  const address = services.lookUpHost(values.hostName) ?? 0
  return { address: isBadAddress(address) ? 0 : address, isGuess: true }
}

function interfaceIds(
  values: OptionValues,
  services: OptionServices,
): Pick<PppSettings, 'localInterfaceId' | 'remoteInterfaceId'> {
  const fromAddress = (address: number) => (values.idFromAddress ? BigInt(address) : 0n)
  const hardware = values.idFromHardware ? services.hardwareAddress() : undefined
  return {
    localInterfaceId: values.localId || (hardware && eui64(hardware)) || fromAddress(values.localAddress),
    remoteInterfaceId: values.remoteId || fromAddress(values.remoteAddress),
  }
}

/** RFC 4291 appendix A: FFFE in the middle, the universal bit inverted. */
function eui64(address: Uint8Array): bigint {
  const [first, ...rest] = [...address]
  const octets = [first! ^ 2, rest[0]!, rest[1]!, 0xff, 0xfe, ...rest.slice(2)]
  return octets.reduce((id, octet) => (id << 8n) | BigInt(octet), 0n)
}
