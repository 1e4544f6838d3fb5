/** Two modems and more than one profile as real processes: traffic goes the other way and comes back; limits, checks, roaming. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

/** Behind the operator's own address: the default route decides the way there. */
const BEYOND = '198.51.100.53'
const SIM = [...GOOD_SIM.slice(0, -1), BEYOND]
const FAST = '\n[redial]\nbusy = 100ms\nhung-up = 100ms\necho-lost = 200ms\n'
const AUTO = { autoconnect: 'yes' }

const fileOf = (name: string) => `etc/modemd/profiles/${name}.conf`

/** The interface that takes packets for beyond, and its metric. */
function way(product: Product): string {
  const { status, stdout } = product.try('ip', 'route', 'get', BEYOND)
  return (status === 0 && /dev (\S+)/.exec(stdout)?.[1]) || 'none'
}

const metrics = (product: Product) =>
  [...product.read('ip', 'route', 'show', 'default').matchAll(/dev (\S+).* metric (\d+)/g)].map(
    ([, device, metric]) => `${device} ${metric}`,
  )

const used = (product: Product): number =>
  Number((product.link('demo') as unknown as { readonly dataUsed?: number }).dataUsed ?? Number.NaN)

const modemOf = (product: Product) => (product.link('demo') as unknown as { readonly modem?: string }).modem

/** The simulator's number of the modem that the link has: there they are in the order of their IMEIs. */
const indexOf = (product: Product) =>
  product
    .modems()
    .map(({ id }) => id)
    .sort()
    .indexOf(modemOf(product)!)

function toModem(product: Product, index: number, ...command: string[]): void {
  product.read('modem-sim', 'ctl', '--modem', String(index), product.control, ...command)
}

async function untilUp(product: Product, ...names: string[]): Promise<void> {
  for (const name of names) await product.until(`${name} is up`, () => product.link(name).state === 'up')
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('two modems: when the best link falls the ping goes on by the other, and it returns', () =>
    Product.run(
      {
        sim: ['--modems', '2', ...SIM],
        files: {
          [PROFILE_FILE]: profileText({ ...AUTO, priority: '1' }),
          [fileOf('reserve')]: profileText({ ...AUTO, priority: '20' }),
        },
      },
      async (product) => {
        await untilUp(product, 'demo', 'reserve')
        const [best, reserve] = ['demo', 'reserve'].map((name) => product.link(name).interface!)
        assert.deepEqual(metrics(product).sort(), [`${best} 701`, `${reserve} 720`].sort())
        assert.equal(way(product), best)

        const ping = spawn('ping', ['-i', '0.1', '-c', '60', '-W', '1', BEYOND], { stdio: ['ignore', 'pipe', 'pipe'] })
        let pinged = ''
        ping.stdout.on('data', (bytes) => (pinged += bytes))
        const ended = once(ping, 'close')
        await product.until('the ping runs', () => /icmp_seq=5 /.test(pinged))
        const index = indexOf(product)
        toModem(product, index, 'unplug')
        await product.until('the other way is taken', () => way(product) === reserve)
        assert.equal(product.link('reserve').state, 'up')
        await ended
        const lost = 60 - [...pinged.matchAll(/icmp_seq=/g)].length
        assert.ok(lost <= 10, `${lost} of 60 pings lost:\n${pinged}`)

        toModem(product, index, 'plug')
        await untilUp(product, 'demo')
        assert.equal(way(product), product.link('demo').interface)
        assert.equal(metrics(product).length, 2)
      },
    ))

  test('one modem, two profiles: what the first cannot have the second gets', () =>
    Product.run(
      {
        sim: SIM,
        files: {
          [PROFILE_FILE]: profileText({ ...AUTO, priority: '5' }),
          [fileOf('dear')]: profileText({ ...AUTO, priority: '1', apn: 'wrong' }),
        },
      },
      async (product) => {
        await untilUp(product, 'demo')
        assert.equal(product.why('dear').cause, 'apn-refused')
        product.pings()
      },
    ))

  test('with any modem, one where nothing goes is left for the other', () =>
    Product.run(
      {
        sim: ['--modems', '2', ...SIM],
        files: { [PROFILE_FILE]: profileText(AUTO, FAST) },
      },
      async (product) => {
        await untilUp(product, 'demo')
        const modem = modemOf(product)
        const index = indexOf(product)
        toModem(product, index, 'fault', 'busy', 'times=1000')
        toModem(product, index, 'hangup')
        await product.until(
          'the other modem has it',
          () => product.link('demo').state === 'up' && modemOf(product) !== modem,
        )
        product.pings()
      },
    ))

  test('the data limit: counted through kill -9, ends the link with evidence, a higher one starts it', () =>
    Product.run(
      { sim: SIM, files: { [PROFILE_FILE]: profileText({ ...AUTO, 'data-limit': '4MB' }) } },
      async (product) => {
        const load = () => product.read('ping', '-q', '-f', '-c', '1000', '-s', '1000', BEYOND)
        await untilUp(product, 'demo')
        load()
        const before = used(product)
        assert.ok(before > 2_000_000, `${before} bytes`)
        await product.until('all but a megabyte is on disk', () => kept(product) >= before - 1_000_000)
        assert.match(product.read('mmctl', 'status'), /used +2\.\d MB of 4 MB in \d{4}-\d\d\n/)
        const dead = product.release(product.modemd)
        dead.child.kill('SIGKILL')
        await once(dead.child, 'exit')
        await product.startModemd()
        await untilUp(product, 'demo')
        assert.ok(used(product) >= before - 1_000_000, `${used(product)} of ${before} survived`)
        // The last one ends with the link.
        for (let left = 3; left > 0 && product.link('demo').state === 'up'; left--)
          product.try('ping', '-q', '-f', '-c', '1000', '-w', '10', '-s', '1000', BEYOND)
        await product.untilLink('failed')
        const story = product.why()
        assert.equal(story.cause, 'data-limit')
        assert.match(story.causeDetail ?? '', /^\d(\.\d)? MB of 4 MB are used in \d{4}-\d\d$/)
        assert.equal(product.try('mmctl', 'connect', 'demo').status, 1)
        reload(product, profileText({ ...AUTO, 'data-limit': '1GB' }))
        await untilUp(product, 'demo')
      },
    ))

  test('a check: up only when the host answers, and in words why not', () =>
    Product.run(
      { sim: SIM, files: { [PROFILE_FILE]: profileText({ check: `${BEYOND}:80` }, FAST) } },
      async (product) => {
        await product.connectsWell()
        product.read('mmctl', 'disconnect')
        reload(product, profileText({ check: `${BEYOND}:81` }, FAST))
        await product.until('it is read', () => /81/.test(product.read('mmctl', 'profile', 'show', 'demo')))
        const { causeDetail } = await product.fails('echo-lost', 10)
        assert.match(
          causeDetail ?? '',
          /^the check of 198\.51\.100\.53:81 failed: cannot reach 198\.51\.100\.53:81 through ppp\d+: connection refused/,
        )
      },
    ))

  test('roaming while it is up ends the link, and home again it comes back', () =>
    Product.run({ sim: SIM, files: { [PROFILE_FILE]: profileText(AUTO) } }, async (product) => {
      await untilUp(product, 'demo')
      product.sim('network', 'roaming')
      await product.untilLink('failed')
      assert.equal(product.why().cause, 'roaming-forbidden')
      product.noInterface()
      product.sim('network', 'home')
      await untilUp(product, 'demo')
      product.pings()
    }))
}

function reload(product: Product, profile: string): void {
  product.write(PROFILE_FILE, profile)
  product.modemd.child.kill('SIGHUP')
}

/** Bytes in the file. */
function kept(product: Product): number {
  try {
    const text = readFileSync(`${product.root}/var/lib/modemd/usage.json`, 'utf8')
    return [...text.matchAll(/"[rt]xBytes": (\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
  } catch {
    // Not written yet.
    return 0
  }
}
