/**
 * modem-ppp's log beside pppd's: the same words, the same peer, the same lines. What each draws at random is replaced; what only pppd's
 * preload library or only our engine says is left out, by name.
 */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { Cable, clientArgs, makePrivatePlaces, modemPpp, type Program, pppd, serverArgs } from './rig.ts'

/** pppd on its preload library, our engine, the statistics that the library has not, and packets that crossed by chance. */
const LEFT_OUT =
  /^(using channel \d+|Couldn't (set pass-filter|get PPP statistics).*|Using the \w+ engine.*|The link ended: .*|Connect time .*|Sent \d+ bytes.*|Script .*|Waiting for .*| {2}script .*|rcvd \[LCP ProtRej .*|Protocol-Reject for unsupported.*|sent \[LCP ProtRej .*|rcvd \[proto=0x57\].*|added response cache.*|response found in cache.*|Discarded non-LCP packet.*|discarding proto .*|Unsupported protocol.*)$/
/** The words of a Terminate-Request are for people; those of a failed CHAP tell no name that we do not know one. */
const REPLACED: readonly [RegExp, string][] = [
  [/magic 0x[0-9a-f]+/, 'magic …'],
  [/(Challenge id=)0x[0-9a-f]+ <[0-9a-f]+>/, '$1… <…>'],
  [/(Response id=)0x[0-9a-f]+ <[^>]*>/, '$1… <…>'],
  [/((?:Success|Failure) id=)0x[0-9a-f]+/, '$1…'],
  [/^(sent \[CHAP Failure id=…).*/, '$1'],
  [/(EAP \w+ id=)0x[0-9a-f]+/, '$1…'],
  [/<Value [^>]*>/, '<Value …>'],
  [/(S|C)=[0-9A-F]{32,40}/, '$1=…'],
  [/fe80::[0-9a-f:]+/, 'fe80::…'],
  [/^((?:sent|rcvd) \[LCP Term\w+ id=)0x[0-9a-f]+( "[^"]*")?/, '$1…'],
  [/password="[^"]*"|password=<hidden>/, 'password=…'],
  [/\/dev\/pts\/\d+/, '/dev/pts/…'],
]

interface Case {
  readonly name: string
  /** Of the one that is compared. */
  readonly exit: number
  /** Which end that is; the other is ours. */
  readonly compares?: 'server'
  readonly server: readonly string[]
  readonly client: readonly string[]
  /** pppd negotiates on without the log-in before it ends; we end at once. */
  readonly isQuicker?: boolean
  readonly onceUp?: (program: Program, cable: Cable) => void
}

const end = ({ child }: Program) => void child.kill('SIGTERM')
const CHAP = ['require-chap', 'name', 'server']
const PAP = ['require-pap', 'name', 'server']
const DNS = ['ms-dns', '10.0.0.53', 'ms-dns', '10.0.0.54']

const CASES: readonly Case[] = [
  { name: 'no log-in', exit: 5, server: ['noauth'], client: [], onceUp: end },
  {
    name: 'CHAP, name servers',
    exit: 5,
    server: [...CHAP, ...DNS],
    client: ['user', 'alice', 'usepeerdns'],
    onceUp: end,
  },
  { name: 'PAP', exit: 5, server: PAP, client: ['user', 'alice'], onceUp: end },
  {
    name: 'MS-CHAPv2',
    exit: 5,
    server: ['require-mschap-v2', 'name', 'server'],
    client: ['user', 'alice'],
    onceUp: end,
  },
  { name: 'a wrong secret, CHAP', exit: 19, server: CHAP, client: ['user', 'alice', 'password', 'wrong'] },
  {
    name: 'a wrong secret, MS-CHAPv2',
    exit: 19,
    server: ['require-mschap-v2', 'name', 'server'],
    client: ['user', 'alice', 'password', 'wrong'],
  },
  { name: 'EAP-MD5', exit: 5, server: ['require-eap', 'name', 'server'], client: ['user', 'alice'], onceUp: end },
  { name: 'a wrong secret, PAP', exit: 19, server: PAP, client: ['user', 'alice', 'password', 'wrong'] },
  {
    name: 'an MRU, nomagic, nopcomp',
    exit: 5,
    server: ['noauth', 'mru', '1400'],
    client: ['nomagic', 'nopcomp'],
    onceUp: end,
  },
  { name: 'the peer ends it', exit: 16, server: ['noauth', 'maxconnect', '1'], client: [], onceUp: hangUpAfterTheEnd },
  {
    name: 'as server, no log-in',
    compares: 'server',
    exit: 5,
    server: ['noauth', ...DNS],
    client: ['usepeerdns'],
    onceUp: end,
  },
  { name: 'as server, CHAP', compares: 'server', exit: 5, server: CHAP, client: ['user', 'alice'], onceUp: end },
  { name: 'as server, PAP', compares: 'server', exit: 5, server: PAP, client: ['user', 'alice'], onceUp: end },
  {
    name: 'as server, a wrong secret, CHAP',
    compares: 'server',
    exit: 11,
    server: CHAP,
    client: ['user', 'alice', 'password', 'wrong'],
  },
  {
    name: 'as server, a wrong secret, PAP',
    compares: 'server',
    exit: 11,
    server: PAP,
    client: ['user', 'alice', 'password', 'wrong'],
  },
  {
    name: 'as server, nobody of that name',
    compares: 'server',
    exit: 11,
    server: CHAP,
    client: ['user', 'nobody', 'password', 'wrong'],
  },
  {
    name: 'as server, a client without a secret',
    compares: 'server',
    exit: 11,
    server: PAP,
    client: ['user', 'nobody'],
    isQuicker: true,
  },
  { name: 'a hang-up', exit: 16, server: ['noauth'], client: [], onceUp: (_program, { near }) => near.hangUp() },
]

if (inNamespace(import.meta.url, needs('tun', 'pppd', 'gcc'))) {
  makePrivatePlaces()
  for (const each of CASES)
    test(each.name, async (t) => {
      const theirs = await linesOf(t, each, pppd)
      const ours = await linesOf(t, each, modemPpp)
      assert.deepEqual(said(ours), said(theirs))
      if (!each.isQuicker) assert.deepEqual(packets(ours), packets(theirs))
    })
}

/** As a modem does when the call is over: after the answer, which would else find no line. */
function hangUpAfterTheEnd(program: Program, { near }: Cable): void {
  void program.says(/sent \[LCP TermAck/).then(() => near.hangUp())
}

async function linesOf(t: TestContext, each: Case, start: typeof modemPpp): Promise<string[]> {
  const cable = new Cable(t)
  const isServer = each.compares === 'server'
  const server = (tty: string, ...more: string[]) => serverArgs(tty, ...each.server, ...more)
  const client = (tty: string, ...more: string[]) => clientArgs(tty, ...each.client, ...more)
  const [otherArgs, args] = isServer ? [client, server] : [server, client]
  // It waits: else the first requests of both ends cross, or do not.
  const other = modemPpp(t, otherArgs(cable.farTty, 'silent'), { isApart: true })
  await other.says(/Connect:/)
  const program = start(t, args(cable.tty, 'debug'))
  if (each.onceUp) {
    await program.says(/remote IP/)
    if (!isServer && each.client.includes('usepeerdns')) await program.says(/secondary/)
    each.onceUp(program, cable)
  }
  assert.equal(await program.end(), each.exit, program.output)
  other.child.kill('SIGKILL')
  return program.lines.filter((line) => !LEFT_OUT.test(line)).map(replaced)
}

function replaced(line: string): string {
  return REPLACED.reduce((text, [pattern, to]) => text.replace(pattern, to), line)
}

/** In their order. */
function said(lines: readonly string[]): string[] {
  return lines.filter((line) => !isPacket(line))
}

/** The order of two packets that cross is chance; how often one is repeated is too. */
function packets(lines: readonly string[]): string[] {
  return [...new Set(lines.filter(isPacket))].sort()
}

function isPacket(line: string): boolean {
  return /^(sent|rcvd) \[/.test(line)
}
