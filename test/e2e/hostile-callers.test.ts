/**
 * Callers that mean ill, against the whole running product: every method that introspection names, so that a new one is covered by
 * itself. Everybody here is root: what is refused is refused for its value.
 */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { variant } from '../../src/bus/signature.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { Caller, EVIL, goodText, hostileValues, INHERITED, type Method, signatureOf, WRONG } from './callers.ts'
import { GOOD_SIM, Product } from './product.ts'

const CONF = { 'etc/modemd/modemd.conf': '[daemon]\nat-console = yes\n' }
/** GPS, too. */
const EVERY_INTERFACE = ['--personality', 'quectel-ec25']
const MODEM1 = 'org.modemd.Modem1'
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const SECRETS = /1234|4321|12345678|sesame/
/** A flood may keep others waiting so long, on a busy machine. */
const MEANWHILE_MS = 3000
const AT_ONCE = 32
/** Properties has names of its own for it. */
const REFUSED = /\.(InvalidArgs|NotFound|UnknownInterface|UnknownProperty)$/

/** Every file below etc/, with what it says. */
function configuration(product: Product): ReadonlyMap<string, string> {
  const home = join(product.root, 'etc')
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name)
      return [file.slice(home.length), readFileSync(file, 'latin1')]
    }),
  )
}

/** Root may save profiles: each is a file of the folder of profiles, and each value one line of it. */
function onlyProfilesAreNew(product: Product, before: ReadonlyMap<string, string>): void {
  for (const [file, text] of configuration(product)) {
    if (before.has(file)) {
      assert.equal(text, before.get(file), file)
      continue
    }
    assert.match(file, /^\/modemd\/profiles\/[A-Za-z0-9._-]+\.conf$/)
    assert.equal(statSync(join(product.root, 'etc', file)).mode & 0o777, 0o600)
    for (const line of text.split('\n')) assert.match(line, /^(\[(profile|ppp|redial)\]|[a-z-]+ = .*|)$/, file)
  }
}

function rssKib(product: Product): number {
  const status = readFileSync(`/proc/${product.modemd.child.pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])
}

async function inBatches(calls: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (let at = 0; at < calls.length; at += AT_ONCE)
    await Promise.all(calls.slice(at, at + AT_ONCE).map((call) => call()))
}

function told({ face, member }: Method, body: readonly unknown[]): string {
  const values = JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return `${face}.${member}(${values.slice(0, 200)})`
}

interface Attack {
  readonly body: readonly unknown[]
  readonly isRefused: boolean
  /** What in an error would be a secret told again. */
  readonly mustNotSay: RegExp | undefined
}

/** Each argument of a method in turn is an attack, the others are right. */
function attackCalls(method: Method): readonly Attack[] {
  const good = method.args.map(([name, type]) => goodValue(name, type))
  return method.args.flatMap(([name, type], index) => {
    const isSecret = type === 'a{sv}' || method.face === 'org.modemd.Sim1'
    const mustNotSay = isSecret ? SECRETS : undefined
    return hostileValues(method, name, type).map(({ value, isRefused }) => ({
      body: good.with(index, value),
      isRefused,
      mustNotSay,
    }))
  })
}

/** Those that answer; then what switches the modem off, and last what takes it away. */
function simpleMethods(methods: readonly Method[]): readonly Method[] {
  const rank = ({ face, member }: Method) => (face === MODEM1 ? ['Disable', 'Reset'].indexOf(member) : -1)
  return methods.filter(({ args }) => !args.some(([, type]) => /s|o|v/.test(type))).sort((a, b) => rank(a) - rank(b))
}

function goodValue(name: string, type: string): unknown {
  if (type === 's') return goodText(name)
  if (type === 'o') return '/org/modemd/link/none'
  if (type === 'a{sv}') return {}
  if (type === 'v') return variant('s', 'x')
  return type === 'b' ? false : 1
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('any types and any values to any method: an error of the list or a right answer, and nothing comes of it', () =>
    Product.run({ sim: [...GOOD_SIM, ...EVERY_INTERFACE], files: CONF }, async (product) => {
      await product.untilModem('registered')
      product.sim('sms', '+15550001', 'hello')
      const caller = await Caller.open(product.bus)
      await product.until('a message is there', () => /\/sms\//.test(product.read('busctl', 'tree', 'org.modemd')))
      const methods = await caller.methods()
      assert.ok(
        methods.length >= 50 && methods.some(({ face }) => face === 'org.modemd.Sms1'),
        `${methods.length} methods`,
      )
      const before = configuration(product)

      await inBatches(
        methods.flatMap((method) =>
          WRONG.filter(([signature]) => signature !== signatureOf(method)).map(([signature, ...body]) => async () => {
            const { error } = await caller.hears(method, signature, body)
            assert.match(error, /\.InvalidArgs$/, `${method.face}.${method.member} takes "${signature}"`)
          }),
        ),
      )
      // Which our own client cannot send.
      const connect = ['call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'Connect', 'sa{sv}', 'demo', '1']
      for (const key of INHERITED)
        assert.match(product.try('busctl', ...connect, key, 's', 'x').stderr, /no option|not allowed/, key)
      // A question of the network's stands, so that answers to it are sent.
      product.sim('ussd', 'Which one?', 'ask')
      await sleep(200)
      for (const method of methods)
        await inBatches(
          attackCalls(method).map(({ body, isRefused, mustNotSay }) => async () => {
            const { error, message } = await caller.hears(method, signatureOf(method), body, mustNotSay)
            if (isRefused) assert.match(error, REFUSED, `${told(method, body)}: ${error}: ${message}`)
          }),
        )
      // What may be said goes all the way to the modem and the network.
      for (const key of ['user', 'password']) {
        const options = { [key]: variant('s', `x;${EVIL}`), wait: variant('b', true) }
        const { error } = await caller.call('/org/modemd', 'org.modemd.Manager1', 'Connect', 'sa{sv}', 'demo', options)
        assert.match(error, /\.AuthFailed$/, key)
      }
      // What has no text to attack with is simply done, one after the other.
      for (const method of simpleMethods(methods)) {
        const errors = []
        for (const extreme of [0, 0xffffffff]) {
          const body = method.args.map(([, type]) => (type === 'b' ? extreme > 0 : extreme))
          errors.push((await caller.hears(method, signatureOf(method), body)).error)
        }
        assert.ok(
          errors.some((error) => !/\.UnknownObject$/.test(error)),
          `${method.face}.${method.member}: nobody was there`,
        )
      }

      await product.untilModem('registered')
      const { commands, sim } = product.stats()
      assert.deepEqual(
        Object.keys(commands.byName).filter((name) => name.includes(EVIL.slice(1))),
        [],
        'a second command',
      )
      assert.equal(sim.refused, 0)
      onlyProfilesAreNew(product, before)
      assert.deepEqual(
        product.leftovers().filter((file) => /evil/.test(file)),
        [],
      )
      assert.doesNotMatch(product.modemd.log, /\n\s+at .*:\d+:\d+/, 'an error that nobody foresaw')
      await caller.close()
      await product.connectsWell()
    }))

  test('a flood of 10,000 calls, and callers who leave in the middle', () =>
    Product.run({ sim: GOOD_SIM, files: CONF }, async (product) => {
      await product.untilModem('registered')
      await product.connectsWell()
      const [flooder, other] = [await Caller.open(product.bus), await Caller.open(product.bus)]
      const methods = await flooder.methods()
      const modem = methods.find(({ face }) => face === MODEM1)!.path
      const heavy = [
        () => flooder.call(modem, PROPERTIES, 'GetAll', 's', MODEM1),
        () => flooder.call('/org/modemd', 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'),
        () => flooder.call('/org/modemd', 'org.modemd.Manager1', 'Diagnose'),
      ]
      const light = [
        () => flooder.call(modem, PROPERTIES, 'Get', 'ss', MODEM1, 'State'),
        () => flooder.call(modem, 'org.modemd.Sim1', 'SendPin', 's', '12'),
        () => flooder.call(modem, MODEM1, 'Command', 'su', 'ATZ', 1000),
        () => flooder.call('/org/modemd', 'org.modemd.Manager1', 'Rescan'),
        () => flooder.call('/org/modemd', 'org.modemd.Manager1', 'Connect', 'sa{sv}', 'none', {}),
        () => flooder.call('/org/modemd/nothing', 'org.example.X', 'Y', 's', 'x'.repeat(1000)),
      ]
      const flood = async () => {
        let isOver = false
        const one = (index: number) => (index % 20 === 0 ? heavy[(index / 20) % 3]! : light[index % light.length]!)()
        const all = Promise.all(Array.from({ length: 10_000 }, (_, index) => one(index)))
        void all.finally(() => {
          isOver = true
        })
        let longestMs = 0
        while (!isOver) {
          const askedMs = performance.now()
          assert.ok((await other.call(modem, PROPERTIES, 'Get', 'ss', MODEM1, 'State')).ok)
          longestMs = Math.max(longestMs, performance.now() - askedMs)
          await sleep(5)
        }
        const errors = (await all).filter(({ ok }) => !ok).map(({ error }) => error)
        assert.ok(!errors.includes('org.modemd.Error.Internal'))
        return longestMs
      }
      const firstMs = await flood()
      const afterFirst = rssKib(product)
      const secondMs = await flood()
      const afterSecond = rssKib(product)
      console.log(
        `# others waited ${firstMs.toFixed(0)} and ${secondMs.toFixed(0)} ms; RSS ${afterFirst}, ${afterSecond} KiB`,
      )
      assert.ok(Math.max(firstMs, secondMs) < MEANWHILE_MS, `another waited ${firstMs} and ${secondMs} ms`)
      assert.ok(afterSecond < afterFirst * 1.15, `${afterFirst} KiB, then ${afterSecond} KiB`)

      for (let round = 0; round < 8; round++) {
        const leaver = await Caller.open(product.bus)
        const wait = { wait: variant('b', true) }
        const pending = [
          leaver.call('/org/modemd', 'org.modemd.Manager1', 'Connect', 'sa{sv}', 'demo', wait),
          leaver.call(modem, MODEM1, 'Scan'),
          leaver.call(modem, 'org.modemd.Ussd1', 'Initiate', 's', '*100#'),
          ...Array.from({ length: 200 }, () => leaver.call(modem, PROPERTIES, 'GetAll', 's', MODEM1)),
        ]
        const ended = Promise.allSettled(pending)
        await sleep(round * 3)
        await leaver.close()
        await ended
      }
      assert.equal(product.link('demo').state, 'up')
      product.pings()
      await Promise.all([flooder.close(), other.close()])
    }))
}
