/** A daemon that starts on a state directory, a /run and locks that were made into something else: it is there, says so, and tries no PIN. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, Product } from './product.ts'

const IMPOSTORS: Readonly<Record<string, (file: string) => void>> = {
  fifo: (file) => void execFileSync('mkfifo', [file]),
  folder: (file) => mkdirSync(file),
  'link to a device that never ends': (file) => symlinkSync('/dev/zero', file),
  noise: (file) => writeFileSync(file, Buffer.from([0, 255, 27, 10, 123, 34])),
  nothing: (file) => writeFileSync(file, ''),
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('whatever lies in the place of its files', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      await product.connectsWell()
      await product.mmctl('disconnect')
      const state = join(product.root, 'var/lib/modemd')
      const names = new Set([...readdirSync(state), 'apns.json', 'usage.json', 'ports.json', 'modem-ids.json'])
      assert.ok(names.has('pin-ledger.json') && names.has('pin-ledger.key'))
      const { spent } = product.stats().sim
      const others = ['run/lock/LCK..ttyUSB7', 'run/lock/LTMP.1.1', 'run/modemd/ports/ttyUSB7']

      for (const [what, make] of Object.entries(IMPOSTORS)) {
        const servant = product.release(product.modemd)
        const ended = once(servant.child, 'exit')
        servant.child.kill('SIGTERM')
        assert.deepEqual(await ended, [0, null], what)
        product.sim('unplug')
        for (const file of [
          ...[...names].map((name) => join(state, name)),
          ...others.map((name) => join(product.root, name)),
        ]) {
          rmSync(file, { recursive: true, force: true })
          mkdirSync(dirname(file), { recursive: true })
          make(file)
        }
        product.sim('plug')
        const startedMs = performance.now()
        await product.startModemd()
        assert.ok(performance.now() - startedMs < 10_000, what)
        await product.untilModem('locked')
        await product.until(`${what}: it is said`, () =>
          /pin-ledger/.test(product.modemd.log + product.read('mmctl', 'status')),
        )
        assert.equal(product.stats().sim.spent, spent, `${what}: no PIN by itself`)
        assert.equal(product.try('mmctl', 'connect', 'demo').status !== 0, true, what)
        assert.equal(product.stats().sim.spent, spent, `${what}: none by a connect`)
      }
      for (const name of others) rmSync(join(product.root, name), { recursive: true, force: true })
      for (const name of names) rmSync(join(state, name), { recursive: true, force: true })
      product.sim('unplug')
      await product.untilUnplugged()
      product.sim('plug')
      await product.connectsWell()
    }))
}
