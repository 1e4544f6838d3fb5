/** What helps when something is wrong, on the whole product: doctor, bug-report, monitor, why, ports --rescan, metrics. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

interface Check {
  readonly check: string
  readonly state: string
  readonly detail: string
  readonly advice: string
}

function doctor(product: Product): { exit: number | null; checks: readonly Check[] } {
  const { status, stdout } = product.try('mmctl', 'doctor', '--json')
  return { exit: status, checks: JSON.parse(stdout).checks }
}

function faults(product: Product): readonly string[] {
  return doctor(product)
    .checks.filter(({ state }) => state === 'fault')
    .map(({ check, detail }) => `${check}: ${detail}`)
}

if (inNamespace(import.meta.url, needs('dbus-daemon', 'busctl', 'ip', 'ping', 'tun'))) {
  test('doctor: well, then a broken profile, a lock of a dead program, a modem without SIM, no daemon', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      const well = doctor(product)
      assert.deepEqual([well.exit, faults(product)], [0, []])
      assert.equal(well.checks[0]!.check, 'modemd')
      assert.match(well.checks.find(({ check }) => check === 'lock files')!.detail, /all modemd's/)

      appendFileSync(`${product.root}/${PROFILE_FILE}`, 'pasword = sesame-street\n')
      writeFileSync(`${product.root}/run/lock/LCK..ttyUSB9`, 'nobody\n')
      product.sim('sim', 'remove')
      await product.untilModem('absent-sim')
      const [broken, sim, lock, ...more] = faults(product)
      assert.match(broken!, /^configuration: \/etc\/modemd\/profiles\/demo\.conf:\d+: /)
      assert.match(sim!, /^modem imei_\d+: absent-sim/)
      assert.match(lock!, /^lock files: \/run\/lock\/LCK\.\.ttyUSB9 names no process/)
      assert.deepEqual([more, doctor(product).exit], [[], 1])
      const text = product.try('mmctl', 'doctor').stdout
      assert.doesNotMatch(text, /sesame-street/)
      product.read('rm', `${product.root}/run/lock/LCK..ttyUSB9`)
      product.write(PROFILE_FILE, profileText())

      const idle = product.release(product.modemd)
      const ended = once(idle.child, 'exit')
      idle.child.kill('SIGTERM')
      await ended
      const without = JSON.parse(product.try('mmctl', 'doctor', '--json', '--root', product.root).stdout)
        .checks as Check[]
      assert.equal(without[0]!.detail, 'it does not run')
      // `modemd --check` of the program beside this mmctl.
      assert.deepEqual(
        without.filter(({ check }) => check === 'configuration').map(({ state }) => state),
        ['ok'],
      )
      await product.startModemd()
    }))

  test('bug-report of a link that failed: the story is in it, secrets and numbers are not', () =>
    Product.run(
      { sim: GOOD_SIM, files: { [PROFILE_FILE]: profileText({ password: 'wrong-but-secret' }) } },
      async (product) => {
        await product.untilModem('registered')
        await product.fails('auth-refused', 10)
        const file = `${product.root}/var/lib/report.txt`
        product.read('mmctl', 'bug-report', file)
        const text = readFileSync(file, 'utf8')
        for (const kept of [
          /auth-refused/,
          /== \/etc\/modemd\/profiles\/demo\.conf\n\n\[profile\]\napn = internet\n/,
          /1209:0001/,
        ])
          assert.match(text, kept)
        const { sim } = product.stats()
        const { equipmentIdentifier } = JSON.parse(product.read('mmctl', 'list', '--json'))[0]
        for (const secret of ['wrong-but-secret', sim.iccid, equipmentIdentifier])
          assert.ok(!text.includes(secret), secret)
        assert.doesNotMatch(text, /pin = \d/)
      },
    ))

  test('monitor follows a modemd that restarts; ports --rescan asks anew', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      const [program, ...args] = product.command('mmctl', ['monitor', '--json'])
      const child = spawn(program!, args, { env: product.environment, stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      child.stdout.on('data', (bytes) => (said += bytes))
      const events = () => said.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
      const happened = (what: string, is: (event: Record<string, unknown>) => boolean) =>
        product.until(what, () => events().some(is))
      // It hears from here on.
      await product.until('monitor is on the bus', () => {
        product.read('busctl', 'call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'Rescan')
        product.sim('signal', String(-60 - (events().length % 20)))
        return events().length > 0
      })
      await product.restart('modemd')
      await happened('it has left', ({ event }) => event === 'gone')
      await happened('it is back', ({ event }) => event === 'back')
      await product.connectsWell()
      await happened('the link is up', ({ event, link, values }) => {
        return event === 'changed' && link === 'demo' && (values as { state?: string }).state === 'up'
      })
      assert.ok(events().every(({ at }) => Number.isSafeInteger(at)))
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      assert.deepEqual(await ended, [0, null])

      const ports = JSON.parse(product.read('mmctl', 'ports', '--rescan', '--json'))
      assert.deepEqual(
        ports.map(({ name, taken }: Record<string, unknown>) => [name, taken]),
        [
          ['/dev/ttyUSB0', true],
          ['/dev/ttyUSB1', true],
        ],
      )
      product.pings()
    }))

  test('metrics: off by default, on by a reload, read while a link is up', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      const read = async () => await (await fetch('http://127.0.0.1:9469/metrics')).text()
      await product.untilModem('registered')
      await assert.rejects(read())
      product.write('etc/modemd/modemd.conf', '[daemon]\nmetrics = yes\n')
      product.read('busctl', 'call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'ReloadConfig')
      await product.connectsWell()
      const text = await read()
      assert.match(text, /^modemd_link_up\{link="demo"\} 1$/m)
      assert.match(text, /^modemd_link_receive_bytes_total\{link="demo"\} [1-9]\d*$/m)
      product.write('etc/modemd/modemd.conf', '')
      product.read('busctl', 'call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'ReloadConfig')
      await assert.rejects(read())
    }))
}
