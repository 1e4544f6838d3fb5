/** chat(8)'s own example of a call-back system, as a profile's `chat-script`: the modem hangs up in the middle, and the script goes on. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Call, DialError } from '../../src/modem/snapshot.ts'
import { FleetBench } from './support/fleet-bench.ts'

/** As it stands under HANGUP in chat(8), without the `etc ...`. */
const MANUAL_EXAMPLE = `
ABORT   'BUSY'
''      ATZ
OK\\r\\n  ATD1234567
\\r\\n    \\c
CONNECT \\c
'Callback login:' call_back_ID
HANGUP OFF
ABORT "Bad Login"
'Callback Password:' Call_back_password
TIMEOUT 120
CONNECT \\c
HANGUP ON
ABORT "NO CARRIER"
ogin:--BREAK--ogin: real_account
`

/** The number is dialled and the first stage's log-in is done. */
async function calling(t: TestContext) {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({})
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.ownNumbers.length === 1)
  const port = bench.ports.get('/dev/ttyUSB0')!
  scripted.answer = (command) => {
    if (command === 'ATZ') return 'OK'
    if (command !== 'ATD1234567') return undefined
    port.mode = 'data'
    port.say('\r\nCONNECT 9600\r\nCallback login: ')
    return ''
  }
  const dialling = bench.modem.dial({
    apn: 'internet',
    number: '*99#',
    ipType: '4',
    cid: 'auto',
    timeoutMs: 200_000,
    chatScript: MANUAL_EXAMPLE,
    signal: new AbortController().signal,
  })
  const ended: { end: Call | DialError | undefined } = { end: undefined }
  dialling.then(
    (call) => {
      ended.end = call
    },
    (error) => {
      assert.ok(error instanceof DialError, String(error))
      ended.end = error
    },
  )
  const isOver = () => ended.end !== undefined
  const says = async (text: string) => {
    await bench.until(`it says ${text}`, () => port.data.endsWith(`${text}\r`))
    port.data = ''
  }
  await says('call_back_ID')
  port.say('\r\nCallback Password: ')
  return { bench, port, ended, isOver, says }
}

test('the call-back system hangs up, calls back, and asks for the real account', async (t) => {
  const { bench, port, ended, isOver, says } = await calling(t)
  await says('Call_back_password')
  port.hangUp()
  await bench.clock.advance(90_000)
  assert.ok(!isOver(), 'it waits for the call')
  port.report('RING')
  await bench.clock.advance(2000)
  port.report('CONNECT 9600')
  port.mode = 'data'
  port.say('\r\nhost login: ')
  await says('real_account')
  await bench.until('the script is over', isOver)
  const { end } = ended
  assert.ok(end && 'wire' in end)
  let heard = ''
  end.wire.listen({ data: (bytes) => (heard += Buffer.from(bytes).toString('latin1')), drain() {}, closed() {} })
  port.say('~PPP')
  await bench.clock.advance(1)
  assert.equal(heard, ' ~PPP', 'what comes then is the link')
  await bench.settled(end.hangUp())
})

test('a hang-up counts again once the call-back stands', async (t) => {
  const { bench, port, ended, isOver, says } = await calling(t)
  await says('Call_back_password')
  port.hangUp()
  await bench.clock.advance(10_000)
  port.report('CONNECT 9600')
  await bench.clock.advance(100)
  port.hangUp()
  await bench.until('the script is over', isOver)
  assert.ok(ended.end instanceof DialError)
  const { cause, chatExit } = ended.end.failure
  assert.deepEqual([cause, chatExit], ['no-carrier', 6])
})

for (const [what, text, cause, chatExit] of [
  ['a wrong log-in', 'Bad Login', 'call-rejected', 5],
  ['no call within the 120 s of the script', '', 'dial-timeout', 3],
] as const)
  test(`${what} ends the script`, async (t) => {
    const { bench, port, ended, isOver, says } = await calling(t)
    await says('Call_back_password')
    port.say(`\r\n${text}\r\n`)
    const sinceMs = bench.clock.nowMs()
    await bench.until('the script is over', isOver, 130_000)
    assert.ok(ended.end instanceof DialError)
    assert.deepEqual([ended.end.failure.cause, ended.end.failure.chatExit], [cause, chatExit])
    const waitedS = Math.round((bench.clock.nowMs() - sinceMs) / 1000)
    assert.ok(text === '' ? waitedS >= 120 : waitedS < 10, `${waitedS} s`)
    assert.equal(port.mode, 'command', 'the call is ended')
  })
