/** What modemd costs while nothing happens, and what it does not gather over many connections. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, Product } from './product.ts'

const CYCLES = 30
const WATCHED_MS = 12_000
/** Two signal polls and two LCP echoes at most, each a few wakes of the loop; a timer that runs for nothing makes hundreds. */
const MOST_SWITCHES = 60

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('idle with a link up: only what signal polls and echoes explain', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      await product.connectsWell()
      // What is asked once, and late, so that it does not keep a dial waiting.
      await product.until('the network time is asked for', () => 'AT+CCLK?' in product.stats().commands.byName)
      await sleep(1000)
      const before = { switches: switches(product), commands: product.stats().commands.total, cpuMs: product.cpuMs() }
      await sleep(WATCHED_MS)
      const commands = product.stats().commands.total - before.commands
      assert.ok(commands >= 2 && commands <= 4, `${commands} commands, AT+CSQ and AT+CESQ every 10 s`)
      assert.ok(switches(product) - before.switches < MOST_SWITCHES, `${switches(product) - before.switches} switches`)
      assert.ok(product.cpuMs() - before.cpuMs < 200, `${product.cpuMs() - before.cpuMs} ms of CPU time`)
    }))

  test(`${CYCLES} connections leave no open file, no bus object and no memory behind`, () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      const cycle = () => {
        product.read('mmctl', 'connect', 'demo')
        product.read('mmctl', 'disconnect')
      }
      for (let count = 0; count < 5; count++) cycle()
      const before = { files: product.openFiles(), objects: objects(product), residentKib: residentKib(product) }
      for (let count = 0; count < CYCLES; count++) cycle()
      assert.equal(product.stats().calls, CYCLES + 5)
      assert.equal(product.openFiles(), before.files)
      assert.equal(objects(product), before.objects)
      const grownKib = residentKib(product) - before.residentKib
      assert.ok(grownKib < 20_000, `grew by ${grownKib} KiB`)

      for (let count = 0; count < 5; count++) {
        product.sim('unplug')
        await product.untilUnplugged()
        product.sim('plug')
        await product.untilModem('registered')
      }
      assert.equal(product.openFiles(), before.files)
      assert.equal(objects(product), before.objects)
    }))
}

/** Of the main thread. */
function switches(product: Product): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(statusOf(product))![1])
}

function residentKib(product: Product): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(statusOf(product))![1])
}

function statusOf(product: Product): string {
  return readFileSync(`/proc/${product.modemd.child.pid}/status`, 'utf8')
}

function objects(product: Product): string {
  return product.read('busctl', 'tree', 'org.modemd', '--list')
}
