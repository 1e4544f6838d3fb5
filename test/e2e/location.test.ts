/** Where a modem is, with the whole product: the receiver of modem-sim by each maker's switch, over D-Bus, beside a link that is up. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, Product } from './product.ts'

const INTERFACE = 'org.modemd.Location1'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const [personality, port] of [
    ['quectel-ec25', '/dev/ttyUSB1'],
    ['telit-le910', '/dev/ttyUSB1'],
    ['sierra-mc7304', '/dev/ttyUSB1'],
  ] as const)
    test(`${personality}: no place until somebody wants it, then a fix that moves on, and silence again`, () =>
      Product.run({ sim: [...GOOD_SIM, '--personality', personality] }, async (product) => {
        await product.untilModem('registered')
        const path = product.read('busctl', 'tree', '--list', 'org.modemd').match(/\/org\/modemd\/modem\/\S+/)![0]
        const call = (...args: string[]) => product.read('busctl', 'call', 'org.modemd', path, INTERFACE, ...args)
        const property = (name: string) =>
          product.read('busctl', 'get-property', 'org.modemd', path, INTERFACE, name).trim()
        assert.equal(property('Enabled'), 'b false')
        assert.match(property('Port'), new RegExp(`${port}"$`))
        await product.connectsWell()
        call('SetEnabled', 'b', 'true')
        assert.equal(property('HasFix'), 'b false', 'not in the first second')
        await product.until('there is a fix', () => property('HasFix') === 'b true')
        const fix = () =>
          JSON.parse(product.read('busctl', '--json=short', 'call', 'org.modemd', path, INTERFACE, 'GetFix')).data[0]
        const first = fix()
        assert.ok(Math.abs(first.latitude.data - 52.5163) < 0.01, JSON.stringify(first))
        assert.ok(Math.abs(first.longitude.data - 13.3777) < 0.01, JSON.stringify(first))
        assert.equal(first.satellites.data, 8)
        assert.ok(Math.abs(Number(first.utc.data) / 1000 - Date.now()) < 10_000, 'its time is now')
        await product.until('it moves', () => fix().latitude.data !== first.latitude.data)
        call('SetEnabled', 'b', 'false')
        assert.equal(property('HasFix'), 'b false')
        assert.ok(!product.holds(`${product.root}${port}`))
        product.pings()
        product.read('mmctl', 'disconnect')
      }))
}
