/** The pure parts of the pppd engine: the option file, the exit table, the messages. pppd itself: test/interop/pppd-engine.test.ts. */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CAUSES } from '../../../src/base/cause.ts'
import { parseIpv4 } from '../../../src/base/ipv4.ts'
import { PPPD_EXITS, verdictOfPppd } from '../../../src/ppp/engines/pppd-exit.ts'
import { newsOf, PppdLog, type PppdNews } from '../../../src/ppp/engines/pppd-log.ts'
import { pppdOptions, pppdRefusal, quoted } from '../../../src/ppp/engines/pppd-options.ts'
import { PppdState } from '../../../src/ppp/engines/pppd-state.ts'
import { pppdUsable } from '../../../src/ppp/engines/pppd-usable.ts'
import { CLIENT_DEFAULTS, type PppSettings } from '../../../src/ppp/settings.ts'
import { needs } from '../../support/needs.ts'
import { EVERYTHING } from './pppd-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
after(() => rmSync(folder, { recursive: true }))

function words(
  settings: Partial<PppSettings> = {},
  more: { interfaceName?: string; pppdOptions?: string } = {},
): string[] {
  return pppdOptions({ settings: { ...CLIENT_DEFAULTS, ...settings }, ...more })
    .split('\n')
    .filter(Boolean)
}

test('every setting becomes its option', () => {
  assert.deepEqual(words(EVERYTHING, { interfaceName: 'ppp7', pppdOptions: 'plugin x.so\nmtu 1200' }), [
    'local',
    'nocrtscts',
    'unit 7',
    'mru 1400',
    'mtu 1300',
    'asyncmap a0000',
    'nomagic',
    'nopcomp',
    'noaccomp',
    'lcp-restart 3',
    'lcp-max-configure 7',
    'lcp-max-terminate 3',
    'lcp-max-failure 8',
    'lcp-echo-interval 15',
    'lcp-echo-failure 6',
    'silent',
    'passive',
    'user "alice"',
    'password "sekret"',
    'refuse-pap',
    'refuse-mschap',
    'refuse-mschap-v2',
    'refuse-eap',
    'auth',
    'require-mschap-v2',
    'pap-timeout 20',
    'chap-timeout 20',
    'eap-timeout 20',
    'pap-restart 2',
    'pap-max-authreq 4',
    'chap-restart 4',
    'chap-max-challenge 5',
    'chap-interval 60',
    'eap-restart 5',
    'eap-max-sreq 6',
    'eap-interval 61',
    'noipdefault',
    '10.0.0.1:10.0.0.2',
    'ipcp-accept-local',
    'ipcp-accept-remote',
    'usepeerdns',
    'ms-dns 10.0.0.53',
    'ms-dns 10.0.0.54',
    'ipcp-restart 1',
    'ipcp-max-configure 9',
    'ipcp-max-terminate 3',
    'ipcp-max-failure 8',
    '+ipv6',
    'ipv6 ::1,::1122:3344:5566:7788',
    'ipv6cp-restart 3',
    'ipv6cp-max-configure 7',
    'ipv6cp-max-terminate 4',
    'ipv6cp-max-failure 11',
    'novj',
    'noccp',
    'idle 90',
    'maxconnect 3600',
    'nodefaultroute',
    'nodefaultroute6',
    'ip-up-script /proc/none',
    'ip-down-script /proc/none',
    'plugin x.so',
    'mtu 1200',
  ])
})

test('settings that turn things off', () => {
  const off = words({
    answersAuth: [],
    lcpOffers: { mru: false, accm: false, magic: true, pfc: true, acfc: true },
    ipv4: false,
    ipv6: false,
    echoIntervalMs: 0,
    requestDns: false,
  })
  for (const word of [
    'default-mru',
    'default-asyncmap',
    'noip',
    'noipv6',
    'noauth',
    'lcp-echo-interval 0',
    'refuse-chap',
  ])
    assert.ok(off.includes(word), word)
  for (const word of ['usepeerdns', 'idle', 'maxconnect', 'nomagic', 'silent', 'unit'])
    assert.ok(!off.some((line) => line.startsWith(word)), word)
  assert.ok(words().includes('lcp-echo-adaptive'))
  assert.ok(words({ localInterfaceId: 5n, ipv6: true }).includes('ipv6 ::5,'))
  assert.ok(words({}, { interfaceName: 'wwan7' }).includes('ifname "wwan7"'))
})

test('what no options file can carry is refused', () => {
  for (const value of ['a\nnoauth', 'a\0b', 'a\rb', '\x7f', 'x'.repeat(256), 'é'.repeat(128)])
    assert.throws(() => words({ user: value }), { code: 'InvalidArgs', failureCause: 'pppd-failed' })
  assert.throws(
    () => words({ password: 'sekret\n' }),
    (error: Error) => !error.message.includes('sekret'),
  )
  assert.throws(() => words({}, { pppdOptions: 'a\0b' }), { failureCause: 'pppd-failed' })
  assert.equal(quoted('', 'it'), '""')
})

test('a server, and secrets by function, are not for pppd', () => {
  const refusal = (settings: Partial<PppSettings>) => pppdRefusal({ settings: { ...CLIENT_DEFAULTS, ...settings } })
  assert.equal(refusal({}), undefined)
  assert.match(refusal({ role: 'server' })!, /client only/)
  assert.match(refusal({ secretOf: () => 'x' })!, /\/etc\/ppp/)
})

/** pppd(8), EXIT STATUS, by a word of each; 20 and 21 are in pppd.h only. */
const MANUAL = [
  ...['terminated', 'fatal', 'options', 'setuid-root', 'kernel', 'signal', 'locked', 'opened', 'connect script', 'pty'],
  ...['negotiation', 'authenticate', 'idle', 'time limit', 'callback', 'echo requests', 'hanging up', 'loopback'],
  ...['init script', 'authenticate ourselves'],
]
const MANUAL_PAGE = '/usr/share/man/man8/pppd.8.gz'

test('every exit code of pppd(8) has a cause of the closed list', () => {
  assert.equal(PPPD_EXITS.length, 22)
  for (const { cause } of PPPD_EXITS) assert.ok(CAUSES.includes(cause), cause)
  assert.deepEqual(
    PPPD_EXITS.map(({ cause }) => cause),
    [
      ...[
        'hung-up',
        'pppd-failed',
        'pppd-failed',
        'permission',
        'engine-missing',
        'user-request',
        'port-busy',
        'port-busy',
      ],
      ...['script-error', 'pppd-failed', 'ipcp-failed', 'peer-auth-refused', 'idle', 'time-limit', 'pppd-failed'],
      ...['echo-lost', 'hung-up', 'loopback', 'script-error', 'auth-refused', 'data-limit', 'peer-auth-refused'],
    ],
  )
  // The list above is still the installed one's, where its page is.
  if (!existsSync(MANUAL_PAGE)) return
  const page = gunzipSync(readFileSync(MANUAL_PAGE)).toString('latin1')
  const section = page.slice(page.indexOf('.SH EXIT STATUS'), page.indexOf('.SH SCRIPTS'))
  const entries = [...section.matchAll(/^\.B (\d+)\n([^.][\s\S]*?)(?=^\.|(?![\s\S]))/gm)]
  assert.deepEqual(
    entries.map(([, code]) => Number(code)),
    [...MANUAL.keys()],
  )
  for (const [, code, text] of entries)
    assert.ok(text!.toLowerCase().replace(/\s+/g, ' ').includes(MANUAL[Number(code)]!), `${code}: ${text}`)
})

test('the last messages tell what one code stands for', () => {
  const verdict = (exitCode: number | undefined, messages: string[], wasUp = false) => {
    const { failure, exitCode: code } = verdictOfPppd({ exitCode, signal: 'SIGSEGV', messages, wasUp })
    return [failure.cause, code]
  }
  assert.deepEqual(verdict(16, ['LCP: timeout sending Config-Requests', 'Modem hangup']), ['lcp-timeout', 10])
  assert.deepEqual(verdict(16, ['LCP: timeout sending Config-Requests', 'Modem hangup'], true), ['hung-up', 16])
  assert.deepEqual(verdict(16, ['No response to 3 echo-requests', 'Modem hangup'], true), ['echo-lost', 15])
  assert.deepEqual(verdict(10, ['IPCP: timeout sending Config-Requests']), ['ipcp-failed', 10])
  assert.deepEqual(verdict(10, ['Could not determine local IP address']), ['no-address', 10])
  assert.deepEqual(verdict(5, ['Hangup (SIGHUP)']), ['hung-up', 16])
  assert.deepEqual(verdict(5, ['Terminating on signal 15']), ['user-request', 5])
  assert.deepEqual(verdict(1, ['Failed to open /dev/ttyUSB0: No such file or directory']), ['modem-gone', 16])
  assert.deepEqual(verdict(7, ['Failed to open /dev/ttyUSB0: Permission denied'])[0], 'permission')
  assert.deepEqual(verdict(7, ['Failed to open /dev/ttyUSB0: Device or resource busy']), ['port-busy', 7])
  assert.deepEqual(verdict(undefined, []), ['pppd-failed', 5])
  assert.deepEqual(verdict(77, []), ['pppd-failed', 77])
  // A peer's words are behind pppd's own.
  assert.deepEqual(verdict(16, ['Remote message: LCP: timeout sending Config-Requests']), ['hung-up', 16])
  const { detail } = verdictOfPppd({
    exitCode: 19,
    messages: ['Connect: ppp0 <--> /dev/ttyUSB0', 'Remote message: go away', 'PAP authentication failed', 'Exit.'],
    wasUp: false,
  }).failure
  assert.equal(
    detail,
    "the peer refused our log-in (pppd's exit code 19); Remote message: go away; PAP authentication failed",
  )
})

function read(secret: string, ...texts: string[]) {
  const news: PppdNews[] = []
  const lines: string[] = []
  const log = new PppdLog(secret, (line, one) => {
    lines.push(line)
    if (one) news.push(one)
  })
  for (const text of texts) log.take(text)
  log.finish()
  return { news, lines, last: log.lastLines }
}

const SESSION = `using channel 1
Using interface ppp0
Connect: ppp0 <--> /dev/ttyUSB0
CHAP authentication succeeded: welcome
CHAP authentication succeeded
local  LL address fe80::0000:0000:0000:0022
remote LL address fe80::0000:0000:0000:0011
local  IP address 10.64.0.2
remote IP address 10.64.64.64
primary   DNS address 10.64.0.53
secondary DNS address 10.64.0.54
LCP terminated by peer (bye)
Connection terminated.
`

test('messages become state, cut anywhere', () => {
  const whole = read('', SESSION).news
  assert.deepEqual(
    whole.map(({ type }) => type),
    [
      'interface',
      'connected',
      'authenticated',
      'authenticated',
      'ip6',
      'ip6',
      'ip4',
      'ip4',
      'dns',
      'dns',
      'terminating',
      'terminating',
    ],
  )
  for (let at = 0; at < SESSION.length; at++)
    assert.deepEqual(read('', SESSION.slice(0, at), SESSION.slice(at)).news, whole)

  const state = new PppdState()
  const steps = whole.flatMap((news) => state.take(news))
  const phases = [...steps, ...state.end()].flatMap((step) => (step.type === 'phase' ? [step.phase] : []))
  assert.deepEqual(phases, ['establish', 'authenticate', 'network', 'terminate', 'dead'])
  const end = { type: 'phase', phase: 'terminate', failure: { cause: 'hung-up', detail: 'LCP terminated by peer' } }
  assert.deepEqual(steps.at(-1), end)
  assert.deepEqual(state.address(1500), {
    ip4: {
      local: parseIpv4('10.64.0.2'),
      peer: parseIpv4('10.64.64.64'),
      dns: [parseIpv4('10.64.0.53'), parseIpv4('10.64.0.54')],
    },
    ip6: { local: 0x22n, peer: 0x11n },
    mtuBytes: 1500,
  })
})

test('addresses told a second time are a new negotiation; a repeated log-in is none', () => {
  const state = new PppdState()
  const tell = (text: string) => read('', text).news.flatMap((news) => state.take(news))
  tell(
    'Connect: ppp0 <--> /dev/x\nlocal  IP address 10.0.0.1\nremote IP address 10.0.0.2\nprimary   DNS address 10.0.0.3\n',
  )
  assert.deepEqual(state.running(), [{ type: 'phase', phase: 'running' }])
  assert.deepEqual(tell('CHAP authentication succeeded\n'), [])
  assert.deepEqual(tell('local  IP address 10.0.0.7\n'), [
    { type: 'renewed' },
    { type: 'phase', phase: 'network' },
    { type: 'address' },
  ])
  assert.deepEqual(state.address(1500)?.ip4, { local: parseIpv4('10.0.0.7'), peer: 0, dns: [] })
})

test('what a peer says makes no state', () => {
  const hostile = [
    'Remote message: local  IP address 10.0.0.1',
    'LCP: local  IP address 10.0.0.1',
    'local  IP address 10.0.0.1 x',
    'local  IP address 10.0.0.256',
    'local  LL address fe80::1::2',
    ' Using interface ppp0',
    'Using interface ../../etc',
    `Using interface ${'x'.repeat(16)}`,
    'x'.repeat(100_000),
  ]
  assert.deepEqual(hostile.slice(0, 6).concat(hostile.slice(7)).map(newsOf), Array(8).fill(undefined))
  const { lines, last } = read('', `${hostile.join('\n')}\n\x1b[2J\n`)
  assert.ok(lines.every((line) => line.length <= 405 && !line.includes('\x1b')))
  assert.ok(last.length <= 20)
})

test('the secret shows nowhere, and a short one spoils no message of pppd', () => {
  const said = 'sent [PAP AuthReq id=0x1 user="alice" password="sekret"]\nRemote message: your sekret is bad\n'
  const { lines, last } = read('sekret', said)
  assert.doesNotMatch([...lines, ...last].join(), /sekret/)
  assert.deepEqual(read('e', 'Remote message: e\nConnect: ppp0 <--> /dev/x\n').lines, [
    'R<hidden>mot<hidden> m<hidden>ssag<hidden>: <hidden>',
    'Connect: ppp0 <--> /dev/x',
  ])
})

test('usable: there, new enough, run by root, and with the kernel’s PPP', needs('pppd'), () => {
  const why = (host: Parameters<typeof pppdUsable>[0]) => {
    const usable = pppdUsable(host)
    return usable.ok ? '' : usable.why
  }
  assert.match(why({ userId: 1000 }), /from root only \(run modemd as root\)/)
  assert.match(why({ userId: 0, places: ['/nonexistent/pppd'] }), /install the package ppp/)
  const closed = join(folder, 'closed-pppd')
  writeFileSync(closed, '', { mode: 0o600 })
  assert.match(why({ userId: 1000, places: [closed] }), /from root only \(run modemd as root\)/)
  assert.match(why({ userId: 0, places: [closed] }), /closed-pppd cannot be run: .*EACCES/)
  const fake = (version: string) => {
    const path = join(folder, `pppd-${version}`)
    writeFileSync(path, `#!/bin/sh\necho 'pppd version ${version}'\n`)
    chmodSync(path, 0o755)
    return path
  }
  const real = pppdUsable({ userId: 0 })
  if (existsSync('/dev/ppp')) assert.match(real.ok ? real.version : '', /^2\.[4-9]/)
  else assert.match(why({ userId: 0 }), /pppd finds no PPP in the kernel \(.*\/dev\/ppp/)
  assert.match(why({ userId: 0, places: [fake('2.4.8')] }), /is pppd 2\.4\.8: 2\.4\.9 or later/)
  assert.equal(why({ userId: 0, places: [fake('2.5.0')] }), '')
  assert.match(why({ userId: 0, places: [fake('nothing')] }), /does not tell its version/)
})
