import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { type Hold, Lease } from '../../src/serial/lease.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { virtualWires } from '../support/virtual-wire.ts'

interface Heard {
  text: string
  closed: string | undefined
}

function listen(hold: Hold): Heard {
  const heard: Heard = { text: '', closed: undefined }
  hold.listen({
    data: (bytes) => {
      heard.text += fromLatin1(bytes)
    },
    drain() {},
    closed: (reason) => {
      heard.closed = reason
    },
  })
  return heard
}

function leased() {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock, { path: '/dev/ttyUSB0' })
  return { clock, far, lease: new Lease(near) }
}

test('a second owner is refused while the first holds the port', () => {
  const { lease } = leased()
  const owners: string[] = []
  const cancel = lease.onOwnerChange((owner) => owners.push(owner))
  const hold = lease.take('modemd (at)')
  assert.throws(
    () => lease.take('modemd (ppp)'),
    (error) =>
      error instanceof ModemdError &&
      error.code === 'Busy' &&
      error.failureCause === 'port-busy' &&
      error.message === '/dev/ttyUSB0 is in use by modemd (at).',
  )
  hold.release()
  hold.release()
  assert.equal(lease.owner, '')
  lease.take('modemd (ppp)')
  cancel()
  assert.deepEqual(owners, ['modemd (at)', '', 'modemd (ppp)'])
})

test('the new hold starts with the unread bytes, and what comes later follows them', async () => {
  const { clock, far, lease } = leased()
  const at = lease.take('at')
  let ppp: Hold | undefined
  at.listen({
    data(bytes) {
      const text = fromLatin1(bytes)
      const end = text.indexOf('\n') + 1
      ppp = at.handOver('ppp', bytes.slice(end))
    },
    drain() {},
    closed() {},
  })
  far.write(latin1('CONNECT\r\n~first'))
  far.write(latin1(' second'))
  await clock.advance(1)
  assert.ok(ppp)
  const heard = listen(ppp)
  far.write(latin1(' third'))
  await clock.advance(1)
  assert.equal(heard.text, '~first second third')
  assert.equal(lease.owner, 'ppp')
})

test('a dead hold writes nothing, hears nothing and cannot be passed on', async () => {
  const { clock, far, lease } = leased()
  const at = lease.take('at')
  const heardByAt = listen(at)
  const ppp = at.handOver('ppp')
  const heardByFar: string[] = []
  far.listen({ data: (bytes) => heardByFar.push(fromLatin1(bytes)), drain() {}, closed() {} })
  assert.equal(at.write(latin1('lost')), true)
  await at.setBaud(9600)
  await at.close()
  at.listen({ data: () => assert.fail('a dead hold hears nothing'), drain() {}, closed() {} })
  ppp.write(latin1('kept'))
  far.write(latin1('answer'))
  await clock.advance(1)
  assert.deepEqual(heardByFar, ['kept'])
  assert.equal(heardByAt.text, '')
  assert.equal(at.isClosed, true)
  assert.equal(ppp.isClosed, false)
  assert.throws(() => at.handOver('again'), { code: 'WrongState' })
})

test('bytes that come while nobody listens are kept, the newest 64 KiB', async () => {
  const { clock, far, lease } = leased()
  const first = lease.take('at')
  listen(first)
  await clock.advance(1)
  first.release()
  for (let count = 0; count < 70; count++) far.write(new Uint8Array(1024).fill(count))
  await clock.advance(1)
  const heard = listen(lease.take('at'))
  await clock.advance(1)
  assert.equal(heard.text.length, 64 * 1024)
  assert.equal(heard.text.charCodeAt(0), 6)
  assert.equal(heard.text.charCodeAt(heard.text.length - 1), 69)
})

test('unread bytes come before kept ones, and those before what comes next', async () => {
  const clock = new VirtualClock()
  const [near] = virtualWires(clock)
  const at = new Lease(near).take('at')
  listen(at)
  at.listen(undefined)
  near.receive(latin1('kept '))
  const heard = listen(at.handOver('ppp', latin1('unread ')))
  near.receive(latin1('next'))
  assert.equal(heard.text, '', 'not before listen has returned')
  await clock.advance(0)
  assert.equal(heard.text, 'unread kept next')
})

test('an owner that stops listening leaves what comes in the tty', async () => {
  const clock = new VirtualClock()
  const [near, far] = virtualWires(clock)
  const hold = new Lease(near).take('ppp')
  const heard = listen(hold)
  hold.listen(undefined)
  far.write(latin1('for the kernel'))
  await clock.advance(1)
  let left = ''
  near.listen({ data: (bytes) => (left += fromLatin1(bytes)), drain() {}, closed() {} })
  await clock.advance(1)
  assert.deepEqual([heard.text, left], ['', 'for the kernel'])
})

test('flush drops what was kept', async () => {
  const { clock, far, lease } = leased()
  const hold = lease.take('at')
  listen(hold)
  hold.listen(undefined)
  far.write(latin1('stale'))
  await clock.advance(1)
  await hold.flush()
  const heard = listen(hold)
  await clock.advance(1)
  assert.equal(heard.text, '')
})

test('a hang-up while nobody listens is told to the next one, after its bytes', async () => {
  const { clock, far, lease } = leased()
  const at = lease.take('at')
  listen(at)
  const ppp = at.handOver('ppp', latin1('unread'))
  far.write(latin1(' NO CARRIER'))
  await far.close()
  await clock.advance(1)
  assert.equal(ppp.isClosed, true)
  const heard = listen(ppp)
  await clock.advance(1)
  assert.deepEqual(heard, { text: 'unread NO CARRIER', closed: 'hung up' })
})

test('whatever the moments of hand-over, every byte arrives once and in order', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed)
    const { clock, far, lease } = leased()
    const sent: Uint8Array[] = []
    const got: Uint8Array[] = []
    let hold = lease.take('owner 0')
    const take = (from: Hold) => {
      from.listen({
        data(bytes) {
          // Consumes a part and passes the rest on, or all of it.
          const count = random.bytes(1)[0]! % (bytes.length + 1)
          got.push(bytes.slice(0, count))
          if (count === bytes.length) return
          hold = from.handOver('next', bytes.subarray(count))
          if (random.bytes(1)[0]! % 2) take(hold)
        },
        drain() {},
        closed() {},
      })
    }
    take(hold)
    for (let round = 0; round < 60; round++) {
      const bytes = random.bytes(1 + (random.bytes(1)[0]! % 20))
      sent.push(bytes)
      far.write(bytes)
      if (random.bytes(1)[0]! % 3 === 0) await clock.advance(1)
      if (random.bytes(1)[0]! % 3 === 0) take(hold)
    }
    for (let round = 0; round < 2000 && concat(got).length < concat(sent).length; round++) {
      take(hold)
      await clock.advance(1)
    }
    assert.deepEqual(concat(got), concat(sent), `seed ${seed}`)
  }
})
