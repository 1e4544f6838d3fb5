/** The simulated SIM's side of PINs: PIN2 and PUK2, locks, another card, and what the modem says of it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimCard } from '../../src/sim/sim-card.ts'
import { ModemBench } from './modem-bench.ts'

const last = (text: string) => text.trim().split('\r\n').at(-1)

test('PIN2: three wrong ones and its PUK2, while the SIM stays open', () => {
  const bench = new ModemBench()
  bench.say('AT+CMEE=1')
  assert.equal(last(bench.say('AT+CPWD="P2","5678","8765"')), 'OK')
  assert.equal(last(bench.say('AT+CPWD="P2","5678","1111"')), '+CME ERROR: 16')
  assert.match(bench.say('AT+CPIN?'), /\+CPIN: SIM PIN2/)
  assert.match(bench.say('AT+CPINR'), /SIM PIN,3,3\r\n.*SIM PUK,10,10\r\n.*SIM PIN2,2,3\r\n.*SIM PUK2,10,10/s)
  assert.equal(last(bench.say('AT+CPIN="8765"')), 'OK')
  assert.match(bench.say('AT+CPIN?'), /\+CPIN: READY/)
  for (const answer of ['16', '16', '18'])
    assert.equal(last(bench.say('AT+CPWD="P2","0000","1111"')), `+CME ERROR: ${answer}`)
  assert.match(bench.say('AT+CPIN?'), /\+CPIN: SIM PUK2/)
  assert.match(bench.say('AT+CIMI'), /OK/)
  assert.equal(last(bench.say('AT+CPIN="00000000","1234"')), '+CME ERROR: 16')
  assert.equal(last(bench.say('AT+CPIN="12345678","1234"')), 'OK')
  assert.deepEqual([bench.sim.pin2Tries, bench.sim.puk2Tries, bench.sim.pinTries], [3, 10, 3])
})

test('a lock that is on already is refused, and costs no try', () => {
  const bench = new ModemBench({ sim: { pin: '1234' } })
  bench.say('AT+CMEE=1')
  bench.say('AT+CPIN="1234"')
  assert.equal(last(bench.say('AT+CLCK="SC",1,"1234"')), '+CME ERROR: 3')
  assert.equal(last(bench.say('AT+CLCK="SC",0,"1234"')), 'OK')
  assert.equal(last(bench.say('AT+CPWD="SC","1234","4321"')), '+CME ERROR: 3')
  assert.deepEqual(bench.sim.tries, { spent: 2, refused: 0 })
})

test('busy, failed, taken out, put in: what +CPIN? and the reports say', () => {
  const bench = new ModemBench({ personality: 'quectel-ec25', timings: { simBusyMs: 700 } })
  const { state } = bench.modem
  const port = bench.port(2)
  assert.equal(last(bench.say('AT+CPIN?', port)), '+CME ERROR: 14')
  bench.pass(5000)
  assert.match(bench.say('AT+CPIN?', port), /READY/)
  state.removeSim(bench.nowMs)
  bench.pass(100)
  assert.match(bench.heard(port), /\+QSIMSTAT: 1,0\r\n.*\+CPIN: NOT READY/s)
  assert.equal(last(bench.say('AT+CPIN?', port)), '+CME ERROR: 10')
  bench.sim.take('8934071100000000025', '1234')
  state.insertSim(bench.nowMs)
  assert.equal(last(bench.say('AT+CPIN?', port)), '+CME ERROR: 14')
  bench.pass(2000)
  assert.match(bench.heard(port), /\+QSIMSTAT: 1,1\r\n.*\+CPIN: SIM PIN/s)
  assert.match(bench.say('AT+QCCID', port), /8934071100000000025/)
  state.failSim(bench.nowMs)
  assert.equal(last(bench.say('AT+CPIN?', port)), '+CME ERROR: 13')
})

test('each card keeps its tries', () => {
  const slot = new SimCard({ isInserted: true, pin: '1111', pinTries: 3, puk: '12345678' })
  slot.verifyPin('0000')
  slot.remove()
  assert.equal(slot.state, 'absent')
  slot.take('8934071100000000025', undefined)
  slot.insert()
  assert.deepEqual([slot.state, slot.iccid, slot.pinTries], ['ready', '8934071100000000025', 3])
  slot.remove()
  slot.take(undefined, undefined)
  slot.insert()
  assert.deepEqual([slot.state, slot.iccid, slot.pinTries], ['pin', undefined, 2])
})
