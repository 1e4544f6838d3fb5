/** Damaged lines, a peer without end, ttys that are no modem: a named end, no spin, and everything works after it. */

import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPty, type Pty } from '../../src/system/pty.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const FAILED = 1
const PPP = 10

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('garbage, split and late replies from the plug on: it still registers and connects', () =>
    Product.run({ sim: ['--unplugged', ...GOOD_SIM] }, async (product) => {
      for (const fault of [
        ['garbage', '20', 'times=12'],
        ['split', '2', 'times=25'],
        ['late', '0.3', 'times=6'],
        ['duplicated', 'times=3'],
        ['unsolicited-inside', 'times=3'],
        ['late', '4', 'on=+CSQ'],
        ['garbage', '200', 'on=D'],
      ])
        product.sim('fault', ...fault)
      product.sim('plug')
      await product.untilModem('registered')
      await product.connectsWell()
      assert.equal(product.stats().sim.spent, 1)
    }))

  test('a peer that naks for ever', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      product.sim('fault', 'lcp-nak-forever')
      await product.fails('lcp-timeout', PPP)
      await product.connectsWell()
    }))

  for (const [what, babble] of [
    ['answers nothing', false],
    ['sends only garbage', true],
  ] as const)
    test(`a configured tty that ${what} is let go of, without spinning`, async (t) => {
      let pty: Pty | undefined
      t.after(() => pty?.close())
      await Product.run(
        {
          sim: ['--unplugged', ...GOOD_SIM],
          files: {
            'etc/modemd/modemd.conf': '[device "tty:/dev/ttyS7"]\nbaud = 115200\n',
            [PROFILE_FILE]: profileText({ 'dial-timeout': '2s' }),
          },
        },
        async (product) => {
          const line = openPty()
          pty = line
          let asked = 0
          line.onData(() => asked++)
          let isBabbling: boolean = babble
          t.after(() => {
            isBabbling = false
          })
          const babbler = (async () => {
            for (let round = 0; isBabbling; round++) {
              line.write(Buffer.from(`${round} \x00\xff~}garbage\r\n${'\x80'.repeat(50)}OKAY`, 'latin1'))
              await sleep(5)
            }
          })()
          symlinkSync(line.slavePath, `${product.root}/dev/ttyS7`)
          const holds = () => product.holds(line.slavePath)
          await product.until('modemd opens it', holds)
          const openedMs = performance.now()
          const cpuMs = product.cpuMs()
          await product.until('modemd lets go of it', () => !holds())
          const heldMs = performance.now() - openedMs
          assert.ok(heldMs < 4500, `held for ${Math.round(heldMs)} ms`)
          assert.ok(asked > 0, 'it was asked')
          assert.ok(product.cpuMs() - cpuMs < 1500, `used ${product.cpuMs() - cpuMs} ms of CPU time`)
          assert.deepEqual(product.modems(), [])
          // This test has the pty's own end open, and is named.
          const story = await product.fails('port-busy', FAILED)
          assert.match(story.causeDetail ?? '', /node \(process \d+\) has \/dev\/ttyS7/)
          isBabbling = false
          await babbler

          product.sim('plug')
          await product.untilModem('registered')
          await product.connectsWell()
          product.read('rm', `${product.root}/dev/ttyS7`)
        },
      )
    })
}
