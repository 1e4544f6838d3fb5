/** What is right line by line and makes no sense as a whole: sections in the wrong file, devices twice, words that exclude each other. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRoot, open } from './config-rig.ts'

const NEEDS_ROOT = isRoot ? false : 'only files of root may have options'

test('a section of the other kind of file is told where it belongs', () => {
  const { faults } = open({
    'modemd.conf': '[ppp]\n[profile]\n[redial]\n',
    'profiles/p.conf': '[daemon]\n[device "tty:/dev/ttyS1"]\n[pp]\n',
  })
  assert.deepEqual(faults, [
    '/etc/modemd/modemd.conf:1: there is no section [ppp] here: it belongs into profiles/NAME.conf',
    '/etc/modemd/modemd.conf:2: there is no section [profile] here: it belongs into profiles/NAME.conf',
    '/etc/modemd/modemd.conf:3: there is no section [redial] here: it belongs into profiles/NAME.conf',
    '/etc/modemd/profiles/p.conf:1: there is no section [daemon] here: it belongs into modemd.conf',
    '/etc/modemd/profiles/p.conf:2: there is no section [device] here: it belongs into modemd.conf',
    '/etc/modemd/profiles/p.conf:3: there is no section [pp]: did you mean [ppp]?',
  ])
})

test('a device is the same in large and small letters, a tty is not', () => {
  const { daemon, faults } = open({
    'modemd.conf': '[device "usb:1199:68A3"]\nbaud = 9600\n[device "tty:/dev/ttyS1"]\n[device "tty:/dev/TTYS1"]\n',
    'conf.d/a.conf': '[device "usb:1199:68a3"]\ninit = ATE0\n',
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(
    daemon?.devices.map(({ device, baud, init }) => [device, baud, init]),
    [
      ['usb:1199:68a3', 9600, 'ATE0'],
      ['tty:/dev/ttyS1', 115_200, ''],
      ['tty:/dev/TTYS1', 115_200, ''],
    ],
  )
  const twice = open({ 'modemd.conf': '[device "usb:1199:68A3"]\n[device "usb:1199:68a3"]\n' })
  assert.deepEqual(twice.faults, ['/etc/modemd/modemd.conf:2: this section begins twice, first in line 1: keep one'])
})

test('words that exclude each other, and a path that leads from nowhere', () => {
  const { faults } = open({
    'modemd.conf': '[daemon]\napn-database = providers.xml\n[detect]\nallow = strict usb:1-2 auto\n',
  })
  assert.deepEqual(faults, [
    '/etc/modemd/modemd.conf:2: apn-database must be a whole path, from / on',
    '/etc/modemd/modemd.conf:4: allow has both auto and strict: keep one of them',
  ])
  const { daemon } = open({ 'modemd.conf': '[daemon]\napn-database =\n[detect]\nallow = strict usb:1-2 strict\n' })
  assert.deepEqual([daemon?.apnDatabase, daemon?.allow], ['', ['strict', 'usb:1-2', 'strict']])
})

test('options for pppd in a profile of another engine are said to count for nothing', { skip: NEEDS_ROOT }, () => {
  const warningsFor = (engine: string, options = 'noipdefault') => {
    const text = `[profile]\n[ppp]\noptions = ${options}\n${engine}\n`
    const { warnings, faults, profiles } = open({ 'profiles/p.conf': text })
    assert.deepEqual([faults, profiles[0]?.unsupported], [[], []])
    return warnings
  }
  for (const engine of ['builtin', 'kernel', 'auto'])
    assert.deepEqual(warningsFor(engine === 'auto' ? '' : `engine = ${engine}`), [
      `/etc/modemd/profiles/p.conf:3: options is for engine = pppd only, and this profile has engine = ${engine}: it is ignored unless a call names pppd`,
    ])
  assert.deepEqual(warningsFor('engine = pppd'), [])
  assert.deepEqual(warningsFor('engine = builtin', ''), [])
})
