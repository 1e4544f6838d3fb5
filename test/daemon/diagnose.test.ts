/** Manager1.Diagnose: what the daemon finds wrong with configuration, engines, state, modems, ports and links. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Configuration } from '../../src/daemon/config.ts'
import { diagnose } from '../../src/daemon/diagnose.ts'
import { FakeSupervisor, LINK_UP, PORT_REPORTS } from '../support/fake-supervisor.ts'

/** A supervisor that is well, a configuration of these profiles, and what is found. */
function bench(context: TestContext, profiles: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'modemd-diagnose-'))
  context.after(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'etc/modemd/profiles')
  mkdirSync(folder, { recursive: true })
  const save = (name: string, text: string) => writeFileSync(join(folder, `${name}.conf`), text, { mode: 0o600 })
  for (const [name, text] of Object.entries(profiles)) save(name, text)
  const supervisor = new FakeSupervisor()
  const state = { metricsFault: undefined as string | undefined }
  const look = () =>
    diagnose({
      supervisor,
      readConfiguration: () => new Configuration({ root }),
      root,
      stateDirectory: '/var/lib/modemd',
      metricsFault: () => state.metricsFault,
    })
  const complaints = () =>
    look()
      .filter(({ state: each }) => each !== 'ok')
      .map(({ check, state: each, detail, advice }) => {
        assert.notEqual(advice, '', `${check} says what to do`)
        return `${each} ${check}: ${detail}`
      })
  return { root, supervisor, save, state, look, complaints }
}

test('nothing is wrong', (context) => {
  const { look } = bench(context, { demo: '[profile]\napn = x\n' })
  assert.deepEqual(
    look().map(({ check, state, detail }) => `${state} ${check}: ${detail}`),
    [
      'ok configuration: 1 profile, no fault',
      'ok engine builtin: usable',
      'ok engine kernel: there is no /dev/ppp',
      'ok state: modemd may write in /var/lib/modemd',
      'ok modem imei_356938035643809: registered',
    ],
  )
})

test('the configuration is read as it is on the disk now; an engine that is named and not here', (context) => {
  const { complaints, save } = bench(context, { demo: '[profile]\napn = x\n' })
  assert.deepEqual(complaints(), [])
  save('bad', '[profile]\npasswort = sesame\n')
  save('office', '[profile]\n[ppp]\nengine = pppd\n')
  const [fault, unread, engine] = complaints()
  assert.equal(unread, 'warn profile office: modemd has not read it yet')
  assert.match(fault!, /^fault configuration: \/etc\/modemd\/profiles\/bad\.conf:2: /)
  assert.doesNotMatch(fault!, /sesame/)
  assert.equal(engine, 'fault profile office: its engine pppd cannot be used here')
})

test('modems, ports and links that need somebody', (context) => {
  const { supervisor, complaints, state } = bench(context)
  supervisor.modems[0]!.change({
    state: 'failed',
    stateReason: 'SIM not inserted',
    failure: { cause: 'sim-absent', detail: '' },
  })
  const link = supervisor.links[0]!
  link.change({ state: 'failed', cause: 'auth-refused', causeDetail: 'CHAP Failure', advice: 'Correct it.' })
  supervisor.ports.push({
    ...PORT_REPORTS[1]!,
    name: '/dev/ttyUSB3',
    reason: 'a modem; port-busy: minicom (process 1) has it',
  })
  state.metricsFault = 'the metrics endpoint cannot have port 9469: EADDRINUSE'
  assert.deepEqual(complaints(), [
    'fault modem imei_356938035643809: failed: SIM not inserted',
    'warn port /dev/ttyUSB3: port-busy: minicom (process 1) has it',
    'fault link demo: auth-refused: CHAP Failure',
    'fault metrics: the metrics endpoint cannot have port 9469: EADDRINUSE',
  ])

  state.metricsFault = undefined
  supervisor.ports.pop()
  supervisor.modems[0]!.change({
    state: 'searching',
    stateReason: 'The network refuses this SIM: illegal MS (#3).',
    failure: { cause: 'registration-denied', detail: 'The network refuses this SIM: illegal MS (#3).' },
    registration: 'denied',
  })
  link.change({ state: 'waiting', cause: 'hung-up', causeDetail: 'NO CARRIER' })
  assert.deepEqual(complaints(), [
    'warn modem imei_356938035643809: searching: The network refuses this SIM: illegal MS (#3). (registration-denied)',
    'warn link demo: it is tried again; hung-up: NO CARRIER',
  ])
  supervisor.modems[0]!.change({ stateReason: 'The modem looks for a network.', failure: undefined })
  assert.equal(complaints()[0], 'warn modem imei_356938035643809: searching: The modem looks for a network.')
  supervisor.removeModem(supervisor.modems[0]!)
  link.change({ ...LINK_UP })
  assert.deepEqual(complaints(), ['warn modems: none is here'])
  const [port] = supervisor.ports.slice(-1)
  const reason = 'let go of because another program asked for it (`mmctl inhibit`)'
  supervisor.ports = [{ ...port!, modem: undefined, isTaken: false, reason }]
  assert.deepEqual(complaints(), [
    'warn modems: none is here for modemd: /dev/ttyUSB2 is let go of for another program',
  ])
  supervisor.ports = [{ ...port!, reason: 'the configuration names it; it cannot be used: /dev/ttyS7 is not there' }]
  assert.deepEqual(complaints(), [
    'warn modems: none is here',
    'warn port /dev/ttyUSB2: cannot be used: /dev/ttyS7 is not there',
  ])
  supervisor.ports = []
  link.change({ state: 'idle', cause: 'user-request' })
  assert.deepEqual(complaints(), ['warn modems: none is here'])
})

test('a state directory that cannot be', (context) => {
  const { root, complaints } = bench(context)
  mkdirSync(join(root, 'var/lib'), { recursive: true })
  writeFileSync(join(root, 'var/lib/modemd'), '')
  assert.deepEqual(complaints(), ['fault state: /var/lib/modemd is no directory'])
})
