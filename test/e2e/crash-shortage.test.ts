/**
 * What runs out while a link is up: space, descriptors, the patience of modem, operator and bus. The link stays, it is said, and what
 * was counted is there after a `kill -9`.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { mount } from '../support/unpacked.ts'
import { GOOD_SIM, OPERATOR, PROFILE_FILE, Product, profileText } from './product.ts'

const OPEN_SIM = GOOD_SIM.filter((word, at, all) => word !== '--pin' && all[at - 1] !== '--pin')
/** So small that the counters are looked at every few seconds. */
const FILES = { [PROFILE_FILE]: profileText({ autoconnect: 'yes', pin: '', 'data-limit': '3MB' }) }
/** What a crash may cost (docs/man/modemd.conf.5, DATA LIMIT). */
const UNSAVED_BYTES = 1_000_000

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('no space, then no descriptors, then a kill -9: the link stays up, it is said, the count is right', () =>
    Product.run({ sim: OPEN_SIM, files: FILES }, async (product) => {
      await product.untilLink('up')
      const { upSince } = product.link('demo')
      const state = `${product.root}/var/lib/modemd`
      mount('-t', 'tmpfs', '-o', 'size=16k', 'none', state)
      try {
        assert.throws(() => writeFileSync(`${state}/filler`, Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
        send(product, 1_050_000)
        await product.until('the full disk is said', () => complaints(product, /no space/).length > 0)
        product.pings()
        rmSync(`${state}/filler`)
        send(product, 100_000)
        await product.until('what was counted is written', () => written(state) >= 1_050_000)

        limitFiles(product, 3)
        send(product, 1_050_000)
        await product.until('the shortage is said', () => complaints(product, /too many open files/).length > 0)
        assert.equal(product.link('demo').state, 'up')
        product.pings()
        limitFiles(product, 1024)
        send(product, 100_000)
        await product.until('what was counted is written', () => written(state) >= 2_200_000)
        assert.deepEqual(product.link('demo').upSince, upSince, 'it is still the same link')
        assert.equal(complaints(product, /usage\.json/).length, 2, product.modemd.log)

        const used = dataUsed(product)
        await product.restart('modemd', 'SIGKILL')
        const kept = dataUsed(product)
        assert.ok(kept > used - UNSAVED_BYTES && kept < used + 100_000, `${kept} of ${used} bytes`)
        await product.untilLink('up')
      } finally {
        execFileSync('umount', ['--lazy', state])
      }
    }))

  test('SIGTERM while modem, operator and bus are silent: nothing is left, exit 0', () =>
    Product.run({ sim: OPEN_SIM, files: FILES }, async (product) => {
      await product.untilLink('up')
      const { child } = product.release(product.modemd)
      const silent = product.servants.map((servant) => servant.child)
      for (const each of silent) each.kill('SIGSTOP')
      try {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        assert.deepEqual(await ended, [0, null])
        product.noInterface()
        assert.equal(product.resolvConf(), '')
        assert.deepEqual(readdirSync(`${product.root}/run/lock`), [])
      } finally {
        for (const each of silent) each.kill('SIGCONT')
      }
      await product.startModemd()
    }))
}

/** So many bytes at least, both directions together. */
function send(product: Product, bytes: number): void {
  const count = Math.ceil(bytes / 2 / 1400)
  product.read('ping', '-q', '-f', '-s', '1372', '-c', String(count), '-W', '3', OPERATOR)
}

function complaints(product: Product, about: RegExp): string[] {
  return product.modemd.log.split('\n').filter((line) => about.test(line))
}

function limitFiles(product: Product, limit: number): void {
  execFileSync('prlimit', ['--pid', String(product.modemd.child.pid), `--nofile=${limit}:4096`])
}

/** By usage.json. */
function written(state: string): number {
  const file = `${state}/usage.json`
  if (!existsSync(file)) return 0
  const months: { rxBytes: number; txBytes: number }[] = Object.values(
    JSON.parse(readFileSync(file, 'utf8')).profiles.demo,
  )
  return months.reduce((sum, { rxBytes, txBytes }) => sum + rxBytes + txBytes, 0)
}

function dataUsed(product: Product): number {
  const { links } = JSON.parse(product.read('mmctl', 'status', '--json'))
  return Number(links.find((link: { profile: string }) => link.profile === 'demo').dataUsed)
}
