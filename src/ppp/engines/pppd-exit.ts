/**
 * What pppd's end means: its exit code (pppd(8), EXIT STATUS; pppd.h for 20 and 21), told apart by its last messages where one
 * code stands for several things. `pppd.ts` asks.
 */

import type { Cause, Failure } from '../../base/cause.ts'
import { pppExitCode } from '../exit-codes.ts'

interface Meaning {
  readonly cause: Cause
  /** What people read first; the evidence follows. */
  readonly text: string
}

/** By exit code. */
export const PPPD_EXITS: readonly Meaning[] = [
  { cause: 'hung-up', text: 'the peer ended the link' },
  { cause: 'pppd-failed', text: 'pppd met a fatal error' },
  { cause: 'pppd-failed', text: 'pppd does not accept its options' },
  { cause: 'permission', text: 'pppd is not run by root' },
  { cause: 'engine-missing', text: 'the kernel does not support PPP' },
  { cause: 'user-request', text: 'somebody ended pppd with a signal' },
  { cause: 'port-busy', text: 'pppd could not lock the port' },
  { cause: 'port-busy', text: 'pppd could not open the port' },
  { cause: 'script-error', text: 'the connect script failed' },
  { cause: 'pppd-failed', text: 'the command of the pty option could not be run' },
  { cause: 'ipcp-failed', text: 'no network protocol came up' },
  { cause: 'peer-auth-refused', text: 'the peer did not prove who it is' },
  { cause: 'idle', text: 'the link was idle' },
  { cause: 'time-limit', text: 'the time of the link was up' },
  { cause: 'pppd-failed', text: 'the peer wants to call back' },
  { cause: 'echo-lost', text: 'the peer does not answer echo requests' },
  { cause: 'hung-up', text: 'the line was hung up' },
  { cause: 'loopback', text: 'the line is looped back' },
  { cause: 'script-error', text: 'the init script failed' },
  { cause: 'auth-refused', text: 'the peer refused our log-in' },
  { cause: 'data-limit', text: 'the traffic limit of pppd was reached' },
  { cause: 'peer-auth-refused', text: "the peer's calling number is not accepted" },
]

interface Hint {
  /** Only for these; pppd ends with 16 also where the reason was an earlier one. */
  readonly codes: readonly number[]
  readonly message: RegExp
  readonly cause: Cause
}

/** The first that fits wins. Anchored: what a peer says stands behind words of pppd's own. */
const HINTS: readonly Hint[] = [
  { codes: [1, 7], message: /(No such (file|device)|Input\/output error)/, cause: 'modem-gone' },
  { codes: [1, 7], message: /(Permission denied|Operation not permitted)/, cause: 'permission' },
  { codes: [5], message: /^(Hangup \(SIGHUP\)|Modem hangup)/, cause: 'hung-up' },
  { codes: [0, 10, 16], message: /^LCP: timeout sending Config-Requests/, cause: 'lcp-timeout' },
  { codes: [0, 10, 16], message: /^(Serial line is|Possible bad .*) loop/i, cause: 'loopback' },
  { codes: [0, 10, 16], message: /^(PAP|CHAP|EAP) authentication failed/, cause: 'auth-refused' },
  { codes: [0, 10, 16], message: /^Could not determine (local|remote) IP address/, cause: 'no-address' },
  { codes: [0, 10, 16], message: /^(IPCP|IPV6CP): timeout sending Config-Requests/, cause: 'ipcp-failed' },
  { codes: [0, 10, 16], message: /^peer refused to authenticate/, cause: 'peer-auth-refused' },
  { codes: [16], message: /^No response to \d+ echo-requests/, cause: 'echo-lost' },
]

/** Messages that go into the failure's detail. */
const EVIDENCE_LINES = 3
/** Said on every link: they explain nothing. */
const NOISE =
  /^(Connection terminated|Modem hangup|Exit|Connect time \d|Sent \d+ bytes|Using |Connect: |\w+ authentication succeeded|(local|remote|primary|secondary) .*address )/

/** A signal ended it: no code of its own. */
const SIGNALLED = 5

export interface PppdVerdict {
  readonly failure: Failure
  readonly exitCode: number
}

export interface PppdEnd {
  /** undefined: a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal?: string | undefined
  /** Its last messages, cleaned. */
  readonly messages: readonly string[]
  /** An `up` came before. */
  readonly wasUp: boolean
}

/** `exitCode` is the one that fits the cause: pppd often ends with 16 whatever came before. */
export function verdictOfPppd({ exitCode, signal, messages, wasUp }: PppdEnd): PppdVerdict {
  const meaning = meaningOf(exitCode, signal)
  // What was said before a link came up is not why it ended.
  const hint = HINTS.find(
    ({ codes, message, cause }) =>
      codes.includes(exitCode ?? -1) &&
      (!wasUp || cause === 'echo-lost' || exitCode === 5) &&
      messages.some((line) => message.test(line)),
  )
  const evidence = messages.filter((line) => !NOISE.test(line)).slice(-EVIDENCE_LINES)
  const status = exitCode === undefined ? '' : ` (pppd's exit code ${exitCode})`
  const detail = [`${meaning.text}${status}`, ...evidence].join('; ')
  if (!hint) return { failure: { cause: meaning.cause, detail }, exitCode: exitCode ?? SIGNALLED }
  return { failure: { cause: hint.cause, detail }, exitCode: pppExitCode(hint.cause) }
}

function meaningOf(exitCode: number | undefined, signal: string | undefined): Meaning {
  if (exitCode === undefined) return { cause: 'pppd-failed', text: `pppd was ended by ${signal ?? 'a signal'}` }
  return PPPD_EXITS[exitCode] ?? { cause: 'pppd-failed', text: 'pppd ended with a code that pppd(8) does not know' }
}
