/** What the machine around modemd may do to it: no space, no descriptors, a wall clock that jumps. Survived, and said, but not a thousand times. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { mount } from '../support/unpacked.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const OPEN_SIM = GOOD_SIM.filter((word, at, all) => word !== '--pin' && all[at - 1] !== '--pin')
const NO_PIN = {
  [PROFILE_FILE]: profileText({ autoconnect: 'yes', pin: '', 'data-limit': '1GB' }, '[redial]\ninternal = 2s*1..2s\n'),
}
const METRICS = { 'etc/modemd/modemd.conf': '[daemon]\nmetrics = yes\n' }
const SHORTAGE = /EMFILE|too many open files/i
const YEAR_MS = 365 * 86_400_000

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('a disk that is full: links come, fall and come; it is said, and not each time', () =>
    Product.run({ sim: OPEN_SIM, files: NO_PIN }, async (product) => {
      await product.untilLink('up')
      const { child } = product.release(product.modemd)
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      const state = `${product.root}/var/lib/modemd`
      rmSync(state, { recursive: true, force: true })
      mkdirSync(state)
      mount('-t', 'tmpfs', '-o', 'size=8k', 'none', state)
      assert.throws(() => writeFileSync(`${state}/filler`, Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
      await product.startModemd()
      for (let round = 0; round < 3; round++) {
        await product.untilLink('up')
        product.pings()
        const { upSince } = product.link('demo')
        product.sim('hangup')
        await product.untilUpAgain('demo', upSince)
      }
      product.sim('unplug')
      await product.untilUnplugged()
      product.sim('plug')
      await product.untilLink('up')
      const said = complaints(product, /no space|ENOSPC/i)
      assert.ok(said.length >= 1 && said.length <= 4, `said ${said.length} times:\n${said.join('\n')}`)

      rmSync(`${state}/filler`)
      product.sim('hangup')
      await product.untilLink('waiting')
      await product.untilLink('up')
      await product.restart('modemd')
      assert.ok(readdirSync(state).length > 0, 'once there is space the state is kept')
      await product.untilLink('up')
      execFileSync('umount', ['--lazy', state])
    }))

  test('no descriptors left: the link waits, says why, and comes back by itself once there are some', () =>
    Product.run({ sim: OPEN_SIM, files: { ...NO_PIN, ...METRICS } }, async (product) => {
      await product.untilLink('up')
      product.sim('hangup')
      await product.untilLink('waiting')
      await product.untilLink('up')
      const before = product.openFiles()
      // Those that are open stay, and no other is to be had.
      limitFiles(product, 3)
      product.sim('hangup')
      await product.untilLink('waiting')
      const storm = await connectStorm(9469, 60)
      await product.until('the shortage shows', () => complaints(product, SHORTAGE).length > 0, 30_000)
      await sleep(3000)
      assert.ok(product.cpuMs() < 6000, `${product.cpuMs()} ms of CPU time`)
      const said = complaints(product, SHORTAGE)
      assert.ok(said.length < 12, `said ${said.length} times:\n${said.join('\n')}`)
      for (const socket of storm) socket.destroy()
      limitFiles(product, 1024)
      await product.untilLink('up', 60_000)
      product.pings()
      await product.until('nothing is leaked', () => product.openFiles() <= before + 1)
    }))

  test('the wall clock jumps by a year, ahead and back: nothing waits longer or shorter for it', () =>
    Product.run({ sim: OPEN_SIM, files: NO_PIN }, async (product) => {
      await restartWithWallClock(product)
      for (const offsetMs of [YEAR_MS, -YEAR_MS]) {
        await product.untilLink('up')
        const { upSince } = product.link('demo')
        await settled(product)
        setWallClock(product, offsetMs)
        const commands = product.stats().commands.total
        await sleep(12_000)
        const polled = product.stats().commands.total - commands
        assert.ok(polled >= 1 && polled <= 12, `signal polls every 10 s: ${polled} commands in 12 s`)
        assert.deepEqual(product.link('demo').upSince, upSince, 'the link stands')
        product.pings()
        const fellMs = performance.now()
        product.sim('hangup')
        await product.untilUpAgain('demo', upSince)
        assert.ok(performance.now() - fellMs < 10_000)
      }
      product.pings()
    }))
}

function complaints(product: Product, about: RegExp): string[] {
  return product.modemd.log.split('\n').filter((line) => about.test(line))
}

function limitFiles(product: Product, limit: number): void {
  execFileSync('prlimit', ['--pid', String(product.modemd.child.pid), `--nofile=${limit}:4096`])
}

/** Clients of the metrics that say nothing. */
async function connectStorm(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => createConnection(port, '127.0.0.1').on('error', () => {}))
  await sleep(100)
  return sockets
}

/** modemd with a time of day that a file moves: there is no namespace for it. */
async function restartWithWallClock(product: Product): Promise<void> {
  setWallClock(product, 0)
  const preload = `${product.root}/etc/wall-clock.mjs`
  writeFileSync(
    preload,
    `import { readFileSync } from 'node:fs'
    const Real = Date
    const now = () => Real.now() + Number(readFileSync(${JSON.stringify(wallClockFile(product))}, 'utf8'))
    globalThis.Date = class extends Real {
      constructor(...given) { given.length > 0 ? super(...given) : super(now()) }
      static now() { return now() }
    }`,
  )
  const environment: NodeJS.ProcessEnv = product.environment
  environment.NODE_OPTIONS = `--import=${preload}`
  await product.restart('modemd')
  delete environment.NODE_OPTIONS
}

function setWallClock(product: Product, offsetMs: number): void {
  writeFileSync(wallClockFile(product), String(offsetMs))
}

function wallClockFile(product: Product): string {
  return `${product.root}/etc/wall-clock`
}

/** What a modem is asked once, after the link is up, has been asked; the polls are further apart. */
async function settled(product: Product): Promise<void> {
  for (let seen = -1; ; ) {
    const { total } = product.stats().commands
    if (total === seen) return
    seen = total
    await sleep(3000)
  }
}
