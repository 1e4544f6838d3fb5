/** What the options come to for a run; that the reader is pppd's is options-differential.test.ts's matter. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatIpv4, parseIpv4 } from '../../../src/base/ipv4.ts'
import { VERSION } from '../../../src/base/version.ts'
import { HELP_TEXT } from '../../../src/ppp/command/help.ts'
import { type EarlyEnd, type PppOptions, readOptions } from '../../../src/ppp/command/options.ts'
import { OPTION_LISTS } from '../../../src/ppp/command/options-table.ts'
import type { PppSettings } from '../../../src/ppp/settings.ts'
import { type FakeMachine, fakeServices } from './fake-services.ts'

const words = (line: string) => line.split(' ').filter((word) => word !== '')
const OPTIONS_FILE = { '/etc/ppp/options': '' }

function read(line: string | readonly string[], machine: FakeMachine = {}): PppOptions | EarlyEnd {
  const files = { ...OPTIONS_FILE, ...machine.files }
  return readOptions(typeof line === 'string' ? words(line) : line, fakeServices({ ...machine, files }))
}

function options(line: string | readonly string[], machine?: FakeMachine): PppOptions {
  const answer = read(line, machine)
  if ('exitCode' in answer) assert.fail(answer.stderr)
  return answer
}

function fault(line: string | readonly string[], machine?: FakeMachine): EarlyEnd {
  const answer = read(line, machine)
  assert.ok('exitCode' in answer, 'it was taken')
  return answer
}

function settings(line: string, machine?: FakeMachine): PppSettings {
  return options(line, machine).sessionSettings((notice) => assert.fail(notice))
}

test('a dial-up of every day', () => {
  const read = options([
    ...words(
      'ttyS0 115200 noauth user alice password secret usepeerdns defaultroute defaultroute-metric 700 noipdefault',
    ),
    ...words('lcp-echo-interval 10 lcp-echo-failure 3 persist maxfail 0 holdoff 5 debug lock crtscts updetach connect'),
    'modem-chat -f dial',
  ])
  assert.deepEqual(read.line, { type: 'tty', path: '/dev/ttyS0', isStandardInput: false })
  assert.deepEqual(
    [read.speedBaud, read.locksTty, read.flowControl, read.usesModemLines, read.detach, read.scripts.connect],
    [115200, true, 'rts-cts', true, 'at-up', 'modem-chat -f dial'],
  )
  assert.deepEqual([read.persists, read.maxFailures, read.holdOffMs, read.debugLevel], [true, 0, 5000, 1])
  assert.deepEqual(read.defaultRoute, { metric: 700, replaces: false })
  const { role, answersAuth, requiresAuth, user, password, requestDns, localAddress, echoIntervalMs, echoFailure } =
    read.sessionSettings(() => {})
  assert.deepEqual(
    { role, answersAuth, requiresAuth, user, password, requestDns, localAddress, echoIntervalMs, echoFailure },
    {
      role: 'client',
      answersAuth: ['eap', 'chap', 'mschapv2', 'mschap', 'pap'],
      requiresAuth: [],
      user: 'alice',
      password: 'secret',
      requestDns: true,
      localAddress: 0,
      echoIntervalMs: 10_000,
      echoFailure: 3,
    },
  )
})

test('detach takes a nodetach back', () => {
  assert.equal(options('ttyS0 nodetach detach').detach, 'at-start')
  assert.equal(options('ttyS0 detach nodetach').detach, 'never')
  assert.equal(options('ttyS0 updetach detach').detach, 'at-up')
})

test("pppd's defaults", () => {
  const read = options('ttyS0')
  assert.deepEqual([read.detach, read.maxFailures, read.holdOffMs, read.connectDelayMs], ['at-start', 10, 0, 1000])
  assert.deepEqual([read.engine, read.interfaceName, read.log], ['auto', undefined, { type: 'fd', fd: 1 }])
  const session = read.sessionSettings(() => {})
  assert.deepEqual(
    [
      session.ipv4,
      session.ipv6,
      session.mruBytes,
      session.mtuBytes,
      session.accm,
      session.maxFailure,
      session.maxTerminate,
    ],
    [true, true, 1500, 1500, 0, 5, 2],
  )
  // The host name's address, which is not insisted on.
  assert.deepEqual([formatIpv4(session.localAddress), session.acceptLocal], ['10.0.0.9', true])
  assert.deepEqual([session.lcpOffers.magic, session.lcpOffers.mru, session.answersAuth], [true, true, []])
})

test('the end that serves', () => {
  const session = settings(
    'ttyS0 noauth 10.1.0.1:10.1.0.2 ms-dns 9.9.9.9 -all silent asyncmap a0000 mru 1400 mtu 1300 idle 60 maxconnect 600',
  )
  const { role, localAddress, remoteAddress, acceptLocal, dnsServers, silent, lcpOffers, idleMs, connectLimitMs } =
    session
  assert.deepEqual(
    [role, formatIpv4(localAddress), formatIpv4(remoteAddress), acceptLocal, dnsServers.map(formatIpv4), silent],
    ['server', '10.1.0.1', '10.1.0.2', false, ['9.9.9.9', '9.9.9.9'], true],
  )
  assert.deepEqual(
    [session.mruBytes, session.mtuBytes, session.accm, idleMs, connectLimitMs],
    [1400, 1300, 0xa0000, 60_000, 600_000],
  )
  assert.deepEqual(lcpOffers, { mru: true, accm: true, magic: false, pfc: false, acfc: false })
})

test('interface identifiers: given, from the address, from the hardware', () => {
  const ids = (line: string) => {
    const { localInterfaceId, remoteInterfaceId } = settings(`ttyS0 ${line}`)
    return [localInterfaceId, remoteInterfaceId]
  }
  assert.deepEqual(ids('ipv6 ::1,::2'), [1n, 2n])
  assert.deepEqual(ids(''), [0n, 0n])
  assert.deepEqual(ids('ipv6cp-use-ipaddr 10.0.0.1:10.0.0.2'), [0x0a000001n, 0x0a000002n])
  assert.deepEqual(ids('ipv6cp-use-persistent'), [0x001122fffe334455n, 0n])
})

test('the line: a tty, the terminal on standard input, standard input itself, a command', () => {
  const terminal = options('nodetach', { status: () => ({ isCharacterDevice: true, deviceNumber: 7 }) })
  assert.deepEqual(terminal.line, { type: 'tty', path: '/dev/pts/5', isStandardInput: true })
  // Nothing is logged to the line.
  assert.deepEqual([terminal.log, terminal.detach], [{ type: 'none' }, 'never'])
  const stdio = options('notty')
  assert.deepEqual([stdio.line, stdio.log, stdio.detach], [{ type: 'stdio' }, { type: 'none' }, 'never'])
  assert.deepEqual(options(['pty', 'ssh peer ppp']).line, { type: 'command', command: 'ssh peer ppp' })
  assert.equal(options('notty logfd 2').log.type, 'fd')
  assert.deepEqual(options('ttyS0 logfile /tmp/log').log, { type: 'file', path: '/tmp/log' })
})

test("files, in pppd's order: options, ~/.ppprc, the command line, options.TTY", () => {
  const files = {
    '/etc/ppp/options': 'mru 1000 mtu 1000 idle 1 holdoff 1\n',
    '/home/alice/.ppprc': 'mtu 1100 idle 2 holdoff 2\n',
    '/etc/ppp/options.ttyS0': 'idle 4 holdoff 4 maxfail 4\n',
  }
  const read = options('ttyS0 holdoff 3', { files })
  const session = read.sessionSettings(() => {})
  assert.deepEqual(
    [session.mruBytes, session.mtuBytes, session.idleMs, read.holdOffMs, read.maxFailures],
    [1000, 1100, 4000, 3000, 4],
  )
})

test('an options file that cannot be read is said, one that names itself ends', () => {
  assert.deepEqual(options('ttyS0', { files: { '/home/alice/.ppprc': { code: 'EACCES' } } }).warnings, [
    "Warning: can't open options file /home/alice/.ppprc: Permission denied",
  ])
  assert.equal(fault('ttyS0 file /f', { files: { '/f': { code: 'EACCES' } } }).exitCode, 2)
  assert.match(fault('ttyS0 call loop', { files: { '/etc/ppp/peers/loop': 'call loop' } }).stderr, /again and again/)
})

test("a user may not give privileged options, root's files may", () => {
  const user = { isRoot: false }
  for (const option of ['noauth', 'name x', 'nolock', 'ifname x', 'linkname x', 'allow-ip 1.1.1.1', 'secrets-dir /tmp'])
    assert.deepEqual(
      fault(`ttyS0 ${option}`, user),
      {
        exitCode: 2,
        stdout: '',
        stderr: `modem-ppp: using the ${option.split(' ')[0]} option requires root privilege\n`,
      },
      option,
    )
  assert.ok(options('ttyS0 call isp', { ...user, files: { '/etc/ppp/peers/isp': 'noauth' } }))
  assert.match(fault('ttyS0 file /f', { ...user, files: { '/f': 'noauth' } }).stderr, /noauth option requires root/)
  // A member of privgroup is as good as root.
  assert.ok(options('ttyS0 noauth', { ...user, files: { '/etc/ppp/options': 'privgroup dip' } }))
  // What root has fixed stays.
  const fixed = { ...user, files: { '/etc/ppp/options': 'connect fixed maxconnect 60' } }
  assert.equal(
    fault('ttyS0 connect mine', fixed).stderr,
    'modem-ppp: connect option set in /etc/ppp/options cannot be overridden\n\n',
  )
  assert.match(fault('ttyS0 maxconnect 61', fixed).stderr, /maxconnect value cannot be increased/)
  assert.equal(options('ttyS0 maxconnect 59', fixed).scripts.connect, 'fixed')
  // No /etc/ppp/options: nobody has said what users may do.
  assert.match(
    (readOptions(['ttyS0'], fakeServices(user)) as EarlyEnd).stderr,
    /^modem-ppp: Can't open options file \/etc\/ppp\/options: No such file or directory\n$/,
  )
})

test("with a default route a user's peer must log in", () => {
  const machine = { isRoot: false, hasDefaultRoute: () => true }
  const { exitCode, stderr } = fault('ttyS0', machine)
  assert.equal(exitCode, 1)
  assert.match(
    stderr,
    /By default the remote system is required to authenticate itself\n.*default route to the internet/,
  )
  const { requiresAuth } = settings('ttyS0', { ...machine, files: { '/etc/ppp/chap-secrets': 'bob * pw *' } })
  assert.deepEqual(requiresAuth, ['eap', 'chap', 'mschapv2', 'mschap'])
})

test('an unknown option: the message, the usage, exit code 2', () => {
  const { exitCode, stdout, stderr } = fault('ttyS0 foo')
  assert.deepEqual([exitCode, stdout], [2, ''])
  assert.match(stderr, /^modem-ppp: unrecognized option 'foo'\nmodem-ppp version .*\nUsage: modem-ppp \[ options \]/)
})

test('what no engine of ours does is refused with a way round it', () => {
  const refused = OPTION_LISTS.flat().filter((option) => option.refusal !== undefined)
  assert.ok(refused.length > 30)
  for (const { name, refusal } of refused) {
    const { exitCode, stderr } = fault(['ttyS0', name, 'x'])
    assert.deepEqual([exitCode, stderr], [2, `modem-ppp: the ${name} option is not supported: ${refusal}\n`])
    assert.match(refusal!, /: /, `${name} does not say what to do`)
  }
  assert.match(fault('ttyS0 plugin rp-pppoe.so').stderr, /modem-pppoe connect/)
  assert.match(fault('ttyS0 plugin radius.so').stderr, /use pppd itself/)
  assert.match(fault('ttyS0 engine pppd').stderr, /run pppd itself/)
  assert.match(fault('ttyS0 engine fast').stderr, /auto, builtin or kernel/)
  assert.ok(options('ttyS0 noip noipv6'), 'the link ends by itself, as with pppd')
  assert.match(fault('ttyS0 defaultroute6').stderr, /defaultroute routes both/)
  assert.ok(options('ttyS0 defaultroute6 defaultroute'))
  assert.match(fault('ttyS0 engine kernel pcap f').stderr, /cannot record/)
  assert.equal(options('ttyS0 pcap f').engine, 'builtin')
})

test('--help and --version, wherever they stand', () => {
  assert.deepEqual(fault('--version'), { exitCode: 0, stdout: `modem-ppp ${VERSION}\n`, stderr: '' })
  assert.equal((readOptions(['--help'], fakeServices({ isRoot: false })) as EarlyEnd).exitCode, 0)
  assert.deepEqual(fault('ttyS0 --help nonsense'), { exitCode: 0, stdout: HELP_TEXT, stderr: '' })
})

test('our own options', () => {
  const read = options('ttyS0 engine builtin --pcap /tmp/a.pcap record /tmp/a.rec secrets-dir /tmp/secrets dryrun')
  assert.deepEqual(
    [read.engine, read.pcapFile, read.recordFile, read.isDryRun],
    ['builtin', '/tmp/a.pcap', '/tmp/a.rec', true],
  )
  assert.deepEqual(read.dumpLines, [
    'pppd options in effect:',
    'dryrun\t\t# (from command line)',
    'engine builtin\t\t# (from command line)',
    'secrets-dir /tmp/secrets\t\t# (from command line)',
    '--pcap /tmp/a.pcap\t\t# (from command line)',
    '/dev/ttyS0\t\t# (from command line)',
    'record /tmp/a.rec\t\t# (from command line)',
  ])
})

test('a password is in no dump', () => {
  const { dumpLines } = options('ttyS0 user alice password sesame +ua /u dump', { files: { '/u': 'bob\nsesame2\n' } })
  assert.doesNotMatch(dumpLines.join('\n'), /sesame/)
  assert.match(dumpLines.join('\n'), /password \?\?\?\?\?\?|\+ua \/u/)
})

test('+ua: name and password from a file, unless the command line said them', () => {
  const files = { '/u': 'bob\nsesame\n' }
  const { user, password } = settings('ttyS0 +ua /u', { files })
  assert.deepEqual([user, password], ['bob', 'sesame'])
  const mine = settings('ttyS0 user alice file /f', { files: { ...files, '/f': '+ua /u' } })
  assert.equal(mine.user, 'bob')
  assert.match(fault('ttyS0 +ua /none').stderr, /unable to open user login data file \/none/)
})

test('variables for the scripts, the traffic limit, the caller', () => {
  const read = options('ttyS0 set A=1 unset B maxoctets 1000 mo-direction in mo-timeout 3 remotenumber 0123 ipparam x')
  assert.deepEqual(
    [...read.scriptVariables],
    [
      ['A', '1'],
      ['B', undefined],
    ],
  )
  assert.deepEqual(read.trafficLimit, { bytes: 1000, counts: 'in', checkMs: 3000 })
  assert.deepEqual([read.remoteNumber, read.ipParam], ['0123', 'x'])
  const refused = fault('ttyS0 allow-number 99* remotenumber 0123')
  assert.deepEqual([refused.exitCode, refused.stdout], [21, 'calling number 0123 is not authorized\n'])
})

test('every option is in the manual page', () => {
  const page = readFileSync(new URL('../../../docs/man/modem-ppp.8', import.meta.url), 'utf8')
    .replaceAll(/\\f[BIR]/g, '')
    .replaceAll('\\-', '-')
  const missing = OPTION_LISTS.flat()
    .filter(({ type }) => type !== 'wild')
    .map(({ name }) => name)
    .filter((name) => !new RegExp(`(^|[\\s",])${name.replaceAll('+', '\\+')}($|[\\s",\\\\])`, 'm').test(page))
  assert.deepEqual(missing, [])
})

test('-all leaves the defaults of LCP', () => {
  const { mruBytes, mtuBytes, lcpOffers } = settings('ttyS0 mru 296 mtu 296 -all')
  assert.deepEqual([mruBytes, mtuBytes, Object.values(lcpOffers)], [1500, 1500, [false, false, false, false, false]])
})

test('an address is what inet_addr says it is', () => {
  assert.equal(settings('ttyS0 10.1:0x0a000002').localAddress, parseIpv4('10.0.0.1'))
})
