/** The scripts of modem-ppp: those on the line, with Debian's chat and with modem-chat, and the administrator's, whose words and variables are pppd's. */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { concat } from '../../../src/base/bytes.ts'
import { HdlcEncoder } from '../../../src/ppp/wire/hdlc-encoder.ts'
import { CODE, controlBytes } from '../../../src/ppp/wire/packets.ts'
import { LCP } from '../../../src/ppp/wire/protocols.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { until } from '../../system/until.ts'
import {
  Cable,
  clientArgs,
  folder,
  MODEM_CHAT,
  makePrivatePlaces,
  modemPpp,
  type Program,
  pppd,
  serverArgs,
} from './rig.ts'

const EVENTS = ['ip-pre-up', 'ip-up', 'ip-down', 'ipv6-up', 'ipv6-down', 'auth-up', 'auth-down'] as const
/** A shell makes these itself. */
const SHELLS_OWN = /^(PWD|SHLVL|_|OLDPWD)=/
/** pppd has no PATH, and knows no statistics without the kernel. */
const OURS_ONLY = /^(PATH|BYTES_SENT|BYTES_RCVD|CONNECT_TIME)=/
/** What differs from run to run. */
const CHANGING: readonly [RegExp, string][] = [
  [/PPPD_PID=\d+/g, 'PPPD_PID=…'],
  [/\/dev\/pts\/\d+/g, '/dev/pts/…'],
  [/fe80::[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}/g, 'fe80::…'],
]

interface Ran {
  readonly arguments: string
  readonly variables: readonly string[]
}

if (inNamespace(import.meta.url, needs('tun', 'pppd', 'gcc', 'chat', 'ip'))) {
  makePrivatePlaces()
  tests()
}

function tests(): void {
  const starts = { 'modem-ppp': modemPpp, pppd }
  const records = new Map<string, Record<string, Ran>>()

  for (const [name, start] of Object.entries(starts))
    test(`${name}: the administrator's programs`, async (t) => {
      records.set(name, await recordEvents(t, start))
    })

  test('they get the same arguments and variables from both', () => {
    const [ours, theirs] = [records.get('modem-ppp')!, records.get('pppd')!]
    assert.deepEqual(Object.keys(ours).sort(), [...EVENTS].sort())
    for (const event of EVENTS) {
      assert.equal(ours[event]!.arguments, theirs[event]!.arguments, event)
      // What IPv6 has set by then depends on which of the two came first.
      const settled = (ran: Ran) => ran.variables.filter((line) => event !== 'ipv6-up' || !/^(IP|DNS|USE)/.test(line))
      const common = settled(ours[event]!).filter((line) => !OURS_ONLY.test(line))
      assert.deepEqual(common, settled(theirs[event]!), event)
    }
    const own = ours['ip-down']!.variables.filter((line) => OURS_ONLY.test(line))
    assert.deepEqual(
      own.map((line) => line.replace(/=\d+$/, '=N')),
      [
        'BYTES_RCVD=N',
        'BYTES_SENT=N',
        'CONNECT_TIME=N',
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ],
    )
  })

  test('a peer’s name is cleaned before a program gets it', async (t) => {
    record('ppp9')
    writeFileSync('/etc/ppp/chap-secrets', `"../$(touch x);a'b" * "sekret" *\n"alice" * "sekret" *\n`)
    t.after(() => writeFileSync('/etc/ppp/chap-secrets', '"alice" * "sekret" *\n'))
    const cable = new Cable(t)
    const client = modemPpp(t, clientArgs(cable.farTty, 'user', `../$(touch x);a'b`), { isApart: true })
    const server = modemPpp(t, serverArgs(cable.tty, 'require-chap', 'name', 'server'))
    await server.says(/remote IP/)
    const file = join(folder, 'auth-up.ran')
    await until('auth-up ran', () => existsSync(file) && readFileSync(file, 'utf8').endsWith('end\n'), 10_000)
    const ran = readFileSync(file, 'utf8')
    assert.match(ran, /^PEERNAME=_\.___touch_x__a_b$/m)
    assert.match(ran, /^ppp9 _\.___touch_x__a_b root /)
    client.child.kill('SIGTERM')
    await server.end()
  })

  test('ip-down waits until ip-up has ended', async (t) => {
    record()
    const order = join(folder, 'order')
    writeScript('ip-up', `echo up begins >> ${order}; sleep 0.5; echo up ends >> ${order}`)
    writeScript('ip-down', `echo down >> ${order}`)
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty))
    await client.says(/remote IP/)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
    assert.equal(readFileSync(order, 'utf8'), 'up begins\nup ends\ndown\n')
  })

  test('init, connect, welcome and disconnect have the line, and the log on standard error', async (t) => {
    record()
    const cable = new Cable(t)
    const heard: string[] = []
    cable.onNear = (bytes) => {
      heard.push(Buffer.from(bytes).toString('latin1'))
      return false
    }
    const says = (word: string) => `echo ${word}; echo ${word} said >&2`
    // It waits in its read, as a script may (a shell's own read would mend a descriptor that does not wait).
    const asks = `${says('connect')}; echo "$(head -c 9)" heard >&2`
    const words = ['init', 'connect', 'welcome', 'disconnect'].flatMap((name) => [
      name,
      name === 'connect' ? asks : says(name),
    ])
    const client = modemPpp(t, clientArgs(cable.tty, ...words, 'lcp-max-configure', '1', 'connect-delay', '100'))
    await client.says(/connect said/)
    cable.near.write(Buffer.from('an answer'))
    assert.equal(await client.end(), 10)
    assert.deepEqual(client.lines, [
      'init said',
      'Serial port initialized.',
      'connect said',
      'an answer heard',
      'Serial connection established.',
      'welcome said',
      'Using interface ppp0',
      `Connect: ppp0 <--> ${cable.tty}`,
      'LCP: timeout sending Config-Requests',
      'Connection terminated.',
      'disconnect said',
      'Serial link disconnected.',
    ])
    await until('all arrived', () => heard.join('').endsWith('disconnect\n'))
    const text = heard.join('')
    assert.match(text, /^init\nconnect\nwelcome\n~/)
    assert.match(text, /~disconnect\n$/)
  })

  test('a frame that comes together with CONNECT is not lost', async (t) => {
    record()
    const cable = new Cable(t)
    const request = new HdlcEncoder().encode(LCP, controlBytes(CODE.configureRequest, 0x77, new Uint8Array()))
    cable.onNear = (bytes) => {
      const isDialling = Buffer.from(bytes).includes('\r')
      if (isDialling) cable.near.write(concat([Buffer.from('CONNECT\r\n'), request]))
      return false
    }
    // A shell reads a line byte by byte. (chat has the line in seven bits until it ends, and damages what comes so early.)
    const client = modemPpp(t, clientArgs(cable.tty, 'debug', 'connect', "printf 'ATD\\r'; read -r answer"))
    await client.says(/^rcvd \[LCP ConfReq id=0x77\]$/m)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
  })

  const chats = { chat: 'chat', 'modem-chat': `${process.execPath} ${MODEM_CHAT}` }
  for (const [name, start] of Object.entries(starts))
    for (const [chatName, chat] of Object.entries(chats))
      test(`${name} connect '${chatName} …': what follows CONNECT at once is not lost`, async (t) => {
        record()
        const cable = new Cable(t)
        const script = `${chat} -v ABORT BUSY TIMEOUT 5 '' ATZ OK ATD*99# CONNECT ''`
        // A carriage return on a line that is PPP's already is junk before the first flag.
        const server = () => modemPpp(t, serverArgs(cable.farTty, 'noauth', 'silent'), { isApart: true })
        answerAsModem(cable, server)
        const client = start(t, clientArgs(cable.tty, 'connect', script, 'connect-delay', '5000'))
        await client.says(/^Serial connection established\.$/m)
        await client.says(/remote IP address 10\.64\.64\.64/)
        client.child.kill('SIGTERM')
        assert.equal(await client.end(), 5)
      })

  test('a script that is there and may not be run is said, and nothing else happens', async (t) => {
    record()
    chmodSync('/etc/ppp/ip-up', 0o644)
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty))
    await client.says(/^Can't execute \/etc\/ppp\/ip-up: Permission denied$/m)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
  })
}

/** OK to ATZ; CONNECT to ATD, with the first bytes of a frame on its heels, and from then on a cable. */
function answerAsModem(cable: Cable, startServer: () => Program): void {
  let line = ''
  cable.onNear = (bytes) => {
    line += Buffer.from(bytes).toString('latin1')
    if (line.endsWith('ATZ\r')) cable.near.write(Buffer.from('\r\nOK\r\n'))
    if (line.endsWith('ATD*99#\r')) {
      cable.near.write(Buffer.from('\r\nCONNECT 115200\r\n~'))
      cable.onNear = () => true
      startServer()
    }
    return false
  }
}

/** Only for that interface: the other end finds the same programs. */
function writeScript(event: string, body: string, interfaceName = 'ppp0'): void {
  rmSync(`/etc/ppp/${event}`, { force: true })
  const text = `#!/bin/sh\n[ "$1" = ${interfaceName} ] || exit 0\n${body}\n`
  writeFileSync(`/etc/ppp/${event}`, text, { mode: 0o755 })
}

/** Each program writes what it was given. */
function record(interfaceName?: string): void {
  for (const event of EVENTS) {
    rmSync(join(folder, `${event}.ran`), { force: true })
    const body = `{ echo "$*"; tr '\\0' '\\n' </proc/self/environ; echo end; } > ${folder}/${event}.ran`
    writeScript(event, body, interfaceName)
  }
}

async function recordEvents(t: TestContext, start: typeof modemPpp): Promise<Record<string, Ran>> {
  record()
  const cable = new Cable(t)
  const names = ['10.0.0.53', '10.0.0.54'].flatMap((address) => ['ms-dns', address])
  const ipv6 = ['+ipv6', '10.64.64.64:10.64.0.2']
  const without6 = (words: string[]) => words.filter((word) => word !== 'noipv6')
  // The client asks for a log-in too: its programs for that have something to say.
  const server = modemPpp(
    t,
    without6(serverArgs(cable.farTty, 'noauth', 'user', 'alice', ...names, ...ipv6, 'persist', 'maxfail', '0')),
    { isApart: true },
  )
  const words = ['require-chap', 'name', 'us', 'usepeerdns', 'ipparam', 'a b', 'linkname', 'lk', '+ipv6', 'noipdefault']
  const client = start(t, without6([cable.tty, '115200', 'nodetach', 'local', ...serverWords(), ...words]), {
    env: { SECRET: 'of our own environment' },
  })
  await client.says(/remote IP/)
  await client.says(/remote LL/)
  const ran = (event: string) => join(folder, `${event}.ran`)
  for (const event of ['ip-up', 'ipv6-up', 'auth-up'])
    await until(`${event} ran`, () => existsSync(ran(event)) && readFileSync(ran(event), 'utf8').endsWith('end\n'))
  client.child.kill('SIGTERM')
  assert.equal(await client.end(), 5, client.output)
  server.child.kill('SIGKILL')
  return Object.fromEntries(EVENTS.map((event) => [event, readRan(ran(event))]))
}

function serverWords(): string[] {
  return ['lcp-restart', '1', 'ipcp-restart', '1', 'novj', 'noccp']
}

function readRan(file: string): Ran {
  let text = readFileSync(file, 'utf8')
  for (const [pattern, to] of CHANGING) text = text.replace(pattern, to)
  const [words = '', ...rest] = text.split('\n')
  const variables = rest.slice(0, rest.lastIndexOf('end')).filter((line) => line && !SHELLS_OWN.test(line))
  return { arguments: words, variables: variables.sort() }
}
