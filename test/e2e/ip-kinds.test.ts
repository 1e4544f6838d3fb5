/** `ip = 46` in a network that gives contexts of one kind of address only: up in the same attempt, and at once the next time. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const personality of ['generic', 'quectel-ec25'])
    test(`${personality}: IPv4 alone after a refusal of both`, () =>
      Product.run(
        {
          sim: [...GOOD_SIM, '--personality', personality, '--ip', '4'],
          files: { [PROFILE_FILE]: profileText({ ip: '46' }) },
        },
        async (product) => {
          await product.untilModem('registered')
          await product.connectsWell()
          assert.equal(product.why().attempts, 1)
          assert.equal(dials(product), 2)
          product.read('mmctl', 'disconnect')
          await product.connectsWell()
          assert.equal(dials(product), 3)
          product.read('mmctl', 'disconnect')
        },
      ))
}

function dials(product: Product): number {
  const { byName } = product.stats().commands
  return Object.entries(byName).reduce((sum, [name, count]) => (/^ATD/.test(name) ? sum + count : sum), 0)
}
