/** modem-sim on a tty that is there already (`--tty`): a pty's slave here, a gadget's port in the virtual machine. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { PtyWire } from '../interop/pty-wire.ts'
import { until } from '../system/until.ts'
import { RunningSim } from './running-sim.ts'

test('a modem on a tty answers, dials, and loses its power when the line ends', async (t) => {
  const host = new PtyWire()
  t.after(() => host.close())
  const sim = new RunningSim(t, ['--tty', host.path, '--latency', '0', '--register-after', '0'])
  assert.match(await sim.ready(), new RegExp(host.path))
  let heard = ''
  host.listen({
    data: (bytes) => {
      heard += fromLatin1(bytes)
    },
    drain() {},
    closed() {},
  })
  host.write(latin1('ATE0+CGMM\r'))
  await until('the model', () => /Generic LTE\r\n\r\nOK/.test(heard))
  host.write(latin1('ATD*99#\r'))
  await until('a call', () => /CONNECT/.test(heard) && heard.includes('\x7e'))
  assert.equal((await sim.stats()).call, 'online')
  await host.close()
  for (let isPlugged = true; isPlugged; ) isPlugged = (await sim.stats()).plugged
})

test('which ttys: one, or as many as the modem has; never beside --root', async (t) => {
  for (const [args, words] of [
    [['--tty', '/dev/null', '--root', 'FOLDER'], /give --root DIR .* or --tty PATH/],
    [['--tty', '/dev/null', '--tty', '/dev/null', '--tty', '/dev/null'], /generic has 2 ttys/],
    [['--tty', '/dev/null'], /tty|ioctl|cannot/],
    [['--tty', '/dev/absent'], /cannot open \/dev\/absent/],
  ] as const) {
    const { code, stderr } = await new RunningSim(t, [...args]).ended()
    assert.notEqual(code, 0)
    assert.match(stderr, words)
  }
})
