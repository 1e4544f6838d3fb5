/**
 * `kill -9` of modemd at seeded moments of start, dial, PPP, up and hang-up, with each engine that runs here; every start finds what the
 * kill before it left. In the end nothing is left, and the modem works. MODEMD_SEED repeats a run, MODEMD_KILLS makes it longer.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { randomFraction } from '../../src/base/ports.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { mount } from '../support/unpacked.ts'
import { OPERATOR, PROFILE_FILE, Product, profileText } from './product.ts'

const SEED = Number(process.env.MODEMD_SEED ?? 20_260_101)
const KILLS = Number(process.env.MODEMD_KILLS ?? 8)
/** So long the link takes from the start of modemd; a pppd that begins late hears of its peer after the peer's restart timer. */
const UP_MS = { builtin: 1600, pppd: 4500 }
/** What becomes of the link before the kill, and how long after it at most. */
const MOMENTS = [
  { what: 'start', withinMs: undefined },
  { what: 'hang-up', withinMs: 150 },
  { what: 'fall', withinMs: 400 },
] as const
const SIM = ['--latency', '0', '--register-after', '0s', '--apn', 'internet:demo:sesame', '--auth', 'chap']

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping', 'pppd', 'gcc'))) {
  placeForPppd()

  for (const engine of ['builtin', 'pppd'] as const)
    test(`${engine}: ${KILLS} kills, seed ${SEED}`, () => {
      const random = new SeededRandom(SEED)
      const profile = profileText({ autoconnect: 'yes', pin: '' }, `[ppp]\nengine = ${engine}\nlcp-restart = 1s\n`)
      const sim = [...SIM, '--internet', 'tun', '--dns', OPERATOR]
      return Product.run({ sim, files: { [PROFILE_FILE]: profile } }, async (product) => {
        await product.untilLink('up')
        assert.match(product.read('mmctl', 'status'), new RegExp(engine))
        // One of pppd's is the last.
        for (let kill = engine === 'pppd' ? 1 : 0; kill < KILLS; kill++) {
          const { what, withinMs } = MOMENTS[Math.floor(randomFraction(random) * MOMENTS.length)]!
          const afterMs = Math.round(randomFraction(random) * (withinMs ?? UP_MS[engine]))
          await killAt(product, what, afterMs).catch((error) => {
            throw new Error(`kill ${kill}, ${afterMs} ms after ${what}: ${error.message}`, { cause: error })
          })
        }
        if (engine === 'pppd') await killBesideDeafPppd(product)
        await product.startModemd()
        await product.untilLink('up')
        product.pings()
        assert.equal(locks(product).length, ports(product), 'one for each port, no other')
        assert.match(product.resolvConf(), new RegExp(`^nameserver ${OPERATOR}$`, 'm'))
        product.read('mmctl', 'disconnect')
        product.noInterface()
        assert.equal(product.resolvConf(), '')
        assert.deepEqual(pppds(), [])
        assert.equal(product.stats().call, 'none')
        await product.connectsWell()
      })
    })
}

/** Starts it where it does not run, kills it, and looks what the kernel alone has cleaned. */
async function killAt(product: Product, what: (typeof MOMENTS)[number]['what'], afterMs: number): Promise<void> {
  if (what === 'start') {
    if (product.servants.some(({ name }) => name === 'modemd')) await end(product)
    product.spawn('modemd', ['--root', product.root, '--bus', product.bus])
  } else {
    if (!product.servants.some(({ name }) => name === 'modemd')) await product.startModemd()
    await product.untilLink('up')
    if (what === 'hang-up') void product.mmctl('disconnect')
    else product.sim('hangup')
  }
  await sleep(afterMs)
  await end(product)
  await product.until(
    'no interface, no pppd',
    () => !/ppp/.test(product.read('ip', '-o', 'link')) && pppds().length === 0,
  )
}

/** As one deep in a script, it does not hear that its modemd is gone: it has port, interface and route when the next one starts. */
async function killBesideDeafPppd(product: Product): Promise<void> {
  if (!product.servants.some(({ name }) => name === 'modemd')) await product.startModemd()
  await product.untilLink('up')
  const [pid] = pppds()
  process.kill(Number(pid), 'SIGSTOP')
  await end(product)
  assert.deepEqual(pppds(), [pid])
  product.spawn('modemd', ['--root', product.root, '--bus', product.bus])
  const said = `Ending a pppd (process ${pid}) that an earlier modemd left over.`
  await product.until('it is found', () => product.modemd.log.includes(said))
  process.kill(Number(pid), 'SIGCONT')
  await product.until('it has ended', () => !pppds().includes(pid!))
  await end(product)
}

async function end(product: Product): Promise<void> {
  const { child } = product.release(product.modemd)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function locks(product: Product): string[] {
  const folder = `${product.root}/run/lock`
  return existsSync(folder) ? readdirSync(folder) : []
}

function ports(product: Product): number {
  return readdirSync(`${product.root}/dev`).filter((name) => name.startsWith('tty')).length
}

/** Those that modemd started, of this test. */
function pppds(): string[] {
  const network = readlinkSync('/proc/self/ns/net')
  return readdirSync('/proc').filter((name) => {
    try {
      if (!/^\d+$/.test(name) || readlinkSync(`/proc/${name}/ns/net`) !== network) return false
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').includes('linkname')
    } catch {
      return false
    }
  })
}

/** Debian's pppd on fakeppp (test/interop/pppd-shim), in the place where modemd looks for it. */
function placeForPppd(): void {
  for (const place of ['/etc/ppp', '/run']) mount('-t', 'tmpfs', 'none', place)
  mkdirSync('/run/lock')
  writeFileSync('/etc/ppp/options', '')
  const source = fileURLToPath(new URL('../interop/pppd-shim/fakeppp.c', import.meta.url))
  execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', '/run/fakeppp.so', source, '-lpthread', '-ldl'])
  copyFileSync('/usr/sbin/pppd', '/run/pppd.real')
  chmodSync('/run/pppd.real', 0o755)
  writeFileSync('/run/pppd', '#!/bin/sh\nLD_PRELOAD=/run/fakeppp.so exec /run/pppd.real "$@"\n', { mode: 0o755 })
  mount('--bind', '/run/pppd', '/usr/sbin/pppd')
}
