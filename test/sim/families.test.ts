/** Each family as modem-sim shows it below a root: the ttys of its USB interfaces with their driver, or its one UART. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { listTtys } from '../../src/modem/sysfs.ts'
import { RunningSim } from './running-sim.ts'

const FAMILIES: readonly (readonly [name: string, id: string, ttys: readonly string[]])[] = [
  ['zte-mf190', '19d2:0117', ['ttyUSB0 0 option', 'ttyUSB1 1 option', 'ttyUSB2 2 option']],
  ['quectel-ec25', '2c7c:0125', ['ttyUSB0 0 option', 'ttyUSB1 1 option', 'ttyUSB2 2 option', 'ttyUSB3 3 option']],
  ['sierra-mc7304', '1199:68c0', ['ttyUSB0 0 qcserial', 'ttyUSB1 2 qcserial', 'ttyUSB2 3 qcserial']],
  [
    'telit-le910',
    '1bc7:1201',
    ['ttyUSB0 0 option', 'ttyUSB1 3 option', 'ttyUSB2 4 option', 'ttyUSB3 5 option', 'ttyUSB4 6 option'],
  ],
  ['ublox-sara', '1546:1102', ['0 0', '1 2', '2 4', '3 6', '4 8', '5 10'].map((each) => `ttyACM${each} cdc_acm`)],
]

for (const [name, id, ttys] of FAMILIES)
  test(`${name} on USB`, async (t) => {
    const sim = new RunningSim(t, ['--root', 'FOLDER', '--personality', name])
    await sim.ready()
    const found = listTtys(sim.folder).sort((a, b) => (a.name < b.name ? -1 : 1))
    assert.deepEqual(
      found.map(({ name: tty, usb }) => `${tty} ${usb?.interfaceNumber} ${usb?.kernelDriver}`),
      ttys,
    )
    for (const { usb } of found) assert.equal(`${usb?.vendor}:${usb?.product}`, id)
    await sim.end()
    assert.deepEqual(listTtys(sim.folder), [])
  })

test('simcom-sim800 on a UART, which comes and goes', async (t) => {
  const sim = new RunningSim(t, ['--root', 'FOLDER', '--personality', 'simcom-sim800', '--modems', '2'])
  assert.match(await sim.ready(), /ttyS0.*ttyS1/)
  const found = () => listTtys(sim.folder).map(({ path, usb }) => [path, usb])
  assert.deepEqual(found().sort(), [
    ['/dev/ttyS0', undefined],
    ['/dev/ttyS1', undefined],
  ])
  assert.ok(existsSync(join(sim.folder, 'dev/ttyS0')))
  await sim.ctl('unplug')
  assert.deepEqual(found(), [])
  await sim.ctl('plug')
  assert.equal(found().length, 2)
})
