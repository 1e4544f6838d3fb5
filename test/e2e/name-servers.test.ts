/** The whole product beside systemd-resolved, of which here is a stand-in (the real one: test/bus/resolved.test.ts). */

import assert from 'node:assert/strict'
import test from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { BusConnection } from '../../src/bus/connection.ts'
import { systemClock } from '../../src/system/clock.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, OPERATOR, Product } from './product.ts'

const NAME = 'org.freedesktop.resolve1'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping')))
  test('systemd-resolved is told of the link and of its end; /etc/resolv.conf is its own matter; without it the file is ours', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      const asked: string[] = []
      const resolved = await BusConnection.open(product.bus, systemClock, silentLogger, {
        onCall: (call) => {
          asked.push(call.member)
          call.reply('', [])
        },
        onSignal: () => {},
        onLost: () => {},
      })
      await resolved.callBus('RequestName', 'su', [NAME, 0])
      const { exit } = await product.connect()
      assert.equal(exit, 0)
      assert.deepEqual(asked, ['SetLinkDNS', 'SetLinkDomains', 'SetLinkDefaultRoute'])
      assert.equal(product.resolvConf(), '')
      assert.equal((await product.mmctl('disconnect')).exit, 0)
      assert.equal(asked.at(-1), 'RevertLink')

      assert.equal((await product.connect()).exit, 0)
      await resolved.close()
      await product.until('the file has them', () => product.resolvConf().includes(`nameserver ${OPERATOR}`))
      assert.equal((await product.mmctl('disconnect')).exit, 0)
      assert.equal(product.resolvConf(), '')
    }))
