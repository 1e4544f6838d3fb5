import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { carriesPin, GuardedWire, PinGuard } from '../../src/modem/pin-guard.ts'
import { WireDecorator } from '../../src/serial/wire-decorator.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'

/** 7531 is the PIN or PUK that must not get through; each is one attempt to bring it past the guard. */
const REFUSED: readonly string[] = [
  'AT+CPIN="7531"\r',
  'at+cpin="7531"\r',
  'At+CpIn=7531\r',
  'AT+CPIN=7531\n\r',
  'AT +CPIN = "7531"\r',
  'AT + C P I N = 7531\r',
  'AT\t+CP\x00IN=7531\r',
  'AT;+CPIN=7531\r',
  'AT+CSQ;+CPIN=7531\r',
  'AT+CPIN?;+CPIN=7531\r',
  'ATE0+CPIN=7531\r',
  'AT+CPIN=?;+CPIN="7531"\r',
  'AT+CPIN2="7531"\r',
  'AT+CPIN="75310000","7531"\r',
  'AT^CPIN="7531"\r',
  'AT*CPIN="7531"\r',
  'AT#CPIN=7531\r',
  'AT$QCPIN=7531\r',
  'AT+CLCK="SC",1,"7531"\r',
  'AT+CLCK="SC",0,"7531",1\r',
  'AT+CLCK="SC",2,"7531"\r',
  'AT^SLCK="SC",1,"7531"\r',
  'AT+CPWD="SC","7531","1111"\r',
  'AT^SPWD="SC","7531","1111"\r',
  'ATD**04*7531*1111*1111#\r',
  'ATD**05*75310000*1111*1111#;\r',
  'ATD**042*7531*1111*1111#\r',
  'AT+CUSD=1,"**04*7531*1111*1111#"\r',
  'ATD*-*0 4*7531*1111*1111#\r',
  // The same as packed septets, UCS2 and octets; the number in it is 7531.
  'AT+CUSD=1,"2A158C7531A2C562B158AC168BD52E",15\r',
  'AT+CUSD=1,"002A002A00300034002A7531",72\r',
  'AT+CUSD=1,"2A2A30352A7531",15\r',
  'AT+XPIN=7531\r',
  'AT+CSQ;+CREG?;+CPIN2=7531\r',
  'AT#PIN=1,7531\r',
  'AT+CSIM=26,"0020000108373533317FFFFFFF7531"\r',
  'AT+CSIM=26,A020000108373533317531\r',
  'AT+CGLA=1,26,"0120000108373533317531"\r',
  'AT+CRSM=32,28423,0,1,8,"7531"\r',
  // The modem obeys backspace, or takes the high bit for parity.
  'AT+CPIM\bN=7531\r',
  'AT+CPI\x7fIN=7531\r',
  'AT+CPXX\b\bIN=7531\r',
  `${fromLatin1(latin1('AT+CPIN=7531\r').map((value) => value | 0x80))}`,
  // A CR that the modem was told not to end lines with.
  'AT+CP\nIN=7531\r',
]

const ALLOWED: readonly string[] = [
  'AT\r',
  'ATE0\r',
  'AT+CPIN?\r',
  'AT+CPIN=?\r',
  'AT+CPIN2?\r',
  'AT^CPIN?\r',
  'AT+CPINR\r',
  'AT+CPINR="SIM PIN"\r',
  'AT+QPINC?\r',
  'AT+QPINC="SC"\r',
  'AT+UPINCNT\r',
  'AT+CLCK="SC",2\r',
  'AT+CLCK="PN",2;+CSQ\r',
  'AT+CLCK=?\r',
  'AT+CPWD=?\r',
  'AT+CRSM=176,12258,0,0,10\r',
  'AT+CSIM=14,"A0A40000022FE2"\r',
  'AT+CGDCONT=1,"IP","internet"\r',
  'ATD*99***1#\r',
  'AT+CUSD=1,"*100#",15\r',
  // The text of a message in PDU mode ends with ^Z; it may say anything.
  '0011000B916407281553F80008AA08002A002A00300034\x1a',
  'ATD+34600000001;\r',
  'ATS0=0S7=60\r',
  'ATS3=13\r',
  'AT&F0E0S5=8\r',
  '+++',
  'user\rpassword\r',
]

function through(guard: PinGuard, text: string, cuts: readonly number[]): string {
  const bytes = latin1(text)
  const edges = [0, ...cuts, bytes.length]
  return fromLatin1(concat(edges.slice(1).map((end, index) => guard.pass(bytes.slice(edges[index], end)))))
}

test('no way of writing it brings a PIN past the guard, nor leaves a piece that a later line completes', () => {
  for (const text of REFUSED) {
    for (const cuts of [[], Array.from(text, (_, index) => index), [3], [5], [text.length - 1]]) {
      const guard = new PinGuard()
      let refusals = 0
      guard.onRefused = () => refusals++
      const passed = through(guard, text, cuts)
      assert.doesNotMatch(passed, /7531|[\xb7][\xb5]/, JSON.stringify(text))
      // A line that ends in a CR with the high bit is never judged, and so never sent.
      assert.equal(refusals, text.endsWith('\r') ? 1 : 0, JSON.stringify(text))
      const later = passed + through(guard, 'N=7531\r', []) + through(guard, '=7531\r', [])
      const modemSees = later.replace(/[\x00-\x0c\x0e-\x20]/g, '')
      assert.doesNotMatch(modemSees, /CPIN=?7531/i, JSON.stringify(text))
      assert.ok(carriesPin(text), JSON.stringify(text))
    }
  }
})

test('everything else passes byte for byte, however it is cut', () => {
  for (const text of ALLOWED) {
    assert.equal(carriesPin(text), false, text)
    for (let cut = 0; cut <= text.length; cut++) {
      const guard = new PinGuard()
      guard.onRefused = () => assert.fail(text)
      assert.equal(through(guard, text, [cut]) + through(guard, 'AT+CSQ\r', []), `${text}AT+CSQ\r`)
    }
  }
})

test('A/ would repeat the last line, PIN and all', () => {
  for (const text of ['A/', 'a/', 'x a/', 'A\b\bA/', '\n A /']) {
    const guard = new PinGuard()
    assert.doesNotMatch(through(guard, `AT+CSQ\r${text}`, []), /\/$/, text)
    assert.ok(carriesPin(text))
  }
  const guard = new PinGuard()
  const url = 'AT+HTTPPARA="URL","a/b"\r'
  assert.equal(through(guard, url, []), url)
})

test('the characters that end and edit a line stay what they are', () => {
  for (const text of ['ATS3=90\r', 'ATE0S03=10\r', 'AT&FS5=88\r', 'at s5 = 33\r']) {
    const guard = new PinGuard()
    assert.doesNotMatch(through(guard, text, []), /\r/, text)
  }
})

test('a permitted line passes once, alone and unchanged', () => {
  const guard = new PinGuard()
  guard.permit('AT+CPIN="7531"')
  assert.equal(through(guard, 'AT+CPIN="7532"\r', []), 'AT+CPI')
  assert.equal(through(guard, '\r', []), '\r')
  assert.equal(through(guard, 'AT+CPIN="7531"\r', [4]), 'AT+CPIN="7531"\r')
  assert.equal(through(guard, 'AT+CPIN="7531"\r', []), 'AT+CPI')
  guard.permit('AT+CPIN="7531"')
  guard.revoke()
  assert.equal(through(guard, '\rAT+CPIN="7531"\r', []), '\rAT+CPI')
})

test('PPP is not looked at, command mode is again afterwards', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  let heard = ''
  far.listen({
    data: (bytes) => {
      heard += fromLatin1(bytes)
    },
    drain() {},
    closed() {},
  })
  const guard = new PinGuard()
  const ends: string[] = []
  const wire = new GuardedWire(near, guard, (reason) => ends.push(reason))
  wire.listen({ data() {}, drain() {}, closed() {} })
  guard.isDataMode = true
  wire.write(latin1('~AT+CPIN=7531\r~'))
  guard.isDataMode = false
  wire.write(latin1('AT+CPIN=7531\r'))
  await clock.advance(1)
  assert.equal(heard, '~AT+CPIN=7531\r~AT+CPI')
  await far.close()
  await clock.advance(1)
  assert.deepEqual(ends, ['hung up'])
})

test('random blanks, cases, cuts and neighbours make no hole', () => {
  const blank = fc.constantFrom('', ' ', '\t', '\x00', '  ')
  const neighbour = fc.constantFrom('', '+CSQ;', 'E0', ';', '+CPIN?;', '+CGDCONT=1,"IP","a";', '+CLCK="SC",2;')
  const command = fc.constantFrom('+CPIN=', '+CPIN2=', '^CPIN=', '+CLCK="SC",0,', '+CPWD="SC",', '#PIN=')
  fc.assert(
    fc.property(
      neighbour,
      command,
      fc.array(blank, { minLength: 40, maxLength: 40 }),
      fc.nat(),
      (before, name, blanks, seed) => {
        const letters = [...`AT${before}${name}7531`].map((char, index) => {
          const cased = (seed >> (index % 30)) & 1 ? char.toLowerCase() : char
          return cased + (/[0-9]/.test(char) ? '' : (blanks[index % blanks.length] ?? ''))
        })
        const text = `${letters.join('')}\r`
        const guard = new PinGuard()
        assert.doesNotMatch(through(guard, text, [seed % text.length]), /7531/)
      },
    ),
    { seed: 11, numRuns: 400 },
  )
})

test('a line without an end is not kept without bound', () => {
  const guard = new PinGuard()
  let refusals = 0
  guard.onRefused = () => refusals++
  guard.pass(new Uint8Array(6000).fill(120))
  assert.equal(refusals, 6000 - 4096)
  assert.equal(through(guard, '\rAT\r', []), '\rAT\r')
})

test('the descriptor, which leads past the guard, is there only while PPP has the wire', () => {
  class Tty extends WireDecorator {
    override get fd(): number {
      return 11
    }
  }
  const guard = new PinGuard()
  const [near] = virtualWires(new VirtualClock())
  const wire = new GuardedWire(new Tty(near), guard, () => {})
  assert.equal(wire.fd, undefined)
  guard.isDataMode = true
  assert.equal(wire.fd, 11)
  guard.isDataMode = false
  assert.equal(wire.fd, undefined)
})
