/**
 * The kernel engine in the test machine: the real kernel's PPP, Debian's pppd at the other end, over ptys and over a USB gadget.
 * One bundle with the other cases of the machine.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { fromLatin1, latin1 } from '../../../src/base/bytes.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { dial } from '../../../src/modem/dial.ts'
import { generic } from '../../../src/modem/drivers/generic.ts'
import { hangUp } from '../../../src/modem/hang-up.ts'
import { ModemPort } from '../../../src/modem/port.ts'
import type { DialRequest } from '../../../src/modem/snapshot.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { close, O_NOCTTY, O_NONBLOCK, O_RDWR, open, read, write } from '../../../src/system/libc.ts'
import { lineDiscipline, N_PPP, N_TTY, setLineDiscipline } from '../../../src/system/line-discipline.ts'
import { setRaw } from '../../../src/system/termios.ts'
import { until } from '../../system/until.ts'
import { AtModem } from './at-modem.ts'
import {
  addressText,
  DNS,
  holdLink,
  interfaces,
  LOCAL,
  OurEnd,
  openDescriptors,
  REMOTE,
  SERVER,
  sh,
  shLater,
} from './bench.ts'
import { gadgetLine, type Line, ptyLine } from './line.ts'
import { Peer } from './peer.ts'

const LIMIT = { timeout: 120_000 }

/** Registers the cases. */
export function testKernelEngine(): void {
  for (const make of [ptyLine, gadgetLine]) {
    test(`kernel engine, ${make.name}: addresses, traffic, and the tty as it was`, LIMIT, () =>
      joined(make, async (line) => {
        const wire = await line.openWire()
        const before = sh(`stty -g < ${line.ours}`)
        const peer = new Peer(line.theirs, SERVER)
        const end = new OurEnd(wire)
        const up = await end.up()
        assert.equal(addressText(up), `${LOCAL} ${REMOTE} ${DNS}`)
        assert.equal(up.address.mtuBytes, 1500)
        assert.equal(lineDiscipline(wire.fd!), N_PPP)
        assert.match(sh(`ip addr show ${up.interfaceName}`), /inet 10\.9\.0\.2 peer 10\.9\.0\.1\/32/)
        await shLater(`ping -c 3 -i 0.2 -W 5 ${REMOTE}`)
        const { rxBytes, txBytes } = end.link.counters()
        assert.ok(rxBytes === 3n * 84n && txBytes === 3n * 84n, `${rxBytes} in, ${txBytes} out`)
        const down = await end.close()
        assert.deepEqual([down.failure.cause, down.exitCode], ['user-request', 5])
        assert.deepEqual(end.link.counters(), { rxBytes, txBytes }, 'the last numbers stay')
        assert.ok(!interfaces().includes(up.interfaceName))
        await peer.ended()
        assert.match(peer.log, /rcvd \[LCP TermReq.*\n.*/)
        assert.equal(lineDiscipline(wire.fd!), N_TTY)
        assert.equal(sh(`stty -g < ${line.ours}`), before)
        await talks(wire, line)
        // And a second time on the same wire.
        const again = new Peer(line.theirs, SERVER)
        const second = new OurEnd(wire)
        await second.up()
        await second.close()
        await again.ended()
      }),
    )
  }

  test('kernel engine: dialled in process, and AT again afterwards', LIMIT, () =>
    joined(gadgetLine, async (line) => {
      const modem = new AtModem(line, SERVER)
      const port = new ModemPort(await line.openWire(), { number: 0, clock: systemClock })
      try {
        for (const round of [1, 2]) {
          const request: DialRequest = {
            apn: 'internet',
            number: '*99#',
            ipType: '4',
            cid: 1,
            timeoutMs: 10_000,
            signal: new AbortController().signal,
          }
          const dialler = { clock: systemClock, logger: silentLogger, driver: generic, isLte: false }
          const { wire, report } = await dial(port, request, dialler)
          assert.equal(report, 'CONNECT 7200000')
          const end = new OurEnd(wire)
          await end.up()
          await shLater(`ping -c 1 -W 5 ${REMOTE}`)
          await end.close()
          assert.ok(await hangUp(port, systemClock), `it answers AT again (${round})`)
        }
      } finally {
        modem.stop()
        await port.close()
      }
    }),
  )

  test('kernel engine: the peer ends the link', LIMIT, () =>
    joined(ptyLine, async (line) => {
      const peer = new Peer(line.theirs, SERVER)
      const wire = await line.openWire()
      const end = new OurEnd(wire)
      const { interfaceName } = await end.up()
      peer.signal('SIGTERM')
      await until('the interface is down at once', () => !isUp(interfaceName))
      const down = await end.down()
      assert.equal(down.failure.cause, 'hung-up')
      assert.match(down.failure.detail, /Terminate-Request/)
      await peer.ended()
      assert.equal(lineDiscipline(wire.fd!), N_TTY)
    }),
  )

  for (const make of [ptyLine, gadgetLine]) {
    test(`kernel engine, ${make.name}: the cable is pulled out`, LIMIT, (t) =>
      joined(make, async (line) => {
        const peer = new Peer(line.theirs, SERVER)
        const wire = await line.openWire()
        const end = new OurEnd(wire)
        const { interfaceName } = await end.up()
        const startMs = performance.now()
        line.cut()
        const down = await end.down()
        t.diagnostic(`${line.kind}: noticed after ${(performance.now() - startMs).toFixed(0)} ms`)
        assert.deepEqual([down.failure.cause, down.exitCode], ['hung-up', 16])
        assert.ok(!interfaces().includes(interfaceName))
        // The AT side hears of it as soon as it listens again.
        const heard = new Promise<string>((resolve) => {
          wire.listen({ data() {}, drain() {}, closed: resolve })
        })
        await heard
        assert.equal(wire.isClosed, true)
        await peer.ended()
      }),
    )
  }

  test('kernel engine: a new pppd begins anew on the same line', LIMIT, () =>
    joined(ptyLine, async (line) => {
      const first = new Peer(line.theirs, SERVER)
      const end = new OurEnd(await line.openWire())
      const { interfaceName } = await end.up()
      await first.stop()
      freeTty(line.theirs)
      const second = new Peer(line.theirs, ['10.9.7.1:10.9.7.2', 'noauth'])
      await until('it is up again', () => end.ups.length > 1, 20_000)
      assert.match(addressText(end.ups.at(-1)!), /^10\.9\.7\.2 10\.9\.7\.1/)
      const shown = sh(`ip addr show ${interfaceName}`)
      assert.match(shown, /10\.9\.7\.2/)
      assert.doesNotMatch(shown, /10\.9\.0\.2/)
      await shLater('ping -c 1 -W 5 10.9.7.1')
      await end.close()
      await second.ended()
    }),
  )

  test('kernel engine: two links at the same time, one with a name of its own', LIMIT, () =>
    joined(ptyLine, (one) =>
      joined(ptyLine, async (two) => {
        const peers = [new Peer(one.theirs, SERVER), new Peer(two.theirs, ['10.9.8.1:10.9.8.2', 'noauth'])]
        const ends = [
          new OurEnd(await one.openWire(), {}, { interfaceName: 'wan0' }),
          new OurEnd(await two.openWire(), {}, { interfaceName: 'ppp7' }),
        ]
        const names = await Promise.all(ends.map(async (end) => (await end.up()).interfaceName))
        assert.deepEqual(names, ['wan0', 'ppp7'])
        await Promise.all([shLater(`ping -c 2 -W 5 ${REMOTE}`), shLater('ping -c 2 -W 5 10.9.8.1')])
        await Promise.all(ends.map((end) => end.close()))
        await Promise.all(peers.map((peer) => peer.ended()))
      }),
    ),
  )

  test('kernel engine: a name that is taken is told at once, and the tty is as it was', LIMIT, () =>
    joined(ptyLine, async (line) => {
      sh('ip link add wan9 type dummy')
      try {
        const wire = await line.openWire()
        const fds = openDescriptors().length
        assert.throws(() => new OurEnd(wire, {}, { interfaceName: 'wan9' }), /wan9.*EEXIST/)
        assert.equal(lineDiscipline(wire.fd!), N_TTY)
        assert.equal(openDescriptors().length, fds)
      } finally {
        sh('ip link del wan9')
      }
    }),
  )

  test('kernel engine: the first frame that came too early is not lost', LIMIT, (t) =>
    joined(ptyLine, async (line) => {
      const wire = await line.openWire()
      // It asks once in ten seconds: without its first request the link would take that long.
      const peer = new Peer(line.theirs, [...SERVER, 'lcp-restart', '10'])
      await until('pppd has asked', () => peer.log.includes('sent [LCP ConfReq'), 20_000)
      await new Promise((resolve) => setTimeout(resolve, 300))
      const startMs = performance.now()
      const end = new OurEnd(wire)
      await end.up()
      const tookMs = performance.now() - startMs
      t.diagnostic(`to address: ${tookMs.toFixed(0)} ms`)
      assert.ok(tookMs < 5000, `${tookMs} ms`)
      await end.close()
      await peer.stop()
    }),
  )

  test('kernel engine: 200 links on one wire leave nothing behind', LIMIT, () =>
    joined(ptyLine, async (line) => {
      const wire = await line.openWire()
      const before = openDescriptors().length
      for (let count = 0; count < 200; count++) {
        const end = new OurEnd(wire)
        const down = end.close()
        assert.equal((await down).failure.cause, 'user-request')
        assert.equal(lineDiscipline(wire.fd!), N_TTY)
      }
      // The last unit is closed behind the news of its end.
      await until('all of /dev/ppp is closed', () => !openDescriptors().some((fd) => isPpp(fd)))
      assert.ok(openDescriptors().length <= before, `${openDescriptors().length} descriptors, ${before} before`)
      assert.ok(!interfaces().some((name) => name.startsWith('ppp')))
    }),
  )

  test('kernel engine: idle, by the count of the kernel', LIMIT, () =>
    joined(ptyLine, async (line) => {
      const peer = new Peer(line.theirs, SERVER)
      const end = new OurEnd(await line.openWire(), { idleMs: 3000 })
      await end.up()
      await shLater(`ping -c 6 -i 1 -W 5 ${REMOTE}`)
      assert.equal(end.ended, undefined, 'not while packets pass')
      const down = await end.down()
      assert.deepEqual([down.failure.cause, down.exitCode], ['idle', 12])
      await peer.ended()
    }),
  )

  test('kernel engine: the process is killed', LIMIT, () =>
    joined(ptyLine, async (line) => {
      const child = spawn(process.execPath, ['--test-name-pattern=/^hold a link$/', process.argv[1]!], {
        env: { ...process.env, HOLD_TTY: line.ours, NODE_TEST_CONTEXT: '' },
        stdio: 'ignore',
      })
      await until('it has begun', () => interfaces().includes('ppp0'), 60_000)
      const peer = new Peer(line.theirs, SERVER)
      await until('it is up', () => /inet 10\.9\.0\.2/.test(sh('ip addr show ppp0 2>/dev/null || true')), 30_000)
      child.kill('SIGKILL')
      await until('the interface is gone', () => !interfaces().includes('ppp0'))
      await peer.stop()
      freeTty(line.theirs)
      // The tty is still under N_PPP, since socat has it open: the next link takes it all the same.
      const again = new Peer(line.theirs, SERVER)
      const end = new OurEnd(await line.openWire())
      await end.up()
      await end.close()
      await again.ended()
    }),
  )

  if (process.env.HOLD_TTY) test('hold a link', () => holdLink(process.env.HOLD_TTY!))
}

async function joined(make: () => Promise<Line>, run: (line: Line) => Promise<void>): Promise<void> {
  const line = await make()
  try {
    await run(line)
  } finally {
    await line.close()
  }
}

/** The wire carries what an AT dialogue would, both ways. */
async function talks(wire: Wire, line: Line): Promise<void> {
  let heard = ''
  wire.listen({ data: (bytes) => (heard += fromLatin1(bytes)), drain() {}, closed() {} })
  const modem = openTty(line.theirs)
  setRaw(modem)
  let command = ''
  wire.write(latin1('ATH\r'))
  await until('the command came', () => {
    const bytes = new Uint8Array(64)
    const count = read(modem, bytes, bytes.length)
    if (count > 0) command += fromLatin1(bytes.subarray(0, count))
    return command.endsWith('ATH\r')
  })
  write(modem, latin1('NO CARRIER'), 10)
  await until('the answer came', () => heard.endsWith('NO CARRIER'))
  wire.listen(undefined)
  close(modem)
}

/** socat holds its ptys open: what a killed pppd left on one stays there. */
function freeTty(path: string): void {
  const fd = openTty(path)
  assert.equal(setLineDiscipline(fd, N_TTY), 0)
  close(fd)
}

function openTty(path: string): number {
  const fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK)
  assert.ok(fd >= 0, path)
  return fd
}

function isUp(interfaceName: string): boolean {
  return /[<,]UP[,>]/.test(sh(`ip link show ${interfaceName} 2>/dev/null || true`))
}

function isPpp(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/ppp'
  } catch {
    return false
  }
}
