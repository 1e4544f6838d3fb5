/** The recovery ladder on the whole product: what is done to the modem, what is shown, and that the link is up afterwards. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const LADDER = '[redial]\nreset-after = 1\nno-carrier = 500ms\nmodem-silent = 500ms\n'
const UART = { 'etc/modemd/modemd.conf': '[device "tty:/dev/ttyS0"]\nbaud = 115200\n' }
const AUTOMATIC = { [PROFILE_FILE]: profileText({ autoconnect: 'yes', 'dial-timeout': '5s' }, LADDER) }

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('dials that fail: radio, reset, USB port; gone in between, and then up', () =>
    Product.run({ sim: [...GOOD_SIM, '--fault', 'no-carrier times=3'], files: AUTOMATIC }, async (product) => {
      await product.until('the first dial failed', () => product.link('demo').cause === 'no-carrier')
      const told = new Set<string>()
      await product.until('it is up', () => {
        const { nextAttemptReason } = product.why() as { nextAttemptReason?: string }
        if (nextAttemptReason) told.add(nextAttemptReason.replace(/^.*: /, ''))
        return product.link('demo').state === 'up'
      })
      product.pings()
      const { commands, plugs } = product.stats() as ReturnType<Product['stats']> & { plugs: number }
      assert.equal(plugs, 3, 'reset, and its USB port')
      assert.ok((commands.byName['AT+CFUN='] ?? 0) >= 3, JSON.stringify(commands.byName))
      const log = product.modemd.log
      const steps = [/the radio is switched off and on,/, /the modem is reset,/, /its USB port is reset,/]
      const places = steps.map((step) => log.search(step))
      assert.ok(
        places.every((place, index) => place > (places[index - 1] ?? -1)),
        log,
      )
      assert.ok(told.has('the radio is switched off and on before'), [...told].join())
      assert.equal(readFileSync(join(product.root, 'var/lib/modemd/switched-off.json'), 'utf8'), '[]\n')
      assert.equal(product.stats().sim.refused, 0, 'no wrong PIN')
    }))

  for (const personality of ['quectel-ec25', 'simcom-sim800'])
    test(`the radio is switched off under a link that is up, and on again: ${personality}`, () =>
      Product.run(
        { sim: [...GOOD_SIM, '--personality', personality], files: { ...AUTOMATIC, ...UART } },
        async (product) => {
          await product.untilLink('up')
          const off = await product.mmctl('disable')
          assert.equal(off.exit, 0, off.stderr)
          assert.equal(product.why().cause, 'radio-off')
          assert.equal(product.modems()[0]?.state, 'disabled')
          const { calls } = product.stats()
          const on = await product.mmctl('enable')
          assert.equal(on.exit, 0, on.stderr)
          await product.untilLink('up')
          product.pings()
          assert.equal(product.stats().calls, calls + 1, 'not one while it was off')
          const reset = await product.mmctl('reset')
          assert.equal(reset.exit, 0, reset.stderr)
          await product.until('it is down', () => product.link('demo').state !== 'up')
          await product.untilLink('up')
          product.pings()
        },
      ))

  test('mmctl reset --hard restarts a modem that does not answer', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      product.sim('silence', '3')
      const reset = await product.mmctl('reset', '--hard')
      assert.equal(reset.exit, 0, reset.stderr)
      await product.until('it was plugged anew', () => (product.stats() as { plugs?: number }).plugs === 2)
      await product.untilModem('registered')
      await product.connectsWell()
    }))
}
