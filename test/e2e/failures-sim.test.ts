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

  test('PUK by hand: it opens the SIM and sets a new PIN; a wrong one is never sent again', () =>
    Product.run(
      {
        sim: [...GOOD_SIM, '--pin-tries', '0', '--puk', '87654321'],
        files: {
          [PROFILE_FILE]: profileText({ pin: '', ...QUICK }),
          'etc/wrong-puk': '11111111\n',
          'etc/puk': '87654321\n',
          'etc/new-pin': '2468\n',
        },
      },
      async (product) => {
        const file = (name: string) => `${product.root}/etc/${name}`
        const puk = (name: string) =>
          product.mmctl('sim', 'puk', '--puk-file', file(name), '--new-pin-file', file('new-pin'))
        await product.untilModem('locked')
        const refused = await puk('wrong-puk')
        assert.deepEqual(
          [refused.exit, /9 tries are left/.test(refused.stderr.replace(/\s+/g, ' '))],
          [SIM, true],
          refused.stderr,
        )
        assert.equal((await puk('wrong-puk')).exit, SIM)
        assert.equal(product.stats().sim.pukTries, 9)
        const opened = await puk('puk')
        assert.equal(opened.exit, 0, opened.stderr)
        await product.untilModem('registered')
        assert.match(product.read('mmctl', 'sim', 'status'), /PIN tries left +3\nPUK tries left +10/)
        assert.doesNotMatch(product.logs(), /87654321|11111111|2468/)
      },
    ))

  test('the PIN is changed, switched off and on; the last try needs --last-try', () =>
    Product.run(
      {
        sim: GOOD_SIM,
        files: { 'etc/old': '1234\n', 'etc/new': '2468\n', 'etc/wrong1': '1111\n', 'etc/wrong2': '2222\n' },
      },
      async (product) => {
        const file = (name: string) => `${product.root}/etc/${name}`
        const sim = (...args: string[]) => product.mmctl('sim', ...args)
        await product.untilModem('registered')
        const changed = await sim('change-pin', '--pin-file', file('old'), '--new-pin-file', file('new'))
        assert.equal(changed.exit, 0, changed.stderr)
        assert.equal((await sim('disable-pin', '--pin-file', file('new'))).exit, 0)
        assert.equal((await sim('disable-pin', '--pin-file', file('new'))).exit, 1, 'it is so already')
        assert.equal((await sim('enable-pin', '--pin-file', file('new'))).exit, 0)
        product.sim('unplug')
        await product.untilUnplugged()
        product.sim('plug')
        await product.untilModem('locked')
        // The profile's PIN is the old one: it is known to be wrong and costs no try.
        assert.equal(product.stats().sim.pinTries, 3)
        assert.equal((await sim('unlock', '--pin-file', file('wrong1'))).exit, SIM)
        assert.equal((await sim('unlock', '--pin-file', file('wrong2'))).exit, SIM)
        const { spent, pinTries } = product.stats().sim
        assert.equal(pinTries, 1)
        const last = await sim('unlock', '--pin-file', file('new'))
        assert.deepEqual([last.exit, /--last-try/.test(last.stderr)], [SIM, true], last.stderr)
        assert.equal((await sim('unlock', '--last-try', '--pin-file', file('wrong1'))).exit, SIM, 'refused before')
        assert.equal(product.stats().sim.spent, spent, 'the SIM saw nothing of it')
        assert.equal((await sim('unlock', '--last-try', '--pin-file', file('new'))).exit, 0)
        await product.untilModem('registered')
        assert.equal(product.stats().sim.pinTries, 3)
        assert.doesNotMatch(product.logs(), /2468|1111/)
      },
    ))

  test('the SIM is taken out while the link is up: the link says so, and comes back with it; another one is read anew', () =>
    Product.run({ sim: GOOD_SIM, files: { [PROFILE_FILE]: profileText({ autoconnect: 'yes' }) } }, async (product) => {
      await product.untilLink('up')
      const iccid = product.stats().sim.iccid
      product.sim('sim', 'remove')
      await product.untilModem('absent-sim')
      await product.until('the link says why', () => product.why().cause === 'sim-absent')
      product.noInterface()
      assert.doesNotMatch(product.read('mmctl', 'sim', 'status'), /ICCID/)
      product.sim('sim', 'insert')
      await product.untilLink('up')
      product.pings()
      assert.match(product.read('mmctl', 'sim', 'status'), new RegExp(iccid))

      product.sim('sim', 'remove')
      await product.untilModem('absent-sim')
      const before = product.stats().sim.spent
      product.sim('sim', 'insert', '8934071100000000025', 'pin=9876')
      await product.untilModem('locked')
      await product.until('the profile tried its PIN', () => product.stats().sim.spent === before + 1)
      assert.match(product.read('mmctl', 'sim', 'status'), /8934071100000000025/)
      product.sim('sim', 'remove')
      await product.untilModem('absent-sim')
      product.sim('sim', 'insert', iccid)
      await product.untilLink('up')
      assert.equal(product.stats().sim.refused, 1, 'what the other refused does not count here')
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
