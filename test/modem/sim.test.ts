/** The SIM while nobody tries a PIN: busy at first, taken out, put in, another one; by every report that tells of it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSimReport } from '../../src/modem/at/replies/sim-report.ts'
import type { Call, ModemState } from '../../src/modem/snapshot.ts'
import { FleetBench } from './support/fleet-bench.ts'

const ONE = '8934071100000000017'
const OTHER = '8934071100000000025'

class Slot {
  cpin = '+CPIN: READY\nOK'
  iccid: string | undefined = ONE
  readonly bench = new FleetBench()

  constructor() {
    this.bench.plug({ answer: (command) => this.#answer(command) })
  }

  async is(state: ModemState): Promise<void> {
    await this.bench.until(`it is ${state}`, () => this.bench.fleet.modems[0]?.snapshot.state === state)
  }

  says(line: string): void {
    this.bench.ports.get('/dev/ttyUSB1')!.report(line)
  }

  #answer(command: string): string | undefined {
    if (command === 'AT+CPIN?') return this.cpin
    if (/^AT(\+CCID|\^ICCID\?|\+ICCID|\+CRSM=.*)$/.test(command))
      return this.iccid === undefined ? 'ERROR' : `${command.replace(/^AT|[?=].*$/g, '')}: ${this.iccid}\nOK`
    return undefined
  }
}

function slot(t: { after(fn: () => Promise<void>): void }): Slot {
  const made = new Slot()
  t.after(() => made.bench.dispose())
  return made
}

const BUSY = [
  '+CME ERROR: 14',
  '+CME ERROR: 515',
  '+CME ERROR: SIM busy',
  '+CPIN: NOT READY\nOK',
  '+CPIN: SIM BUSY\nOK',
  // Half an answer.
  '+CPIN: SIM\nOK',
]

test('a busy SIM is waited for, and the state says so; not for ever', async (t) => {
  for (const busy of BUSY) {
    const one = slot(t)
    one.cpin = busy
    await one.bench.until('it waits', () => one.bench.fleet.modems[0]?.snapshot.stateReason.includes('busy') === true)
    assert.equal(one.bench.modem.snapshot.state, 'enabling', busy)
    one.cpin = '+CPIN: READY\nOK'
    await one.is('registered')
    assert.equal(one.bench.modem.snapshot.stateReason, '')
  }
  const stuck = slot(t)
  stuck.cpin = BUSY[1]!
  await stuck.is('failed')
  assert.equal(stuck.bench.modem.snapshot.failure?.cause, 'sim-failed')
})

test('what a SIM that does not serve is called', async (t) => {
  for (const [reply, state, cause] of [
    ['+CME ERROR: 10', 'absent-sim', 'sim-absent'],
    ['+CPIN: NOT INSERTED\nOK', 'absent-sim', 'sim-absent'],
    ['+CME ERROR: SIM not inserted', 'absent-sim', 'sim-absent'],
    ['+CME ERROR: 13', 'failed', 'sim-failed'],
    ['+CME ERROR: 15', 'failed', 'sim-failed'],
    ['+CPIN: PH-NET PIN\nOK', 'failed', 'sim-failed'],
    ['+CME ERROR: 12', 'locked', 'sim-puk'],
  ] as const) {
    const one = slot(t)
    one.cpin = reply
    await one.is(state)
    await one.bench.until('the cause is known', () => one.bench.modem.snapshot.failure?.cause === cause)
  }
})

const OUT = [
  '^SIMST:255',
  '+QSIMSTAT: 1,0',
  '+CPIN: NOT INSERTED',
  '+SIM REMOVED',
  '#QSS: 0',
  '+UUSIMSTAT: 0',
  '+CSMINS: 1,0',
]
const IN = ['^SIMST:1', '+QSIMSTAT: 1,1', '+CPIN: READY', '+SIM INSERTED', '#QSS: 1', '+UUSIMSTAT: 1', '+CSMINS: 1,1']

test('taken out and put back: the state follows each kind of report, and a new SIM is read anew', async (t) => {
  for (const [index, out] of OUT.entries()) {
    const one = slot(t)
    await one.is('registered')
    await one.bench.clock.advance(10_000)
    one.cpin = '+CME ERROR: 10'
    one.says(out)
    await one.is('absent-sim')
    const { sim, ownNumbers, failure } = one.bench.modem.snapshot
    assert.deepEqual([sim, ownNumbers, failure?.cause], [{ status: 'absent' }, [], 'sim-absent'], out)
    await one.bench.clock.advance(60_000)
    one.cpin = '+CPIN: READY\nOK'
    one.iccid = OTHER
    one.says(IN[index]!)
    await one.is('registered')
    assert.equal(one.bench.modem.snapshot.sim.iccid, OTHER)
    assert.equal(one.bench.modem.snapshot.failure, undefined)
  }
})

test('swapped before anybody looked, or by one that hides its number: nothing of the old one holds', async (t) => {
  for (const iccid of [OTHER, undefined]) {
    const one = slot(t)
    await one.is('registered')
    await one.bench.clock.advance(10_000)
    one.iccid = iccid
    if (iccid === undefined) one.cpin = '+CPIN: SIM PIN\nOK'
    one.says('+CPIN: NOT INSERTED')
    await one.bench.until('it is read', () => one.bench.modem.snapshot.sim.iccid === iccid)
    await one.is(iccid === undefined ? 'locked' : 'registered')
  }
})

test('a modem that reports nothing is asked when it loses its network', async (t) => {
  const one = slot(t)
  await one.is('registered')
  await one.bench.clock.advance(10_000)
  one.cpin = '+CME ERROR: 10'
  one.says('+CEREG: 0')
  await one.is('absent-sim')
})

test('reports that say what is known cost no question', async (t) => {
  const one = slot(t)
  await one.is('registered')
  await one.bench.clock.advance(10_000)
  const scripted = one.bench.ports.get('/dev/ttyUSB1')!.modem
  scripted.commands.length = 0
  for (const line of ['+CPIN: READY', '^SIMST:1', '+QSIMSTAT: 1,1', '+QUSIM: 1', '#QSS: 3', 'RING', '+CSQ: 1,2'])
    one.says(line)
  await one.bench.clock.advance(1000)
  assert.ok(!scripted.commands.includes('AT+CPIN?'))
})

test('reports of a SIM', () => {
  for (const [line, says] of [
    ['^SIMST: 255,1', 'absent'],
    ['^SIMST:1', 'present'],
    ['^SIMST:240', 'present'],
    ['^SIMST:4', 'invalid'],
    ['+SIM REMOVED', 'absent'],
    ['SIM DROP', 'absent'],
    ['+SIM: INSERTED', 'present'],
    ['SIM READY', 'ready'],
    ['+CPIN: SIM PUK', 'puk'],
    ['+CPIN: SOMETHING NEW', 'unclear'],
    ['+ESIMS: 0', 'absent'],
    ['+WIND: 4', undefined],
    ['+WIND: 0', 'absent'],
    ['+CMTI: "SM",1', undefined],
    ['', undefined],
  ] as const)
    assert.equal(parseSimReport(line), says, line)
})

const HUNG_UP = { cause: 'hung-up', detail: 'the line fell' } as const

async function call(one: Slot): Promise<Call> {
  await one.is('registered')
  await one.bench.clock.advance(10_000)
  const signal = new AbortController().signal
  const request = { apn: 'a', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 5000, signal } as const
  const made = await one.bench.settled(one.bench.modem.dial(request))
  made.established()
  return made
}

test('a call does not outlive its SIM, whoever notices first', async (t) => {
  const told = slot(t)
  const standing = await call(told)
  told.cpin = '+CME ERROR: 10'
  told.says('^SIMST:255')
  await told.is('absent-sim')
  assert.equal((await told.bench.settled(standing.hangUp(HUNG_UP)))?.cause, 'sim-absent')

  const asked = slot(t)
  const lost = await call(asked)
  asked.cpin = '+CME ERROR: 10'
  asked.bench.ports.get('/dev/ttyUSB0')!.hangUp()
  assert.equal((await asked.bench.settled(lost.hangUp(HUNG_UP)))?.cause, 'sim-absent')
  await asked.is('absent-sim')

  const healthy = slot(t)
  const fallen = await call(healthy)
  healthy.bench.ports.get('/dev/ttyUSB0')!.hangUp()
  assert.equal(await healthy.bench.settled(fallen.hangUp(HUNG_UP)), undefined)
})
