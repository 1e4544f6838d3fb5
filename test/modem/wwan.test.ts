/** Modems on PCIe, as the kernel's WWAN subsystem shows them: their ports by protocol, one modem a card, a dial, and an unplug. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FleetBench } from './support/fleet-bench.ts'
import { ScriptedModem } from './support/scripted-modem.ts'

const CARD = '/sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0'

for (const driver of ['mhi-pci-generic', 'iosm', 'mtk_t7xx'])
  test(`${driver}: AT is asked, the rest is known by its protocol`, async (t) => {
    const bench = new FleetBench()
    t.after(() => bench.dispose())
    bench.sysfs.addWwan(driver, {
      wwan0at0: 'AT',
      wwan0at1: 'AT',
      wwan0mbim0: 'MBIM',
      wwan0qcdm0: 'QCDM',
      wwan0firehose0: 'FIREHOSE',
    })
    const scripted = new ScriptedModem(bench.clock, {})
    for (const name of ['wwan0at0', 'wwan0at1']) bench.put(`/dev/${name}`, scripted)
    bench.fleet
    await bench.until('it is registered', () => bench.fleet.modems[0]?.snapshot.state === 'registered')
    const { snapshot } = bench.modem
    assert.equal(bench.added.length, 1)
    assert.equal(snapshot.device, CARD)
    assert.equal(snapshot.driver, driver)
    assert.deepEqual(
      snapshot.ports.map(({ name, role }) => `${name} ${role}`),
      [
        '/dev/wwan0at0 data',
        '/dev/wwan0at1 at',
        '/dev/wwan0firehose0 ignored',
        '/dev/wwan0mbim0 net',
        '/dev/wwan0qcdm0 diag',
      ],
    )
    assert.deepEqual([...new Set(bench.opened)].sort(), ['/dev/wwan0at0', '/dev/wwan0at1'])
    const report = bench.fleet.ports().find(({ name }) => name === '/dev/wwan0at1')
    assert.match(report?.reason ?? '', new RegExp(`WWAN ports \\(${driver}\\) are modems' only; it answers AT`))
    const signal = new AbortController().signal
    const call = await bench.settled(
      bench.modem.dial({ apn: 'a', number: '*99#', ipType: '4', cid: 'auto', timeoutMs: 5000, signal }),
    )
    assert.match(call.report ?? '', /^CONNECT/)
    bench.sysfs.announceWwan('remove', 'wwan0at0', 'wwan0at1')
    await bench.until('it is gone', () => bench.removed.length === 1)
  })

test('one that comes later, by its events', async (t) => {
  const bench = new FleetBench()
  t.after(() => bench.dispose())
  bench.fleet
  await bench.clock.advance(1000)
  bench.put('/dev/wwan0at0', new ScriptedModem(bench.clock, {}))
  bench.sysfs.addWwan('iosm', { wwan0at0: 'AT' })
  bench.sysfs.announceWwan('add', 'wwan0at0')
  await bench.until('it is there', () => bench.added.length === 1)
})
