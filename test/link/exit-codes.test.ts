/**
 * One table: every exit code of pppd (pppd(8), 0 to 21) and of chat (chat(8), 0 to 3, and 4 on for the built-in ABORT strings) → the
 * cause → what a link does by itself with the standard rules.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cause } from '../../src/base/cause.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import { whatFollows } from '../../src/link/next-attempt.ts'
import { isCurable } from '../../src/link/recovery.ts'
import { ABORT_STRINGS, dialFailure } from '../../src/modem/dial-result.ts'
import { PPPD_EXITS, verdictOfPppd } from '../../src/ppp/engines/pppd-exit.ts'
import { pppExitCode } from '../../src/ppp/exit-codes.ts'
import { AUTO, profileFrom } from './rig.ts'

/** In seconds, after the first, third and hundredth failure in a row; `+ ladder`: and so many of them reset the modem. */
type Action = 'stop' | `${number} ${number} ${number}` | `${number} ${number} ${number} + ladder`

const profile = profileFrom('demo', AUTO)

function actionOf(cause: Cause): Action {
  const delays = [1, 3, 100].map((failuresInARow) => {
    const course = { profile, isLasting: true, failuresInARow, recovery: { kind: 'redial' } as const }
    const next = whatFollows({ failure: { cause, detail: '' } }, course, 0)
    return next.kind === 'redial' ? next.delayMs / 1000 : undefined
  })
  if (delays[0] === undefined) {
    assert.deepEqual(delays, [undefined, undefined, undefined])
    assert.ok(CAUSE_TABLE[cause].permanent)
    return 'stop'
  }
  return `${delays.join(' ')}${isCurable(cause, false) ? ' + ladder' : ''}` as Action
}

const OF_PPPD: readonly (readonly [code: number, cause: Cause, action: Action])[] = [
  [0, 'hung-up', '1 4 120 + ladder'],
  [1, 'pppd-failed', '30 120 600'],
  [2, 'pppd-failed', '30 120 600'],
  [3, 'permission', 'stop'],
  [4, 'engine-missing', 'stop'],
  [5, 'user-request', 'stop'],
  [6, 'port-busy', '5 20 300'],
  [7, 'port-busy', '5 20 300'],
  [8, 'script-error', 'stop'],
  [9, 'pppd-failed', '30 120 600'],
  [10, 'ipcp-failed', '10 40 300'],
  [11, 'peer-auth-refused', 'stop'],
  [12, 'idle', 'stop'],
  [13, 'time-limit', 'stop'],
  [14, 'pppd-failed', '30 120 600'],
  [15, 'echo-lost', '1 4 120 + ladder'],
  [16, 'hung-up', '1 4 120 + ladder'],
  [17, 'loopback', '30 120 600 + ladder'],
  [18, 'script-error', 'stop'],
  [19, 'auth-refused', 'stop'],
  [20, 'data-limit', 'stop'],
  [21, 'peer-auth-refused', 'stop'],
]

test("pppd's exit codes: cause and action", () => {
  assert.equal(OF_PPPD.length, PPPD_EXITS.length)
  for (const [exitCode, cause, action] of OF_PPPD) {
    const { failure } = verdictOfPppd({ exitCode, messages: [], wasUp: false })
    assert.deepEqual([failure.cause, actionOf(cause)], [cause, action], `${exitCode}`)
  }
})

test('our own engines show the code that pppd would have for the same cause', () => {
  for (const [exitCode, cause] of OF_PPPD) {
    const own = pppExitCode(cause)
    const isOfASession = own !== 5 || cause === 'user-request'
    if (isOfASession) assert.equal(OF_PPPD.find(([code]) => code === own)?.[1], cause, `${exitCode} ${cause}`)
  }
})

const OF_CHAT: readonly (readonly [code: number, seen: string, cause: Cause, action: Action])[] = [
  [1, 'bad words', 'script-error', 'stop'],
  [2, 'the line is closed', 'script-error', 'stop'],
  [3, '', 'dial-timeout', '5 20 300 + ladder'],
  [4, 'BUSY', 'busy', '5 5 100'],
  [5, 'NO CARRIER', 'no-carrier', '5 20 300 + ladder'],
  [6, 'NO DIALTONE', 'no-dialtone', '60 60 100 + ladder'],
  [7, 'NO ANSWER', 'no-answer', '30 120 300'],
  [8, 'ERROR', 'modem-error', '5 20 300 + ladder'],
  [8, '+CME ERROR: 30', 'no-network', '10 40 300 + ladder'],
  [8, '+CME ERROR: 33', 'apn-refused', 'stop'],
  [9, 'NO DIAL TONE', 'no-dialtone', '60 60 100 + ladder'],
  [10, 'DELAYED', 'call-rejected', '60 240 600 + ladder'],
  [11, 'COMMAND NOT SUPPORT', 'modem-error', '5 20 300 + ladder'],
]

test("chat's exit codes: cause and action", () => {
  assert.deepEqual(
    [...new Set(OF_CHAT.map(([code]) => code))],
    Array.from({ length: 3 + ABORT_STRINGS.length }, (_, index) => index + 1),
  )
  for (const [exitCode, seen, cause, action] of OF_CHAT) {
    const abortString = ABORT_STRINGS[exitCode - 4]
    const end = { exitCode, abortString, message: seen, lastLine: seen, isLineGone: false }
    const failure = dialFailure(end, 'ATD*99#')
    assert.deepEqual([failure.cause, failure.chatExit, actionOf(cause)], [cause, exitCode, action], seen)
  }
  const gone = { exitCode: 2, abortString: undefined, message: 'end of file', lastLine: '', isLineGone: true }
  assert.equal(dialFailure(gone, 'ATD*99#').cause, 'modem-gone')
})

test('options of the profile that pppd refuses are not tried again: only another profile helps', () => {
  const after = (options: string, pppExit: number) => {
    const profile = profileFrom('demo', `${AUTO}[ppp]\nengine = pppd\n${options}`)
    const end = { failure: { cause: 'pppd-failed', detail: 'seen' }, pppExit } as const
    return whatFollows(end, { profile, isLasting: true, failuresInARow: 1, recovery: { kind: 'redial' } }, 0)
  }
  assert.deepEqual(after('options = nosuchoption\n', 2), { kind: 'end', state: 'failed' })
  assert.equal(after('options = nosuchoption\n', 1).kind, 'redial')
  assert.equal(after('', 2).kind, 'redial')
})
