/**
 * A second, real user and the real daemon on a bus with the system bus's rules: whatever method introspection names is refused him, but for
 * the list of what is everybody's. A new method is refused, or this test says so. Without namespaces, in which there is one user alone.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PrivateBus, until } from '../bus/private-bus.ts'
import { asNobody, OPEN, secondUser, systemBus } from '../bus/second-user.ts'
import { Caller, type Method, signatureOf } from './callers.ts'

const INTERFACES = fileURLToPath(new URL('../../dbus/', import.meta.url))
const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
/** Told apart from a refusal by its words alone: busctl prints no name of an error. */
const REFUSED = /root and members of the group modemd|Only root may do this|polkit/
const AT_ONCE = 4
/** With every interface: GPS, messages, USSD. */
const KIND = ['--personality', 'quectel-ec25', '--register-after', '0s', '--internet', 'none']

interface Running {
  readonly bus: PrivateBus
  readonly stats: () => Promise<string>
}

/** Bus, simulator and modemd; all end with the test. */
async function running(context: TestContext): Promise<Running> {
  const root = mkdtempSync(join(tmpdir(), 'modemd-stranger-'))
  const bus = await PrivateBus.start(systemBus())
  const children: ChildProcess[] = []
  context.after(async () => {
    for (const child of children.reverse()) {
      const ended = once(child, 'exit')
      if (child.kill('SIGTERM')) await ended
    }
    await bus.close()
    rmSync(root, { recursive: true, force: true })
  })
  const start = (program: string, ...args: string[]) => {
    const child = spawn(process.execPath, [join(DIST, program), ...args], { stdio: 'ignore' })
    children.push(child)
  }
  for (const folder of ['dev', 'sys', 'run', 'var/lib', 'etc/modemd/profiles'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'etc/modemd/modemd.conf'), '[daemon]\nat-console = yes\n', { mode: 0o600 })
  writeFileSync(join(root, 'etc/modemd/profiles/demo.conf'), '[profile]\napn = internet\n', { mode: 0o600 })
  writeFileSync(join(root, 'etc/resolv.conf'), '')
  const control = join(root, 'sim')
  start('modem-sim.cjs', '--root', root, '--control', control, '--latency', '0', ...KIND)
  await until(() => existsSync(control), 'the simulator')
  start('modemd.cjs', '--root', root, '--bus', bus.address)
  const simulator = async (...command: readonly string[]) => {
    const child = spawn(process.execPath, [join(DIST, 'modem-sim.cjs'), 'ctl', control, ...command])
    let text = ''
    child.stdout.on('data', (bytes) => (text += bytes))
    await once(child, 'close')
    return text
  }
  await simulator('sms', '+15550001', 'hello')
  const objects = async () => (await bus.busctl('tree', '--list', 'org.modemd')).stdout
  await until(async () => /\/sms\//.test(await objects()), 'the modem and its message')
  const stats = async () => {
    const { sim, calls } = (JSON.parse(await simulator('stats')) as { modems: { sim: object; calls: number }[] })
      .modems[0]!
    return JSON.stringify({ sim, calls })
  }
  return { bus, stats }
}

/** As busctl takes them. */
const VALUES: Readonly<Record<string, string>> = { s: '1234', o: '/', u: '1', b: 'true', v: 's x', 'a{sv}': '0' }

/** Of dbus/*.xml, which test/bus/interface-xml.test.ts holds to the code. */
function documented(): readonly string[] {
  const files = readdirSync(INTERFACES).filter((name) => name.endsWith('.xml'))
  return files
    .flatMap((name) =>
      [...readFileSync(join(INTERFACES, name), 'utf8').matchAll(/<method name="(\w+)"/g)].map(
        ([, member]) => `${name.slice(0, -4)}.${member}`,
      ),
    )
    .sort()
}

function busctlCall({ path, face, member, args }: Method): readonly string[] {
  const values = args.flatMap(([name, type]) =>
    (VALUES[type] ?? assert.fail(`${name}: no value of type ${type}`)).split(' '),
  )
  const signature = signatureOf({ path, face, member, args })
  return ['call', 'org.modemd', path, face, member, ...(signature === '' ? [] : [signature, ...values])]
}

test(
  'every method that is not on the list of what is open is refused to a user without rights',
  secondUser(),
  async (context) => {
    const { bus, stats } = await running(context)
    const root = await Caller.open(bus.address)
    context.after(() => root.close())
    const methods = (await root.methods()).filter(({ face }) => face.startsWith('org.modemd.'))
    assert.deepEqual(
      methods.map(({ face, member }) => `${face}.${member}`).sort(),
      documented(),
      'all of them are there',
    )
    const before = await stats()
    for (let at = 0; at < methods.length; at += AT_ONCE)
      await Promise.all(
        methods.slice(at, at + AT_ONCE).map(async (method) => {
          const name = `${method.face}.${method.member}`
          const { status, stderr } = await asNobody(bus, '--clear-groups', ...busctlCall(method))
          if (OPEN.includes(name)) assert.doesNotMatch(stderr, REFUSED, name)
          else assert.ok(status !== 0 && REFUSED.test(stderr), `${name}: ${stderr}`)
        }),
      )
    assert.equal(await stats(), before, 'the SIM and the line are as they were')
  },
)
