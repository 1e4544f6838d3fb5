/**
 * The one table of causes: what each means, what a person can do, whether it is tried again by itself and how, and as which
 * error a caller gets it. The supervisor, the bus (advice), the man page and the configuration's `[redial]` read it.
 */

import { printable } from '../base/bytes.ts'
import type { Cause, Failure } from '../base/cause.ts'
import { type ErrorCode, ModemdError } from '../base/errors.ts'
import type { RedialRule } from './redial.ts'
import type { LinkSnapshot } from './snapshot.ts'

export interface CauseEntry {
  /** Trying again changes nothing: somebody has to act first. Exactly the causes whose own rule is `stop`. */
  readonly permanent: boolean
  /** What it means, a sentence. */
  readonly meaning: string
  /** What to do, a sentence. */
  readonly advice: string
  /** Used where a profile's `[redial]` does not name the cause. */
  readonly redial: RedialRule
  /** What Connect answers; mmctl's exit code follows from it. */
  readonly error: ErrorCode
}

function stops(error: ErrorCode, meaning: string, advice: string): CauseEntry {
  return { permanent: true, meaning, advice, redial: 'stop', error }
}

function retries(redial: RedialRule, error: ErrorCode, meaning: string, advice: string): CauseEntry {
  return { permanent: false, meaning, advice, redial, error }
}

/** In seconds, as the manual page shows it: `5s*2..5m` is `every(5, 2, 300)`. */
function every(firstS: number, factor: number, longestS: number): RedialRule {
  return { firstMs: firstS * 1000, factor, longestMs: longestS * 1000 }
}

export const CAUSE_TABLE: Readonly<Record<Cause, CauseEntry>> = {
  'modem-gone': retries(
    every(1, 2, 60),
    'ModemGone',
    'No modem that the profile may use is there: it was unplugged, lost its power, or restarts.',
    'Plug the modem in; if it vanishes by itself, try another cable, or a USB hub with a power supply of its own.',
  ),
  'port-busy': retries(
    every(5, 2, 300),
    'Busy',
    "The modem's port is held by another program or another link.",
    'Stop the program that holds it (often ModemManager; `fuser -v` on the port names it), or disconnect the other link.',
  ),
  'modem-silent': retries(
    every(5, 2, 300),
    'DialFailed',
    'The modem does not answer AT commands.',
    'Wait half a minute if it was just plugged in; otherwise unplug it and plug it in again.',
  ),
  'modem-error': retries(
    every(5, 2, 300),
    'DialFailed',
    'The modem answered a command with an error.',
    'The detail names the command and the answer; if it comes again, unplug the modem and plug it in again.',
  ),
  'sim-absent': stops(
    'SimAbsent',
    'The modem finds no SIM card.',
    'Put a SIM in, contacts down and pushed to the stop; where the modem does not notice, plug it in again.',
  ),
  'sim-pin': stops(
    'SimPin',
    'The SIM is locked and asks for its PIN.',
    'Enter it with `mmctl sim unlock`, connect with `mmctl connect --pin-file FILE`, or put `pin = …` into the profile.',
  ),
  'sim-pin-refused': stops(
    'SimPin',
    'The SIM refused the PIN; it is not tried again, so that the SIM does not lock.',
    'Enter the right one with `mmctl sim unlock`, and correct `pin` in the profile: with less than three tries left none is made by itself.',
  ),
  'sim-puk': stops(
    'SimPuk',
    'The SIM is blocked after wrong PINs and asks for its PUK.',
    'Run `mmctl sim puk` with the PUK, which your operator gives you, and a new PIN; ten wrong PUKs destroy the SIM.',
  ),
  'sim-failed': stops(
    'SimAbsent',
    'The SIM does not work in this modem.',
    'Take it out and put it in again; try it in a telephone; if it fails there too, ask your operator for another.',
  ),
  'radio-off': stops(
    'NoNetwork',
    "The modem's radio is switched off.",
    'Connect by hand with `mmctl connect`, which switches it on; look for a switch on the computer and for airplane mode.',
  ),
  'no-network': retries(
    every(10, 2, 300),
    'NoNetwork',
    'The modem is not registered with a network.',
    'Check the antenna and the place with `mmctl signal`; ask your operator whether it has a network there.',
  ),
  'registration-denied': retries(
    every(60, 2, 1800),
    'NoNetwork',
    'The network refuses this SIM.',
    'Ask your operator whether the SIM is active and paid for, and whether it may use this kind of network.',
  ),
  'roaming-forbidden': stops(
    'Roaming',
    "The modem is in a foreign operator's network and the profile does not allow roaming.",
    'Allow it if you accept the price (`roaming = yes` in a profile); otherwise wait for the home network.',
  ),
  'apn-refused': stops(
    'DialFailed',
    'The network does not accept the access point name (APN) for this SIM.',
    'Use the APN that your operator names (`apn` of the profile, or `--apn`); `mmctl apn` shows those that are known.',
  ),
  busy: retries(
    every(5, 1, 5),
    'DialFailed',
    'The number called is busy.',
    'Connect again in a moment; a link that was up before is dialled again by itself.',
  ),
  'no-carrier': retries(
    every(5, 2, 300),
    'DialFailed',
    'The call ended before there was a connection: the network or the other side ended it.',
    'Check the APN and the number (`*99#` for mobile data), and the signal with `mmctl signal`.',
  ),
  'no-dialtone': retries(
    every(60, 1, 60),
    'DialFailed',
    'There is no dial tone, which on a mobile modem means no service.',
    'Check the signal with `mmctl signal`; on a telephone line, the cable.',
  ),
  'no-answer': retries(
    every(30, 2, 300),
    'DialFailed',
    'The number called does not answer.',
    'Check the number (`number` of the profile; `*99#` for mobile data).',
  ),
  'call-rejected': retries(
    every(60, 2, 600),
    'DialFailed',
    'The modem or the network refused to place the call.',
    'Wait some minutes: modems delay or forbid a number after many failed calls; then check `number` in the profile.',
  ),
  'dial-timeout': retries(
    every(5, 2, 300),
    'DialFailed',
    'There was no answer to the dial in time.',
    'Raise `dial-timeout` in the profile if the network is slow; check the signal with `mmctl signal`.',
  ),
  'script-error': stops(
    'DialFailed',
    'The chat script has a fault.',
    'Mend the file that `chat-script` of the profile names; the detail says where.',
  ),
  'lcp-timeout': retries(
    every(5, 2, 300),
    'PppFailed',
    'The other side does not speak PPP, or its answers do not arrive.',
    'Check the number (`*99#` for mobile data) and connect again; if it comes again, unplug the modem and plug it in again.',
  ),
  loopback: retries(
    every(30, 2, 600),
    'PppFailed',
    'What we send comes back to us: the line is looped, or the modem echoes commands instead of being in a call.',
    'Connect again; if it comes again, unplug the modem and plug it in again.',
  ),
  'auth-refused': stops(
    'AuthFailed',
    'The other side refused the user name or the password.',
    "Correct the user name and the password (`username`, `password`, `auth` of the profile, or `--user` and `--password-file` of `mmctl connect`); many mobile operators want none, or the APN's own.",
  ),
  'peer-auth-refused': stops(
    'AuthFailed',
    'The other side asks for a kind of authentication that the profile does not allow, or did not prove who it is.',
    'Put `auth = any` into the profile, or the kind that the detail names.',
  ),
  'ipcp-failed': retries(
    every(10, 2, 300),
    'PppFailed',
    'The two sides did not agree on the use of IP.',
    'Check `apn` and `ip` of the profile; connect again.',
  ),
  'no-address': retries(
    every(10, 2, 300),
    'PppFailed',
    'The network gave no usable address.',
    'Check the APN; the network may be out of addresses for a while.',
  ),
  'echo-lost': retries(
    every(1, 2, 120),
    'PppFailed',
    'The other side does not answer, or the host that `check` of the profile names.',
    'Connect again, unless it is dialled again by itself; if it comes often, see that the host of a `check` can be reached from elsewhere, and check the signal with `mmctl signal`.',
  ),
  'hung-up': retries(
    every(1, 2, 120),
    'PppFailed',
    'The network or the modem ended the call.',
    'Connect again, unless it is dialled again by itself; if it comes often, check the signal with `mmctl signal`.',
  ),
  idle: stops('PppFailed', 'The link was ended because nothing used it.', 'Connect again when it is needed.'),
  'time-limit': stops('PppFailed', 'The link was ended because its time was up.', 'Connect again.'),
  'data-limit': stops(
    'WrongState',
    'The link was ended because the data of the month are used up.',
    'Raise `data-limit` in the profile, or wait for the next month.',
  ),
  'user-request': stops(
    'WrongState',
    'The link was ended because somebody asked for it.',
    'Connect again with `mmctl connect`.',
  ),
  'engine-missing': stops(
    'Unsupported',
    'The PPP engine that the profile names cannot be used on this machine.',
    'Let modemd choose (`engine = auto`); the builtin engine needs /dev/net/tun (`modprobe tun`).',
  ),
  permission: stops(
    'NotAuthorized',
    'modemd may not do what the link needs.',
    'Start modemd as its service does: it needs CAP_NET_ADMIN and the group of the serial ports (dialout).',
  ),
  'pppd-failed': retries(
    every(30, 2, 600),
    'PppFailed',
    "The system's pppd ended with an error.",
    'The exit code is in pppd(8); its messages are in the log.',
  ),
  internal: retries(
    every(30, 2, 600),
    'Internal',
    'modemd met something that should not happen.',
    'Look into the log (`journalctl -u modemd`) and report it together with the detail.',
  ),
}

const LONGEST_DETAIL_CHARS = 400

/** A failure as a link shows it. */
export function shownFailure({ cause, detail }: Failure): Pick<LinkSnapshot, 'cause' | 'causeDetail' | 'advice'> {
  return { cause, causeDetail: printable(detail, LONGEST_DETAIL_CHARS), advice: CAUSE_TABLE[cause].advice }
}

/** Of a link that the modem's state blocks; `the SIM is unlocked`. */
const ONCE: Readonly<Partial<Record<Cause, string>>> = {
  'sim-absent': 'a SIM is in',
  'sim-pin': 'the SIM is unlocked',
  'sim-pin-refused': 'the SIM is unlocked',
  'sim-puk': 'the SIM is unlocked',
  'sim-failed': 'the SIM works',
  'radio-off': "the modem's radio is on",
  'registration-denied': 'the network takes the SIM',
  'roaming-forbidden': 'the modem is in its home network',
}

/** When a blocked link makes its next attempt, for people. */
export function goesOnOnce(cause: Cause): string {
  return `by itself, once ${ONCE[cause] ?? 'a modem is ready for it'}`
}

/** What a caller of Connect gets for a failed attempt: evidence first, then what to do. */
export function failureError(failure: Failure): ModemdError {
  const { error, meaning, advice } = CAUSE_TABLE[failure.cause]
  const evidence = failure.detail === '' ? meaning : `${withoutStop(failure.detail)} (${failure.cause})`
  return new ModemdError(error, `${withoutStop(evidence)}: ${advice}`, failure.cause)
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '')
}
