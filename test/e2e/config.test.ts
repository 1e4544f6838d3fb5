/** Configuration with faults: told by file, line and reason; the last good one goes on running. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync } from 'node:fs'
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
      const none = `(not there below ${product.root}: defaults are used) `
      const saying = (where: string) => `modemd: no fault in /etc/modemd/modemd.conf ${where}and what is beside it\n`
      assert.equal(good.stdout, saying(none))
      product.write(CONF, '')
      assert.equal(check().stdout, saying(''))

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
      await product.until('what follows is told', () =>
        [
          / error modemd\.conf and its drop-ins have faults: what they said before stays in force/,
          / error The profile demo stays as it was until \/etc\/modemd\/profiles\/demo\.conf is mended\./,
        ].every((sentence) => sentence.test(product.modemd.log)),
      )
      assert.doesNotMatch(product.modemd.log, /The configuration (has faults|was read again)/)
      assert.match(product.modemd.log, / error \/etc\/modemd\/modemd\.conf:1: [^;\n]*\n/)
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

  test('what this version cannot do is told at the start and at each reading that is asked for, not when a profile is saved', () =>
    Product.run({ sim: GOOD_SIM, files: { [SPARE]: '[profile]\nshare = eth0\n' } }, async (product) => {
      const said = () =>
        product.modemd.log.match(/ warn {2}\S+spare\.conf:2: this version does not support share/g)?.length
      assert.equal(said(), 1)
      reload(product)
      await product.until('it is told again', () => said() === 2 && /was read again/.test(product.modemd.log))
      product.read('mmctl', 'profile', 'add', 'other', '--apn', 'x')
      product.write(SPARE, '[profile]\nshare = eth0\ninterface = eth1\n')
      product.read('busctl', 'call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'ReloadConfig')
      await product.until('what is new is told', () => /spare\.conf:3: .*interface/.test(product.modemd.log))
      assert.equal(said(), 3)
    }))

  test('a start that fails is an error to the journal, elsewhere a plain sentence', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      const log = `${product.root}/journal`
      // Appended, so that each run begins where the file was cut.
      const stderr = openSync(log, 'a')
      const { dev, ino } = fstatSync(stderr)
      const started = (args: readonly string[], stream: string) => {
        ftruncateSync(stderr)
        const [program, ...all] = product.command('modemd', ['--root', product.root, ...args])
        const env = { ...product.environment, JOURNAL_STREAM: stream }
        const { status } = spawnSync(program!, all, { env, stdio: ['ignore', 'ignore', stderr] })
        return [status, readFileSync(log, 'utf8').split('\n').at(-2)] as const
      }
      const noBus = ['--bus', 'unix:path=/nowhere']
      const [status, said] = started(noBus, `${dev}:${ino}`)
      assert.equal(status, 1)
      assert.match(said!, /^<3>modemd: .*bus/)
      assert.equal(said, `<3>${started(noBus, '1:1')[1]}`)
      assert.deepEqual(started(['--nonsense'], `${dev}:${ino}`), [
        2,
        "<3>modemd: unknown option '--nonsense': see modemd --help",
      ])
      closeSync(stderr)
      rmSync(log)
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
