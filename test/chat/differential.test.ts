/**
 * modem-chat against Debian's own chat: the same dialogues with the same fake modem on ptys, and nothing may differ: bytes
 * sent, exit code, stderr, files, bytes left unread, terminal settings. Grouped by the sections of what chat(8) does.
 *
 * Left out, because they differ on purpose: the pause of 10 ms a byte (nothing here depends on it), -l, --pace and the other
 * options of ours, CLR_REPORT after a report has fired and reports over 239 bytes (the original crashes), and a time limit
 * in the very moment a `\d` ends (a race in the original).
 */

import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { needs } from '../support/needs.ts'
import type { ChatCase } from './differential/case.ts'
import { ENDS, MANUAL, MESSAGES } from './differential/cases-ends.ts'
import { ESCAPES } from './differential/cases-escapes.ts'
import { EXPECTS, SENDS } from './differential/cases-expect.ts'
import { HOSTILE } from './differential/cases-hostile.ts'
import { MATCHING, REPORTS } from './differential/cases-match.ts'
import { COMMAND_LINE, TERMINAL } from './differential/cases-start.ts'
import { KEYWORDS, WORDS } from './differential/cases-words.ts'
import { compareSteadily, unsteady } from './differential/compare.ts'

const SECTIONS: Readonly<Record<string, readonly ChatCase[]>> = {
  '1 command line': COMMAND_LINE,
  '2 terminal': TERMINAL,
  '3 script words': WORDS,
  '4 keywords': KEYWORDS,
  '5 escapes': ESCAPES,
  '6 expects': EXPECTS,
  '7 sends': SENDS,
  '8 matching': MATCHING,
  '9 reports': REPORTS,
  '10 messages': MESSAGES,
  '11 exit codes and signals': ENDS,
  '12 the manual': MANUAL,
  'bad input': HOSTILE,
}

suite("modem-chat does what Debian's chat does", { concurrency: 400, ...needs('chat') }, () => {
  for (const [section, cases] of Object.entries(SECTIONS))
    for (const chatCase of cases)
      test(`${section}: ${chatCase.name}`, async () => {
        const { ours, theirs } = await compareSteadily(chatCase)
        assert.deepEqual(ours, theirs)
      })
  after(() => {
    assert.ok(unsteady.length <= 3, `cases that differ now and then: ${unsteady.join('; ')}`)
  })
})
