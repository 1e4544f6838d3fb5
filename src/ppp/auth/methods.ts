/** The log-in protocols that are there, by the names of the settings. Used by LCP (which option means which) and the session. */

import { equalBytes } from '../../base/bytes.ts'
import type { AuthProtocol } from '../settings.ts'
import { CHAP, PAP } from '../wire/protocols.ts'
import { CHAP_MD5, ChapClient, ChapExaminer } from './chap.ts'
import type { AuthMethod } from './method.ts'
import { PapClient, PapExaminer } from './pap.ts'

export const AUTH_METHODS: Readonly<Record<AuthProtocol, AuthMethod>> = {
  pap: {
    name: 'pap',
    protocol: PAP,
    option: Uint8Array.of(PAP >>> 8, PAP & 0xff),
    logIn: (host) => new PapClient(host),
    examine: (host) => new PapExaminer(host),
  },
  chap: {
    name: 'chap',
    protocol: CHAP,
    option: Uint8Array.of(CHAP >>> 8, CHAP & 0xff, CHAP_MD5.number),
    logIn: (host) => new ChapClient(host, CHAP_MD5),
    examine: (host) => new ChapExaminer(host, CHAP_MD5),
  },
}

/** Which of `candidates` this value of LCP's Authentication-Protocol option names. */
export function methodNamed(option: Uint8Array, candidates: readonly AuthProtocol[]): AuthProtocol | undefined {
  return candidates.find((name) => equalBytes(AUTH_METHODS[name].option, option))
}
