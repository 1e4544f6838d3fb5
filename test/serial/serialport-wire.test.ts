import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { type Logger, silentLogger, sleep } from '../../src/base/ports.ts'
import { Lease } from '../../src/serial/lease.ts'
import { removeLocksAfterCrash } from '../../src/serial/lock-file.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import type { Wire } from '../../src/serial/wire.ts'
import { systemClock } from '../../src/system/clock.ts'
import { close, ioctlNumber, O_NOCTTY, O_RDWR, open } from '../../src/system/libc.ts'
import { openPty } from '../../src/system/pty.ts'
import { until } from '../system/until.ts'

const PATH = '/dev/ttyUSB0'
const TIOCVHANGUP = 0x5437

/** A tree as the simulator makes it: DIR/dev/ttyUSB0 is a link to a pty's slave. */
function plugged(t: TestContext, logger: Logger = silentLogger) {
  const root = mkdtempSync(join(tmpdir(), 'modemd-serial-'))
  mkdirSync(join(root, 'dev'))
  const pty = openPty()
  symlinkSync(pty.slavePath, join(root, PATH))
  t.after(() => {
    pty.close()
    rmSync(root, { recursive: true })
  })
  const lockFile = join(root, 'run/lock/LCK..ttyUSB0')
  return { root, pty, lockFile, open: createWireOpener({ root, clock: systemClock, logger }) }
}

/** Collects what comes and lets a test wait for it. */
function hear(wire: Wire) {
  const parts: Uint8Array[] = []
  let closedReason: string | undefined
  let onNews = () => {}
  let drains = 0
  wire.listen({
    data(bytes) {
      parts.push(bytes)
      onNews()
    },
    drain: () => {
      drains++
      onNews()
    },
    closed(reason) {
      assert.equal(closedReason, undefined, 'closed comes once')
      closedReason = reason
      onNews()
    },
  })
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        onNews = resolve
      })
    }
  }
  return {
    parts,
    drains: () => drains,
    reason: () => closedReason,
    text: (wanted: string) => until(() => fromLatin1(concat(parts)) === wanted),
    bytes: (count: number) => until(() => concat(parts).length >= count),
    closed: async () => {
      await until(() => closedReason !== undefined)
      return closedReason
    },
    drained: () => until(() => drains > 0),
  }
}

const SOON = { timeout: 20_000 }

test('bytes travel both ways, all 256 of them unchanged', SOON, async (t) => {
  const { pty, open } = plugged(t)
  const wire = await open(PATH)
  const every = Uint8Array.from({ length: 256 }, (_, value) => value)
  const back: Uint8Array[] = []
  const all = new Promise<void>((resolve) => {
    pty.onData((bytes) => {
      back.push(bytes)
      if (concat(back).length === 256) resolve()
    })
  })
  const heard = hear(wire)
  pty.write(every)
  wire.write(every)
  await Promise.all([heard.bytes(256), all])
  assert.deepEqual(concat(heard.parts), every)
  assert.deepEqual(concat(back), every)
  await wire.close()
  assert.equal(heard.reason(), 'closed')
  assert.equal(wire.write(latin1('after the end')), true)
  await wire.close()
})

test('a listener after the end is told', SOON, async (t) => {
  const { open } = plugged(t)
  const wire = await open(PATH)
  await wire.close()
  assert.equal(wire.isClosed, true)
  assert.equal(await hear(wire).closed(), 'closed')
})

test('a hang-up is noticed with nobody writing, and the processor stays idle', SOON, async (t) => {
  for (const lastWords of ['', 'NO CARRIER']) {
    const { pty, open, lockFile } = plugged(t)
    const wire = await open(PATH)
    const heard = hear(wire)
    const cpuBefore = process.cpuUsage()
    // Hung up in the very turn in which data is delivered: the next read gives 0 bytes, where serialport would spin.
    if (lastWords) {
      pty.write(latin1(lastWords))
      await heard.text(lastWords)
    }
    pty.hangUp()
    assert.equal(await heard.closed(), 'hung up')
    await sleep(systemClock, 300)
    const cpu = process.cpuUsage(cpuBefore)
    assert.ok(cpu.user + cpu.system < 200_000, `${cpu.user + cpu.system} µs of processor time`)
    assert.equal(existsSync(lockFile), false)
  }
})

test('a write to a line that died ends the wire once', SOON, async (t) => {
  const { pty, open } = plugged(t)
  const wire = await open(PATH)
  pty.hangUp()
  wire.write(latin1('AT\r'))
  assert.equal(await hear(wire).closed(), 'hung up')
  await wire.setBaud(9600)
  await wire.setLines({ dtr: false })
})

test('what a pty has not is no error', SOON, async (t) => {
  const { open } = plugged(t)
  const wire = await open(PATH, { baud: 9600 })
  await wire.setBaud(460_800)
  await wire.setBaud(123_456)
  await wire.setLines({ dtr: false, rts: true })
  await wire.sendBreak()
  await wire.flush()
  await wire.close()
})

test('with a read size of one nothing behind the last byte leaves the tty', SOON, async (t) => {
  const { root, pty, open } = plugged(t)
  const wire = await open(PATH)
  wire.setReadSize(1)
  let line = ''
  const whole = new Promise<void>((resolve) => {
    wire.listen({
      data(bytes) {
        assert.equal(bytes.length, 1)
        line += fromLatin1(bytes)
        if (!line.endsWith('\n')) return
        wire.listen(undefined)
        resolve()
      },
      drain() {},
      closed() {},
    })
  })
  pty.write(latin1('CONNECT\r\n~PPP'))
  await whole
  assert.equal(line, 'CONNECT\r\n')
  const reader = spawn('head', ['-c', '4', join(root, PATH)])
  const chunks: Buffer[] = []
  reader.stdout.on('data', (chunk) => chunks.push(chunk))
  await new Promise((resolve) => reader.on('close', resolve))
  assert.equal(Buffer.concat(chunks).toString(), '~PPP')
  const heard = hear(wire)
  pty.write(latin1('again'))
  await heard.text('again')
  await wire.close()
})

test('a full line makes write answer false, reads still come, and drain follows', SOON, async (t) => {
  const { pty, open } = plugged(t)
  const wire = await open(PATH)
  const heard = hear(wire)
  const block = new Uint8Array(4096).fill(0x55)
  let sent = 0
  do sent += block.length
  while (wire.write(block) && sent < 10_000_000)
  assert.ok(sent < 10_000_000, 'write answers false')
  pty.write(latin1('heard in between'))
  await heard.text('heard in between')
  let received = 0
  const all = new Promise<void>((resolve) => {
    pty.onData((bytes) => {
      received += bytes.length
      if (received === sent) resolve()
    })
  })
  await Promise.all([all, heard.drained()])
  await wire.close()
})

test('nothing turns round while bytes wait that nobody listens to', SOON, async (t) => {
  const { pty, open } = plugged(t)
  const wire = await open(PATH)
  const heard = hear(wire)
  const block = new Uint8Array(4096)
  while (wire.write(block));
  pty.write(latin1('first'))
  await heard.text('first')
  wire.listen(undefined)
  pty.write(latin1('waiting'))
  pty.onData(() => {})
  const before = process.cpuUsage()
  await sleep(systemClock, 300)
  const cpu = process.cpuUsage(before)
  assert.ok(cpu.user + cpu.system < 150_000, `${cpu.user + cpu.system} µs of processor time`)
  await hear(wire).text('waiting')
  await wire.close()
})

test('a lease over a real tty passes every byte on in order', SOON, async (t) => {
  const { pty, open } = plugged(t)
  const wire = await open(PATH)
  const lease = new Lease(wire)
  const sent = Uint8Array.from({ length: 60_000 }, (_, index) => (index * 7) & 0xff)
  const got: Uint8Array[] = []
  let owners = 0
  const done = new Promise<void>((resolve) => {
    const own = (hold: ReturnType<Lease['take']>) => {
      owners++
      hold.listen({
        data(bytes) {
          const half = Math.ceil(bytes.length / 2)
          got.push(bytes.slice(0, half))
          if (concat(got).length === sent.length) return resolve()
          own(hold.handOver(`owner ${owners}`, bytes.subarray(half)))
        },
        drain() {},
        closed() {},
      })
    }
    own(lease.take('owner 0'))
  })
  for (let at = 0; at < sent.length; at += 1000) {
    if (!pty.write(sent.subarray(at, at + 1000))) await new Promise<void>((resolve) => pty.onDrain(resolve))
  }
  await done
  assert.deepEqual(concat(got), sent)
  assert.ok(owners > 60, `${owners} owners`)
  await wire.close()
})

test('a port in use is refused, with its holder named', SOON, async (t) => {
  const { root, open, lockFile } = plugged(t)
  const wire = await open(PATH)
  assert.match(readFileSync(lockFile, 'latin1'), new RegExp(`^${String(process.pid).padStart(10)} modemd \\d+\n$`))
  const own = {
    code: 'Busy',
    failureCause: 'port-busy',
    message: new RegExp(`in use by \\w+ \\(process ${process.pid}\\)`),
  }
  await assert.rejects(open(PATH), own)
  await wire.close()

  const other = spawn('sleep', ['30'])
  t.after(() => other.kill())
  await new Promise((resolve) => other.on('spawn', resolve))
  writeFileSync(lockFile, `${String(other.pid).padStart(10)}\n`)
  const message = `/dev/ttyUSB0 is in use by sleep (process ${other.pid}).`
  await assert.rejects(open(PATH), { code: 'Busy', failureCause: 'port-busy', message })
  assert.equal(existsSync(lockFile), true, 'the lock of another stays')

  writeFileSync(lockFile, 'what is this\n')
  await assert.rejects(open(PATH), { code: 'Busy', message: /names no process; remove the file/ })
  rmSync(lockFile)

  // Without a lock file: by the lock on the tty itself.
  const locker = spawn('flock', ['--no-fork', join(root, PATH), 'sh', '-c', 'echo held; exec sleep 30'])
  t.after(() => locker.kill())
  await new Promise((resolve) => locker.stdout.once('data', resolve))
  await assert.rejects(open(PATH), {
    code: 'Busy',
    failureCause: 'port-busy',
    message: /in use by (flock|sleep) \(process \d+\)\.$/,
  })
  assert.equal(existsSync(lockFile), false)
})

test("a dead process's lock is taken over, also one with our own number", SOON, async (t) => {
  const { open, lockFile } = plugged(t)
  const dead = spawn('true')
  await new Promise((resolve) => dead.on('close', resolve))
  mkdirSync(join(lockFile, '..'), { recursive: true })
  for (const holder of [`${dead.pid}\n`, `${process.pid}\n`, `${dead.pid} minicom root\n`]) {
    writeFileSync(lockFile, holder.padStart(11))
    const wire = await open(PATH)
    assert.equal(Number.parseInt(readFileSync(lockFile, 'latin1'), 10), process.pid)
    await wire.close()
    assert.equal(existsSync(lockFile), false)
  }
})

test('a lock that another has taken meanwhile is not ours to remove', SOON, async (t) => {
  const { open, lockFile } = plugged(t)
  const wire = await open(PATH)
  writeFileSync(lockFile, '         1\n')
  await wire.close()
  assert.equal(readFileSync(lockFile, 'latin1'), '         1\n')
})

test('after a crash only our own dead locks are removed', SOON, async (t) => {
  const { lockFile } = plugged(t)
  const dead = spawn('true')
  await new Promise((resolve) => dead.on('close', resolve))
  const folder = join(lockFile, '..')
  mkdirSync(folder, { recursive: true })
  const locks = {
    'LCK..ttyUSB0': `${dead.pid} modemd\n`,
    [`LTMP.${dead.pid}.1`]: `${dead.pid} modemd\n`,
    'LCK..ttyUSB1': `${dead.pid}\n`,
    'LCK..ttyUSB2': `${dead.pid} minicom root\n`,
    'LCK..ttyUSB3': `${process.ppid} modemd\n`,
    subsys: `${dead.pid} modemd\n`,
  }
  for (const [name, content] of Object.entries(locks)) writeFileSync(join(folder, name), content)
  await removeLocksAfterCrash(folder)
  assert.deepEqual(readdirSync(folder).sort(), ['LCK..ttyUSB1', 'LCK..ttyUSB2', 'LCK..ttyUSB3', 'subsys'])
  await removeLocksAfterCrash(join(folder, 'absent'))
})

test('of many takers of one stale lock exactly one wins', SOON, async (t) => {
  const { open, lockFile } = plugged(t)
  const dead = spawn('true')
  await new Promise((resolve) => dead.on('close', resolve))
  mkdirSync(join(lockFile, '..'), { recursive: true })
  writeFileSync(lockFile, `${String(dead.pid).padStart(10)}\n`)
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => open(PATH)))
  const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  assert.equal(winners.length, 1)
  for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'Busy')
  await winners[0]!.close()
})

test('where no lock can be made the port opens all the same, and the log says so', SOON, async (t) => {
  const warnings: string[] = []
  const { root, open } = plugged(t, { ...silentLogger, warn: (message) => warnings.push(message) })
  writeFileSync(join(root, 'run'), 'a file in the way')
  const wire = await open(PATH)
  assert.match(warnings[0] ?? '', /^No lock file for \/dev\/ttyUSB0 \(ENOTDIR/)
  await wire.close()
})

test('what cannot be opened is told in a sentence', SOON, async (t) => {
  const { root, open } = plugged(t)
  await assert.rejects(open('/dev/ttyUSB9'), {
    code: 'ModemGone',
    failureCause: 'modem-gone',
    message: /ttyUSB9 is not there/,
  })
  writeFileSync(join(root, 'dev/file'), '')
  await assert.rejects(open('/dev/file'), { code: 'InvalidArgs', message: '/dev/file is not a serial port.' })
  assert.equal(existsSync(join(root, 'run/lock/LCK..file')), false)

  chmodSync(join(root, 'dev/file'), 0)
  chmodSync(root, 0o755)
  chmodSync(join(root, 'run/lock'), 0o777)
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await assert.rejects(open('/dev/file'), { code: 'NotAuthorized', failureCause: 'permission', message: /dialout/ })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('a tty that udev has not given to its group yet is waited for', { ...SOON, ...needsRoot() }, async (t) => {
  const { root, pty } = plugged(t)
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'run/lock'), { recursive: true })
  chmodSync(join(root, 'run/lock'), 0o777)
  chmodSync(pty.slavePath, 0o600)
  const program = `
    import { createWireOpener } from '${new URL('../../src/serial/serialport-wire.ts', import.meta.url)}'
    import { systemClock } from '${new URL('../../src/system/clock.ts', import.meta.url)}'
    import { silentLogger } from '${new URL('../../src/base/ports.ts', import.meta.url)}'
    const open = createWireOpener({ root: ${JSON.stringify(root)}, clock: systemClock, logger: silentLogger })
    const opened = open('${PATH}')
    console.log('tries')
    await (await opened).close()
    console.log('opened')`
  const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
  const args = [...nobody, process.execPath, '--import', 'tsx', '--input-type=module', '-e', program]
  const child = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes
    // As udev does, a moment after the kernel.
    if (said === 'tries\n') setTimeout(() => chmodSync(pty.slavePath, 0o666), 200)
  })
  await new Promise((resolve) => child.once('exit', resolve))
  assert.equal(said, 'tries\nopened\n')
})

function needsRoot(): { skip?: string } {
  return process.geteuid?.() === 0 ? {} : { skip: 'another user needs root (run the tests as root)' }
}

/** As the kernel hangs a tty up whose carrier goes: everybody who has it open has to open it again. false: this user may not. */
function hangUpByKernel(slavePath: string): boolean {
  const fd = open(slavePath, O_RDWR | O_NOCTTY)
  const answer = ioctlNumber(fd, TIOCVHANGUP, 0)
  close(fd)
  return answer === 0
}

test('a tty whose name goes while it is opened leaves no descriptor behind', SOON, async (t) => {
  const { root } = plugged(t)
  const descriptors = () => readdirSync('/proc/self/fd').length
  const isExclusive = () => {
    rmSync(join(root, PATH))
    return false
  }
  const openWire = createWireOpener({ root, clock: systemClock, logger: silentLogger, isExclusive })
  const before = descriptors()
  const wire = await openWire(PATH).catch(() => undefined)
  await wire?.close()
  assert.equal(descriptors(), before)
})

test('a wire that outlives a hang-up by the kernel opens the tty again, and its listener goes on', SOON, async (t) => {
  const { pty, open: openWire, lockFile } = plugged(t)
  const wire = await openWire(PATH)
  const heard = hear(wire)
  pty.write(latin1('before'))
  await heard.text('before')
  const before = wire.fd
  wire.outlivesHangUp = true
  if (!hangUpByKernel(pty.slavePath)) return t.skip('TIOCVHANGUP needs CAP_SYS_ADMIN')
  await until('it has noticed', () => wire.fd !== before || wire.outlivesHangUp === false)
  await until('it is open again', () => wire.fd !== undefined)
  assert.ok(existsSync(lockFile), 'it stayed ours')
  pty.write(latin1(' after'))
  await heard.text('before after')
  wire.write(latin1('AT'))
  let sent = ''
  pty.onData((bytes) => (sent += fromLatin1(bytes)))
  await until('what is written goes out', () => sent === 'AT')
  // Once only, and not where it is another tty by then.
  assert.ok(hangUpByKernel(pty.slavePath))
  assert.equal(await heard.closed(), 'hung up')
  assert.equal(existsSync(lockFile), false)
})

test('a wire that outlives a hang-up does not go on with another tty that came to its name', SOON, async (t) => {
  const { root, pty, open: openWire } = plugged(t)
  const wire = await openWire(PATH)
  const heard = hear(wire)
  wire.outlivesHangUp = true
  const other = openPty()
  t.after(() => other.close())
  rmSync(join(root, PATH))
  symlinkSync(other.slavePath, join(root, PATH))
  pty.hangUp()
  assert.equal(await heard.closed(), 'hung up')
})
