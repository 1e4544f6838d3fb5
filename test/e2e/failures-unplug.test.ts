/** Modems that vanish at any moment: the cause by its name, nothing left, and back under the same id. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const NOT_FOUND = 4
const SIM = 7

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('unplugged while idle, registering, dialling, negotiating and up: gone by its name, back under the same id', () =>
    Product.run(
      {
        sim: GOOD_SIM,
        files: { [PROFILE_FILE]: profileText({ autoconnect: 'yes' }, '[redial]\nmodem-gone = 50ms\n') },
      },
      async (product) => {
        await product.untilLink('up')
        const { id } = product.modems()[0]!
        for (const stage of ['now', 'command', 'registered', 'dial', 'connect', 'establish', 'network', 'running']) {
          if (stage === 'now') product.sim('unplug')
          else {
            product.sim('fault', 'unplug-at', stage)
            product.sim('plug')
            await product.until(`it unplugs itself at ${stage}`, () => !product.isPlugged())
          }
          await product.untilUnplugged()
          await product.until(`the link knows (${stage})`, () => product.link('demo').state === 'waiting')
          if (['now', 'dial', 'connect', 'establish', 'network', 'running'].includes(stage))
            assert.equal(product.why().cause, 'modem-gone', stage)
          product.noInterface()
          assert.equal(product.resolvConf(), '')
        }
        product.sim('plug')
        await product.untilLink('up')
        assert.deepEqual(
          product.modems().map((modem) => modem.id),
          [id],
        )
        product.pings()
      },
    ))

  test('unplugged during the PIN try: in doubt it counts as refused, and is never sent again', () =>
    Product.run({ sim: ['--unplugged', ...GOOD_SIM] }, async (product) => {
      product.sim('fault', 'unplug-at', 'pin')
      product.sim('plug')
      await product.until('it unplugs itself', () => product.stats().sim.spent === 1 && !product.isPlugged())
      await product.untilUnplugged()
      product.sim('plug')
      await product.untilModem('locked')
      await product.fails('sim-pin-refused', SIM)
      await product.restart('modemd')
      await product.untilModem('locked')
      await product.fails('sim-pin-refused', SIM)
      assert.equal(product.stats().sim.spent, 1)
    }))

  test('connect without a modem waits as long as it was told; a re-plug on other ttys serves the same link', () =>
    Product.run(
      { sim: GOOD_SIM, files: { [PROFILE_FILE]: profileText({ 'dial-timeout': '2s' }) } },
      async (product) => {
        await product.untilModem('registered')
        await product.connectsWell()
        product.sim('fault', 'port-moves', '0.5')
        await product.until('the link has fallen', () => product.link('demo').state !== 'up')
        await product.untilLink('up')
        product.pings()
        product.read('mmctl', 'disconnect')
        product.sim('unplug')
        await product.untilUnplugged()
        await product.fails('modem-gone', NOT_FOUND)
      },
    ))
}
