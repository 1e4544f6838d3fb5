/** Configuration with faults: told by file, line and reason; the last good one goes on running. */

import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const CONF = 'etc/modemd/modemd.conf'
const SPARE = 'etc/modemd/profiles/spare.conf'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('--check prints file:line: reason and ends with 1; a good configuration with 0', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      const check = () => product.try('modemd', '--root', product.root, '--check')
      const good = check()
      assert.deepEqual([good.status, good.stderr], [0, ''])
      assert.match(good.stdout, /^modemd: no fault in \/etc\/modemd\/modemd\.conf and what is beside it\n$/)

      product.write(
        CONF,
        '[daemon]\nlog-levle = info\nat-console = perhaps\nmetrics\n\n[detect]\nallow = auto\nallow = auto\n',
      )
      product.write(SPARE, '[profile]\napn = internet\nroming = yes\n[redial]\nbusy = 5 parsecs\n')
      const { status, stderr } = check()
      assert.equal(status, 1)
      for (const line of [
        /^\/etc\/modemd\/modemd\.conf:2: .*log-levle.*did you mean.*log-level/m,
        /^\/etc\/modemd\/modemd\.conf:3: .*at-console/m,
        /^\/etc\/modemd\/modemd\.conf:4: /m,
        /^\/etc\/modemd\/modemd\.conf:8: .*allow/m,
        /^\/etc\/modemd\/profiles\/spare\.conf:3: .*roming.*did you mean.*roaming/m,
        /^\/etc\/modemd\/profiles\/spare\.conf:5: .*busy/m,
      ])
        assert.match(stderr, line)
      product.read('rm', `${product.root}/${CONF}`, `${product.root}/${SPARE}`)
      assert.equal(check().status, 0)
    }))

  test('a world-readable profile with a secret is refused, with the chmod to run', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      chmodSync(`${product.root}/${PROFILE_FILE}`, 0o644)
      const { status, stderr } = product.try('modemd', '--root', product.root, '--check')
      assert.equal(status, 1)
      assert.match(
        stderr,
        /^\/etc\/modemd\/profiles\/demo\.conf(:\d+)?: .*chmod 0?600 \/etc\/modemd\/profiles\/demo\.conf/m,
      )
      assert.doesNotMatch(stderr, /sesame|1234/)
      await product.restart('modemd')
      await product.until('modemd tells', () => /chmod 0?600/.test(product.modemd.log))
      assert.equal(product.try('mmctl', 'connect', 'demo').status, 4)
    }))

  test('modemd does not start on a modemd.conf with faults', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      product.write(CONF, '[daemon]\nlog-level = loud\n')
      const { status, stdout, stderr } = product.try('modemd', '--root', product.root, '--bus', product.bus)
      assert.equal(status, 1)
      assert.match(stdout + stderr, /modemd\.conf:2: .*log-level/)
    }))

  test('SIGHUP with faults keeps the last good configuration running; a mended one is taken', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      await product.connectsWell()
      product.write(CONF, '[daemon\n')
      product.write(PROFILE_FILE, '[profile]\napn = bad apn "\n')
      reload(product)
      await product.until('both faults are told', () =>
        [/modemd\.conf:1: /, /demo\.conf:2: /].every((fault) => fault.test(product.modemd.log)),
      )
      assert.equal(product.link('demo').state, 'up')
      product.pings()
      product.read('mmctl', 'disconnect')
      await product.connectsWell()
      product.read('mmctl', 'disconnect')
      assert.equal(product.try('mmctl', 'profile', 'show', 'demo').status, 0)

      product.read('rm', `${product.root}/${CONF}`)
      product.write(PROFILE_FILE, profileText({ apn: 'internet', 'dial-timeout': '33s' }))
      product.write(SPARE, profileText())
      reload(product)
      await product.until('the mended profile counts', () => {
        const shown = product.try('mmctl', 'profile', 'show', 'demo', '--json').stdout
        return /"33s"/.test(shown) && product.try('mmctl', 'profile', 'show', 'spare').status === 0
      })
      await product.connectsWell()
      product.read('rm', `${product.root}/${SPARE}`)
      reload(product)
      await product.until('the removed profile is gone', () => product.link('spare').state === 'absent')
      assert.equal(product.link('demo').state, 'up')
    }))

  test('a log level counts from the next reading, also from one that D-Bus asks for', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      assert.doesNotMatch(product.modemd.log, / debug /)
      product.write(CONF, '[daemon]\nlog-level = debug\n')
      product.read('busctl', 'call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'ReloadConfig')
      product.sim('unplug')
      await product.untilUnplugged()
      product.sim('plug')
      await product.until('debug lines come', () => / debug .*ttyUSB0 is taken/.test(product.modemd.log))
      await product.untilModem('registered')
    }))
}

function reload(product: Product): void {
  product.modemd.child.kill('SIGHUP')
}
