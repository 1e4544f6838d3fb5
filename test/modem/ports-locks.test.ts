/** How TIOCEXCL, flock and UUCP locks stand to each other: measured, for the table in docs/ports-and-locks.md. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { holdersOf } from '../../src/serial/holders.ts'
import { PortBusyError } from '../../src/serial/port-busy.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import { systemClock } from '../../src/system/clock.ts'
import { openPty } from '../../src/system/pty.ts'

const SOON = { timeout: 20_000 }
const PATH = '/dev/ttyUSB0'
const NOBODY = 65534
const isRoot = process.getuid?.() === 0

interface Place {
  readonly file: string
  readonly lockFile: string
  open(isExclusive?: boolean): ReturnType<ReturnType<typeof createWireOpener>>
}

function portFor(t: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), 'modemd-locks-'))
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'dev'))
  mkdirSync(join(root, 'run/lock'), { recursive: true })
  const pty = openPty()
  chmodSync(pty.slavePath, 0o666)
  symlinkSync(pty.slavePath, join(root, PATH))
  t.after(() => {
    pty.close()
    rmSync(root, { recursive: true })
  })
  return {
    file: join(root, PATH),
    lockFile: join(root, 'run/lock/LCK..ttyUSB0'),
    open: (isExclusive = false) =>
      createWireOpener({ root, clock: systemClock, logger: silentLogger, isExclusive: () => isExclusive })(PATH),
  }
}

/** Another program that has the port until the test ends. */
async function hold(t: TestContext, command: string, ...args: string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)))
  })
  return child.pid!
}

function holdOpen(t: TestContext, file: string, ...how: string[]): Promise<number> {
  const script = new URL('./support/port-holder.ts', import.meta.url).pathname
  return hold(t, process.execPath, '--import', 'tsx', script, file, ...how)
}

function holdFlock(t: TestContext, file: string): Promise<number> {
  return hold(t, 'flock', '--no-fork', file, 'sh', '-c', 'echo held; exec sleep 30')
}

/** `cat` and all that look for no lock; `user`: not root. */
function opens(file: string, user: 'root' | 'user'): boolean {
  const as = isRoot && user === 'user' ? { uid: NOBODY, gid: NOBODY } : {}
  return spawnSync('sh', ['-c', 'exec 3<>"$1"', 'sh', file], { ...as, stdio: 'ignore', cwd: '/' }).status === 0
}

function flocks(file: string): boolean {
  return spawnSync('flock', ['--nonblock', file, 'true'], { stdio: 'ignore' }).status === 0
}

function isBusy(holder: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof PortBusyError)
    assert.equal(error.failureCause, 'port-busy')
    assert.match(error.holder, holder)
    return true
  }
}

test('TIOCEXCL keeps users out, not root, who must look; flock and UUCP know nothing of it', SOON, async (t) => {
  const { file, open } = portFor(t)
  const pid = await holdOpen(t, file, 'exclusive')
  assert.equal(opens(file, 'user'), false)
  if (!isRoot) {
    await assert.rejects(open(), isBusy(new RegExp(`^node \\(process ${pid}\\)$`)))
    return
  }
  assert.equal(opens(file, 'root'), true)
  assert.equal(flocks(file), true)
  const wire = await open()
  await wire.close()
  await assert.rejects(open(true), isBusy(new RegExp(`^(node|MainThread) \\(process ${pid}\\)$`)))
})

test('flock keeps out only who asks for it: modemd does, and says who has it', SOON, async (t) => {
  const { file, open } = portFor(t)
  const pid = await holdFlock(t, file)
  assert.equal(opens(file, 'user'), true)
  assert.equal(flocks(file), false)
  await assert.rejects(open(), isBusy(new RegExp(`^(flock|sleep) \\(process ${pid}\\)$`)))
})

test('a UUCP lock keeps out only who looks for it: modemd does, and says who has it', SOON, async (t) => {
  const { file, lockFile, open } = portFor(t)
  const pid = await hold(t, 'sh', '-c', 'echo held; exec sleep 30')
  writeFileSync(lockFile, `${String(pid).padStart(10)}\n`)
  assert.equal(opens(file, 'user'), true)
  assert.equal(flocks(file), true)
  await assert.rejects(open(), isBusy(new RegExp(`^(sh|sleep) \\(process ${pid}\\)$`)))
})

test(
  "modemd's port has a UUCP lock and flock; a program that looks for neither gets in all the same",
  SOON,
  async (t) => {
    const { file, lockFile, open } = portFor(t)
    const wire = await open()
    assert.match(readFileSync(lockFile, 'latin1'), new RegExp(`^ *${process.pid} modemd \\d+\n$`))
    assert.equal(flocks(file), false)
    assert.equal(opens(file, 'user'), true)
    await wire.close()
    assert.equal(flocks(file), true)
  },
)

test('who has a port open without any lock shows in /proc', SOON, async (t) => {
  const { file } = portFor(t)
  assert.deepEqual([...holdersOf([file, '/dev/nothing-here'])], [])
  const pid = await holdOpen(t, file)
  assert.match(holdersOf([file]).get(file) ?? '', new RegExp(`\\(process ${pid}\\)$`))
})
