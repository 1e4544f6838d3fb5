/** Where pppd does not come to life: what is told, and the tty as its owner had it. pppd itself: test/interop/pppd-engine.test.ts. */

import assert from 'node:assert/strict'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import type { PppLink, PppLinkEvent } from '../../../src/ppp/engines/engine.ts'
import { createPppdEngine } from '../../../src/ppp/engines/pppd.ts'
import { startPppd } from '../../../src/ppp/engines/pppd-process.ts'
import { lendTty } from '../../../src/ppp/engines/pppd-tty.ts'
import { CLIENT_DEFAULTS } from '../../../src/ppp/settings.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { ioctl, ioctlNumber } from '../../../src/system/libc.ts'
import type { RouteSocket } from '../../../src/system/netlink.ts'
import { openPty } from '../../../src/system/pty.ts'
import { needs } from '../../support/needs.ts'
import { withoutDescriptors } from '../../support/shortage.ts'
import { until } from '../../system/until.ts'

const TIOCEXCL = 0x540c
const TIOCGEXCL = 0x80045440
/** The opening for pppd, a pipe, and no more: none for the child's own. */
const ONLY_THE_START = 3
const KOFFI = createRequire(import.meta.url).resolve('koffi')

/** A tty that is open, for its owner alone. */
function ttyFor(t: TestContext): { readonly fd: number; readonly wire: Wire; isExclusive(): boolean } {
  const pty = openPty({ keepSlaveOpen: false })
  const fd = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  assert.equal(ioctlNumber(fd, TIOCEXCL, 0), 0)
  t.after(() => {
    closeSync(fd)
    pty.close()
  })
  const isExclusive = () => {
    const answer = new Int32Array(1)
    assert.equal(ioctl(fd, TIOCGEXCL, new Uint8Array(answer.buffer)), 0)
    return answer[0] === 1
  }
  return { fd, wire: { fd, path: pty.slavePath, listen() {} } as unknown as Wire, isExclusive }
}

function programOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'pppd.cjs')
  writeFileSync(file, text, { mode: 0o755 })
  return file
}

interface Opened {
  readonly link: PppLink
  readonly events: readonly PppLinkEvent[]
  readonly warnings: readonly string[]
}

function open(wire: Wire, program: string): Opened {
  const events: PppLinkEvent[] = []
  const warnings: string[] = []
  const engine = createPppdEngine({
    program,
    clock: systemClock,
    logger: { ...silentLogger, warn: (text) => void warnings.push(text) },
    openRouteSocket: (): RouteSocket => {
      throw new ModemdError('Internal', 'cannot open a socket: too many open files (EMFILE)')
    },
  })
  const link = engine.open(wire, { settings: { ...CLIENT_DEFAULTS, ipv6: true } }, (event) => void events.push(event))
  return { link, events, warnings }
}

const isDown = (event: PppLinkEvent) => event.type === 'down'

test('a tty that was for its owner alone is so again, and one that was not is not', (t) => {
  const { fd, isExclusive } = ttyFor(t)
  const tty = lendTty(fd)
  assert.equal(isExclusive(), false)
  const again = lendTty(fd)
  tty.takeBack()
  assert.equal(isExclusive(), true)
  again.takeBack()
  assert.equal(isExclusive(), false)
})

test('no descriptor for the start: thrown, and the tty is back', (t) => {
  const { wire, isExclusive } = ttyFor(t)
  const program = programOf(t, '#!/bin/sh\n')
  assert.throws(() => withoutDescriptors(() => open(wire, program)), { code: 'Internal', message: /EMFILE/ })
  assert.equal(isExclusive(), true)
})

test('no descriptor for the child: the link ends, is tried again, and the tty is back', async (t) => {
  const { wire, isExclusive } = ttyFor(t)
  const program = programOf(t, '#!/bin/sh\n')
  const { events, link } = withoutDescriptors(() => open(wire, program), ONLY_THE_START)
  link.terminate({ cause: 'user-request', detail: 'nobody is there to hear it' })
  await until('down', () => events.some(isDown))
  const other = withoutDescriptors(() => open(wire, program), ONLY_THE_START)
  await until('down', () => other.events.some(isDown))
  const down = other.events.find(isDown)
  assert.ok(down?.type === 'down')
  assert.equal(down.failure.cause, 'pppd-failed')
  assert.match(down.failure.detail, /cannot be run: spawn .*EMFILE/)
  assert.equal(isExclusive(), true)
})

test('no descriptor to keep the kernel off the interface: it is said, and the link goes on', async (t) => {
  const { wire } = ttyFor(t)
  const program = programOf(t, '#!/bin/sh\necho Using interface ppp0\nexec cat /proc/self/fd/3 - >/dev/null\n')
  const { link, events, warnings } = open(wire, program)
  await until('it is said', () => warnings.length > 0)
  assert.deepEqual(warnings, ['ppp0 may take addresses by itself: cannot open a socket: too many open files (EMFILE).'])
  assert.equal(events.some(isDown), false)
  link.terminate({ cause: 'user-request', detail: 'enough' })
  await until('down', () => events.some(isDown))
})

/** prctl(2), PR_GET_PDEATHSIG. */
const TELLS_DEATH_SIGNAL = `#!${process.execPath}
const signal = new Int32Array(1)
const prctl = require(${JSON.stringify(KOFFI)}).load(null).func('prctl', 'int', ['int', 'void *'])
prctl(2, signal)
console.log('signal', signal[0])
`

// setpriv and unshare are of one package.
test('a setpriv that could not be asked is asked again: pppd ends with us', needs('unshare'), async (t) => {
  const { fd } = ttyFor(t)
  const program = programOf(t, TELLS_DEATH_SIGNAL)
  const start = () => {
    const seen: { output: string; error?: string | undefined; isEnded: boolean } = { output: '', isEnded: false }
    startPppd(program, fd, '', {
      output: (text) => {
        seen.output += text
      },
      ended: ({ error }) => Object.assign(seen, { isEnded: true, error: error?.code }),
    })
    return seen
  }
  const first = withoutDescriptors(start, ONLY_THE_START)
  await until('it is told', () => first.isEnded)
  assert.equal(first.error, 'EMFILE')
  const second = start()
  await until('it has ended', () => second.isEnded)
  assert.equal(second.output, 'signal 15\n')
})
