/**
 * The machine sleeps, as the real systemd-logind and systemd-inhibit have it: logind runs on the product's own bus; in place of
 * systemd, which would stop the machine, is a stand-in that "sleeps" for as long as the test wants.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { BusConnection } from '../../src/bus/connection.ts'
import { TypedValue } from '../../src/bus/signature.ts'
import { systemClock } from '../../src/system/clock.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { mount } from '../support/unpacked.ts'
import { run } from '../system/run.ts'
import { GOOD_SIM, OPERATOR, PROFILE_FILE, Product, profileText } from './product.ts'

const LOGIND = '/usr/lib/systemd/systemd-logind'
const JOB = '/org/freedesktop/systemd1/job/1'
const AUTOMATIC = { [PROFILE_FILE]: profileText({ autoconnect: 'yes' }) }

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  mount('-t', 'tmpfs', 'none', '/run')
  for (const folder of ['inhibit', 'seats', 'sessions', 'users'])
    mkdirSync(`/run/systemd/${folder}`, { recursive: true })
  // A machine that can sleep.
  mount('-t', 'tmpfs', 'none', '/sys/power')
  writeFileSync('/sys/power/state', 'freeze mem\n')
  writeFileSync('/sys/power/mem_sleep', '[s2idle]\n')

  test('the machine waits until the link is down in order, and the link is up again at once after it', () =>
    inBed(async (product, bed) => {
      await product.untilLink('up')
      await product.until('logind is asked to wait', () => inhibitors(product).includes('modemd'))
      await bed.sleep()
      const { state, nextAttemptReason } = product.link('demo') as ReturnType<Product['link']> & {
        nextAttemptReason?: string
      }
      assert.equal(state, 'waiting')
      assert.match(String(nextAttemptReason), /suspend/)
      assert.equal(product.stats().call, 'none', 'the operator saw the end of the call')
      assert.equal(product.resolvConf(), '')
      product.noInterface()
      assert.equal(inhibitors(product), '', 'nobody holds it up any more')

      const wokeMs = performance.now()
      await bed.wake()
      await product.untilLink('up')
      assert.ok(performance.now() - wokeMs < 4000, `up ${Math.round(performance.now() - wokeMs)} ms after it`)
      product.pings()
      assert.match(product.resolvConf(), new RegExp(OPERATOR))
      await product.until('logind is asked to wait again', () => inhibitors(product).includes('modemd'))
    }))

  for (const loss of ['reboots', 'is plugged in anew'] as const)
    test(`a modem that ${loss} meanwhile is brought up and dialled`, () =>
      inBed(async (product, bed) => {
        await product.untilLink('up')
        await product.until('logind is asked to wait', () => inhibitors(product).includes('modemd'))
        await bed.sleep()
        if (loss === 'reboots') product.sim('fault', 'reboot')
        else {
          product.sim('unplug')
          product.sim('plug')
        }
        await bed.wake()
        await product.untilLink('up')
        product.pings()
        assert.equal(product.stats().sim.refused, 0)
      }))

  test('kill -9 while the machine waits for us does not keep it awake', () =>
    inBed(async (product, bed) => {
      await product.untilLink('up')
      await product.until('logind is asked to wait', () => inhibitors(product).includes('modemd'))
      await product.restart('modemd', 'SIGKILL')
      await product.untilLink('up')
      await product.until('one asks, the new one', () => inhibitors(product).split('modemd').length === 2)
      await bed.sleep()
      await bed.wake()
      await product.untilLink('up')
    }))
}

/** systemd's part of going to sleep. */
class Bed {
  readonly #product: Product
  readonly #systemd: BusConnection
  #whenAsleep: () => void = () => {}

  static async make(product: Product): Promise<Bed> {
    let bed: Bed
    const systemd = await BusConnection.open(product.bus, systemClock, silentLogger, {
      onCall: (call) => {
        // Is the unit loaded?
        if (call.member === 'Get') return call.reply('v', [new TypedValue('s', 'loaded')])
        if (!/^StartUnit/.test(call.member)) return call.reply('', [])
        call.reply('o', [JOB])
        bed.#whenAsleep()
      },
      onSignal: () => {},
      onLost: () => {},
    })
    await systemd.callBus('RequestName', 'su', ['org.freedesktop.systemd1', 0])
    bed = new Bed(product, systemd)
    return bed
  }

  private constructor(product: Product, systemd: BusConnection) {
    this.#product = product
    this.#systemd = systemd
  }

  /** Resolves when the machine would stand still. */
  async sleep(): Promise<void> {
    let isAsleep = false
    this.#whenAsleep = () => {
      isAsleep = true
    }
    const words = [
      'org.freedesktop.login1',
      '/org/freedesktop/login1',
      'org.freedesktop.login1.Manager',
      'Suspend',
      'b',
      'false',
    ]
    // Not by `read`: logind asks us meanwhile.
    const [program, ...all] = this.#product.command('busctl', ['call', ...words])
    const { status, output } = await run(program!, ...all)
    assert.equal(status, 0, output)
    await this.#product.until('the machine sleeps', () => isAsleep, 8000)
  }

  async wake(): Promise<void> {
    const place = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' }
    this.#systemd.sendSignal({
      ...place,
      member: 'JobRemoved',
      signature: 'uoss',
      body: [1, JOB, 'systemd-suspend.service', 'done'],
    })
  }

  async close(): Promise<void> {
    await this.#systemd.close()
  }
}

async function inBed(steps: (product: Product, bed: Bed) => Promise<void>): Promise<void> {
  await Product.run({ sim: GOOD_SIM, files: AUTOMATIC }, async (product) => {
    const bed = await Bed.make(product)
    const logind = product.spawn(LOGIND, [])
    // Servants end in the reverse order of starting: this one before its bus.
    product.release(logind)
    product.servants.splice(1, 0, logind)
    await product.until('logind is on the bus', () =>
      /login1/.test(product.read('busctl', 'list', '--no-legend', '--acquired')),
    )
    try {
      await steps(product, bed)
    } finally {
      product.release(logind)
      logind.child.kill('SIGKILL')
      await bed.close()
    }
  })
}

function inhibitors(product: Product): string {
  const ran = spawnSync('systemd-inhibit', ['--list', '--no-legend'], {
    encoding: 'utf8',
    env: { ...product.environment, DBUS_SYSTEM_BUS_ADDRESS: product.bus },
  })
  return ran.stdout.includes('modemd') ? ran.stdout : ''
}
