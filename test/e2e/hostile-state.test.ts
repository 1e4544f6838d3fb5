/** A daemon that starts on a state directory, a /run and locks that were made into something else: it is there, says so, and tries no PIN. And its own memory: nobody of the same user reads it. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
      const secrets = ['pin-ledger.json', 'pin-ledger.key'].map(
        (name) => [name, readFileSync(join(state, name))] as const,
      )
      for (const [name] of secrets) names.delete(name)
      const { spent } = product.stats().sim
      const others = ['run/lock/LCK..ttyUSB7', 'run/lock/LTMP.1.1', 'run/modemd/ports/ttyUSB7']

      for (const [index, [what, make]] of Object.entries(IMPOSTORS).entries()) {
        const servant = product.release(product.modemd)
        const ended = once(servant.child, 'exit')
        servant.child.kill('SIGTERM')
        assert.deepEqual(await ended, [0, null], what)
        product.sim('unplug')
        // Either alone is enough: one spoilt beside one that is whole (both with everything: test/modem/state-hostile.test.ts).
        const [[spoilt], [whole, content]] = [secrets[index % 2]!, secrets[(index + 1) % 2]!]
        rmSync(join(state, whole), { recursive: true, force: true })
        writeFileSync(join(state, whole), content, { mode: 0o600 })
        for (const file of [
          ...[spoilt, ...names].map((name) => join(state, name)),
          ...others.map((name) => join(product.root, name)),
        ]) {
          rmSync(file, { recursive: true, force: true })
          mkdirSync(dirname(file), { recursive: true })
          make(file)
        }
        const before = others.map((name) => lstatSync(join(product.root, name)))
        product.sim('plug')
        const startedMs = performance.now()
        await product.startModemd()
        assert.ok(performance.now() - startedMs < 10_000, what)
        await product.untilModem('locked')
        await product.until(`${what}: it is said`, () =>
          /pin-ledger/.test(product.modemd.log + product.read('mmctl', 'status')),
        )
        assert.equal(product.stats().sim.spent, spent, `${what}: no PIN by itself`)
        const after = others.slice(0, 2).map((name) => lstatSync(join(product.root, name)))
        for (const [at, { ino, mode }] of after.entries())
          assert.deepEqual([ino, mode], [before[at]!.ino, before[at]!.mode], `${what}: ${others[at]} is none of ours`)
        assert.equal(product.try('mmctl', 'connect', 'demo').status !== 0, true, what)
        assert.equal(product.stats().sim.spent, spent, `${what}: none by a connect`)
      }
      for (const name of others) rmSync(join(product.root, name), { recursive: true, force: true })
      for (const name of [...names, ...secrets.map(([name]) => name)])
        rmSync(join(state, name), { recursive: true, force: true })
      product.sim('unplug')
      await product.untilUnplugged()
      product.sim('plug')
      await product.connectsWell()
    }))

  test('nobody of the same user reads its memory', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      // The user's own processes, without what root may: neither the daemon nor who looks at it.
      const plain = ['--inh-caps=-all', '--bounding-set=-all']
      const servant = product.release(product.modemd)
      const ended = once(servant.child, 'exit')
      servant.child.kill('SIGTERM')
      await ended
      const [program, ...args] = product.command('modemd', ['--root', product.root, '--bus', product.bus])
      const daemon = product.spawn('setpriv', [...plain, program!, ...args])
      await product.until('it is there', () => product.try('mmctl', 'list').status === 0)
      const looks = ({ child }: Pick<typeof daemon, 'child'>) =>
        product.try('setpriv', ...plain, 'cat', `/proc/${child.pid}/environ`)
      const { status, stderr } = looks(daemon)
      assert.deepEqual([status, /Permission denied/.test(stderr)], [1, true], stderr)
      const other = product.spawn('setpriv', [...plain, 'sleep', '60'])
      await product.until('another program of the user is read', () => looks(other).status === 0)
      // As `Product.run` ends them.
      for (const each of [product.release(other), product.release(daemon)]) {
        const over = once(each.child, 'exit')
        each.child.kill('SIGTERM')
        await over
      }
      await product.startModemd()
    }))
}
