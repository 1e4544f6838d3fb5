/** What a profile can ask of PPP, through the whole product: IP versions, log-ins, engines. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const OPERATOR_6 = 'fd64:64::1'

const product = (profile: string, sim: readonly string[], steps: (product: Product) => Promise<void>) =>
  Product.run({ sim: [...GOOD_SIM, ...sim], files: { [PROFILE_FILE]: profile } }, steps)

const ip6Of = (running: Product) =>
  (JSON.parse(running.read('mmctl', 'status', '--json')).links[0].ip6 ?? {}) as { address?: string; gateway?: string }

if (inNamespace(import.meta.url, needs('dbus-daemon', 'busctl', 'ip', 'ping', 'tun'))) {
  for (const ip of ['6', '46'])
    test(`ip = ${ip}: a global address by the operator's router, ping, an orderly end`, () =>
      product(profileText({ ip }), [], async (running) => {
        const { exit, stdout, stderr } = await running.connect()
        assert.equal(exit, 0, stdout + stderr)
        await running.until('a global address', () => /^fd64:64:0:/.test(ip6Of(running).address ?? ''))
        assert.equal(ip6Of(running).gateway, 'fe80::1')
        assert.match(running.read('ping', '-6', '-c', '1', '-W', '3', OPERATOR_6), / 0% packet loss/)
        assert.match(running.read('ip', '-6', 'route', 'show', 'default'), /dev ppp0 .*metric 700/)
        if (ip === '46') running.pings()
        else assert.doesNotMatch(running.read('ip', '-4', 'addr', 'show', 'ppp0'), /inet /)
        assert.match(running.read('mmctl', 'status'), / fd64:64:0:\S+\/64, peer fe80::1\n/)
      }))

  for (const auth of ['mschapv2', 'mschap', 'eap'])
    test(`the operator asks for ${auth}`, () =>
      product(profileText(), ['--auth', auth], (running) => running.connectsWell()))

  test('auth = mschapv2 gives no weaker log-in', () =>
    product(profileText({}, '[ppp]\nauth = mschapv2\n'), ['--auth', 'pap'], async (running) => {
      const story = await running.fails('auth-refused', 10)
      assert.match(story.causeDetail ?? '', /asks for a log-in by <auth pap>, which the settings do not allow/)
    }))

  test('an engine that this machine lacks: the failure, status and D-Bus say why', { skip: hasKernelPpp() }, () =>
    product(profileText(), [], async (running) => {
      const story = await running.fails('engine-missing', 1, '--engine', 'kernel')
      assert.match(
        story.causeDetail ?? '',
        /the engine kernel does not work here \(kernel: cannot be used: .*\/dev\/ppp/,
      )
      assert.match(
        running.read('mmctl', 'status'),
        /engines +builtin: usable; auto takes it\n[\s\S]*kernel: cannot be used: /,
      )
      assert.match(
        running.read('busctl', 'get-property', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'EngineReasons'),
        /"kernel" "cannot be used: /,
      )
      await running.connectsWell('--engine', 'builtin')
    }),
  )
}

function hasKernelPpp(): string | false {
  return existsSync('/dev/ppp') ? 'this kernel has PPP' : false
}
