/** USSD, scans and networks chosen by hand, with the whole product and modem-sim. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, Product } from './product.ts'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const personality of ['generic', 'huawei-e173']) {
    test(`${personality}: a balance, a menu and its end, letters of another script, what the network begins`, () =>
      Product.run({ sim: [...GOOD_SIM, '--personality', personality] }, async (product) => {
        await product.untilModem('registered')
        const ask = async (...args: string[]) => {
          const { exit, stdout, stderr } = await product.mmctl('ussd', ...args, '--json')
          assert.equal(exit, 0, stdout + stderr)
          return JSON.parse(stdout) as { readonly state: string; readonly answer: string }
        }
        assert.equal((await ask('*100#')).answer, 'Your balance is 12.34 EUR.')
        assert.equal((await ask('*102#')).answer, 'Баланс: 12,34 €')
        const menu = await ask('*101#')
        assert.equal(menu.state, 'user-response')
        assert.match(menu.answer, /^Virtual Mobile\n1 Balance\n2 My number\n0 End$/)
        assert.equal((await ask('--respond', '1')).state, 'idle')
        const unknown = await product.mmctl('ussd', '*999#')
        assert.equal(unknown.exit, 1)
        assert.match(unknown.stderr, /does not know this USSD code/)
        product.sim('ussd', 'Top \x1b[2J up?', 'ask')
        await product.until('the network waits', () => product.read('mmctl', 'ussd').includes('The network waits'))
        assert.match(product.read('mmctl', 'ussd'), /^Top .*up\?/)
        assert.ok(!product.read('mmctl', 'ussd').includes('\x1b'))
        assert.equal((await product.mmctl('ussd', '--cancel')).exit, 0)
      }))
  }

  test('a scan, a guest in another network, one that refuses, and home again; USSD while the link is up', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      const { networks } = JSON.parse(product.read('mmctl', 'scan', '--json'))
      assert.deepEqual(
        networks.map(({ plmn, status }: Record<string, string>) => `${plmn} ${status}`),
        ['00101 current', '00102 available', '99942 forbidden'],
      )
      assert.match(product.read('mmctl', 'register', '00102'), /registered with Second Mobile \(00102\), roaming\./)
      const refused = await product.mmctl('register', '99942')
      assert.equal(refused.exit, 8, refused.stderr)
      assert.match(refused.stderr, /99942; it chooses a network by itself/)
      assert.match(product.read('mmctl', 'register'), /registered with Virtual Mobile \(00101\)\./)
      await product.connectsWell()
      const answer = await product.mmctl('ussd', '*100#')
      assert.equal(answer.stdout, 'Your balance is 12.34 EUR.\n', answer.stderr)
      const inCall = await product.mmctl('register', '00102')
      assert.equal(inCall.exit, 1)
      assert.match(inCall.stderr, /mmctl disconnect/)
    }))

  test('a registration that is denied says the network’s reason', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      product.sim('network', 'denied', '13')
      await product.until('the reason is known', () =>
        /roaming not allowed in this area \(#13\)/.test(product.read('mmctl', 'status')),
      )
      const { exit, stdout, stderr } = await product.mmctl('connect')
      assert.equal(exit, 8)
      assert.match(stdout + stderr, /#13/)
    }))
}
