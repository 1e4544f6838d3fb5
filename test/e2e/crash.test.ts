/** modemd, the bus or a dial ended from outside: nothing is left, or the next start cleans it, and the modem is usable at once. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, OPERATOR, PROFILE_FILE, Product, profileText } from './product.ts'

const AUTOMATIC = { [PROFILE_FILE]: profileText({ autoconnect: 'yes' }) }

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('kill -9 while the link is up: the next start cleans up and is up again by itself', () =>
    Product.run({ sim: GOOD_SIM, files: AUTOMATIC }, async (product) => {
      await product.untilLink('up')
      const dead = product.release(product.modemd)
      dead.child.kill('SIGKILL')
      await once(dead.child, 'exit')
      product.noInterface()
      assert.match(product.resolvConf(), new RegExp(OPERATOR), 'what a crash leaves')
      assert.notDeepEqual(locks(product), [])

      const startedMs = performance.now()
      await product.startModemd()
      await product.untilLink('up')
      assert.ok(performance.now() - startedMs < 12_000, 'the modem is usable at once')
      product.pings()
      assert.match(product.resolvConf(), new RegExp(OPERATOR))
      assert.equal(product.stats().sim.spent, 1, 'the open SIM got no second PIN')
      product.read('mmctl', 'disconnect')
      assert.equal(product.resolvConf(), '')
    }))

  test('kill -9, and the start after it finds no modem: resolv.conf and locks are clean all the same', () =>
    Product.run({ sim: GOOD_SIM, files: AUTOMATIC }, async (product) => {
      await product.untilLink('up')
      const dead = product.release(product.modemd)
      dead.child.kill('SIGKILL')
      await once(dead.child, 'exit')
      product.sim('unplug')
      await product.startModemd()
      assert.equal(product.resolvConf(), '')
      assert.deepEqual(locks(product), [])
    }))

  for (const what of ['dialling', 'negotiating'] as const)
    test(`SIGTERM while ${what}: an orderly end within 5 s`, () =>
      Product.run({ sim: GOOD_SIM }, async (product) => {
        await product.untilModem('registered')
        if (what === 'dialling') product.sim('fault', 'silent', 'on=D')
        else product.sim('fault', 'lcp-nak-forever')
        const connecting = product.connect()
        await product.untilLink(what === 'dialling' ? 'dialling' : 'connecting')
        const { child } = product.release(product.modemd)
        const startedMs = performance.now()
        child.kill('SIGTERM')
        const [code] = await once(child, 'exit')
        assert.equal(code, 0)
        assert.ok(performance.now() - startedMs < 5000, `took ${Math.round(performance.now() - startedMs)} ms`)
        assert.notEqual((await connecting).exit, 0)
        product.noInterface()
        assert.deepEqual(locks(product), [])

        await product.startModemd()
        await product.untilModem('registered')
        await product.connectsWell()
      }))

  test('SIGTERM while the link is up: nothing is left, and the operator saw the end', () =>
    Product.run({ sim: GOOD_SIM, files: AUTOMATIC }, async (product) => {
      await product.untilLink('up')
      const { child } = product.release(product.modemd)
      child.kill('SIGTERM')
      assert.deepEqual(await once(child, 'exit'), [0, null])
      product.noInterface()
      assert.equal(product.resolvConf(), '')
      assert.deepEqual(locks(product), [])
      assert.equal(product.stats().call, 'none')
      await product.startModemd()
    }))

  test('the bus dies and comes back: the link stays up, and modemd is on the bus again', () =>
    Product.run({ sim: GOOD_SIM, files: AUTOMATIC }, async (product) => {
      await product.untilLink('up')
      const { upSince } = product.link('demo')
      const bus = product.release(product.servants.find(({ name }) => name === 'dbus-daemon')!)
      bus.child.kill('SIGKILL')
      await once(bus.child, 'exit')
      rmSync(`${product.root}/bus`, { force: true })
      product.pings()
      assert.equal(product.try('mmctl', 'list').status, 3)

      await product.startBus()
      // Servants end in the reverse order of starting.
      product.servants.unshift(product.servants.pop()!)
      await product.until('modemd is on the bus again', () => product.try('mmctl', 'list').status === 0)
      assert.deepEqual(product.link('demo').upSince, upSince, 'it is still the same link')
      assert.equal(product.link('demo').state, 'up')
      assert.equal(product.stats().calls, 1)
      product.pings()
      product.read('mmctl', 'disconnect')
      await product.connectsWell()
    }))
}

function locks(product: Product): string[] {
  const folder = `${product.root}/run/lock`
  return existsSync(folder) ? readdirSync(folder) : []
}
