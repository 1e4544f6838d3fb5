/**
 * `kill -9` of modemd at seeded moments of a PIN's try: from the ledger's "pending" to the SIM's answer and its verdict. However many
 * kills there are, a wrong PIN costs one try in all; a right one that the SIM took opens it again after the next power-on, by itself, and
 * so does one that it had taken before.
 * MODEMD_SEED repeats a run, MODEMD_KILLS makes it longer.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFraction } from '../../src/base/ports.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { GOOD_PROFILE, Product } from './product.ts'

const SEED = Number(process.env.MODEMD_SEED ?? 20_260_102)
const KILLS = Number(process.env.MODEMD_KILLS ?? 2)
/** So late the SIM's answer comes; the kill may come a little later still. */
const ANSWER_MS = 300
const LATEST_MS = 450
/** Before the answer in any case. */
const EARLY_MS = ANSWER_MS - 100
const LEDGER = ['pin-ledger.json', 'pin-ledger.key']

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const { what, simPin, kills } of [
    { what: 'wrong', simPin: '4711', kills: KILLS },
    { what: 'right', simPin: GOOD_PROFILE.pin, kills: Math.ceil(KILLS / 2) },
  ] as const)
    test(`a ${what} PIN: ${kills} kills, seed ${SEED}`, () => {
      const random = new SeededRandom(SEED)
      const sim = ['--unplugged', '--pin', simPin, '--register-after', '0s', '--latency', '0', '--internet', 'none']
      return Product.run({ sim }, async (product) => {
        let begun = 0
        for (let kill = 0; kill < kills; kill++) {
          // The first one surely before the answer, whatever the seed.
          const afterMs = Math.round(randomFraction(random) * (kill === 0 ? EARLY_MS : LATEST_MS))
          begun += await spendOn(product, what, afterMs).catch((error) => {
            throw new Error(`SIM ${kill}, ${afterMs} ms after the try was recorded: ${error.message}`, { cause: error })
          })
        }
        assert.ok(begun > 0, 'a SIM had the PIN before the kill')
      })
    })

  test('the power goes in the middle of a try, and the SIM had taken the PIN before: it is opened by itself', () => {
    const sim = ['--pin', GOOD_PROFILE.pin, '--register-after', '0s', '--latency', '0', '--internet', 'none']
    return Product.run({ sim }, async (product) => {
      await product.untilModem('registered')
      product.sim('unplug')
      await product.untilUnplugged()
      await beginTry(product)
      await crash(product)
      product.sim('unplug')
      product.sim('plug')
      await product.startModemd()
      await product.untilModem('registered')
      assert.equal(product.stats().sim.refused, 0)
    })
  })
}

/** A fresh SIM and ledger, a kill in the middle of the try, a start and a power-on after it. Answers how often the SIM had the PIN by the kill. */
async function spendOn(product: Product, what: 'wrong' | 'right', afterMs: number): Promise<number> {
  product.sim('unplug')
  await product.restart('modem-sim')
  for (const name of LEDGER) rmSync(`${product.root}/var/lib/modemd/${name}`, { force: true })
  await beginTry(product)
  await sleep(afterMs)
  await crash(product)
  const { spent } = product.stats().sim
  assert.ok(spent <= 1)

  await product.startModemd()
  // One that the SIM never saw counts as refused, too: nobody can tell.
  const isOpen = what === 'right' && spent === 1
  await comesTo(product, isOpen)
  assert.equal(product.stats().sim.spent, spent, 'no second try')
  product.sim('unplug')
  await product.untilUnplugged()
  product.sim('plug')
  await comesTo(product, isOpen)
  const tries = product.stats().sim
  assert.deepEqual([tries.spent, tries.refused], isOpen ? [2, 0] : [spent, what === 'wrong' ? spent : 0])
  return spent
}

async function beginTry(product: Product): Promise<void> {
  product.sim('fault', 'late', String(ANSWER_MS / 1000), 'on=+CPIN=', 'times=always')
  product.sim('plug')
  await product.until('the try is recorded', () => lastTry(product) === 'pending')
}

async function comesTo(product: Product, isOpen: boolean): Promise<void> {
  if (isOpen) return product.untilModem('registered')
  await product.untilModem('locked')
  await product.until('why it stays locked is said', () => /not sent again/.test(product.read('mmctl', 'status')))
}

async function crash(product: Product): Promise<void> {
  const { child } = product.release(product.modemd)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function lastTry(product: Product): string | undefined {
  try {
    return JSON.parse(readFileSync(`${product.root}/var/lib/modemd/pin-ledger.json`, 'utf8')).tries.at(-1)?.state
  } catch {
    // Not there yet.
    return undefined
  }
}
