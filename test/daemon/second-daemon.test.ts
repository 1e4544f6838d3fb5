/** A second modemd for the same machine: refused, and the first one does not notice. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { GOOD_SIM, OPERATOR, Product } from '../e2e/product.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('it ends with exit 1 and a sentence; name servers, locks and link of the first one stay', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      await product.connectsWell()
      const second = product.try('modemd', '--root', product.root, '--bus', product.bus)
      assert.equal(second.status, 1)
      assert.match(second.stderr, /^modemd: Another program has the name org\.modemd on this bus: stop the modemd/m)
      assert.match(product.resolvConf(), new RegExp(`^nameserver ${OPERATOR}$`, 'm'))
      assert.ok(existsSync(`${product.root}/run/lock/LCK..ttyUSB0`))
      assert.equal(product.link('demo').state, 'up')
      product.pings()
    }))
}
