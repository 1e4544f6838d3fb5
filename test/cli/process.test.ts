/** mmctl as the process that users start: its entry, a real terminal, a broken pipe, signals. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { openPty } from '../../src/system/pty.ts'
import { serve } from '../bus/fixture.ts'
import { needs } from '../support/needs.ts'
import { secretFile } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

function start(address: string, argv: readonly string[], stdio: 'pipe' | number): ChildProcess {
  const node = ['--import', 'tsx', 'src/cli/main.ts', ...argv]
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address, TERM: 'xterm', CI: undefined, NO_COLOR: undefined }
  return spawn(process.execPath, node, { stdio: [stdio, stdio, stdio], env })
}

interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
}

async function run(address: string, ...argv: readonly string[]): Promise<Ended> {
  const child = start(address, argv, 'pipe')
  let stdout = ''
  child.stdout!.on('data', (bytes) => {
    stdout += bytes
  })
  return { exitCode: await exitOf(child), stdout }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve))
}

/** mmctl on a terminal of its own. */
function onTerminal(context: TestContext, address: string, ...argv: readonly string[]) {
  const pty = openPty()
  context.after(() => pty.close())
  const screen = { text: '' }
  const waiters = new Set<() => void>()
  pty.onData((bytes) => {
    screen.text += Buffer.from(bytes).toString('utf8')
    for (const look of [...waiters]) look()
  })
  const slaveFd = openSync(pty.slavePath, 'r+')
  const child = start(address, argv, slaveFd)
  closeSync(slaveFd)
  context.after(() => child.kill('SIGKILL'))
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => pattern.test(screen.text) && resolve()
      waiters.add(look)
      look()
    })
  return { screen, child, until, type: (keys: string) => pty.write(Buffer.from(keys)) }
}

test('the quick way of `list` and the long way say the same', has, async (context) => {
  const { bus } = await serve(context)
  const [quick, long, json] = await Promise.all([
    run(bus.address, 'list'),
    run('unix:path=/nonexistent', 'list', '--bus', bus.address),
    run(bus.address, '--json', 'list'),
  ])
  assert.deepEqual(quick, long)
  assert.match(quick.stdout, /^# {2}ID .*\n0 {2}imei_356938035643809 /)
  assert.equal(JSON.parse(json.stdout)[0].id, 'imei_356938035643809')
  assert.deepEqual(await run(bus.address, 'list', 'x', 'y'), { exitCode: 2, stdout: '' })
  assert.equal((await run('unix:path=/nonexistent', 'list')).exitCode, 3)
})

test(
  'on a terminal there is colour and a phase that is redrawn; SIGINT stops what was started',
  has,
  async (context) => {
    const { bus, api } = await serve(context)
    const { child, until } = onTerminal(context, bus.address, 'connect', 'demo')
    const exit = exitOf(child)
    await until(/\r\x1b\[K\x1b\[2m {2}modem .*\d s\x1b\[22m/)
    while (api.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    api.links[0]!.change({ phaseMs: { modem: 5 } })
    await until(/E173 \(imei_356938035643809\)/)
    child.kill('SIGINT')
    assert.equal(await exit, 130)
    await until(/mmctl: interrupted: demo was stopped/)
    assert.ok(api.log.includes('disconnect(demo)'))
  },
)

test('a PIN typed on a terminal is not echoed', has, async (context) => {
  const { bus, api } = await serve(context)
  api.modems[0]!.change({ state: 'locked', sim: { status: 'pin', pinTries: 3 } })
  const { child, screen, until, type } = onTerminal(context, bus.address, 'sim', 'unlock')
  const exit = exitOf(child)
  await until(/PIN for the SIM .*: /)
  type('1234\r')
  assert.equal(await exit, 0)
  // The terminal is read a moment later.
  await until(/is unlocked/)
  assert.doesNotMatch(screen.text, /1234/)
  assert.deepEqual(api.log, ['sendPin(1234, person)'])
})

test('a PIN on standard input: no chmod is advised of a file that it may come from', has, async (context) => {
  const { bus, api } = await serve(context)
  api.modems[0]!.change({ state: 'locked', sim: { status: 'pin', pinTries: 3 } })
  const file = secretFile(context, '1234\n', 0o644)
  const stdin = openSync(file, 'r')
  const [stdout, stderr] = [openSync(`${file}.out`, 'w'), openSync(`${file}.err`, 'w')]
  const node = ['--import', 'tsx', 'src/cli/main.ts', 'sim', 'unlock', '--pin-file', '-']
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus.address }
  const exit = exitOf(spawn(process.execPath, node, { stdio: [stdin, stdout, stderr], env }))
  for (const fd of [stdin, stdout, stderr]) closeSync(fd)
  assert.equal(await exit, 0)
  assert.equal(readFileSync(`${file}.err`, 'utf8'), '')
  assert.deepEqual(api.log, ['sendPin(1234, person)'])
})

test('a reader that goes away ends it without a word', has, async (context) => {
  const { bus, api } = await serve(context)
  const child = start(bus.address, ['monitor'], 'pipe')
  let stderr = ''
  child.stderr!.on('data', (bytes) => {
    stderr += bytes
  })
  const exit = exitOf(child)
  const talk = setInterval(
    () => api.modems[0]!.change({ signalQuality: api.modems[0]!.snapshot.signalQuality === 50 ? 51 : 50 }),
    10,
  )
  context.after(() => clearInterval(talk))
  await new Promise((resolve) => child.stdout!.once('data', resolve))
  child.stdout!.destroy()
  assert.notEqual(await exit, null)
  assert.equal(stderr, '')
})

test('what could not be written is no success', () => {
  const full = openSync('/dev/full', 'w')
  const node = ['--import', 'tsx', 'src/cli/main.ts', '--help']
  const { status, stderr } = spawnSync(process.execPath, node, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
  closeSync(full)
  assert.deepEqual([status, stderr], [1, 'mmctl: the output cannot be written (ENOSPC): write it elsewhere\n'])
})

test('list: --bus without its value is no plain list', has, async (context) => {
  const { bus } = await serve(context)
  assert.equal((await run(bus.address, 'list', '--bus', '--json')).exitCode, 2)
})
