/** The whole main job, as a user does it: plug, connect, traffic, hang-up, back by itself, disconnect, nothing left. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, OPERATOR, Product } from './product.ts'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping', 'curl'))) {
  for (const personality of ['generic', 'huawei-e173'])
    test(`plug, connect, traffic, hang-up, redial, disconnect: ${personality}`, () =>
      Product.run({ sim: ['--unplugged', '--personality', personality, ...GOOD_SIM] }, mainJob))

  test('a modem of its own on a tty that the configuration names', () =>
    Product.run(
      {
        sim: ['--unplugged', ...GOOD_SIM],
        files: {
          'etc/modemd/modemd.conf': '[detect]\nallow = strict\n[device "tty:/dev/ttyUSB0"]\nbaud = 115200\n',
        },
      },
      async (product) => {
        product.sim('plug')
        await product.untilModem('registered')
        await product.connectsWell()
        assert.equal(product.read('mmctl', 'disconnect'), 'demo is disconnected.\n')
      },
    ))
}

async function mainJob(product: Product): Promise<void> {
  assert.deepEqual(product.modems(), [])
  product.sim('plug')
  await product.untilModem('registered')
  assert.equal(product.stats().sim.spent, 1, 'the PIN was given once')

  const connected = await product.connect('--json')
  assert.equal(connected.exit, 0, connected.stderr)
  const link = JSON.parse(connected.stdout)
  assert.equal(link.state, 'up')
  assert.equal(link.interface, 'ppp0')
  assert.match(link.report, /^CONNECT \d+$/)
  assert.equal(link.connectSpeed, Number(link.report.slice('CONNECT '.length)))
  assert.match(product.read('ip', '-4', 'addr', 'show', 'ppp0'), new RegExp(`inet ${link.ip4.address} peer 10\\.`))
  assert.match(product.read('ip', 'route'), /^default dev ppp0 .*metric 700/m)
  assert.match(product.resolvConf(), new RegExp(`^nameserver ${OPERATOR}$`, 'm'))
  product.pings()
  assert.match(product.read('curl', '-s', '-m', '5', `http://${OPERATOR}/`), new RegExp(link.ip4.address))
  assert.equal(product.modems()[0]?.state, 'connected')

  const { upSince } = product.link('demo')
  product.sim('hangup')
  await product.until('the link has fallen', () => product.link('demo').state !== 'up')
  assert.equal(product.why().cause, 'hung-up')
  await product.until('it is up again', () => {
    const now = product.link('demo')
    return now.state === 'up' && now.upSince !== upSince
  })
  product.pings()
  assert.match(product.resolvConf(), new RegExp(`^nameserver ${OPERATOR}$`, 'm'))
  assert.match(product.read('mmctl', 'why', 'demo'), /hung-up/)

  product.read('mmctl', 'disconnect')
  assert.equal(product.link('demo').state, 'idle')
  product.noInterface()
  assert.equal(product.resolvConf(), '', 'resolv.conf is as it was')
  assert.equal(product.modems()[0]?.state, 'registered')
  assert.equal(product.stats().call, 'none')
  assert.equal(product.stats().sim.spent, 1)
}
