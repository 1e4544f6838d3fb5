/** SIM and network that do not let us in: each ends in its named cause, in time, and the SIM is never locked. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const SIM = 7
const NETWORK = 8

const QUICK = { 'dial-timeout': '2s' }

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('a wrong PIN is tried once, never again by itself, and the right one still opens the SIM', () =>
    Product.run(
      {
        sim: GOOD_SIM,
        files: {
          [PROFILE_FILE]: profileText({ pin: '9999', ...QUICK }),
          'etc/right-pin': '1234\n',
          'etc/wrong-pin': '9999\n',
        },
      },
      async (product) => {
        const spent = () => product.stats().sim
        await product.untilModem('locked')
        await product.until('the PIN was refused', () => spent().refused === 1)
        await product.fails('sim-pin-refused', SIM)
        await product.fails('sim-pin-refused', SIM)
        await product.fails('sim-pin-refused', SIM, '--pin-file', `${product.root}/etc/wrong-pin`)
        assert.deepEqual([spent().spent, spent().refused], [1, 1])

        await product.restart('modemd')
        await product.untilModem('locked')
        await product.fails('sim-pin-refused', SIM)
        product.sim('unplug')
        await product.untilUnplugged()
        product.sim('plug')
        await product.untilModem('locked')
        await product.fails('sim-pin-refused', SIM)
        assert.deepEqual([spent().spent, spent().refused], [1, 1], 'neither restart nor re-plug spends another try')

        await product.connectsWell('--pin-file', `${product.root}/etc/right-pin`)
        assert.deepEqual([spent().spent, spent().refused], [2, 1])
        assert.doesNotMatch(product.logs(), /9999|1234/)
      },
    ))

  test('no PIN in the profile: nothing is tried, and --pin-file opens the SIM', () =>
    Product.run(
      { sim: GOOD_SIM, files: { [PROFILE_FILE]: profileText({ pin: '', ...QUICK }), 'etc/pin': '1234\n' } },
      async (product) => {
        await product.untilModem('locked')
        await product.fails('sim-pin', SIM)
        assert.equal(product.stats().sim.spent, 0)
        await product.connectsWell('--pin-file', `${product.root}/etc/pin`)
      },
    ))

  test('PUK: named, and never entered', () =>
    Product.run({ sim: [...GOOD_SIM, '--pin-tries', '0'] }, async (product) => {
      await product.untilModem('locked')
      await product.fails('sim-puk', SIM)
      assert.equal(product.stats().sim.spent, 0)
      assert.equal(product.stats().commands.byName['AT+CPIN='], undefined)
    }))

  test('no SIM', () =>
    Product.run({ sim: [...GOOD_SIM, '--no-sim'] }, async (product) => {
      await product.untilModem('absent-sim')
      await product.fails('sim-absent', SIM)
    }))

  test('denied, none, roaming: each by its name; and home lets in', () =>
    Product.run(
      { sim: [...GOOD_SIM, '--network', 'denied'], files: { [PROFILE_FILE]: profileText(QUICK) } },
      async (product) => {
        await product.until('it is denied', () => /denied/.test(product.read('mmctl', 'status')))
        await product.fails('registration-denied', NETWORK)
        product.sim('network', 'none')
        await product.untilModem('searching')
        await product.fails('no-network', NETWORK)
        product.sim('network', 'roaming')
        await product.untilModem('registered')
        await product.fails('roaming-forbidden', NETWORK)
        assert.equal(product.stats().calls, 0, 'nothing was dialled')

        product.write(PROFILE_FILE, profileText({ roaming: 'yes' }))
        product.modemd.child.kill('SIGHUP')
        await product.until('the profile is read again', () =>
          /roaming: +yes|roaming +yes/.test(product.read('mmctl', 'profile', 'show', 'demo')),
        )
        await product.connectsWell()
        product.read('mmctl', 'disconnect')
        product.sim('network', 'home')
        await product.untilModem('registered')
        await product.connectsWell()
      },
    ))

  test('the network goes while the link is up: it falls, and comes back with the network', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      await product.connectsWell()
      product.sim('network', 'none')
      await product.until('the link has fallen', () => product.link('demo').state !== 'up')
      assert.match(product.why().cause ?? '', /^(hung-up|no-network|no-carrier)$/)
      product.noInterface()
      product.sim('network', 'home')
      await product.untilLink('up')
      product.pings()
    }))
}
