/** Against real AF_UNIX sockets, by path and abstract. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ServiceManager } from '../../src/daemon/notify.ts'
import { openDatagram, unixAddress } from '../../src/system/datagram.ts'
import { AF_UNIX, bindSocket, checked, close, recv, SOCK_DGRAM, socket } from '../../src/system/libc.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const MSG_DONTWAIT = 0x40

/** Everything that has come so far. */
function listenAt(path: string) {
  const fd = checked(socket(AF_UNIX, SOCK_DGRAM, 0), 'socket')
  const address = unixAddress(path)
  checked(bindSocket(fd, address, address.length), 'bind')
  const received = () => {
    const texts: string[] = []
    for (;;) {
      const buffer = new Uint8Array(4096)
      const length = recv(fd, buffer, buffer.length, MSG_DONTWAIT)
      if (length < 0) return texts
      texts.push(Buffer.from(buffer.subarray(0, length)).toString())
    }
  }
  return { received, close: () => close(fd) }
}

const folder = mkdtempSync(join(tmpdir(), 'modemd-notify-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

for (const path of [join(folder, 'notify'), `@modemd-test-${process.pid}`]) {
  test(`states arrive at ${path[0] === '@' ? 'an abstract' : 'a path'} address`, () => {
    const listener = listenAt(path)
    const environment = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000000', PATH: '/bin' }
    const clock = new VirtualClock()
    const manager = new ServiceManager({ environment, clock })
    assert.deepEqual(environment, { PATH: '/bin' }, 'no child speaks for us')
    manager.ready()
    manager.status('2 modems\nREADY=0')
    manager.reloading()
    manager.ready()
    manager.stopping()
    const texts = listener.received()
    assert.match(texts[3]!, /^RELOADING=1\nMONOTONIC_USEC=\d+$/)
    assert.deepEqual(texts.toSpliced(3, 1), [
      'READY=1',
      'WATCHDOG=1',
      'STATUS=2 modems READY=0',
      'READY=1',
      'STOPPING=1',
    ])
    assert.equal(clock.pending, 1)
    manager.close()
    assert.equal(clock.pending, 0)
    listener.close()
  })
}

test('the watchdog is patted twice in its interval', async () => {
  const path = join(folder, 'watchdog')
  const listener = listenAt(path)
  const clock = new VirtualClock()
  const manager = new ServiceManager({
    environment: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000000', WATCHDOG_PID: String(process.pid) },
    clock,
  })
  assert.equal(clock.pending, 0, 'not before it is ready')
  manager.ready()
  await clock.advance(30_000)
  assert.deepEqual(listener.received(), ['READY=1', ...Array.from({ length: 4 }, () => 'WATCHDOG=1')])
  manager.close()
  listener.close()
})

test('without a service manager, with one for another process, with one that is gone: nothing happens', () => {
  const clock = new VirtualClock()
  for (const environment of [
    {},
    { NOTIFY_SOCKET: join(folder, 'absent'), WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' },
    { NOTIFY_SOCKET: `/${'x'.repeat(200)}`, WATCHDOG_USEC: '1000000' },
  ]) {
    const manager = new ServiceManager({ environment, clock })
    manager.ready()
    manager.stopping()
    manager.close()
    assert.equal(clock.pending, 0)
  }
})

test('a receiver that does not read loses datagrams, the daemon does not wait', () => {
  const path = join(folder, 'full')
  const listener = listenAt(path)
  const sender = openDatagram(path)
  let sent = 0
  while (sent < 100_000 && sender.send(Buffer.from('x'))) sent++
  assert.ok(sent > 0 && sent < 100_000)
  sender.close()
  assert.equal(sender.send(Buffer.from('x')), false)
  listener.close()
  assert.throws(() => openDatagram('').send(Buffer.from('x')), { code: 'InvalidArgs' })
})
