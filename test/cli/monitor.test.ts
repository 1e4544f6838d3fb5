/** `mmctl monitor`: a line, or a document, a change, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MODEM_SNAPSHOT } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { Running } from './support/mmctl.ts'
import { SECOND, scene } from './support/scene.ts'

const TIME_US = 1_700_000_000_000_000n
const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('monitor', has, async (context) => {
  const { api, address, start } = await scene(context)
  const { time } = api.modems[0]!
  time.tell({ networkUs: TIME_US, atUs: TIME_US, source: '+CTZE' })
  const lines = start(['monitor'])
  const documents = new Running(['monitor', '--json'], { address })
  // Nothing is said before the first change: one that both see.
  while (!/60/.test(lines.stdout) || !/60/.test(documents.stdout)) {
    api.modems[0]!.change({ signalQuality: 61 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    api.modems[0]!.change({ signalQuality: 60 })
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  api.modems[0]!.change({ state: 'searching', operatorName: undefined })
  api.links[0]!.change({ state: 'dialling', phaseMs: { modem: 3 } })
  await published()
  const next = {
    state: 'waiting',
    cause: 'busy',
    causeDetail: 'BUSY',
    nextAttemptAtUs: 1_700_000_000_000_000n,
  } as const
  api.links[0]!.change({ ...next, modem: MODEM_SNAPSHOT.id, phaseMs: {}, advice: 'Wait.' })
  api.addModem({ ...SECOND, sim: { ...SECOND.sim } })
  // It fails as before: only the time of it is another.
  await published()
  api.links[0]!.change({ state: 'failed', causeAtUs: 5n, nextAttemptAtUs: 0n })
  api.modems[0]!.change({ ports: [{ name: '/dev/ttyUSB0', role: 'data', owner: 'modemd (ppp)' }] })
  await published()
  // Down and up again within one turn: its steps are told all the same.
  api.modems[0]!.change({ state: 'failed' })
  api.modems[0]!.change({ state: 'enabling' })
  await Promise.all([lines.until(/enabling/), documents.until(/enabling/)])
  api.links[0]!.change({ ip4: { address: '10.64.0.2', prefix: 32, dns: ['10.11.12.13'], mtu: 1500 } })
  time.tell({ networkUs: TIME_US + 60_000_000n, atUs: TIME_US, source: '+CTZE' })
  await lines.until(/Ip4[\s\S]*NetworkTime|NetworkTime[\s\S]*Ip4/)
  api.removeModem(api.modems[1]!)
  await Promise.all([/removed/, /waiting/].flatMap((each) => [lines.until(each), documents.until(each)]))
  lines.interrupt()
  documents.interrupt()
  const [text, json] = await Promise.all([lines.ended, documents.ended])
  assert.equal(text.exitCode, 0)
  assert.match(text.stdout, /^\d\d:\d\d:\d\d\.\d{3} {2}modem imei_356938035643809 {2}State: registered → searching$/m)
  assert.match(text.stdout, /modem imei_356938035643809 {2}OperatorName: Testnet → unknown$/m)
  assert.match(text.stdout, /link demo {2}State: idle → dialling$/m)
  assert.match(text.stdout, /link demo {2}State: dialling → waiting \(busy: BUSY, next attempt \d\d:\d\d:\d\d\)$/m)
  assert.match(text.stdout, /link demo {2}Modem: imei_356938035643809$/m)
  assert.doesNotMatch(text.stdout, /PhaseMs|Advice|Links|\/org\/modemd/)
  assert.match(text.stdout, /modem usb_1_3 {2}added$/m)
  assert.match(text.stdout, /modem imei_356938035643809 {2}NetworkTime: (?:.* → )?\d\d:\d\d:\d\d$/m)
  assert.match(text.stdout, /link demo {2}Ip4: 10\.64\.0\.2\/32, DNS 10\.11\.12\.13$/m)
  assert.match(text.stdout, /State: searching → failed\n.*State: failed → enabling$/m)
  assert.match(text.stdout, /State: waiting → failed \(busy: BUSY\)$/m)
  assert.match(
    text.stdout,
    /Ports: \/dev\/ttyUSB0 data → data modemd \(ppp\), \/dev\/ttyUSB2 at modemd \(at\) → gone$/m,
  )
  const changes = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const lost = changes.find(({ values }) => values?.state === 'searching')
  assert.deepEqual(lost.values, { state: 'searching', operatorName: null })
  assert.deepEqual([lost.event, lost.modem, lost.interface], ['changed', MODEM_SNAPSHOT.id, 'Modem1'])
  assert.ok(Number.isSafeInteger(lost.at))
  const stepped = changes.find(({ event }) => event === 'stepped')
  assert.deepEqual([stepped.modem, stepped.previous, stepped.state], [MODEM_SNAPSHOT.id, 'searching', 'failed'])
})

/** Until the service has told of a change. */
function published(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20))
}
