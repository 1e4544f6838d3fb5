/** The small parts of PPP: packets, options, their text, alarms, limits, exit codes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, latin1 } from '../../src/base/bytes.ts'
import { Alarms } from '../../src/ppp/control/alarms.ts'
import { RateLimit } from '../../src/ppp/control/rate-limit.ts'
import { pppExitCode } from '../../src/ppp/exit-codes.ts'
import { controlBytes, optionBytes, parseControl, parseOptions } from '../../src/ppp/wire/packets.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { CHAP, IPCP, LCP, PAP } from '../../src/ppp/wire/protocols.ts'

test('packets: Length below the header or past the end is refused, padding is cut', () => {
  assert.equal(parseControl(new Uint8Array(0)), undefined)
  assert.equal(parseControl(Uint8Array.of(1, 1, 0)), undefined)
  assert.equal(parseControl(Uint8Array.of(1, 1, 0, 3)), undefined)
  assert.equal(parseControl(Uint8Array.of(1, 1, 0, 5)), undefined)
  assert.equal(parseControl(Uint8Array.of(1, 1, 255, 255, 0, 0)), undefined)
  assert.deepEqual(parseControl(Uint8Array.of(1, 2, 0, 5, 9, 8, 7)), { code: 1, id: 2, data: Uint8Array.of(9) })
  assert.deepEqual(controlBytes(1, 2, Uint8Array.of(9)), Uint8Array.of(1, 2, 0, 5, 9))
})

test('options: none is trusted where one runs over', () => {
  assert.deepEqual(parseOptions(Uint8Array.of(1, 4, 5, 0xdc, 7, 2)), [
    { type: 1, data: Uint8Array.of(5, 0xdc) },
    { type: 7, data: Uint8Array.of() },
  ])
  for (const bad of [[1], [1, 0], [1, 1], [1, 3], [1, 2, 5], [7, 2, 1, 9, 0]])
    assert.equal(parseOptions(Uint8Array.from(bad)), undefined)
  assert.deepEqual(optionBytes(parseOptions(Uint8Array.of(1, 4, 5, 0xdc, 7, 2))!), Uint8Array.of(1, 4, 5, 0xdc, 7, 2))
})

const print = (protocol: number, code: number, ...data: number[]) =>
  printPacket(protocol, controlBytes(code, 1, Uint8Array.from(data)))

test('packets in the words of pppd', () => {
  const options = [
    1, 4, 5, 0xdc, 2, 6, 0, 0, 0, 0, 3, 5, 0xc2, 0x23, 5, 3, 4, 0xc0, 0x23, 5, 6, 0x5f, 0xd1, 0xcc, 0xd2, 7, 2, 8, 2,
    13, 3, 6,
  ]
  assert.equal(
    print(LCP, 1, ...options),
    '[LCP ConfReq id=0x1 <mru 1500> <asyncmap 0x0> <auth chap MD5> <auth pap> <magic 0x5fd1ccd2> <pcomp> <accomp> <callback CBCP>]',
  )
  assert.equal(print(LCP, 3, 3, 4, 0xc2, 0x27), '[LCP ConfNak id=0x1 <auth eap>]')
  assert.equal(print(LCP, 3, 3, 5, 0xc2, 0x23, 0x81), '[LCP ConfNak id=0x1 <auth chap MS-v2>]')
  assert.equal(print(LCP, 5, ...latin1('User request')), '[LCP TermReq id=0x1 "User request"]')
  assert.equal(print(LCP, 6), '[LCP TermAck id=0x1]')
  assert.equal(print(LCP, 8, 0x80, 0xfd, 1, 1, 0, 4), '[LCP ProtRej id=0x1 80 fd 01 01 00 04]')
  assert.equal(print(LCP, 9, 0x5f, 0xd1, 0xcc, 0xd2), '[LCP EchoReq id=0x1 magic=0x5fd1ccd2]')
  assert.equal(print(LCP, 10), '[LCP EchoRep id=0x1]')
  assert.equal(print(LCP, 77, 1, 2), '[LCP code=0x4d id=0x1 01 02]')
  assert.equal(
    print(IPCP, 1, 2, 6, 0, 0x2d, 15, 1, 3, 6, 10, 64, 0, 2, 129, 6, 0, 0, 0, 0, 131, 6, 1, 2, 3, 4),
    '[IPCP ConfReq id=0x1 <compress VJ 0f 01> <addr 10.64.0.2> <ms-dns1 0.0.0.0> <ms-dns2 1.2.3.4>]',
  )
  assert.equal(print(PAP, 3, 3, ...latin1('no!')), '[PAP AuthNak id=0x1 "no!"]')
  assert.equal(print(CHAP, 1, 2, 0xab, 0xcd, ...latin1('server')), '[CHAP Challenge id=0x1 <abcd>, name = "server"]')
  assert.equal(print(CHAP, 3, ...latin1('hi')), '[CHAP Success id=0x1 "hi"]')
  assert.equal(print(0x80fd, 1, 21, 3, 47), '[CCP ConfReq id=0x1 <bsd v1 15>]')
  assert.equal(print(0x1234, 1), '[proto=0x1234] 01 01 00 04')
  assert.equal(printPacket(LCP, Uint8Array.of(1, 2)), '[LCP] 01 02')
})

test('no secret is printed, however the packet lies, and no control character', () => {
  const secret = latin1('sesame')
  const texts = [
    print(PAP, 1, 4, ...latin1('demo'), 6, ...secret),
    print(PAP, 1, 11, ...latin1('demo'), 6, ...secret),
    print(PAP, 1, 200, ...latin1('demo'), 6, ...secret),
    print(PAP, 9, ...secret),
    printPacket(PAP, concat([Uint8Array.of(1, 1, 0, 99, 4), latin1('demo'), secret])),
    print(LCP, 8, 0xc0, 0x23, 1, 1, 0, 16, 4, ...latin1('demo'), 6, ...secret),
    print(CHAP, 2, 6, ...secret, ...latin1('demo')),
  ]
  const hex = [...secret].map((octet) => octet.toString(16)).join(' ')
  for (const text of texts)
    assert.ok(!text.includes('sesame') && !text.includes(hex) && !text.includes(hex.replaceAll(' ', '')), text)
  assert.equal(texts[0], '[PAP AuthReq id=0x1 user="demo" password=<hidden>]')
  assert.equal(print(LCP, 5, 65, 27, 91, 50, 74), '[LCP TermReq id=0x1 "A\\033[2J"]')
})

test('alarms fire in order, once, and can be moved and cancelled', () => {
  const alarms = new Alarms()
  const fired: string[] = []
  alarms.set('b', 20, () => fired.push('b'))
  alarms.set('a', 10, () => fired.push('a'))
  alarms.set('c', 5, () => fired.push('c'))
  alarms.set('c', 30, () => fired.push('c later'))
  alarms.set('d', 15, () => fired.push('d'))
  alarms.cancel('d')
  assert.deepEqual(alarms.next, { atMs: 10, why: 'a' })
  alarms.nowMs = 20
  alarms.fireDue()
  assert.deepEqual(fired, ['a', 'b'])
  alarms.nowMs = 100
  alarms.fireDue()
  alarms.fireDue()
  assert.deepEqual(fired, ['a', 'b', 'c later'])
  assert.equal(alarms.next, undefined)
})

test('a rate limit gives its burst, and then its rate', () => {
  const limit = new RateLimit(3, 2)
  const allowed = (nowMs: number) => Array.from({ length: 10 }, () => limit.allows(nowMs)).filter(Boolean).length
  assert.equal(allowed(0), 3)
  assert.equal(allowed(1000), 2)
  assert.equal(allowed(1400), 0)
  assert.equal(allowed(1500), 1)
  assert.equal(allowed(60_000), 3)
})

test("pppd's exit codes", () => {
  assert.equal(pppExitCode('hung-up'), 16)
  assert.equal(pppExitCode('loopback'), 17)
  assert.equal(pppExitCode('auth-refused'), 19)
  assert.equal(pppExitCode('peer-auth-refused'), 11)
  assert.equal(pppExitCode('user-request'), 5)
})
