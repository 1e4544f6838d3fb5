/** SIGTERM while modem and operator have fallen silent at once (the simulator is stopped): in time, exit 0, nothing left. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GOOD_SIM, Product } from '../e2e/product.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'

const LIMIT_MS = 5000

const PHASES: Readonly<Record<string, (product: Product) => Promise<unknown>>> = {
  up: (product) => product.connectsWell(),
  dialling: async (product) => {
    product.sim('fault', 'late', '60', 'on=D')
    void product.connect()
    await product.untilLink('dialling')
  },
  connecting: async (product) => {
    product.sim('fault', 'lcp-nak-forever')
    void product.connect()
    await product.untilLink('connecting')
  },
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const [phase, lead] of Object.entries(PHASES))
    test(`while ${phase}`, () =>
      Product.run({ sim: GOOD_SIM }, async (product) => {
        await product.untilModem('registered')
        await lead(product)
        const sim = product.servants.find(({ name }) => name === 'modem-sim')!.child
        const { child } = product.release(product.modemd)
        sim.kill('SIGSTOP')
        try {
          const ended = once(child, 'exit')
          child.kill('SIGTERM')
          const inTime = await Promise.race([ended.then(() => true), sleep(LIMIT_MS, false, { ref: false })])
          assert.ok(inTime, `it runs ${LIMIT_MS / 1000} s after SIGTERM`)
          assert.equal(child.exitCode, 0)
          product.noInterface()
          assert.equal(product.resolvConf(), '')
          assert.deepEqual(readdirSync(`${product.root}/run/lock`), [])
        } finally {
          sim.kill('SIGCONT')
        }
        await product.startModemd()
      }))
}
