/** `mmctl doctor`: each check on a machine made of files, then the command itself beside the real service and without one. */

import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { Finding } from '../../src/base/finding.ts'
import { VERSION } from '../../src/base/version.ts'
import { localChecks } from '../../src/cli/doctor/examine.ts'
import { configurationFiles, lockFiles, shutConfiguration } from '../../src/cli/doctor/files.ts'
import type { MachineOptions } from '../../src/cli/doctor/machine.ts'
import { needs } from '../support/needs.ts'
import { type FakeFiles, machineOf, modemdAs, program } from './support/fake-machine.ts'
import { mmctl } from './support/mmctl.ts'
import { at, list, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

/** All is well here. */
const SOUND: FakeFiles = {
  '/usr/share/dbus-1/system.d/org.modemd.conf': '',
  '/proc/modules': 'ppp_async 20480 0 - Live 0x0\nppp_generic 40960 1 ppp_async, Live 0x0\n',
  '/dev/ppp': '',
  '/dev/net/tun': { mode: 0o666 },
  '/etc/group': 'root:x:0:\ndialout:x:20:\nmodemd:x:998:joe\n',
  '/etc/passwd': 'root:x:0:0::/:\njoe:x:1000:1000::/:\nsvc:x:4711:4711::/:\n',
  '/usr/sbin/pppd': '',
  '/run/systemd/system/x': '',
  '/etc/systemd/system/modemd.service': '',
  '/etc/systemd/system/multi-user.target.wants/modemd.service': '',
  '/run/udev/control': '',
  '/etc/udev/rules.d/70-modemd.rules': '',
  '/etc/resolv.conf': { mode: 0o666 },
}
const MODEMD = { pid: 7, uid: 0 }

interface Case {
  readonly files?: FakeFiles
  readonly without?: readonly string[]
  readonly options?: MachineOptions
  readonly isStopped?: true
}

function findings(context: TestContext, { files = {}, without = [], options, isStopped }: Case): readonly Finding[] {
  const all = { ...SOUND, ...program(7, 'modemd', 'Uid: 0 0 0 0\nCapEff: 000001ffffffffff\n'), ...files }
  const kept = Object.fromEntries(Object.entries(all).filter(([path]) => !without.includes(path)))
  const machine = machineOf(context, kept, { groups: [1000, 998], ...options })
  return localChecks(machine, isStopped ? undefined : MODEMD, true)
}

/** The one finding that is not ok, as `state check: detail`. */
function complaint(context: TestContext, wrong: Case): string {
  const bad = findings(context, wrong).filter(({ state }) => state !== 'ok')
  for (const { advice, check } of bad) assert.notEqual(advice, '', `${check} says what to do`)
  return bad.map(({ check, state, detail }) => `${state} ${check}: ${detail}`).join('\n')
}

test('a sound machine has no complaint', (context) => {
  assert.equal(complaint(context, {}), '')
})

test('what PPP needs', (context) => {
  const seen = (wrong: Case) => complaint(context, wrong)
  assert.match(
    seen({ without: ['/proc/modules', '/dev/ppp'] }),
    /^warn kernel PPP: the kernel 6\.1 has no ppp_generic and ppp_async: PPP runs in user space \(engine builtin\)$/,
  )
  assert.equal(
    seen({
      without: ['/proc/modules', '/dev/ppp'],
      files: { '/lib/modules/6.1/modules.dep': 'kernel/net/ppp_generic.ko:\nx/ppp_async.ko: a\n' },
    }),
    '',
    'modules that the kernel loads by itself',
  )
  assert.match(seen({ without: ['/dev/ppp'] }), /^warn kernel PPP: .*no \/dev\/ppp$/)
  assert.match(seen({ without: ['/dev/net/tun'] }), /^warn \/dev\/net\/tun: it is not there/)
  assert.match(seen({ without: ['/dev/net/tun', '/proc/modules'] }), /fault kernel PPP: no ppp_generic/)
  const rfkill = (soft: number, hard: number) => ({
    '/sys/class/rfkill/rfkill0/type': 'wlan\n',
    '/sys/class/rfkill/rfkill0/soft': '1\n',
    '/sys/class/rfkill/rfkill1/type': 'wwan\n',
    '/sys/class/rfkill/rfkill1/name': 'hp-wwan\n',
    '/sys/class/rfkill/rfkill1/soft': `${soft}\n`,
    '/sys/class/rfkill/rfkill1/hard': `${hard}\n`,
  })
  assert.equal(seen({ files: rfkill(0, 0) }), '')
  assert.match(seen({ files: rfkill(1, 0) }), /^fault radio switch: hp-wwan is switched off \(airplane mode\)$/)
  assert.match(seen({ files: rfkill(0, 1) }), /^fault radio switch: hp-wwan .*by a switch of the computer$/)
})

test('ports and devices that modemd’s user may not use', (context) => {
  const user = modemdAs(7, 998, [20])
  const port = (mode: number) => ({ '/dev/ttyUSB0': { mode }, ...modemdAs(7, 4711, [4712]) })
  assert.equal(complaint(context, { files: { '/dev/ttyUSB0': { mode: 0o600 } } }), '', 'root may')
  assert.match(
    complaint(context, { files: port(0o660) }),
    /^fault ports: modemd \(user svc\) may not use \/dev\/ttyUSB0 \(\w+:\w+, mode 0660\)$/m,
  )
  assert.equal(complaint(context, { files: { ...port(0o666), '/run/lock/x': '' } }).includes(' ports:'), false)
  assert.match(
    complaint(context, { files: { ...user, '/dev/net/tun': { mode: 0o600 } } }),
    /^fault \/dev\/net\/tun: modemd may not open it/,
  )
  const unit = '[Service]\nUser=svc\nSupplementaryGroups=dialout\n'
  const stopped = complaint(context, {
    isStopped: true,
    files: { '/etc/systemd/system/modemd.service': unit, '/dev/ttyUSB0': { mode: 0o600 } },
  })
  assert.match(stopped, /^fault ports: modemd \(user svc\) may not use \/dev\/ttyUSB0/m, 'whom the unit names')
})

test('lock files: whose they are, stale ones, those that say nothing', (context) => {
  const lock = (content: string | Buffer) => ({ '/run/lock/LCK..ttyUSB0': { text: content } })
  const binary = Buffer.alloc(4)
  binary.writeInt32LE(4711)
  assert.equal(complaint(context, { files: lock('         7 modemd\n') }), '', "modemd's own")
  assert.equal(
    complaint(context, { files: lock('      4711 minicom joe\n') }),
    'warn lock files: /run/lock/LCK..ttyUSB0 is stale: minicom (process 4711) has ended',
  )
  assert.match(complaint(context, { files: lock(binary) }), /is stale: process 4711 has ended$/)
  assert.equal(
    complaint(context, { files: { ...lock('      4711\n'), ...program(4711, '/usr/bin/tip -s') } }),
    'warn lock files: ttyUSB0 is held by tip (process 4711)',
  )
  assert.match(complaint(context, { files: lock('what?\n') }), /^fault lock files: .* names no process/)
  const elsewhere = { '/run/lock/LCK..ttyUSB0': { link: '../../secret' }, '/secret': '      4711 sesame\n' }
  assert.match(complaint(context, { files: elsewhere }), /^fault lock files: .* names no process/)
  assert.match(
    complaint(context, { files: { '/run/lock/LCK..ttyUSB0': { isFifo: true } } }),
    /^fault lock files: .* names no process/,
  )
})

test('a folder of locks that modemd may not write in keeps no port shut', (context) => {
  const machine = machineOf(context, { '/run/lock/x': '' })
  chmodSync(machine.own('/run/lock'), 0o755)
  const who = { uid: 4711, groups: [4712], overridesModes: false }
  assert.deepEqual(lockFiles(machine, who, undefined), [
    {
      check: 'lock files',
      state: 'warn',
      detail: 'modemd may not write in /run/lock (mode 0755), so other programs do not see its ports in use',
      advice: '`chmod 1777 /run/lock`',
    },
  ])
  chmodSync(machine.own('/run/lock'), 0o1777)
  assert.equal(lockFiles(machine, who, undefined)[0]?.state, 'ok')
})

test('configuration that root wrote for itself alone', (context) => {
  const machine = machineOf(context, {
    '/etc/passwd': 'modemd:x:4711:4712::/:\n',
    '/etc/group': 'modemd:x:4712:\n',
    '/etc/modemd/modemd.conf': { mode: 0o600 },
    '/etc/modemd/conf.d/a.conf': { mode: 0o644 },
    '/etc/modemd/conf.d/a.conf~': { mode: 0o600 },
    '/etc/modemd/profiles/p.conf': { mode: 0o640 },
  })
  const who = { uid: 4711, groups: [4712], overridesModes: false }
  const seen = shutConfiguration(machine, who)
  assert.deepEqual(
    seen.map(({ state, detail }) => `${state} ${detail}`),
    [
      'fault modemd (user modemd) may not read /etc/modemd/modemd.conf (mode 0600)',
      'fault modemd (user modemd) may not read /etc/modemd/profiles/p.conf (mode 0640)',
    ],
  )
  assert.equal(seen[0]?.advice, '`chgrp modemd /etc/modemd/modemd.conf; chmod 640 /etc/modemd/modemd.conf`')
  assert.deepEqual(shutConfiguration(machine, { ...who, overridesModes: true }), [])
  const { gid } = machine.ownStat('/etc/modemd/profiles/p.conf')!
  assert.equal(shutConfiguration(machine, { ...who, groups: [4712, gid] }).length, 1, 'its group may read')
})

test('the configuration is where modemd was told', (context) => {
  const other = {
    '/elsewhere/m.conf': '',
    '/elsewhere/profiles/acme.conf': '',
    '/nowhere/etc/modemd/profiles/demo.conf': '',
  }
  const named = machineOf(context, other, { configuration: '/elsewhere/m.conf', root: '/nowhere' })
  assert.deepEqual(configurationFiles(named), ['/elsewhere/m.conf', '/elsewhere/profiles/acme.conf'])
  assert.equal(named.own('/etc/resolv.conf'), '/nowhere/etc/resolv.conf')
  const usual = machineOf(context, { '/etc/modemd/profiles/demo.conf': '' })
  assert.deepEqual(configurationFiles(usual), ['/etc/modemd/modemd.conf', '/etc/modemd/profiles/demo.conf'])
})

test('programs in the way', (context) => {
  const seen = (words: string, more: FakeFiles = {}) =>
    complaint(context, { files: { ...program(533, words, 'PPid:\t1\n'), ...more } })
  assert.match(seen('/usr/sbin/ModemManager'), /^warn ModemManager: process 533 takes every modem/)
  assert.match(seen('/usr/bin/brltty -f /etc/brltty.conf'), /^warn brltty: process 533 takes USB serial adapters/)
  assert.match(seen('wvdial umts'), /^warn wvdial: process 533 dials by itself/)
  assert.match(seen('pppd /dev/ttyUSB1 call isp'), /^warn pppd: process 533 runs a PPP link .* on \/dev\/ttyUSB1$/)
  assert.equal(complaint(context, { files: program(533, 'pppd /dev/ttyUSB1', 'PPid:\t7\n') }), '', "modemd's own pppd")
  assert.equal(seen('/usr/sbin/NetworkManager'), '')
  const gsm = { '/etc/NetworkManager/system-connections/Telekom.nmconnection': '[connection]\nid=Telekom\ntype=gsm\n' }
  assert.match(
    seen('/usr/sbin/NetworkManager', gsm),
    /^warn NetworkManager: its connection Telekom wants a modem, too$/,
  )
  const nmPppd = program(600, 'pppd plugin /usr/lib/pppd/2.4.9/nm-pppd-plugin.so', 'PPid:\t533\n')
  assert.match(
    seen('/usr/sbin/NetworkManager', nmPppd),
    /^warn NetworkManager: it runs a PPP link of its own \(process 600\)$/,
  )
})

test('log-ins on ports', (context) => {
  const seen = (words: string, files: FakeFiles = {}) =>
    complaint(context, { files: { ...program(90, words), ...files } })
  assert.equal(seen('/sbin/agetty -o -p -- \\u --noclear tty1 linux'), '')
  assert.equal(seen('/sbin/agetty --keep-baud 115200 ttyS0 vt220'), '', 'a port that nobody named')
  assert.match(seen('/sbin/agetty 115200 ttyUSB0 vt220'), /^fault getty: a log-in waits on ttyUSB0 \(process 90\)$/)
  const named = { '/etc/modemd/conf.d/a.conf': '[device "tty:/dev/ttyS0"]\nbaud = 9600\n' }
  assert.match(seen('/sbin/agetty --keep-baud 115200 /dev/ttyS0 vt220', named), /^fault getty: a log-in waits on ttyS0/)
  const console = { ...named, '/proc/cmdline': 'root=/dev/sda1 console=ttyS0,115200 quiet' }
  assert.match(complaint(context, { files: console }), /^fault getty: the kernel's console is on ttyS0/)
})

test('name servers', (context) => {
  const seen = (resolvConf: FakeFiles[string], files: FakeFiles = {}, isStopped?: true) =>
    complaint(context, { files: { ...files, '/etc/resolv.conf': resolvConf }, ...(isStopped && { isStopped }) })
  const stub = { link: '../run/systemd/resolve/stub-resolv.conf' }
  const made = { '/run/systemd/resolve/stub-resolv.conf': 'nameserver 127.0.0.53\n' }
  assert.match(seen(stub, made), /^fault name servers: .*systemd-resolved, which does not run$/)
  assert.equal(seen(stub, { ...made, ...program(50, 'systemd-resolved') }), '')
  assert.match(
    seen({ link: '../run/nowhere' }),
    /^fault name servers: .* points to \.\.\/run\/nowhere, which is not there$/,
  )
  assert.match(seen('# Generated by NetworkManager\nnameserver 1.1.1.1\n'), /^warn name servers: NetworkManager writes/)
  const resolved = program(50, 'systemd-resolved')
  const fixed = (text: string) => ({ text, mode: 0o644 })
  const user = modemdAs(7, 4711, [4712])
  for (const stub of ['127.0.0.53', '127.0.0.54'])
    assert.equal(seen(fixed(`nameserver ${stub}\n`), { ...user, ...resolved }), '', stub)
  assert.equal(seen(fixed('search lan\n'), { ...user, ...resolved }), '', 'nobody else has one')
  const switches = { '/etc/nsswitch.conf': 'hosts: files resolve [!UNAVAIL=return] dns\n' }
  assert.equal(seen(fixed('nameserver 9.9.9.9\n'), { ...user, ...resolved, ...switches }), '', 'nss-resolve')
  const others = /^fault name servers: modemd may not write/
  assert.match(seen(fixed('nameserver 9.9.9.9\n'), { ...user, ...resolved }), others)
  assert.match(seen(fixed('nameserver 127.0.0.53\n'), user), others, 'it does not run')
  const ours = '# modemd: name servers of ppp0; what was there is kept\nnameserver 10.0.0.1\n'
  assert.equal(seen(ours), '')
  assert.match(seen(ours, {}, true), /^warn name servers: .* has still the name servers of ppp0$/)
})

test('service, policy, rights, udev, clock', (context) => {
  const seen = (wrong: Case) => complaint(context, wrong)
  assert.match(
    seen({ without: ['/usr/share/dbus-1/system.d/org.modemd.conf'] }),
    /^fault bus policy: the system bus lets nobody/,
  )
  assert.match(
    seen({ without: ['/etc/systemd/system/multi-user.target.wants/modemd.service'] }),
    /^warn start at boot: .*not enabled$/,
  )
  assert.match(
    seen({ without: ['/etc/systemd/system/modemd.service'] }),
    /^warn start at boot: there is no modemd\.service$/,
  )
  assert.match(
    seen({ options: { groups: [1000] } }),
    /^warn your rights: joe is in the group modemd, but not in this session$/,
  )
  assert.match(
    seen({ options: { groups: [1000], uid: 1001 } }),
    /^warn your rights: 1001 may look, but neither connect/,
  )
  assert.match(
    seen({ files: { '/etc/group': 'root:x:0:\n' }, options: { groups: [1] } }),
    /^warn your rights: there is no group modemd/,
  )
  const polkit = { ...program(60, 'polkitd'), '/usr/share/polkit-1/actions/org.modemd.policy': '' }
  assert.equal(seen({ files: polkit, options: { groups: [1000], uid: 1001 } }), '', 'polkit decides')
  assert.match(seen({ without: ['/etc/udev/rules.d/70-modemd.rules'] }), /^warn udev rules: not installed/)
  assert.match(seen({ options: { nowMs: 0 } }), /^warn clock: it says 1970-01-01/)
})

test(
  'the command: modemd’s findings first, then the machine’s; 80 columns; exit 1 with faults',
  has,
  async (context) => {
    const { api, run, json } = await scene(context)
    api.findings = [
      { check: 'configuration', state: 'ok', detail: '1 profile, no fault', advice: '' },
      {
        check: 'modem imei_356938035643809',
        state: 'fault',
        detail: 'locked: the SIM asks for its PIN \u001b[31m',
        advice: 'Connect with `mmctl connect --pin-file FILE`, or put `pin = …` into the profile.',
      },
    ]
    const { stdout, exitCode } = await run('doctor')
    assert.equal(exitCode, 1)
    assert.ok(stdout.startsWith(`ok     modemd`), stdout)
    assert.match(
      stdout,
      new RegExp(`^ok {5}modemd +${VERSION.replaceAll('.', '\\.')} runs \\(process ${process.pid}\\)$`, 'm'),
    )
    assert.match(
      stdout,
      /^fault {2}modem imei_356938035643809\n +locked: the SIM asks for its PIN \\x1b\[31m\n +→ Connect with/m,
    )
    assert.match(stdout, /^ok {5}bus policy +none is needed on this bus$/m)
    assert.match(stdout, /\n\n\d+ faults?, \d+ warnings?\.\n$/)
    for (const line of stdout.split('\n')) assert.ok([...line].length <= 80, line)

    const { document } = await json('doctor')
    const checks = list(at(document, 'checks'))
    const { check, state, advice } = api.findings[1]!
    assert.deepEqual(checks[2], { check, state, advice, detail: 'locked: the SIM asks for its PIN \\x1b[31m' })
    assert.equal(at(document, 'faults'), checks.filter((each) => at(each, 'state') === 'fault').length)
  },
)

test('without a bus, and without modemd on it, the machine is looked at all the same', has, async (context) => {
  const { address } = await scene(context)
  const alone = await mmctl(['doctor'], { address: 'unix:path=/nonexistent/bus' })
  assert.equal(alone.exitCode, 1)
  assert.match(alone.stdout, /^fault {2}modemd +no message bus answers .*\n +→ start the bus/)
  assert.match(alone.stdout, /^\w+ +kernel PPP /m)
  assert.match(alone.stdout, /^\w+ +configuration /m)
  assert.ok(address)
})
