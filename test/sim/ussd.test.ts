/** modem-sim's USSD, time and networks, dialogue by dialogue on virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemBench } from './modem-bench.ts'

function shown(text: string): string {
  return text.replace(/\r\n/g, '|')
}

test('a code, its answer later; one that nobody knows; the menu and its end', () => {
  const bench = new ModemBench()
  bench.say('ATE0')
  assert.equal(shown(bench.say('AT+CUSD=1,"*100#",15')), '|OK|')
  bench.pass(1000)
  assert.equal(shown(bench.heard()), '|+CUSD: 0,"Your balance is 12.34 EUR.",15|')
  bench.say('AT+CUSD=1,"*999#",15')
  bench.pass(1000)
  assert.equal(shown(bench.heard()), '|+CUSD: 4|')
  bench.say('AT+CUSD=1,"*101#",15')
  bench.pass(1000)
  assert.equal(shown(bench.heard()), '|+CUSD: 1,"Virtual Mobile\n1 Balance\n2 My number\n0 End",15|')
  bench.say('AT+CUSD=1,"7",15')
  bench.pass(1000)
  assert.match(bench.heard(), /\+CUSD: 1,"There is no such choice/)
  bench.say('AT+CUSD=1,"0",15')
  bench.pass(1000)
  assert.equal(shown(bench.heard()), '|+CUSD: 2,"Good bye.",15|')
  bench.say('AT+CUSD=1,"*102#",15')
  bench.pass(1000)
  assert.match(bench.heard(), /\+CUSD: 0,"04110430/)
})

test('a Huawei reads and writes packed septets only', () => {
  const bench = new ModemBench({ personality: 'huawei-e173' })
  bench.say('ATE0')
  assert.match(bench.say('AT+CUSD=1,"*100#",15'), /ERROR/)
  assert.match(bench.say('AT+CUSD=1,"AA180C3602",15'), /OK/)
  bench.pass(1000)
  assert.match(bench.heard(), /\+CUSD: 0,"[0-9A-F]{46}",15/)
})

test('cancelled, not in a network, and what the operator begins', () => {
  const bench = new ModemBench()
  bench.say('ATE0')
  bench.say('AT+CUSD=1,"*100#",15')
  assert.equal(shown(bench.say('AT+CUSD=2')), '|OK|')
  bench.pass(1000)
  assert.equal(bench.heard(), '')
  bench.say('AT+CUSD=0')
  bench.modem.state.ussd.begin('Not wanted', false, bench.nowMs)
  assert.equal(bench.send(''), '')
  bench.say('AT+CUSD=1')
  bench.modem.state.ussd.begin('Yes or no?', true, bench.nowMs)
  bench.pass(1)
  assert.match(bench.send(''), /\+CUSD: 1,"Yes or no\?",15/)
  bench.say('AT+CFUN=4')
  assert.match(bench.say('AT+CMEE=1;+CUSD=1,"*100#",15'), /\+CME ERROR: 30/)
})

test('a network chosen by hand, one that refuses, and the way back', () => {
  const bench = new ModemBench()
  bench.say('ATE0+CMEE=1')
  assert.match(bench.say('AT+COPS=1,2,"00102"'), /OK/)
  bench.pass(10)
  assert.match(bench.say('AT+COPS?;+CEREG?'), /\+COPS: 1,0,"Second Mobile",7\r\n\+CEREG: 0,5/)
  assert.match(bench.say('AT+COPS=1,2,"99942"'), /\+CME ERROR: 32/)
  assert.match(bench.say('AT+CEER'), /\+CEER: Registration rejected, cause #11/)
  assert.match(bench.say('AT+COPS=0'), /OK/)
  bench.pass(10)
  assert.match(bench.say('AT+COPS?;+CEREG?'), /\+COPS: 0,0,"Virtual Mobile",7\r\n\+CEREG: 0,1/)
})

test("the clock is nobody's until +CTZU, and told with the registration", () => {
  const bench = new ModemBench()
  bench.say('ATE0')
  assert.match(bench.say('AT+CCLK?'), /"80\/01\/06,00:00:00\+00"/)
  assert.match(bench.say('AT+CTZU=1;+CTZR=2;+CCLK?'), /"70\/01\/01,01:00:00\+04"/)
  bench.say('AT+COPS=2')
  bench.say('AT+COPS=0')
  bench.pass(10)
  const heard = [...bench.modem.ports.values()].map((port) => bench.send('', port)).join('')
  assert.match(heard, /\+CTZE: "\+04",0,"1970\/01\/01,01:00:00"/)
})
