/** Files of the configuration: the examples with their exact values, drop-ins, what is broken, what is refused. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Configuration } from '../../src/daemon/config.ts'
import { faultsOfProfile, isRoot, open, put, withFiles } from './config-rig.ts'

const MODEMD_CONF = `; modemd.conf
[daemon]
log-level = info              ; error warn info debug
modemmanager-api = no
at-console = no
metrics = no                  ; 127.0.0.1:9469 → Prometheus text
apn-database = /usr/share/mobile-broadband-provider-info/serviceproviders.xml

[detect]
allow = auto                  ; a list: auto (known modems) and more, e.g. auto usb:abcd:1234 tty:/dev/ttyS1; or strict (only [device] and listed)
ignore = usb:2341:*

[device "tty:/dev/ttyS1"]     ; a modem that USB cannot tell about, or what differs for one
baud = 115200
init = AT+CFUN=1
`

const INTERNET_CONF = `; profiles/internet.conf
[profile]
type = gsm                    ; gsm pppoe
apn = auto                    ; from the database by the SIM's operator, or given
number = *99#
username =
password =
pin =
modem = any                   ; an id, imei:…, usb:1-2, tty:…
autoconnect = yes
dial-timeout = 60s
roaming = no
ip = 4                        ; 4 6 46
chat-script =                 ; a root-owned chat(8) file under /etc/modemd that replaces the built-in dial script (\\T is the number)
priority = 0                  ; fail-over order among profiles that are up; the route metric follows
sim =                         ; bind to an ICCID
cid = auto                    ; PDP context; auto never overwrites CID 1 of an LTE modem with another APN
interface =                   ; pppoe: the Ethernet interface
service =                     ; pppoe
ac-name =                     ; pppoe
share =                       ; an interface on which to serve PPPoE clients with NAT through this link
check =                       ; a host:port to reach once the link is up (off by default)
data-limit =                  ; 5GB per month; stops the link and says so

[ppp]
engine = auto
auth = any                    ; any none pap chap mschapv2
mtu = 1500
lcp-restart = 3s
lcp-max-configure = 10
lcp-echo-interval = 10s
lcp-echo-failure = 3
default-route = yes
route-metric = 700
dns = auto                    ; auto (systemd-resolved, resolvconf, file) none
options =                     ; extra pppd options, engine pppd only

[redial]                      ; by cause; what is not named keeps its default
busy = 5s
no-carrier = 5s*2..5m         ; first, factor, longest; jitter is always on
no-dialtone = 60s
auth-refused = stop
hung-up = 1s*2..2m
reset-after = 4               ; failures in a row before the next rung of the recovery ladder
`

test('the example modemd.conf has its exact values', () => {
  const { daemon, faults, warnings } = open({ 'modemd.conf': MODEMD_CONF })
  assert.deepEqual(faults, [])
  assert.deepEqual(warnings, [])
  assert.deepEqual(daemon, {
    logLevel: 'info',
    isConsoleOn: false,
    hasMetrics: false,
    apnDatabase: '/usr/share/mobile-broadband-provider-info/serviceproviders.xml',
    allow: ['auto'],
    ignore: ['usb:2341:*'],
    devices: [{ device: 'tty:/dev/ttyS1', baud: 115_200, init: 'AT+CFUN=1', powerGpio: '' }],
  })
})

test('the example profile has its exact values', () => {
  const { fields, redial, ...profile } = open({ 'profiles/internet.conf': INTERNET_CONF }).profiles[0]!
  assert.deepEqual(profile, {
    name: 'internet',
    type: 'gsm',
    apn: 'auto',
    number: '*99#',
    username: '',
    password: '',
    pin: '',
    modem: 'any',
    sim: '',
    autoconnect: true,
    dialTimeoutMs: 60_000,
    roaming: false,
    ip: '4',
    chatScript: undefined,
    priority: 0,
    check: undefined,
    dataLimitBytes: undefined,
    cid: 'auto',
    engine: 'auto',
    auth: 'any',
    mtuBytes: 1500,
    lcpRestartMs: 3000,
    lcpMaxConfigure: 10,
    lcpEchoIntervalMs: 10_000,
    lcpEchoFailure: 3,
    pppdOptions: '',
    defaultRoute: true,
    routeMetric: 700,
    dns: true,
    resetAfter: 4,
    needsAdministrator: false,
    unsupported: [],
  })
  assert.deepEqual(redial.busy, { firstMs: 5000, factor: 1, longestMs: 5000 })
  assert.deepEqual(redial['no-carrier'], { firstMs: 5000, factor: 2, longestMs: 300_000 })
  assert.deepEqual(redial['no-dialtone'], { firstMs: 60_000, factor: 1, longestMs: 60_000 })
  assert.equal(redial['auth-refused'], 'stop')
  assert.deepEqual(redial['hung-up'], { firstMs: 1000, factor: 2, longestMs: 120_000 })
  assert.equal(fields.name, 'internet')
  assert.equal(fields.autoconnect, true)
  assert.equal(fields.mtu, 1500)
  assert.equal(fields['dial-timeout'], '1m')
  assert.equal(fields['redial.no-carrier'], '5s*2..5m')
  assert.ok(!('password' in fields) && !('pin' in fields))
})

test('the example profile says only defaults, apart from autoconnect', () => {
  const example = open({ 'profiles/internet.conf': INTERNET_CONF }).profiles[0]!
  const empty = open({ 'profiles/internet.conf': '' }).profiles[0]!
  assert.deepEqual({ ...example, autoconnect: false, fields: {} }, { ...empty, fields: {} })
})

test('no file at all is fine', () => {
  const configuration = open({})
  assert.deepEqual(configuration.faults, [])
  assert.deepEqual(configuration.daemon, {
    logLevel: 'info',
    isConsoleOn: false,
    hasMetrics: false,
    apnDatabase: '/usr/share/mobile-broadband-provider-info/serviceproviders.xml',
    allow: ['auto'],
    ignore: [],
    devices: [],
  })
  assert.deepEqual(configuration.profiles, [])
  assert.equal(configuration.manual.name, 'manual')
  assert.equal(configuration.manual.number, '*99#')
})

test('drop-ins override single keys, in the order of their names', () => {
  const { daemon, faults } = open({
    'modemd.conf': '[daemon]\nlog-level = info\n[detect]\nignore = usb:1:2',
    'conf.d/20-b.conf': '[daemon]\nlog-level = debug\n[device "usb:1-2"]\nbaud = 9600',
    'conf.d/10-a.conf': '[daemon]\nlog-level = warn\n[detect]\nignore = usb:2341:*, usb:ABCD:1234 tty:/dev/ttyS0',
    'conf.d/README': 'not read',
    'conf.d/.hidden.conf': 'not read',
  })
  assert.deepEqual(faults, [])
  assert.equal(daemon?.logLevel, 'debug')
  assert.deepEqual(daemon?.ignore, ['usb:2341:*', 'usb:abcd:1234', 'tty:/dev/ttyS0'])
  assert.deepEqual(daemon?.devices, [{ device: 'usb:1-2', baud: 9600, init: '', powerGpio: '' }])
})

test('a bad modemd.conf: every fault with file, line, reason, and no settings', () => {
  const { daemon, faults } = open({
    'modemd.conf':
      '[daemon]\nlog-levle = debug\nlog-level = loud\nmtu = 5\n[demon]\n[device]\n[device "x"]\nbaud = fast\nmodemmanager-api = true\n[detect "a"]\nignore = *',
  })
  assert.equal(daemon, undefined)
  assert.deepEqual(faults, [
    '/etc/modemd/modemd.conf:2: there is no key log-levle in [daemon]: did you mean log-level?',
    '/etc/modemd/modemd.conf:3: log-level must be one of: error, warn, info, debug',
    '/etc/modemd/modemd.conf:4: there is no key mtu in [daemon]',
    '/etc/modemd/modemd.conf:5: there is no section [demon]: did you mean [daemon]?',
    '/etc/modemd/modemd.conf:6: must say which: [device "tty:/dev/ttyS1"]',
    '/etc/modemd/modemd.conf:7: [device "x"] must be tty:/dev/NAME, usb:VENDOR:PRODUCT or usb:BUS-PORT',
    '/etc/modemd/modemd.conf:8: baud must be a whole number from 300 to 4000000',
    '/etc/modemd/modemd.conf:9: modemmanager-api belongs into [daemon], not into [device]',
    '/etc/modemd/modemd.conf:10: must be just [detect]',
  ])
})

test('a file broken later leaves its last good form in force', () =>
  withFiles(
    { 'modemd.conf': '[daemon]\nlog-level = warn', 'profiles/a.conf': '[profile]\napn = good', 'profiles/b.conf': '' },
    (root, home) => {
      const configuration = new Configuration({ root })
      put(home, 'modemd.conf', '[daemon]\nlog-level = ')
      put(home, 'profiles/a.conf', '[profile]\napn = not good')
      put(home, 'profiles/b.conf', '[profile]\napn = new')
      configuration.reload()
      assert.equal(configuration.daemon?.logLevel, 'warn')
      assert.deepEqual(
        configuration.profiles.map(({ name, apn }) => [name, apn]),
        [
          ['a', 'good'],
          ['b', 'new'],
        ],
      )
      assert.deepEqual(configuration.faults, [
        '/etc/modemd/modemd.conf:2: log-level must be one of: error, warn, info, debug',
        '/etc/modemd/profiles/a.conf:2: apn may have letters, digits, dots and hyphens, at most 100',
      ])
      rmSync(join(home, 'profiles/a.conf'))
      rmSync(join(home, 'modemd.conf'))
      configuration.reload()
      assert.deepEqual(
        configuration.profiles.map(({ name }) => name),
        ['b'],
      )
      assert.equal(configuration.daemon?.logLevel, 'info')
    },
  ))

test('a folder that cannot be read any more has not lost its profiles', () =>
  withFiles({ 'profiles/a.conf': '[profile]\napn = good' }, (root, home) => {
    const configuration = new Configuration({ root })
    rmSync(join(home, 'profiles'), { recursive: true })
    // A loop: as unreadable as with no descriptor left.
    symlinkSync('profiles', join(home, 'profiles'))
    configuration.reload()
    assert.deepEqual(
      configuration.profiles.map(({ name, apn }) => [name, apn]),
      [['a', 'good']],
    )
    assert.match(configuration.faults[0] ?? '', /^\/etc\/modemd\/profiles:1: cannot be read/)
  }))

test('--config takes conf.d and profiles from beside it, and must be there', () =>
  withFiles(
    {
      'other.conf': '[daemon]\nlog-level = warn',
      'conf.d/a.conf': '[daemon]\nmodemmanager-api = yes',
      'profiles/p.conf': '',
    },
    (_, home) => {
      const configuration = new Configuration({ root: '/nowhere', file: join(home, 'other.conf') })
      assert.deepEqual(configuration.faults, [])
      assert.equal(configuration.daemon?.logLevel, 'warn')
      assert.deepEqual(configuration.warnings, [
        `${home}/conf.d/a.conf:2: this version does not support modemmanager-api = yes`,
      ])
      assert.deepEqual(
        configuration.profiles.map(({ name }) => name),
        ['p'],
      )
      const absent = new Configuration({ root: '', file: join(home, 'absent.conf') })
      assert.deepEqual(absent.faults, [`${home}/absent.conf: is not there`])
      assert.equal(absent.daemon, undefined)
    },
  ))

test('a secret that everyone can read is refused with the chmod to run', () =>
  withFiles({}, (root, home) => {
    put(home, 'profiles/p.conf', '[profile]\napn = x\npin = 1234', 0o644)
    put(home, 'profiles/q.conf', '[profile]\npassword =', 0o644)
    const { profiles, faults, secrets } = new Configuration({ root })
    assert.deepEqual(faults, [
      '/etc/modemd/profiles/p.conf:3: has a secret and everyone can read it: run chmod 600 /etc/modemd/profiles/p.conf',
    ])
    assert.deepEqual(
      profiles.map(({ name }) => name),
      ['q'],
    )
    assert.deepEqual(secrets, [])
  }))

test('faults never show a value that may be a secret', () => {
  const faults = faultsOfProfile('[profile]\npin = 12x4\npassword = se"cret\n12x4\n')
  assert.deepEqual(faults, [
    '2: pin must be 4 to 8 digits',
    '3: password must have no quotation mark and no control character',
    '4: has no `=`: write name = value, or put ; before a comment',
  ])
})

test('odd files: names, kinds, sizes, encodings', () =>
  withFiles({}, (root, home) => {
    put(home, 'profiles/a b.conf', '')
    put(home, 'profiles/manual.conf', '')
    put(home, 'profiles/big.conf', ';'.repeat(300_000))
    put(home, 'profiles/ok.conf', '')
    writeFileSync(join(home, 'profiles/latin.conf'), Buffer.from('; \xe9', 'latin1'))
    mkdirSync(join(home, 'profiles/folder.conf'))
    symlinkSync('/dev/zero', join(home, 'profiles/zero.conf'))
    execFileSync('mkfifo', [join(home, 'profiles/fifo.conf')])
    const { profiles, faults } = new Configuration({ root })
    assert.deepEqual(
      profiles.map(({ name }) => name),
      ['ok'],
    )
    assert.deepEqual(
      faults.map((fault) => fault.replace('/etc/modemd/profiles/', '')),
      [
        'a b.conf:1: the name of a profile may have letters, digits, dots, underscores and hyphens, at most 64',
        'big.conf:1: is longer than 256 KiB',
        'fifo.conf:1: is not a regular file',
        'folder.conf:1: is not a regular file',
        'latin.conf:1: is not valid UTF-8; save it as plain text',
        'manual.conf:1: the name of a profile must not be manual, which is kept for the link without a profile',
        'zero.conf:1: is not a regular file',
      ],
    )
  }))

test('what this version cannot do is said, and the link refuses it', () => {
  const { profiles, warnings, faults } = open({
    'profiles/p.conf': '[profile]\ninterface = eth0\nshare = eth1\n[ppp]\nauth = mschapv2\nengine = pppd',
    'modemd.conf': '[daemon]\nmodemmanager-api = yes\n',
  })
  assert.deepEqual(faults, [])
  assert.deepEqual(profiles[0]!.unsupported, ['interface = eth0', 'share = eth1'])
  assert.match(warnings[2]!, /p\.conf:3: this version does not support share = eth1: the profile cannot be connected/)
  assert.deepEqual(
    warnings.map((warning) => /(\w+)\.conf:(\d)/.exec(warning)!.slice(1).join(' ')),
    ['modemd 2', 'p 2', 'p 3'],
  )
})

test(
  'root follows no symbolic link that another user put in a folder of its own',
  isRoot ? {} : { skip: 'only root can give a folder to another user' },
  () =>
    withFiles(
      { 'profiles/a.conf': '[profile]\napn = one\n', 'elsewhere/b.conf': '[profile]\napn = two\n' },
      (root, home) => {
        symlinkSync('../elsewhere/b.conf', join(home, 'profiles/b.conf'))
        const before = new Configuration({ root })
        assert.deepEqual(
          before.profiles.map(({ apn }) => apn),
          ['one', 'two'],
        )
        chownSync(join(home, 'profiles'), 65_534, 65_534)
        const configuration = new Configuration({ root })
        assert.deepEqual(
          configuration.profiles.map(({ apn }) => apn),
          ['one'],
        )
        assert.match(
          configuration.faults.join(),
          /b\.conf:1: is a symbolic link in a folder of another user: put the file itself/,
        )
      },
    ),
)
