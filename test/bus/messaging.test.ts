/** Messaging1 and Sms1 on a real bus. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { variant } from '../../src/bus/signature.ts'
import { needs } from '../support/needs.ts'
import { Client, MANAGER, MODEM, plain, serve } from './fixture.ts'

const MESSAGING1 = 'org.modemd.Messaging1'
const SMS1 = 'org.modemd.Sms1'
const MESSAGE = '/org/modemd/sms/_31'
const PROPERTIES = 'org.freedesktop.DBus.Properties'

const has = needs('dbus-daemon', 'busctl')

test('a message is an object; what it says is no property', has, async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const { messaging } = api.modems[0]!
  messaging.receive({ number: 'Sender', text: 'secret \x1b[2J\0\ud83d text' })
  await client.sync()
  const added = client.signals.find(({ member }) => member === 'InterfacesAdded')
  assert.deepEqual(added?.body[0], MESSAGE)
  const received = client.signals.find(({ member }) => member === 'Received')
  assert.deepEqual([received?.path, received?.interface, received?.body], [MODEM, MESSAGING1, [MESSAGE]])
  assert.equal(await bus.property(MODEM, MESSAGING1, 'Messages'), `ao 1 "${MESSAGE}"`)
  assert.deepEqual(plain((await client.call(MESSAGE, PROPERTIES, 'GetAll', 's', SMS1))[0]), {
    Modem: MODEM,
    Timestamp: '2026-11-22T17:42:30+02:00',
    State: 'received',
    Parts: 2,
    PartsHere: 2,
    Encoding: 'ucs2',
    Flash: false,
    Stored: true,
  })
  assert.deepEqual(await client.call(MESSAGE, SMS1, 'Read'), ['Sender', 'secret \x1b[2J\ufffd\ufffd text'])
  assert.doesNotMatch(JSON.stringify(client.signals), /secret|Sender/)

  messaging.change({ messages: [{ ...messaging.snapshot.messages[0]!, state: 'incomplete' }] })
  await client.sync()
  assert.deepEqual(
    client.propertyChanges(SMS1).map(({ path, body }) => [path, plain(body[1])]),
    [[MESSAGE, { State: 'incomplete' }]],
  )
  await client.call(MODEM, MESSAGING1, 'Delete', 'o', MESSAGE)
  await client.sync()
  assert.deepEqual(client.signals.find(({ member }) => member === 'InterfacesRemoved')?.body, [MESSAGE, [SMS1]])
  await assert.rejects(client.call(MODEM, MESSAGING1, 'Delete', 'o', MESSAGE), {
    errorName: 'org.modemd.Error.NotFound',
  })
})

test(
  'sending: the object comes back, wrong values are refused before the modem hears of them',
  has,
  async (context) => {
    const { bus, api } = await serve(context)
    const client = await Client.connect(context, bus)
    const send = (to: string, text: string) => client.call(MODEM, MESSAGING1, 'Send', 'ss', to, text)
    assert.deepEqual(await send('+358401234567', 'hello'), ['/org/modemd/sms/_37'])
    const options = { report: variant('b', true), validity: variant('u', 60) }
    await client.call(MODEM, MESSAGING1, 'SendWithOptions', 'ssa{sv}', '16400', 'hi', options)
    assert.deepEqual(api.log, [
      'sms(+358401234567, hello, {})',
      'sms(16400, hi, {"wantsReport":true,"isFlash":false,"validityMinutes":60})',
    ])
    await assert.rejects(send('1', 'no network'), { errorName: 'org.modemd.Error.NoNetwork' })
    for (const to of ['', 'Sender', '1"\r\nAT+CPIN="9999"', '1'.repeat(21)])
      await assert.rejects(send(to, 'x'), { errorName: 'org.modemd.Error.InvalidArgs' })
    for (const wrong of [
      { reports: variant('b', true) },
      { report: variant('s', 'yes') },
      { validity: variant('u', 0) },
    ])
      await assert.rejects(client.call(MODEM, MESSAGING1, 'SendWithOptions', 'ssa{sv}', '1', 'x', wrong), {
        errorName: 'org.modemd.Error.InvalidArgs',
      })
    assert.equal(api.log.length, 3)
    assert.deepEqual(await client.call(MODEM, MESSAGING1, 'CountParts', 's', 'x'.repeat(161)), [2, 'gsm7'])
  },
)

test('messages go with their modem', has, async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  api.modems[0]!.messaging.receive({ number: '1', text: 'x' })
  const [before] = await client.call(MANAGER, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
  assert.ok(MESSAGE in (before as object))
  api.removeModem(api.modems[0]!)
  const [after] = await client.call(MANAGER, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
  assert.ok(!(MESSAGE in (after as object)))
})
