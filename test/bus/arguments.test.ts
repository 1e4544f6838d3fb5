/** What comes over D-Bus is checked at the edge (DESIGN §7.6), and a refusal never repeats the value. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { checkConnectOptions, checkProfileFields, checkProfileName, checkText } from '../../src/bus/arguments.ts'
import { variant } from '../../src/bus/signature.ts'

function refused(run: () => unknown, code = 'InvalidArgs'): ModemdError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ModemdError, String(error))
    assert.equal(error.code, code)
    return error
  }
  assert.fail('it was taken')
}

test('every option of Connect, with its type', () => {
  const { options, wait } = checkConnectOptions({
    apn: variant('s', 'internet.t-d1.de'),
    user: variant('s', 'käthe'),
    password: variant('s', 'p w;#\\'),
    number: variant('s', '*99***1#'),
    pin: variant('s', '0000'),
    ip: variant('s', '4'),
    engine: variant('s', 'builtin'),
    timeout: variant('u', 30_000),
    wait: variant('b', true),
  })
  assert.equal(wait, true)
  assert.deepEqual(options, {
    apn: 'internet.t-d1.de',
    user: 'käthe',
    password: 'p w;#\\',
    number: '*99***1#',
    pin: '0000',
    ip: '4',
    engine: 'builtin',
    timeout: 30_000,
  })
  assert.deepEqual(checkConnectOptions({}), { options: {}, wait: false })
})

test('unknown keys and wrong types are named', () => {
  assert.match(refused(() => checkConnectOptions({ APN: variant('s', 'x') })).message, /"APN"/)
  assert.match(refused(() => checkConnectOptions({ constructor: variant('s', 'x') })).message, /"constructor"/)
  assert.match(refused(() => checkConnectOptions({ wait: variant('s', 'yes') })).message, /wait must have the type b/)
  assert.match(refused(() => checkConnectOptions({ timeout: variant('i', 5) })).message, /timeout/)
  refused(() => checkConnectOptions(Object.create({ apn: variant('s', 'x') })))
  refused(() =>
    checkConnectOptions(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, variant('s', '')]))),
  )
})

test('values that could become a second command, a file or a root action are refused', () => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    apn: ['a b', 'a"b', 'a\r', 'a,b', 'a'.repeat(101), 'ä', 'a\n'],
    user: ['a"b', "a'b", 'a\rb', 'a\nb', 'a\x1bb', 'a\x1ab', 'a\0', 'a'.repeat(256), 'a\x85'],
    password: ['a"b', 'a\r', 'x\n'],
    number: ['', '*99#;+CFUN=0', 'ATD', '1\r', '1 2', '1'.repeat(41), '1\n'],
    pin: ['', '123', '123456789', '12a4', '1234\r', '１２３４', '1234\n'],
    ip: ['', '5', '44', '4\n'],
    engine: ['', 'Builtin', '/bin/sh', 'kernel '],
  }
  for (const [key, values] of Object.entries(bad)) {
    for (const value of values) refused(() => checkConnectOptions({ [key]: variant('s', value) }))
  }
  for (const timeout of [0, 1, 999, 3_600_001]) {
    const { message } = refused(() => checkConnectOptions({ timeout: variant('u', timeout) }))
    assert.equal(message, 'timeout must be 1000 to 3600000 milliseconds.')
  }
  for (const timeout of [1000, 3_600_000])
    assert.deepEqual(checkConnectOptions({ timeout: variant('u', timeout) }).options, { timeout })
  for (const plmn of ['1234', '1234567', '26201"', '26201\n']) refused(() => checkText('plmn', plmn))
  for (const device of ['', 'a b', 'a\n', 'x'.repeat(257)]) refused(() => checkText('device', device))
  assert.equal(checkText('plmn', ''), '')
})

test('a refusal does not repeat the secret', () => {
  const { message } = refused(() => checkConnectOptions({ password: variant('s', 'hunter2"') }))
  assert.doesNotMatch(message, /hunter2/)
  assert.doesNotMatch(refused(() => checkText('pin', '99x9')).message, /99x9/)
})

test('a name that no profile can have does not exist', () => {
  assert.equal(checkProfileName('a.B_c-1'), 'a.B_c-1')
  for (const name of ['../x', 'a b', '', 'a\n', 'x'.repeat(65)]) refused(() => checkProfileName(name), 'NotFound')
})

test('a saved profile cannot hold a second line', () => {
  assert.deepEqual(
    checkProfileFields({
      name: variant('s', 'work'),
      apn: variant('s', 'internet'),
      username: variant('s', ''),
      autoconnect: variant('b', true),
      priority: variant('u', 3),
      'data-limit': variant('x', 5n),
      'chat-script': variant('s', '/etc/modemd/dial'),
    }),
    {
      name: 'work',
      apn: 'internet',
      username: '',
      autoconnect: true,
      priority: 3,
      'data-limit': 5,
      'chat-script': '/etc/modemd/dial',
    },
  )
  for (const value of ['a\nb', 'a\rb', 'a\0', 'a\u2028b', 'x'.repeat(1025)]) {
    refused(() => checkProfileFields({ service: variant('s', value) }))
  }
  for (const key of ['', '[x]', 'a=b', 'a\n', ';x', '1a'])
    refused(() => checkProfileFields({ [key]: variant('s', '') }))
  refused(() => checkProfileFields({ service: variant('ay', Buffer.from('x')) }))
  refused(() => checkProfileFields({ service: variant('as', ['x']) }))
  refused(() => checkProfileFields({ service: variant('d', Number.NaN) }))
  refused(() => checkProfileFields({ pin: variant('s', '12') }))
  refused(() => checkProfileFields({ password: variant('s', 'a"b') }))
})
