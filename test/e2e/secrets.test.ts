/**
 * Distinctive secrets on every way that leads into modemd: profile, --pin-file, --password-file, D-Bus. Then everything that others can see is
 * looked through for them: logs at level debug, what mmctl prints, arguments and environments of all processes, D-Bus, state files, the bug report.
 */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { variant } from '../../src/bus/signature.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { Caller } from './callers.ts'
import { PROFILE_FILE, Product, profileText } from './product.ts'

const PIN = '58213947'
const NEW_PIN = '64951208'
const WRONG_PIN = '90417365'
const PUK = '77130962'
const CONSOLE_PIN = '31370844'
const MMI_PUK = '26604813'
const PASSWORD = 'Sesame-Q7x!open'
const WRONG_PASSWORD = 'Vault-K2m;door'
const BUS_PASSWORD = 'Cellar-Z9p=hatch'
const SAVED_PASSWORD = 'Attic-J4w%ladder'
const SECRETS = {
  PIN,
  NEW_PIN,
  WRONG_PIN,
  PUK,
  CONSOLE_PIN,
  MMI_PUK,
  PASSWORD,
  WRONG_PASSWORD,
  BUS_PASSWORD,
  SAVED_PASSWORD,
}

const SIM = [
  ...['--pin', PIN, '--puk', PUK, '--register-after', '100ms', '--latency', '0', '--auth', 'pap'],
  ...['--apn', `internet:demo:${PASSWORD}`, '--internet', 'tun', '--dns', '10.64.0.1'],
]

const MANAGER = ['/org/modemd', 'org.modemd.Manager1'] as const

/** The names of the secrets that are in a text, as they are or in hexadecimal or base64. */
function secretsIn(text: string): readonly string[] {
  const forms = (secret: string) => [
    secret,
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('base64').slice(0, -2),
  ]
  return Object.entries(SECRETS).flatMap(([name, secret]) =>
    forms(secret).some((form) => text.toLowerCase().includes(form.toLowerCase())) ? [name] : [],
  )
}

/** Arguments and environment of every process that is not the simulator, whose operator and SIM know the secrets. */
class ProcessWatch {
  readonly found = new Set<string>()
  looks = 0
  readonly #timer = setInterval(() => this.look(), 25)

  look(): void {
    this.looks++
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const [line, environment] = ['cmdline', 'environ'].map((name) => textOf(`/proc/${pid}/${name}`))
      if (line!.includes('modem-sim')) continue
      for (const name of secretsIn(`${line}\n${environment}`))
        this.found.add(`${name} of ${line!.replaceAll('\0', ' ')}`)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('no secret is told to anybody', () => {
    const files = {
      [PROFILE_FILE]: profileText({ pin: '', password: WRONG_PASSWORD }),
      'etc/modemd/modemd.conf': '[daemon]\nat-console = yes\nmetrics = yes\n',
      ...Object.fromEntries(Object.entries(SECRETS).map(([name, secret]) => [`etc/secrets/${name}`, `${secret}\n`])),
    }
    return Product.run({ sim: SIM, files, modemd: ['--log-level', 'debug'] }, async (product) => {
      const watch = new ProcessWatch()
      const said: string[] = []
      const file = (name: keyof typeof SECRETS) => join(product.root, 'etc/secrets', name)
      const mmctl = async (...args: string[]) => {
        const ended = await product.mmctl(...args)
        said.push(ended.stdout, ended.stderr)
        return ended
      }
      await product.untilModem('locked')
      assert.notEqual((await mmctl('sim', 'unlock', '0', '--pin-file', file('WRONG_PIN'))).exit, 0)
      assert.equal((await mmctl('sim', 'unlock', '0', '--pin-file', file('PIN'))).exit, 0)
      await product.untilModem('registered')

      assert.equal((await mmctl('connect', 'demo')).exit, 10, 'the password of the profile is wrong')
      const direct = ['connect', '--modem', '0', '--apn', 'internet', '--user', 'demo', '--password-file']
      assert.equal((await mmctl(...direct, file('PASSWORD'))).exit, 0, said.join(''))
      await mmctl('disconnect')

      const caller = await Caller.open(product.bus)
      const bus = async (...call: Parameters<Caller['call']>) => {
        const answer = await caller.call(...call)
        said.push(JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
        return answer
      }
      const options = {
        wait: variant('b', true),
        password: variant('s', BUS_PASSWORD),
        user: variant('s', 'demo'),
        apn: variant('s', 'internet'),
      }
      assert.equal(
        (await bus(...MANAGER, 'Connect', 'sa{sv}', '', { ...options, pin: variant('s', WRONG_PIN) })).ok,
        false,
      )
      const saved = {
        name: variant('s', 'saved'),
        password: variant('s', SAVED_PASSWORD),
        pin: variant('s', CONSOLE_PIN),
      }
      assert.equal((await bus(...MANAGER, 'SaveProfile', 'a{sv}', saved)).ok, true)
      assert.equal(
        (await bus(...MANAGER, 'SaveProfile', 'a{sv}', { ...saved, nonsense: variant('s', PASSWORD) })).ok,
        false,
      )
      await bus(...MANAGER, 'ListProfiles')
      const modem = (await caller.methods()).find(({ face }) => face === 'org.modemd.Sim1')!.path
      assert.equal((await bus(modem, 'org.modemd.Sim1', 'ChangePin', 'ss', PIN, NEW_PIN)).ok, true)
      assert.equal((await bus(modem, 'org.modemd.Sim1', 'ChangePin', 'ss', PIN, NEW_PIN)).ok, false)
      assert.equal((await bus(modem, 'org.modemd.Sim1', 'SendPuk', 'ss', PUK, NEW_PIN)).ok, false)
      assert.equal((await bus(modem, 'org.modemd.Ussd1', 'Initiate', 's', `**05*${MMI_PUK}*1234*1234#`)).ok, false)
      for (const line of [
        `AT+CPIN="${CONSOLE_PIN}"`,
        `AT+CPWD="SC","${PIN}","${NEW_PIN}"`,
        `ATD**05*${MMI_PUK}*1234*1234#;`,
        `AT^CPIN="${PUK}"`,
      ])
        assert.equal((await bus(modem, 'org.modemd.Modem1', 'ForceCommand', 'su', line, 5000)).ok, false, line)
      await mmctl('profile', 'show', 'saved', '--all')

      // A file with a secret and a fault in it is read again, and told.
      product.write(
        'etc/modemd/profiles/broken.conf',
        `[profile]\npin = ${PUK}9\npassword = "${PASSWORD}\npasword = ${PASSWORD}\n`,
      )
      await bus(...MANAGER, 'ReloadConfig')
      said.push(product.try('modemd', '--root', product.root, '--check').stderr)
      await mmctl('doctor', '--root', product.root)
      await mmctl('why', 'demo')
      await mmctl('status', '--json')
      assert.equal((await mmctl('bug-report', '-', '--root', product.root)).exit, 0)
      await bus('/org/modemd', 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
      said.push(await (await fetch('http://127.0.0.1:9469/metrics')).text())
      await caller.close()
      watch.look()
      watch.stop()

      assert.deepEqual([...watch.found], [], 'arguments and environments')
      assert.ok(watch.looks > 20, `${watch.looks} looks`)
      assert.deepEqual(secretsIn(product.modemd.log), [], product.modemd.log)
      for (const text of said) assert.deepEqual(secretsIn(text), [], text)
      for (const place of ['var', 'run'])
        for (const entry of readdirSync(join(product.root, place), { recursive: true, withFileTypes: true }))
          if (entry.isFile()) assert.deepEqual(secretsIn(textOf(join(entry.parentPath, entry.name))), [], entry.name)
      // That there was something to find.
      assert.deepEqual(secretsIn(readFileSync(join(product.root, 'etc/modemd/profiles/saved.conf'), 'latin1')), [
        'CONSOLE_PIN',
        'SAVED_PASSWORD',
      ])
      assert.equal(product.stats().sim.refused, 1)
    })
  })
}
