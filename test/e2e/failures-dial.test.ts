/** What goes wrong from the dial to the address: the cause by its name, mmctl's exit code, and a good connect after it. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const DIAL = 9
const PPP = 10

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('each fault of dial and PPP ends in its cause, and the next connect works', () =>
    Product.run(
      {
        sim: GOOD_SIM,
        files: {
          [PROFILE_FILE]: profileText(
            { 'dial-timeout': '4s' },
            '[ppp]\nlcp-restart = 200ms\nlcp-max-configure = 5\nlcp-echo-interval = 300ms\n',
          ),
        },
      },
      async (product) => {
        await product.untilModem('registered')
        const { pid } = product.modemd.child
        for (const [fault, cause, exit, chatExit] of [
          [['busy'], 'busy', DIAL, 4],
          [['no-carrier'], 'no-carrier', DIAL, 5],
          [['no-dialtone'], 'no-dialtone', DIAL, 6],
          [['no-answer'], 'no-answer', DIAL, 7],
          [['error-n-times', 'on=D'], 'modem-error', DIAL, 8],
          [['hangup-mid-dial'], 'hung-up', PPP, 0],
          [['hangup-mid-lcp'], 'hung-up', PPP, 0],
          [['loopback'], 'loopback', PPP, 0],
          [['auth-fail'], 'auth-refused', PPP, 0],
          [['ipcp-no-address'], 'no-address', PPP, 0],
          [['silent', 'on=D'], 'dial-timeout', DIAL, 3],
        ] as const) {
          product.sim('fault', ...fault)
          const startedMs = performance.now()
          const story = await product.fails(cause, exit)
          assert.ok(performance.now() - startedMs < 12_000, `${cause} ends in time`)
          assert.equal(story.chatExit, chatExit, `chat's exit of ${cause}`)
          product.noInterface()
          await product.connectsWell()
          product.read('mmctl', 'disconnect')
        }
        assert.equal(product.modemd.child.pid, pid)
        assert.equal(product.modemd.child.exitCode, null)
      },
    ))

  test('a wrong password, a wrong APN: named, not tried again, and right after the profile is mended', () =>
    Product.run(
      { sim: GOOD_SIM, files: { [PROFILE_FILE]: profileText({ password: 'wrong', autoconnect: 'yes' }) } },
      async (product) => {
        await product.untilLink('failed')
        assert.equal(product.why().cause, 'auth-refused')
        const { calls } = product.stats()
        await product.fails('auth-refused', PPP)
        assert.equal(product.stats().calls, calls + 1)

        reconfigure(product, { apn: 'elsewhere', autoconnect: 'yes' })
        await product.until('the wrong APN was tried', () => product.why().cause === 'apn-refused')
        await product.fails('apn-refused', DIAL)
        await product.connectsWell('--apn', 'internet')
        product.read('mmctl', 'disconnect')

        reconfigure(product, {})
        await product.connectsWell()
        assert.doesNotMatch(product.logs(), /sesame|wrong/)
      },
    ))

  test('a peer that falls silent is noticed by its echoes', () =>
    Product.run(
      {
        sim: GOOD_SIM,
        files: { [PROFILE_FILE]: profileText({}, '[ppp]\nlcp-echo-interval = 300ms\nlcp-echo-failure = 2\n') },
      },
      async (product) => {
        await product.untilModem('registered')
        product.sim('fault', 'echo-dead', '1')
        await product.connectsWell()
        await product.until('the silence is noticed', () => product.link('demo').state !== 'up')
        assert.equal(product.why().cause, 'echo-lost')
        await product.untilLink('up')
        product.pings()
      },
    ))
}

function reconfigure(product: Product, changes: Readonly<Record<string, string>>): void {
  product.write(PROFILE_FILE, profileText(changes))
  product.modemd.child.kill('SIGHUP')
}
