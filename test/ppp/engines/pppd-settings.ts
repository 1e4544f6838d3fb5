/** Settings for the tests of the pppd engine. */

import { parseIpv4 } from '../../../src/base/ipv4.ts'
import type { PppSettings } from '../../../src/ppp/settings.ts'

/** Every setting that has a word, with a value that is not the default. */
export const EVERYTHING: Partial<PppSettings> = {
  answersAuth: ['chap'],
  requiresAuth: ['mschapv2'],
  user: 'alice',
  password: 'sekret',
  pap: { restartMs: 1500, maxRequests: 4 },
  chap: { restartMs: 4000, maxRequests: 5, rechallengeMs: 60_000 },
  eap: { restartMs: 5000, maxRequests: 6, rechallengeMs: 61_000 },
  mruBytes: 1400,
  mtuBytes: 1300,
  accm: 0xa0000,
  lcpOffers: { mru: true, accm: true, magic: false, pfc: false, acfc: false },
  ipv6: true,
  localAddress: parseIpv4('10.0.0.1')!,
  remoteAddress: parseIpv4('10.0.0.2')!,
  acceptLocal: true,
  acceptRemote: true,
  dnsServers: [parseIpv4('10.0.0.53')!, parseIpv4('10.0.0.54')!],
  localInterfaceId: 0x1n,
  remoteInterfaceId: 0x1122334455667788n,
  restartMs: 2500,
  maxConfigure: 7,
  maxTerminate: 3,
  maxFailure: 8,
  ipcp: { restartMs: 1000, maxConfigure: 9 },
  ipv6cp: { maxTerminate: 4, maxFailure: 11 },
  echoIntervalMs: 15_000,
  echoFailure: 6,
  echoFromStart: true,
  authTimeoutMs: 20_000,
  idleMs: 90_000,
  connectLimitMs: 3_600_000,
  silent: true,
  passive: true,
}
