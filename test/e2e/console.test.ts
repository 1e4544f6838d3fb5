/** The AT console, the ports and letting go of a modem, with everything real: bus, daemon, simulator, mmctl. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, Product } from './product.ts'

const CONF = 'etc/modemd/modemd.conf'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('mmctl at, while the link is up; refused, forced, off', () =>
    Product.run({ sim: GOOD_SIM, files: { [CONF]: '[daemon]\nat-console = yes\n' } }, async (product) => {
      await product.untilModem('registered')
      assert.equal(product.read('mmctl', 'at', '0', 'AT+CSQ').replace(/\d+,/, 'N,'), '+CSQ: N,99\nOK\n')
      product.read('mmctl', 'connect', 'demo')
      assert.match(product.read('mmctl', 'at', '0', 'AT+CGMM', 'AT+COPS?'), /^.+\nOK\n\+COPS: 0,.*\nOK\n$/)
      for (const line of ['ATZ', 'ATH', 'AT+CSQ;+CFUN=0', 'ATE1']) {
        const { status, stderr } = product.try('mmctl', 'at', '0', line)
        assert.equal(status, 1, line)
        assert.match(stderr, /is not sent/, line)
      }
      const pin = product.try('mmctl', 'at', '0', 'AT+CPIN="9999"', '--force')
      assert.equal(pin.status, 7)
      assert.match(pin.stderr, /mmctl sim/)
      assert.equal(product.stats().sim.refused, 0)
      assert.equal(product.try('mmctl', 'at', '0', 'AT+NOSUCH').status, 1)
      assert.equal(product.link('demo').state, 'up')
      await product.until('it is logged', () => /Console: AT\+NOSUCH/.test(product.modemd.log))
      assert.match(product.modemd.log, /Console: AT\+COPS\?/)
      assert.doesNotMatch(product.modemd.log, /9999/)

      product.write(CONF, '')
      product.modemd.child.kill('SIGHUP')
      await product.until('the console is off', () => /is off/.test(product.try('mmctl', 'at', '0', 'AT').stderr))
    }))

  test('mmctl ports tells of the modem; mmctl inhibit lets it go, and its end takes it back', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      const taken = () =>
        (JSON.parse(product.read('mmctl', 'ports', '--json')) as { taken: boolean }[]).map((port) => port.taken)
      assert.deepEqual(taken(), [true, true])
      assert.match(product.read('mmctl', 'ports', '--explain'), /\/dev\/ttyUSB0 is taken\n +why +\S.*\n +role +data\n/)

      const holder = product.spawn('mmctl', ['inhibit', '0'])
      await product.until('it is let go of', () => /Ctrl-C/.test(holder.log))
      assert.match(product.read('mmctl', 'list'), /^No modem is here: \S+ is let go of .*\(`mmctl inhibit`\)\.\n$/)
      assert.deepEqual(taken(), [false, false])
      assert.match(product.read('mmctl', 'ports', '--explain'), /another program asked for it/)
      const ended = once(holder.child, 'exit')
      holder.child.kill('SIGINT')
      assert.deepEqual(await ended, [0, null])
      product.servants.splice(product.servants.indexOf(holder), 1)
      await product.untilModem('registered')
      assert.match(holder.log, /takes imei_\d+ back/)
    }))
}
