/** Every exit code of pppd that can be provoked, from modem-ppp and, where it is installed, from Debian's pppd with the same words. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { Cable, clientArgs, makePrivatePlaces, modemPpp, type Program, pppd, serverArgs } from './rig.ts'

interface Case {
  readonly name: string
  readonly exit: number
  readonly says?: RegExp
  /** On standard error. */
  readonly complains?: RegExp
  /** The far end: a server with these words; missing: nobody is there. */
  readonly server?: readonly string[]
  readonly args: (cable: Cable) => readonly string[]
  /** Done when it is up. */
  readonly onceUp?: (program: Program, cable: Cable) => void
  /** Why Debian's, on its preload library, is not asked. */
  readonly notPppd?: string
}

/** Seen on a real kernel too. Its manual has the codes that we give. */
const LATE_HANGUP = 'pppd 2.4.9 says Modem hangup after the end, and leaves with 16'

const LOGIN = ['require-chap', 'name', 'server']

const CASES: readonly Case[] = [
  { name: 'a wrong option', exit: 2, args: () => ['nosuchoption'] },
  { name: 'an option that lacks its value', exit: 2, args: () => ['mru'] },
  {
    name: 'SIGTERM',
    exit: 5,
    says: /^Terminating on signal 15$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty),
    onceUp: ({ child }) => child.kill('SIGTERM'),
  },
  {
    name: 'SIGHUP',
    exit: 5,
    says: /^Hangup \(SIGHUP\)$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty),
    onceUp: ({ child }) => child.kill('SIGHUP'),
  },
  {
    name: 'a log file that cannot be opened',
    exit: 2,
    complains: /: Can't open log file \/nope\/x: No such file or directory$/m,
    args: ({ tty }) => clientArgs(tty, 'logfile', '/nope/x'),
  },
  {
    name: 'a lock of another',
    exit: 6,
    says: new RegExp(`^Device pts_\\d+ is locked by pid ${process.pid}$`, 'm'),
    args: ({ tty }) => {
      writeFileSync(`/run/lock/LCK..${tty.slice(5).replaceAll('/', '_')}`, `${String(process.pid).padStart(10)}\n`)
      return clientArgs(tty, 'lock')
    },
  },
  {
    name: 'a connect script that fails',
    exit: 8,
    says: /^Connect script failed$/m,
    args: ({ tty }) => clientArgs(tty, 'connect', 'exit 3'),
  },
  {
    name: 'debug tells what became of a connect script',
    exit: 8,
    says: /^Script exit 3 finished \(pid \d+\), status = 0x3\nConnect script failed$/m,
    args: ({ tty }) => clientArgs(tty, 'debug', 'connect', 'exit 3'),
  },
  {
    name: 'a connect script that a signal ends',
    exit: 8,
    says: /^Child process kill -TERM \$PPID; sleep 5 \(pid \d+\) terminated with signal 15\nConnect script failed$/m,
    args: ({ tty }) => clientArgs(tty, 'connect', 'kill -TERM $PPID; sleep 5'),
    notPppd: 'what it says depends on whether it or the signal is first',
  },
  {
    name: 'nobody answers',
    exit: 10,
    says: /^LCP: timeout sending Config-Requests\nConnection terminated\.$/m,
    args: ({ tty }) => clientArgs(tty, 'lcp-max-configure', '2'),
    notPppd: LATE_HANGUP,
  },
  {
    name: 'the peer does not log in as it should',
    exit: 11,
    args: ({ tty }) => [...serverArgs(tty, ...LOGIN), 'lcp-max-configure', '3'],
    server: ['noauth', 'user', 'nobody', 'nodefaultroute'],
  },
  {
    name: 'a peer with a wrong secret',
    exit: 11,
    says: /^Peer alice failed CHAP authentication$/m,
    args: ({ tty }) => serverArgs(tty, ...LOGIN),
    server: ['noauth', 'user', 'alice', 'password', 'wrong'],
  },
  {
    name: 'nothing passes for so long',
    exit: 12,
    says: /^Terminating connection due to lack of activity\.$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty, 'idle', '1'),
    notPppd: 'the preload library has no clock of idleness',
  },
  {
    name: 'the time is over',
    exit: 13,
    says: /^Connect time expired$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty, 'maxconnect', '1'),
  },
  {
    name: 'no answer to echoes',
    exit: 15,
    says: /^No response to 2 echo-requests\nSerial link appears to be disconnected\.$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty, 'lcp-echo-interval', '1', 'lcp-echo-failure', '2'),
    onceUp: (_program, cable) => {
      cable.isCut = true
    },
    notPppd: LATE_HANGUP,
  },
  {
    name: 'the line hangs up',
    exit: 16,
    says: /^Modem hangup$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty),
    onceUp: (_program, { near }) => near.hangUp(),
  },
  {
    name: 'a command as the line that ends at once',
    exit: 16,
    says: /^Modem hangup$/m,
    args: () => ['pty', 'false', 'nodetach', 'noauth'],
  },
  {
    name: 'our own words come back',
    exit: 17,
    says: /^Serial line is looped back\.$/m,
    args: () => ['pty', 'cat', 'nodetach', 'noauth', 'lcp-restart', '1'],
  },
  {
    name: 'no protocol is left to run',
    exit: 10,
    says: /^Connection terminated\.$/m,
    server: ['noauth'],
    args: ({ tty }) => clientArgs(tty, 'noip', 'noipv6'),
  },
  {
    name: 'an init script that fails',
    exit: 18,
    says: /^Initializer script failed$/m,
    args: ({ tty }) => clientArgs(tty, 'init', 'false'),
  },
  {
    name: 'the peer does not take our secret',
    exit: 19,
    says: /^CHAP authentication failed/m,
    server: LOGIN,
    args: ({ tty }) => clientArgs(tty, 'user', 'alice', 'password', 'wrong'),
  },
  {
    name: 'the peer ends an established link',
    exit: 0,
    says: /^LCP terminated by peer \(.*\)$/m,
    server: ['noauth', 'maxconnect', '1'],
    args: ({ tty }) => clientArgs(tty),
    notPppd: LATE_HANGUP,
  },
]

if (inNamespace(import.meta.url, needs('tun', 'pppd', 'gcc'))) {
  makePrivatePlaces()
  for (const each of CASES) {
    test(`modem-ppp: ${each.name}: ${each.exit}`, (t) => check(t, each, modemPpp))
    if (!each.notPppd) test(`pppd: ${each.name}: ${each.exit}`, (t) => check(t, each, pppd))
  }

  test('modem-ppp: not root: 3', async (t) => {
    // Nobody's rights: no capability is left, and the interface cannot be made.
    const cable = new Cable(t)
    const program = modemPpp(t, clientArgs(cable.tty), { below: ['setpriv', '--bounding-set', '-all'] })
    assert.equal(await program.end(), 3)
    assert.match(program.stderr, /^modem-ppp: .*CAP_NET_ADMIN \(run as root\)/)
  })

  test('modem-ppp: a kernel without PPP where the kernel engine is asked for: 4', async (t) => {
    const cable = new Cable(t)
    const program = modemPpp(t, clientArgs(cable.tty, 'engine', 'kernel'))
    assert.equal(await program.end(), 4)
    assert.match(program.stderr, /^modem-ppp: the engine kernel does not work here \(kernel: .*\/dev\/ppp/)
  })

  for (const [name, start] of Object.entries({ 'modem-ppp': modemPpp, pppd }))
    test(`${name}: a tty that cannot be opened: 7`, async (t) => {
      // Without a controlling terminal it is a tty that nobody can open.
      const program = start(t, clientArgs('/dev/tty'), { below: ['setsid', '--wait'] })
      assert.equal(await program.end(), 7)
      assert.equal(program.output, 'Failed to open /dev/tty: No such device or address\n')
    })
}

async function check(t: TestContext, each: Case, start: typeof modemPpp): Promise<void> {
  const cable = new Cable(t)
  if (each.server) {
    const isClient = each.server.includes('user')
    const words = each.server as string[]
    modemPpp(t, isClient ? clientArgs(cable.farTty, ...words) : serverArgs(cable.farTty, ...words), { isApart: true })
  }
  const program = start(t, each.args(cable))
  if (each.onceUp) {
    await program.says(/remote IP/)
    each.onceUp(program, cable)
  }
  assert.equal(await program.end(), each.exit, `${program.output}${program.stderr}`)
  if (each.says) assert.match(program.output, each.says)
  if (each.complains) assert.match(program.stderr, each.complains)
}
