/** Short messages of the virtual modem, typed by hand. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Deliver, emitSubmit, parsePdu } from '../../src/modem/sms/pdu.ts'
import { emitUserData } from '../../src/modem/sms/user-data.ts'
import { ModemBench } from './modem-bench.ts'

const SUBMIT = emitSubmit({
  to: '+358401234567',
  encoding: 'gsm7',
  wantsReport: true,
  data: emitUserData('gsm7', 'hellohello', { languages: {} }),
})

function bench(): ModemBench {
  const modem = new ModemBench()
  modem.say('ATE0')
  return modem
}

function receive(modem: ModemBench, text: string, ...more: [messageClass?: number]): void {
  const { messages } = modem.modem.state
  messages.store.incoming('+4670123', text, ...more)
  messages.fetch(modem.nowMs)
  modem.pass(0)
  for (const port of modem.modem.ports.values()) port.handle({ type: 'timeout' }, modem.nowMs)
  modem.pass(0)
}

test('a message is sent behind the prompt, and its report comes', () => {
  const modem = bench()
  assert.equal(modem.say('AT+CNMI=2,1,0,1,0'), '\r\nOK\r\n')
  assert.equal(modem.say(`AT+CMGS=${SUBMIT.tpduBytes}`), '\r\n> ')
  assert.equal(modem.send(`${SUBMIT.hex}\x1a`), '\r\n+CMGS: 1\r\n\r\nOK\r\n')
  assert.deepEqual(modem.modem.state.messages.store.sent, [{ to: '+358401234567', text: 'hellohello' }])
  modem.pass(1000)
  const [, length, hex] = /\+CDS: (\d+)\r\n([0-9A-F]+)\r\n/.exec(modem.heard())!
  const report = parsePdu(hex!, Number(length))
  assert.ok(report?.type === 'status-report' && report.reference === 1 && report.status === 0)
})

test('ESC gives the text up; a PDU of another length is refused', () => {
  const modem = bench()
  modem.say(`AT+CMGS=${SUBMIT.tpduBytes}`)
  assert.equal(modem.send(`${SUBMIT.hex.slice(0, 10)}\x1b`), '\r\nOK\r\n')
  modem.say(`AT+CMGS=${SUBMIT.tpduBytes - 1}`)
  assert.equal(modem.send(`${SUBMIT.hex}\x1a`), '\r\n+CMS ERROR: 304\r\n')
  assert.deepEqual(modem.modem.state.messages.store.sent, [])
})

test('a message comes into the memory, is read and deleted', () => {
  const modem = bench()
  modem.say('AT+CNMI=2,1')
  receive(modem, 'tere €')
  assert.equal(modem.heard(), '\r\n+CMTI: "SM",0\r\n')
  const [, status, length, hex] = /\+CMGR: (\d),,(\d+)\r\n([0-9A-F]+)\r\n/.exec(modem.say('AT+CMGR=0'))!
  assert.equal(status, '0')
  assert.equal((parsePdu(hex!, Number(length)) as Deliver).data.text, 'tere €')
  assert.match(modem.say('AT+CMGL=4'), /\+CMGL: 0,1,,/)
  assert.equal(modem.say('AT+CMGD=0'), '\r\nOK\r\n')
  assert.equal(modem.say('AT+CMGR=0'), '\r\n+CMS ERROR: 321\r\n')
})

test('what finds no room waits at the operator until some is made', () => {
  const modem = bench()
  modem.say('AT+CNMI=2,1')
  for (let count = 0; count < 22; count++) receive(modem, `message ${count}`)
  assert.match(modem.say('AT+CPMS?'), /\+CPMS: "SM",20,20,/)
  assert.equal(modem.modem.state.messages.store.waiting.length, 2)
  modem.say('AT+CMGD=3')
  assert.match(modem.heard(), /^$/)
  assert.equal(modem.modem.state.messages.store.waiting.length, 1)
})

test('straight to the host, and no other before it is acknowledged', () => {
  const modem = bench()
  modem.say('AT+CSMS=1')
  modem.say('AT+CNMI=2,2')
  receive(modem, 'one')
  receive(modem, 'two')
  assert.equal(modem.heard().match(/\+CMT: ,/g)?.length, 1)
  assert.match(modem.say('AT+CNMA'), /\+CMT: ,/)
  assert.equal(modem.say('AT+CNMA'), '\r\nOK\r\n')
  assert.equal(modem.say('AT+CNMA'), '\r\n+CMS ERROR: 340\r\n')
})

test('text mode', () => {
  const modem = bench()
  assert.equal(modem.say('AT+CMGF=1'), '\r\nOK\r\n')
  assert.equal(modem.say('AT+CMGS="+358401234567"'), '\r\n> ')
  assert.match(modem.send('hi there\x1a'), /\+CMGS: 1/)
  assert.deepEqual(modem.modem.state.messages.store.sent, [{ to: '+358401234567', text: 'hi there' }])
  receive(modem, 'back')
  assert.match(modem.say('AT+CMGL="ALL"'), /\+CMGL: 0,"REC UNREAD","\+4670123",,"70\/01\/01,02:00:00\+08"\r\nback\r\n/)
})

test('a late prompt', () => {
  const modem = bench()
  modem.faults.arm(['late', '2', 'on=+CMGS'])
  assert.equal(modem.say(`AT+CMGS=${SUBMIT.tpduBytes}`), '')
  modem.pass(2000)
  assert.equal(modem.heard(), '\r\n> ')
})
