/** The log-in protocols that are there, by the names of the settings. Used by LCP (which option means which) and the session. */

import { equalBytes } from '../../base/bytes.ts'
import type { AuthProtocol } from '../settings.ts'
import { CHAP, EAP, PAP } from '../wire/protocols.ts'
import { ChapClient, ChapExaminer } from './chap.ts'
import { CHAP_MD5, type ChapAlgorithm } from './chap-algorithm.ts'
import { EapClient, EapExaminer } from './eap.ts'
import type { AuthMethod } from './method.ts'
import { MSCHAP, MSCHAP_V2 } from './mschap.ts'
import { PapClient, PapExaminer } from './pap.ts'

export const AUTH_METHODS: Readonly<Record<AuthProtocol, AuthMethod>> = {
  pap: {
    name: 'pap',
    protocol: PAP,
    option: option(PAP),
    logIn: (host) => new PapClient(host),
    examine: (host) => new PapExaminer(host),
  },
  chap: chap('chap', CHAP_MD5),
  mschap: chap('mschap', MSCHAP),
  mschapv2: chap('mschapv2', MSCHAP_V2),
  eap: {
    name: 'eap',
    protocol: EAP,
    option: option(EAP),
    logIn: (host) => new EapClient(host),
    examine: (host) => new EapExaminer(host),
  },
}

function chap(name: AuthProtocol, algorithm: ChapAlgorithm): AuthMethod {
  return {
    name,
    protocol: CHAP,
    option: option(CHAP, algorithm.number),
    logIn: (host) => new ChapClient(host, algorithm),
    examine: (host) => new ChapExaminer(host, algorithm),
  }
}

function option(protocol: number, ...data: number[]): Uint8Array {
  return Uint8Array.of(protocol >>> 8, protocol & 0xff, ...data)
}

/** Which of `candidates` this value of LCP's Authentication-Protocol option names. */
export function methodNamed(wanted: Uint8Array, candidates: readonly AuthProtocol[]): AuthProtocol | undefined {
  return candidates.find((name) => equalBytes(AUTH_METHODS[name].option, wanted))
}

/** What a peer that asks for something else hears of: another kind of the same protocol if there is one, else the best. */
export function methodInstead(wanted: Uint8Array, candidates: readonly AuthProtocol[]): AuthProtocol | undefined {
  const isAkin = (name: AuthProtocol) => equalBytes(AUTH_METHODS[name].option.subarray(0, 2), wanted.subarray(0, 2))
  return candidates.find(isAkin) ?? candidates[0]
}
