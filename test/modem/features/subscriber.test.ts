/** Whose SIM it is: the files of the card as real ones have them, the length of the MNC, and how often the modem is asked. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { parseMncLength, parseProviderName } from '../../../src/modem/at/replies/sim-files.ts'
import { simOperatorOf } from '../../../src/modem/features/subscriber/mnc-length.ts'
import { FleetBench } from '../support/fleet-bench.ts'

test('EF-AD: the length of the MNC', () => {
  for (const [reply, length] of [
    ['+CRSM: 144,0,"00000002"', 2],
    ['+CRSM: 144,0,"00000003"', 3],
    ['+CRSM: 144,0,"00000103"', 3],
    ['+CRSM:144,0,00000002', 2],
    ['+CRSM: 145,28,"000000020000"', 2],
    ['+CRSM: 144,0,"000000F3"', 3],
    // Before 1998: three bytes.
    ['+CRSM: 144,0,"000000"', undefined],
    ['+CRSM: 144,0,"000000FF"', undefined],
    ['+CRSM: 144,0,"00000000"', undefined],
    ['+CRSM: 106,130', undefined],
    ['+CRSM: 148,4,""', undefined],
    ['+CRSM: 144,0,"0000000"', undefined],
    ['+CRSM: 144,0,"garbage!"', undefined],
    ['+CRSM: 144', undefined],
    ['OK', undefined],
  ] as const)
    assert.equal(parseMncLength([reply]), length, reply)
})

test('EF-SPN: the provider’s name in every coding of ETSI TS 102 221', () => {
  const name = (hex: string) => parseProviderName([`+CRSM: 144,0,"${hex}"`])
  assert.equal(name('00566F6461666F6E65FFFFFFFFFFFFFFFFFF'), 'Vodafone')
  assert.equal(name('014F32202D206465FFFFFFFFFFFFFFFFFFFF'), 'O2 - de')
  assert.equal(name('01417C42FFFFFFFFFFFFFFFFFFFFFFFFFFFF'), 'AöB', 'the GSM alphabet')
  assert.equal(name('018004110438043B04300439043DFFFFFFFF'), 'Билайн', 'UCS2')
  assert.equal(name('01810408C1C2C3C4FFFFFFFFFFFFFFFFFFFF'), '\u0441\u0442\u0443\u0444', 'half a page')
  assert.equal(name('0182030530A0B1C2FFFFFFFFFFFFFFFFFFFF'), '\u0550\u0561\u0572', 'any page')
  assert.equal(name('0180D83D0041FFFFFFFFFFFFFFFFFFFFFFFF'), '\ufffdA', 'half a surrogate pair')
  assert.equal(name('FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'), undefined)
  assert.equal(name('00'), undefined)
  assert.equal(name('0020202020'), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = name(Buffer.from(bytes).toString('hex'))
      assert.ok(text === undefined || (text.length > 0 && text === text.trim()))
      assert.doesNotMatch(text ?? '', /[\ud800-\udfff]/)
    }),
  )
})

test('MCC and MNC of an IMSI: as the SIM says, else as the country has it', () => {
  const plmn = (imsi: string, length?: 2 | 3) => {
    const operator = simOperatorOf(imsi, length)
    return operator && `${operator.mcc}-${operator.mnc}`
  }
  assert.equal(plmn('214011234567890'), '214-01')
  assert.equal(plmn('310260123456789'), '310-260')
  assert.equal(plmn('310260123456789', 2), '310-26', 'the SIM knows')
  assert.equal(plmn('334020123456789'), '334-020')
  assert.equal(plmn('214011234567890', 3), '214-011')
  assert.equal(plmn('405854123456789'), '405-854')
  assert.equal(plmn('405011234567890'), '405-01')
  assert.equal(plmn('502121234567890'), '502-12')
  assert.equal(plmn('502153123456789'), '502-153')
  assert.equal(plmn('001011234567890'), '001-01')
  assert.equal(plmn('21401'), undefined)
  assert.equal(plmn('x'), undefined)
})

test('the modem is asked once a SIM, and again where the SIM did not tell', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({})
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.ownNumbers.length === 1)
  const { subscriber } = bench.modem
  assert.ok(subscriber)
  scripted.answer = (command) =>
    command === 'AT+CIMI'
      ? '310260123456789\nOK'
      : command === 'AT+CRSM=176,28486,0,0,17'
        ? '+CRSM: 144,0,"004578616D706C65FFFFFFFFFFFFFFFFFFFF"\nOK'
        : undefined
  scripted.commands.length = 0
  assert.deepEqual(await bench.settled(subscriber.operator()), { mcc: '310', mnc: '260' }, 'no EF-AD: by the country')
  assert.deepEqual(scripted.commands, ['AT+CIMI', 'AT+CRSM=176,28589,0,0,4'])
  await bench.settled(subscriber.operator())
  assert.equal(await bench.settled(subscriber.providerName()), 'Example')
  assert.equal(await bench.settled(subscriber.providerName()), 'Example')
  assert.equal(scripted.commands.length, 3)
  assert.doesNotMatch(inspect(bench.modem.snapshot, { depth: 9 }), /310260123456789/, 'the IMSI stays inside')
})

test('a SIM that is busy is asked again', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  const scripted = bench.plug({})
  await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.ownNumbers.length === 1)
  const { subscriber } = bench.modem
  scripted.answer = (command) =>
    command === 'AT+CIMI' || command.startsWith('AT+CRSM=') ? '+CME ERROR: 14' : undefined
  assert.equal(await bench.settled(subscriber!.operator()), undefined)
  assert.equal(await bench.settled(subscriber!.providerName()), undefined)
  scripted.answer = (command) => (command.startsWith('AT+CRSM=') ? '+CRSM: 144,0,"00000003"\nOK' : undefined)
  assert.deepEqual(await bench.settled(subscriber!.operator()), { mcc: '214', mnc: '011' })
})
