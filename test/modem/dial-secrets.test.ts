/** What a modem echoes of a chat script's `$PASSWORD` is in no word about how the dial ended: these are on D-Bus, for everybody. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { latin1 } from '../../src/base/bytes.ts'
import { dialFailure } from '../../src/modem/dial-result.ts'
import { type DialEvent, DialScript } from '../../src/modem/dial-script.ts'

function endOf(script: DialScript): Extract<DialEvent, { type: 'end' }> | undefined {
  for (let output = script.poll(); output; output = script.poll())
    if (output.type === 'event' && output.event.type === 'end') return output.event
  return undefined
}

for (const password of ['Sesame-Q7x!open', 'Sésame-Ünder', 'x'])
  for (const [ends, text] of [
    ['with an error', `\r\nERROR: AT^LOGIN ${password} is unknown\r\n`],
    ['in silence', ''],
  ] as const)
    test(`the password ${password.length} characters long, ${ends}`, () => {
      const script = new DialScript({
        number: '*99#',
        chatScript: `ABORT ERROR TIMEOUT 5 '' 'AT^LOGIN="$PASSWORD"' OK`,
        scriptVariables: { PASSWORD: password },
        timeoutMs: 10_000,
        nowMs: 0,
      })
      const echo = Buffer.from(`AT^LOGIN="${password}"\r${text}`).toString('latin1')
      script.handle({ type: 'open' }, 0)
      for (let sent = script.poll(); sent; sent = script.poll());
      script.handle({ type: 'data', bytes: latin1(echo) }, 1)
      script.handle({ type: 'timeout' }, 6000)
      const event = endOf(script)
      assert.ok(event, 'it ended')
      const { detail } = dialFailure(event.end, 'the chat script')
      assert.match(detail, /\*\*\*/)
      const forms = [password, Buffer.from(password).toString('latin1')]
      for (const form of forms) assert.ok(!new RegExp(`(?<!\\w)${form}(?!\\w)`).test(detail), detail)
    })
