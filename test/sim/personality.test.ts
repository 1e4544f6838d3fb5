/** Personality files: those that are bundled are sound, and one that is not says what is wrong with it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressPool } from '../../src/sim/address-pool.ts'
import { identityOf, withCheckDigit } from '../../src/sim/identity.ts'
import generic from '../../src/sim/personalities/generic.json' with { type: 'json' }
import { loadPersonality, PERSONALITY_NAMES } from '../../src/sim/personality.ts'

const load = (value: unknown) => loadPersonality('./mine.json', () => JSON.stringify(value))

test('every bundled personality is sound and goes by its own name', () => {
  assert.deepEqual(PERSONALITY_NAMES, [
    'generic',
    'huawei-e173',
    'zte-mf190',
    'quectel-ec25',
    'simcom-sim800',
    'sierra-mc7304',
    'telit-le910',
    'ublox-sara',
  ])
  for (const name of PERSONALITY_NAMES) {
    const personality = loadPersonality(name, () => '')
    assert.equal(personality.name, name)
    assert.ok(personality.sources.length > 0, `${name} names its sources`)
  }
})

test('a file of the user is read', () => {
  assert.equal(load({ ...generic, name: 'mine' }).name, 'mine')
})

test('all faults of a file are named at once, with their places', () => {
  const { echo: _, ...dialect } = generic.dialect
  const broken = {
    ...generic,
    name: 'No Good',
    colour: 'red',
    usb: { ...generic.usb, idVendor: 'XYZ', interfaces: [{ ...generic.usb.interfaces[0], driver: 'magic' }] },
    dialect: { ...dialect, errorLevel: 7, replies: { '^X': ['line\nbreak'] } },
    timings: { ...generic.timings, slowMs: { D: -1 } },
    ppp: { ...generic.ppp, peerAddress: '10.64.64.640' },
  }
  assert.throws(
    () => load(broken),
    (error: Error) => {
      for (const place of [
        'mine.json',
        'name: must be lower-case',
        'colour: is not known',
        'usb.idVendor: must be 4 hex',
        'usb.interfaces[0].driver: must be one of option',
        'dialect.echo: must be true or false',
        'dialect.errorLevel: must be one of 0, 1, 2',
        'dialect.replies["^X"][0]: must be one line',
        'timings.slowMs["D"]: must be a whole number',
        'ppp.peerAddress: must be an IPv4 address',
      ])
        assert.ok(error.message.includes(place), `${place} in ${error.message}`)
      return true
    },
  )
})

test('no modem port, no JSON, no such name', () => {
  const interfaces = generic.usb.interfaces.map((each) => ({ ...each, port: 'at' }))
  assert.throws(() => load({ ...generic, usb: { ...generic.usb, interfaces } }), /one must have the port "modem"/)
  assert.throws(() => load([1]), /must be an object/)
  assert.throws(() => loadPersonality('./mine.json', () => '{'), /mine\.json: .*JSON/)
  assert.throws(() => loadPersonality('nokia-1100', () => ''), /generic, huawei-e173/)
})

test('check digits, and numbers that differ from modem to modem', () => {
  assert.equal(withCheckDigit('49015420323751'), '490154203237518', 'the example of 3GPP TS 23.003')
  assert.equal(withCheckDigit('7992739871'), '79927398713', 'the example of ISO/IEC 7812-1')
  const all = [0, 1, 2, 3].map((index) =>
    identityOf(
      loadPersonality('generic', () => ''),
      5,
      index,
    ),
  )
  assert.equal(new Set(all.flatMap(({ imei, iccid, imsi }) => [imei, iccid, imsi])).size, 12)
  for (const { imei, iccid, imsi } of all) assert.deepEqual([imei.length, iccid.length, imsi.length], [15, 19, 15])
  assert.deepEqual(
    identityOf(
      loadPersonality('generic', () => ''),
      5,
      0,
    ),
    all[0],
  )
})

test('the pool gives each address once, never a reserved one, and ends', () => {
  const pool = new AddressPool('192.0.2.0/29', [0xc0000203])
  assert.equal(pool.gateway, 0xc0000201)
  const taken = [1, 2, 3, 4].map(() => pool.take())
  assert.deepEqual(taken, [0xc0000202, 0xc0000204, 0xc0000205, 0xc0000206])
  assert.equal(pool.take(), undefined)
  pool.giveBack(0xc0000204)
  assert.equal(pool.take(), 0xc0000204)
  for (const wrong of ['192.0.2.0', '192.0.2.0/31', '192.0.2.0/7', '192.0.2.1/24', 'x/24', '192.0.2.0/24/1'])
    assert.throws(() => new AddressPool(wrong, []), /pool|network/, wrong)
})
