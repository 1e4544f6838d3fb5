/** Why a link finds no modem, where one is there that it may not use, or a port that nobody can. On virtual time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemPool } from '../../src/link/modem-pool.ts'
import type { PortReport } from '../../src/modem/snapshot.ts'
import { FakeFleet, FakeModem } from '../support/fake-modem.ts'
import { assertFailed, connect, Rig } from './rig.ts'

const PORT: PortReport = {
  name: '/dev/ttyUSB0',
  device: '/sys/devices/usb1/1-2',
  driver: 'option',
  owner: '',
  isTaken: true,
  reason: '',
}
const INHIBITED: PortReport = {
  ...PORT,
  isTaken: false,
  reason: 'let go of because another program asked for it (`mmctl inhibit`)',
}
const UNUSABLE: PortReport = {
  ...PORT,
  name: '/dev/ttyS7',
  device: '/dev/ttyS7',
  isTaken: false,
  reason: 'the configuration names it; it cannot be used: /dev/ttyS7 is not a serial port',
}

const WANTED = '8931440400000000025'
const OTHER = '8931440400000000017'

/** What is told of a profile that wants this, where these are here. */
function absence({
  modem = 'any',
  sim = '',
  ports = [] as readonly PortReport[],
  modems = [] as readonly FakeModem[],
}): string {
  const fleet = new FakeFleet()
  fleet.portReports = ports
  for (const each of modems) fleet.plug(each)
  const pool = new ModemPool(fleet, () => false)
  const { cause, detail } = pool.absence({ modem, sim })
  pool.close()
  return `${cause}: ${detail}`
}

const withSim = (iccid: string | undefined) => new FakeModem({ sim: { status: 'ready', iccid } })

test('a modem that `mmctl inhibit` has is not one that was unplugged', () => {
  const other: PortReport = { ...PORT, name: '/dev/ttyACM0', isTaken: false, device: '/sys/devices/usb1/1-3' }
  const how = '/dev/ttyUSB0 is let go of for another program (`mmctl inhibit`)'
  for (const modem of ['tty:/dev/ttyUSB0', 'usb:1-2'])
    assert.equal(
      absence({ modem, ports: [other, INHIBITED] }),
      `port-busy: no modem ${modem} is there for modemd: ${how}`,
    )
  assert.equal(absence({ ports: [INHIBITED] }), `port-busy: no modem is there for modemd: ${how}`)
  assert.equal(absence({ modem: 'usb:1-7', ports: [INHIBITED] }), 'modem-gone: no modem usb:1-7 is there')
})

test('nor is one with another SIM than the profile names', () => {
  const named = `modem-gone: no modem has the SIM ${WANTED}, which \`sim\` of the profile names:`
  const modems = [withSim(OTHER)]
  const [{ snapshot }] = modems as [FakeModem]
  assert.equal(absence({ sim: WANTED, modems }), `${named} ${snapshot.id} has ${OTHER}`)
  assert.equal(
    absence({ sim: WANTED, modems: [withSim(undefined)] }),
    `${named} ${snapshot.id} has none that can be read`,
  )
  assert.equal(
    absence({ modem: 'usb:1-7', sim: WANTED, modems }),
    'modem-gone: no modem usb:1-7 is there',
    'the modem comes first',
  )
  assert.equal(absence({ sim: WANTED }), 'modem-gone: no modem is there')
  assert.doesNotMatch(absence({ sim: WANTED, modems: [withSim(WANTED), withSim(OTHER)] }), /SIM/, 'another link has it')
})

test('a configured port that cannot be opened is named', () => {
  assert.equal(absence({ ports: [UNUSABLE] }), 'modem-gone: no modem is there: /dev/ttyS7 is not a serial port')
  assert.equal(absence({ modem: 'tty:/dev/ttyS8', ports: [UNUSABLE] }), 'modem-gone: no modem tty:/dev/ttyS8 is there')
})

test('who connects by hand is told so', async () => {
  const rig = new Rig({ demo: `[profile]\nsim = ${WANTED}\ndial-timeout = 20s` }, { modems: [withSim(OTHER)] })
  const { answer } = await connect(rig)
  await rig.clock.advance(20_000)
  assertFailed(rig, answer, 'modem-gone', /^no modem has the SIM 8931440400000000025, .*, after 20 s of waiting$/)
  const inhibited = new Rig({ demo: '[profile]\ndial-timeout = 20s' }, { modems: [] })
  inhibited.fleet.portReports = [INHIBITED]
  const second = await connect(inhibited)
  await inhibited.clock.advance(20_000)
  assertFailed(inhibited, second.answer, 'port-busy', /\(`mmctl inhibit`\), after 20 s/)
})
