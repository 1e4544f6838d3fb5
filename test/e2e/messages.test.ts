/** Short messages as a user has them: sent by mmctl, received while a link is up, told in full, deleted; and never lost. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, Product } from './product.ts'

interface Message {
  readonly id: string
  readonly state: string
  readonly number: string
  readonly text: string
  readonly parts: number
  readonly timestamp?: string
}

interface Sent {
  readonly messages: { readonly stored: number; readonly waiting: number; readonly sent: readonly unknown[] }
}

const LONG = `${'A text that needs more than one part. '.repeat(8)}€`

function messagesOf(product: Product): readonly Message[] {
  return JSON.parse(product.read('mmctl', 'sms', 'list', '--json'))
}

function centreOf(product: Product): Sent['messages'] {
  return (product.sim('stats') as { modems: Sent[] }).modems[0]!.messages
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  test('sent and received while the link is up, and all still there after a crash', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.connectsWell()
      const link = product.link('demo')

      const sent = await product.mmctl('sms', 'send', '+358 40 123-4567', LONG, '--report', '--json')
      assert.equal(sent.exit, 0, sent.stdout + sent.stderr)
      assert.equal(JSON.parse(sent.stdout).parts, 2)
      assert.equal(centreOf(product).sent.length, 2)
      await product.until('it is delivered', () => messagesOf(product)[0]?.state === 'delivered')

      product.sim('sms', 'Operator', LONG)
      product.sim('sms', '+46701234567', '\x1b[2J hostile', 'flash')
      await product.until('both have come', () => messagesOf(product).length === 3)
      const [, long, flash] = messagesOf(product)
      assert.deepEqual([long!.number, long!.text, long!.parts, long!.state], ['Operator', LONG, 2, 'received'])
      assert.match(long!.timestamp!, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+02:00$/)
      assert.equal(flash!.text, '\x1b[2J hostile')
      for (const args of [['list'], ['show', flash!.id]])
        assert.ok(!product.read('mmctl', 'sms', ...args).includes('\x1b'), 'the terminal is safe')
      const properties = product.read('busctl', 'tree', 'org.modemd') + product.read('mmctl', 'status', '--json')
      assert.doesNotMatch(properties, /hostile|needs more/)
      assert.equal(product.link('demo').upSince, link.upSince, 'the link has not noticed')

      await product.restart('modemd', 'SIGKILL')
      await product.until('the message is there again', () => messagesOf(product).some(({ text }) => text === LONG))
      const [kept] = messagesOf(product)
      assert.equal(centreOf(product).stored, 2)
      assert.equal(product.read('mmctl', 'sms', 'delete', kept!.id), `Message ${kept!.id} is deleted.\n`)
      assert.deepEqual([messagesOf(product), centreOf(product).stored], [[], 0])
      assert.equal(product.try('mmctl', 'sms', 'show', kept!.id).status, 4)
    }))

  test('a full SIM is told, and a deletion makes room', () =>
    Product.run({ sim: GOOD_SIM }, async (product) => {
      await product.untilModem('registered')
      for (let count = 0; count < 21; count++) product.sim('sms', '+4670', `number ${count}`)
      await product.until('all that fit are here', () => messagesOf(product).length === 20)
      assert.equal(centreOf(product).waiting, 1)
      assert.match(product.try('mmctl', 'sms', 'list').stderr, /SM of imei_\d+ is full \(20 of 20\)/)
      product.read('mmctl', 'sms', 'delete', messagesOf(product)[0]!.id)
      await product.until('the last one has come', () => messagesOf(product).at(-1)?.text === 'number 20')
      assert.equal(centreOf(product).waiting, 0)
    }))

  test('one port: what comes during a call is there after it', () =>
    Product.run(
      {
        sim: ['--personality', 'simcom-sim800', ...GOOD_SIM],
        files: { 'etc/modemd/modemd.conf': '[device "tty:/dev/ttyS0"]\nbaud = 115200\n' },
      },
      async (product) => {
        await product.connectsWell()
        product.sim('sms', '+4670', 'meanwhile')
        const busy = await product.mmctl('sms', 'send', '+4670', 'no')
        assert.equal(busy.exit, 1, busy.stderr)
        assert.match(busy.stderr, /only AT port/)
        product.read('mmctl', 'disconnect')
        await product.until('it has come', () => messagesOf(product).some(({ text }) => text === 'meanwhile'))
      },
    ))
}
