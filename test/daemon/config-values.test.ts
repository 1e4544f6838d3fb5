/** Bad values of a profile, each with what is said about it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfProfile, isRoot, profileOf } from './config-rig.ts'

const BAD_VALUES: readonly (readonly [string, RegExp])[] = [
  ['apn =', /apn must not be empty/],
  ['apn = a b', /apn may have letters/],
  ['number = 0800-CALL', /number may have digits/],
  ['pin = 123', /pin must be 4 to 8 digits/],
  ['username = a"b', /username must have no quotation mark/],
  [`password = ${'é'.repeat(128)}`, /password may have at most 255 bytes/],
  ['modem = first', /modem must be any, a modem's id/],
  ['dial-timeout = 60', /dial-timeout must be a time with its unit/],
  ['dial-timeout = 2h', /dial-timeout must be from 1s to 1h/],
  ['roaming = true', /roaming must be yes or no/],
  ['cid = 17', /cid must be a whole number from 1 to 16/],
  ['sim = 12', /sim must be an ICCID/],
  ['share = eth/0', /share must be the name of a network interface/],
  ['check = host', /check must be host:port/],
  ['check = host:70000', /check must be host:port/],
  ['check = host:0', /check must be host:port/],
  ['check = 192.0.2:80', /check must be host:port/],
  ['check = 192.0.2.256:80', /check must be host:port/],
  ['check = a..b:80', /check must be host:port/],
  ['check = -a.example:80', /check must be host:port/],
  [`check = ${'a'.repeat(64)}.example:80`, /check must be host:port/],
  ['check = 2001:db8::1:80', /check must be host:port/],
  ['check = [2001:db8::1::]:80', /check must be host:port/],
  ['check = a.example:80\n[ppp]\ndns = none', /check = a.example:80 has a name, and dns = none leaves nobody to ask/],
  ['data-limit = 5', /data-limit must be a size with its unit/],
  ['priority = -1', /priority must be a whole number/],
  ['chat-script = ../../shadow', /chat-script must not lead through/],
  ['aotoconnect = yes', /did you mean autoconnect\?/],
  ['engine = auto', /engine belongs into \[ppp\]/],
  ['mtu = 1500', /mtu belongs into \[ppp\]/],
]

for (const [line, expected] of BAD_VALUES) {
  test(`bad value: ${line.slice(0, 40)}`, () => {
    const all = faultsOfProfile(`[profile]\n${line}`)
    const faults = all.filter((fault) => isRoot || !fault.includes('only taken from a file of root'))
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0]!, expected)
    assert.match(faults[0]!, /^2: /)
  })
}

for (const rule of ['5', '5s*2', '5s*0..5m', '5s*2..1s', 'never', '0s', '5s*..5m', '2d', '5s*2..', '*']) {
  test(`bad redial rule: ${rule}`, () => {
    assert.equal(faultsOfProfile(`[redial]\nbusy = ${rule}`).length, 1)
  })
}

test('what a check asks', () => {
  const targetOf = (value: string) => profileOf(`[profile]\ncheck = ${value}`).check
  assert.deepEqual(targetOf('192.0.2.1:53'), { host: '192.0.2.1', port: 53 })
  assert.deepEqual(targetOf('[2001:db8::1]:443'), { host: '2001:db8::1', port: 443 })
  assert.deepEqual(targetOf('Gate-1.example.org:65535'), { host: 'Gate-1.example.org', port: 65_535 })
  assert.equal(targetOf(''), undefined)
  assert.deepEqual(profileOf('[profile]\ncheck = 192.0.2.1:53\n[ppp]\ndns = none').check?.port, 53)
})

test('redial rules for a cause nobody may redial, and for one that is none', () => {
  assert.match(faultsOfProfile('[redial]\nuser-request = 5s')[0]!, /no key user-request/)
  assert.match(faultsOfProfile('[redial]\nno-carier = 5s')[0]!, /did you mean no-carrier\?/)
  assert.deepEqual(profileOf('[redial]\nbusy = 1.5s*1.5..1h').redial.busy, {
    firstMs: 1500,
    factor: 1.5,
    longestMs: 3_600_000,
  })
})
