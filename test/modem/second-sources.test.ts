/** What a modem is asked where the first question has no answer, and what its numbers mean by its model; on modem-sim's modems. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isReport } from '../../src/modem/at/unsolicited.ts'
import { DRIVERS } from '../../src/modem/drivers/choose.ts'
import type { DialError } from '../../src/modem/snapshot.ts'
import type { Personality } from '../../src/sim/personality.ts'
import { PersonalityBench, type PersonalityBenchOptions } from './support/personality-bench.ts'

type Technology = Personality['radio']['technology']

function benchOf(t: TestContext, name: string, options?: PersonalityBenchOptions): PersonalityBench {
  const bench = new PersonalityBench(name, options)
  t.after(() => bench.dispose())
  return bench
}

function without(commands: readonly string[], technology?: Technology) {
  return (personality: Personality): Personality => ({
    ...personality,
    dialect: { ...personality.dialect, absent: [...personality.dialect.absent, ...commands] },
    radio: { ...personality.radio, technology: technology ?? personality.radio.technology },
    reports: { ...personality.reports, signal: [], registered: [] },
  })
}

for (const [name, lacks, technology, source, expected] of [
  ['quectel-ec25', '+QCSQ', 'lte', '+QENG', { technology: 'lte', rssi: -71, rsrp: -91, rsrq: -10, sinr: 15 }],
  ['quectel-ec25', '+QCSQ', 'umts', '+QENG', { technology: 'umts', rssi: -71, rscp: -77, ecio: -6 }],
  ['quectel-ec25', '+QCSQ', 'gsm', '+QENG', { technology: 'gsm', rssi: -71 }],
  // The strength is +CSQ's, and so is the name.
  ['ublox-sara', '+CESQ', 'lte', '+CSQ', { technology: 'lte', rssi: -71, rsrp: -91, rsrq: -10.5 }],
] as const)
  test(`${name} without ${lacks}, ${technology}: the signal is read all the same`, async (t) => {
    const bench = benchOf(t, name, { change: without([lacks], technology) })
    await bench.registered()
    await bench.until('it is measured', () => bench.snapshot.signal !== undefined)
    const { atUs: _at, source: from, ber: _ber, ...measure } = bench.snapshot.signal!
    assert.deepEqual({ from, ...measure }, { from: source, ...expected })
  })

for (const [model, technology, answer, expected] of [
  ['SIMCOM_SIM7000G', 'lte', undefined, ['lte']],
  ['SIMCOM_SIM7000G', 'lte', '+CNSMOD: 1,9', ['lte']],
  ['SIMCOM_SIM7600E-H', 'lte', undefined, ['lte']],
  ['SIMCOM_SIM7600E-H', 'umts', undefined, ['hspa']],
  ['SIMCOM_SIM7600E-H', 'umts', '+CNSMOD: 1,9', ['umts']],
] as const)
  test(`${model}, ${technology}: +CNSMOD ${answer ?? 'of its own'} is ${expected}`, async (t) => {
    const bench = benchOf(t, 'simcom-sim800', {
      change: (personality) => ({
        ...personality,
        identity: { ...personality.identity, model },
        radio: { ...personality.radio, technology },
        dialect: {
          ...personality.dialect,
          absent: [],
          place: '"{area}","{cell}"',
          replies: answer === undefined ? {} : { '+CNSMOD?': [answer] },
        },
      }),
    })
    await bench.registered()
    await bench.until('it was asked', () => bench.commands.some((each) => each.endsWith('AT+CNSMOD?')))
    await bench.until('it is told', () => bench.snapshot.accessTechnologies.join() === expected.join())
    // A report counts like an answer, also while another command waits for its own.
    const count = bench.commands.length
    const isAsked = () => bench.commands.length > count && !bench.commands.at(-1)!.includes('CNSMOD')
    await bench.until('something else is asked', isAsked)
    const [path = ''] = bench.commands[0]!.split(' ')
    bench.say(path, '+CNSMOD: 3')
    await bench.until('it is taken', () => bench.snapshot.accessTechnologies.join() === 'edge')
    bench.say(
      path,
      (answer ?? `+CNSMOD: 1,${model.includes('7000') ? 7 : technology === 'lte' ? 8 : 7}`).replace('1,', ''),
    )
    // Sooner than by the next question.
    await bench.until('it is told again', () => bench.snapshot.accessTechnologies.join() === expected.join(), 500)
  })

test('what a driver reads as a report is one for the channel, too, whatever is being asked', () => {
  for (const { name, reports } of DRIVERS)
    for (const head of Object.keys(reports)) assert.ok(isReport(`${head}: 1`, ['+COPS'], false), `${name} ${head}`)
})

test('a modem that knows neither +CGMI nor +GMI tells by ATI who it is', async (t) => {
  const lacks = ['+CGMI', '+GMI', '+CGMM', '+GMM', '+CGMR', '+GMR', '+CGSN', '+GSN']
  const bench = benchOf(t, 'generic', { change: without(lacks) })
  await bench.registered()
  const { manufacturer, model, revision, equipmentIdentifier } = bench.snapshot
  assert.deepEqual([manufacturer, model, revision], ['Virtual', 'Generic LTE', '1.0'])
  assert.equal(equipmentIdentifier, bench.modem.state.identity.imei)
})

test('a modem that somebody told to keep off the network looks for one again', async (t) => {
  const bench = benchOf(t, 'quectel-ec25')
  const { state } = bench.modem
  state.isDeregistered = true
  state.refresh(bench.clock.nowMs())
  await bench.registered()
  assert.equal(state.isDeregistered, false)
  assert.equal(bench.commands.filter((each) => each.endsWith('AT+COPS=0')).length, 1)
})

test('a modem that may take one network only, and does not find it: the reason says so, until it is in', async (t) => {
  const bench = benchOf(t, 'quectel-ec25', { network: { mode: 'none' } })
  const { state } = bench.modem
  state.chosenPlmn = '00101'
  await bench.until('it is told', () => /chosen by hand.*mmctl register/.test(bench.handle?.snapshot.stateReason ?? ''))
  assert.equal(bench.snapshot.state, 'searching')
  assert.ok(!bench.commands.some((each) => each.endsWith('AT+COPS=0')), 'a choice of a person stays')
  state.chosenPlmn = undefined
  bench.network.mode = 'home'
  state.networkChanged(bench.clock.nowMs())
  bench.poke()
  await bench.registered()
  assert.equal(bench.snapshot.stateReason, '')
})

for (const name of ['generic', 'huawei-e173', 'zte-mf190', 'quectel-ec25', 'simcom-sim800', 'telit-le910'] as const)
  test(`${name}: a network that asks the context for user and password`, async (t) => {
    const bench = benchOf(t, name, { network: { logIn: { user: 'me', password: 'secret' } } })
    await bench.registered()
    const refused = (error: DialError) => {
      assert.equal(error.failure.cause, 'auth-refused', error.failure.detail)
      return true
    }
    await assert.rejects(bench.dial(), refused)
    await assert.rejects(bench.dial({ logIn: { username: 'me', password: 'wrong', auth: 'chap' } }), refused)
    const call = await bench.dial({ logIn: { username: 'me', password: 'secret', auth: 'chap' } })
    assert.match(call.report ?? '', /^CONNECT/)
  })

test('a message that is refused for want of a service centre says so, one that is refused otherwise does not', async (t) => {
  const bench = benchOf(t, 'quectel-ec25')
  await bench.registered()
  const { store } = bench.modem.state.messages
  const { serviceCentre } = store
  const refusal = () =>
    bench.settled(bench.handle!.messaging!.send('+4915112345678', 'hello')).then(
      () => assert.fail('it was sent'),
      (error: Error) => error.message,
    )
  store.serviceCentre = ''
  assert.match(await refusal(), /500.*; the SIM has no number of a service centre: set it with AT\+CSCA\.$/)
  store.serviceCentre = serviceCentre
  bench.faults.arm(['error-n-times', '1', 'on=+CMGS'])
  assert.doesNotMatch(await refusal(), /service centre/)
  await bench.settled(bench.handle!.messaging!.send('+4915112345678', 'hello'))
})
