import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../../src/base/errors.ts'
import { formatIpv6, linkLocal, parseIpv6 } from '../../../src/base/ipv6.ts'
import { type Logger, silentLogger } from '../../../src/base/ports.ts'
import { RouterWatch } from '../../../src/ppp/engines/router-watch.ts'
import { buildAdvertisement } from '../../../src/ppp/ipv6/router-messages.ts'
import type { ReceivedAdvertisement, RouterSocket } from '../../../src/system/router-socket.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

class FakeSocket implements RouterSocket {
  solicitations = 0
  isClosed = false
  #listener: (message: ReceivedAdvertisement) => void = () => {}

  solicit(): void {
    this.solicitations++
  }

  onAdvertisement(listener: (message: ReceivedAdvertisement) => void): void {
    this.#listener = listener
  }

  close(): void {
    this.isClosed = true
  }

  advertise(text: string, routerSeconds: number, validSeconds = 0xffffffff): void {
    const prefixes = [{ prefix: parseIpv6(text)!, prefixLength: 64, validSeconds, preferredSeconds: validSeconds }]
    this.#listener({ source: linkLocal(0x64n), hopLimit: 255, bytes: buildAdvertisement({ routerSeconds, prefixes }) })
  }
}

function watched(clock: VirtualClock, socket: FakeSocket) {
  const changes: string[] = []
  const services = { openRouterSocket: () => socket, clock, logger: silentLogger }
  const watch = new RouterWatch(services, 'ppp0', linkLocal(2n), () => {
    const { address, hasRouter } = watch.found
    changes.push(`${clock.nowMs()} ${address ? formatIpv6(address.address) : 'nothing'} ${hasRouter}`)
  })
  return { watch, changes }
}

test('asks three times, tells what comes, and lets go of everything', async () => {
  const clock = new VirtualClock()
  const socket = new FakeSocket()
  const { watch, changes } = watched(clock, socket)
  await clock.advance(60_000)
  assert.deepEqual([socket.solicitations, clock.pending, changes], [3, 0, []])
  socket.advertise('2001:db8:5::', 1800, 7200)
  assert.deepEqual(changes, ['60000 2001:db8:5::2 true'])
  await clock.advance(7200_000)
  assert.deepEqual(changes.slice(1), ['1860000 2001:db8:5::2 false', '7260000 nothing false'])
  socket.advertise('2001:db8:5::', 0, 10 ** 9)
  await clock.advance(30 * 86_400_000)
  assert.equal(changes.length, 4, 'a lifetime that no timer holds')
  watch.close()
  watch.close()
  assert.deepEqual([clock.pending, socket.isClosed], [0, true])
})

test('a router that changes its mind all the time is believed once in a second', async () => {
  const clock = new VirtualClock()
  const socket = new FakeSocket()
  const { watch, changes } = watched(clock, socket)
  for (let round = 0; round < 4000; round++) {
    socket.advertise('2001:db8:5::', round % 2 === 0 ? 1800 : 0)
    await clock.advance(1)
  }
  assert.deepEqual(changes.slice(0, 2), ['0 2001:db8:5::2 true', '1000 2001:db8:5::2 false'])
  assert.ok(changes.length <= 5, `${changes.length}`)
  await clock.advance(1000)
  assert.match(changes.at(-1)!, /false$/, 'and the last word counts')
  watch.close()
  assert.equal(clock.pending, 0)
})

test('without the right to ask there is a warning, and no timer', () => {
  const clock = new VirtualClock()
  const warnings: string[] = []
  const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) }
  const openRouterSocket = () => {
    throw new ModemdError('NotAuthorized', 'cannot look for IPv6 routers on ppp0: operation not permitted (EPERM)')
  }
  const watch = new RouterWatch({ openRouterSocket, clock, logger }, 'ppp0', linkLocal(2n), () => assert.fail())
  assert.equal(clock.pending, 0)
  assert.match(warnings.join(), /^No IPv6 address from the network on ppp0: cannot look .*EPERM\)\.$/)
  watch.close()
})
