/** Modem1.Command and ForceCommand, and Manager1.ListPorts, on a real bus. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { modem1 } from '../../src/bus/api/modem1.ts'
import { FakeSupervisor } from '../support/fake-supervisor.ts'
import { needs } from '../support/needs.ts'
import { Client, MANAGER, MODEM, plain, serve } from './fixture.ts'

const MODEM1 = 'org.modemd.Modem1'

test('where the console is off nothing is sent', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  for (const method of ['Command', 'ForceCommand'])
    await assert.rejects(client.call(MODEM, MODEM1, method, 'su', 'AT+CSQ', 1000), {
      errorName: 'org.modemd.Error.Unsupported',
      message: /at-console = yes/,
    })
  assert.deepEqual(api.log, [])
})

test('it is switched on and off while modemd runs', needs('dbus-daemon'), async (context) => {
  let isOn = false
  const { bus, api } = await serve(context, { isConsoleOn: () => isOn })
  const client = await Client.connect(context, bus)
  const ask = (line: string, method = 'Command') => client.call(MODEM, MODEM1, method, 'su', line, 1000)
  await assert.rejects(ask('AT+CSQ'), { errorName: 'org.modemd.Error.Unsupported' })
  isOn = true
  assert.deepEqual(await ask('AT+CSQ'), ['+CSQ: 20,99\nOK'])
  assert.deepEqual(await ask('AT+NO'), ['+CME ERROR: 100'], "the modem's error is an answer")
  await assert.rejects(ask('ATZ'), { errorName: 'org.modemd.Error.WrongState', message: /mmctl reset/ })
  assert.deepEqual(await ask('ATZ', 'ForceCommand'), ['+CSQ: 20,99\nOK'])
  assert.deepEqual(await ask('AT+ESC'), ['+ESC: \\x1b[2J\nOK'], 'no control character but the ends of lines')
  assert.deepEqual(api.log.slice(0, 2), ['command(AT+CSQ, 1000, false)', 'command(AT+NO, 1000, false)'])
  isOn = false
  await assert.rejects(ask('AT+CSQ'), { errorName: 'org.modemd.Error.Unsupported' })
})

test('the console has an action of its own', () => {
  const api = new FakeSupervisor()
  for (const name of ['Command', 'ForceCommand']) {
    const { access } = modem1.methods.find((method) => method.name === name)!
    assert.ok(typeof access === 'function')
    assert.equal(access({ modem: api.modems[0]!, api, isConsoleOn: () => true }, []), 'at-console')
  }
})

test('ListPorts tells of every port, and leaves out what is not known', needs('dbus-daemon'), async (context) => {
  const { bus, api } = await serve(context)
  const client = await Client.connect(context, bus)
  const [ports] = await client.call(MANAGER, 'org.modemd.Manager1', 'ListPorts')
  assert.deepEqual((ports as unknown[]).map(plain), [
    {
      name: '/dev/ttyACM0',
      device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3',
      driver: 'cdc_acm',
      usbId: '2341:0043',
      interfaceClass: '02/02/01',
      reason: '2341:0043 is an Arduino',
      taken: false,
    },
    {
      name: '/dev/ttyUSB2',
      device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2',
      driver: 'option',
      usbId: '12d1:1436',
      interfaceClass: 'ff/ff/ff',
      role: 'at',
      owner: 'modemd (at)',
      reason: "the kernel's option driver is for modems only",
      taken: true,
      modem: MODEM,
    },
  ])
  api.ports = [{ name: '/dev/ttyS0\x1b', device: '', driver: '', owner: '\u0000', isTaken: false, reason: 'x\ny' }]
  const [odd] = await client.call(MANAGER, 'org.modemd.Manager1', 'ListPorts')
  assert.deepEqual((odd as unknown[]).map(plain), [
    { name: '/dev/ttyS0\\x1b', owner: '\\x00', reason: 'x\\x0ay', taken: false },
  ])
})
