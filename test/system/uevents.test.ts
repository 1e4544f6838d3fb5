import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AF_NETLINK, close, SOCK_RAW, sendto, socket } from '../../src/system/libc.ts'
import { openTun } from '../../src/system/tun.ts'
import { injectUevent, listenUevents, parseUevent, type Uevent } from '../../src/system/uevents.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { until } from './until.ts'

if (inNamespace(import.meta.url, needs('tun'))) tests()
else pureTests()

const ttyEvent = {
  ACTION: 'add',
  DEVPATH: '/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0',
  SUBSYSTEM: 'tty',
  MAJOR: '188',
  MINOR: '0',
  DEVNAME: 'ttyUSB0',
  ODD: 'a=b ü',
}

function listen(t: TestContext): { readonly events: Uevent[]; readonly overruns: () => number } {
  const events: Uevent[] = []
  let overruns = 0
  const listener = listenUevents(
    (event) => events.push(event),
    () => overruns++,
  )
  t.after(() => listener.close())
  return { events, overruns: () => overruns }
}

function tests(): void {
  test('an injected event comes to every listener with all its keys', async (t) => {
    const listeners = [listen(t), listen(t)]
    injectUevent(ttyEvent)
    for (const { events } of listeners) {
      await until('the event', () => events.length > 0)
      const { SEQNUM, ...env } = events[0]!.env
      assert.deepEqual(env, ttyEvent)
      assert.match(String(SEQNUM), /^\d+$/)
      assert.deepEqual([events[0]!.action, events[0]!.devpath, events[0]!.subsystem], ['add', ttyEvent.DEVPATH, 'tty'])
    }
  })

  test("the kernel's own events come", async (t) => {
    const { events } = listen(t)
    openTun('ppp0').close()
    await until('remove', () => events.some(({ action, env }) => action === 'remove' && env.INTERFACE === 'ppp0'))
    const add = events.find(({ action }) => action === 'add')
    assert.deepEqual([add?.subsystem, add?.devpath], ['net', '/devices/virtual/net/ppp0'])
  })

  test('an event that another program multicasts past the kernel is not taken', async (t) => {
    const { events } = listen(t)
    const forged = new TextEncoder().encode('add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=forged\0')
    const kernelGroup = new Uint8Array(new Uint32Array([AF_NETLINK, 0, 1]).buffer)
    const fd = socket(AF_NETLINK, SOCK_RAW, 15)
    assert.equal(sendto(fd, forged, forged.length, 0, kernelGroup, kernelGroup.length), forged.length)
    close(fd)
    injectUevent(ttyEvent)
    await until('the true event', () => events.length > 0)
    assert.deepEqual(
      events.map(({ subsystem }) => subsystem),
      ['tty'],
    )
  })

  test('a flood that overruns the queue is told, and later events come', async (t) => {
    const { events, overruns } = listen(t)
    for (let count = 0; count < 10_000; count++) injectUevent(ttyEvent)
    await until('the overrun', () => overruns() > 0)
    injectUevent({ ...ttyEvent, ACTION: 'remove' })
    await until('the last event', () => events.at(-1)?.action === 'remove')
  })

  test('an incomplete event is refused', () => {
    assert.throws(() => injectUevent({ ACTION: 'add', SUBSYSTEM: 'tty' }), { code: 'InvalidArgs' })
  })
}

function pureTests(): void {
  const parse = (text: string) => parseUevent(new TextEncoder().encode(text))

  test('what is no kernel event is left out', () => {
    for (const text of ['', 'libudev\0\xfe\xed', 'add@/x\0', 'add\0ACTION=add\0', 'add@/x\0ACTION=add\0=x\0DEVPATH\0'])
      assert.equal(parse(text), undefined, JSON.stringify(text))
    assert.deepEqual(parse('change@/x\0ACTION=change\0DEVPATH=/x\0SUBSYSTEM=usb'), {
      action: 'change',
      devpath: '/x',
      subsystem: 'usb',
      env: { ACTION: 'change', DEVPATH: '/x', SUBSYSTEM: 'usb' },
    })
  })
}
