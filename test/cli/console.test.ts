/** `mmctl at`, `ports`, `inhibit` and `reset`, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Client, serve } from '../bus/fixture.ts'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'
import { mmctl, Running } from './support/mmctl.ts'
import { at, list, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

async function withConsole(context: TestContext) {
  const { api, bus } = await serve(context, { isConsoleOn: () => true })
  const { address } = bus
  return { api, run: (...argv: string[]) => mmctl(argv, { address, columns: 80, env: { NO_COLOR: '1' } }) }
}

test('at: each answer as the modem gave it', has, async (context) => {
  const { api, run } = await withConsole(context)
  assert.deepEqual(await run('at', '0', 'AT+CSQ'), { exitCode: 0, stdout: '+CSQ: 20,99\nOK\n', stderr: '' })
  const two = await run('at', '0', 'AT+CSQ', 'at+csq', '--timeout', '2.5')
  assert.equal(two.stdout, '+CSQ: 20,99\nOK\n+CSQ: 20,99\nOK\n')
  assert.deepEqual(api.log, [
    'command(AT+CSQ, 0, false)',
    'command(AT+CSQ, 2500, false)',
    'command(at+csq, 2500, false)',
  ])
})

test('at: an error of the modem ends it with 1, and what comes behind is not sent', has, async (context) => {
  const { api, run } = await withConsole(context)
  assert.deepEqual(await run('at', '0', 'AT+NO', 'AT+CSQ'), {
    exitCode: 1,
    stdout: '+CME ERROR: 100\n',
    stderr: 'mmctl: the modem refused AT+NO: AT+CSQ was not sent\n',
  })
  assert.deepEqual(await run('at', '0', 'AT+NO'), { exitCode: 1, stdout: '+CME ERROR: 100\n', stderr: '' })
  assert.equal(api.log.length, 2)
})

test('at: what breaks modemd’s work needs --force', has, async (context) => {
  const { api, run } = await withConsole(context)
  const { exitCode, stderr } = await run('at', '0', 'ATZ')
  assert.equal(exitCode, 1)
  assert.match(stderr, /^mmctl: ATZ is not sent: use `mmctl reset`/)
  assert.equal((await run('at', '0', 'ATZ', '--force')).exitCode, 0)
  assert.equal(api.log.at(-1), 'command(ATZ, 0, true)')
})

test('at: as one JSON document', has, async (context) => {
  const { run, api } = await withConsole(context)
  const { stdout, exitCode } = await run('at', '0', 'AT+CSQ', 'AT+NO', '--json')
  assert.equal(exitCode, 1)
  assert.deepEqual(JSON.parse(stdout), {
    modem: api.modems[0]!.snapshot.id,
    answers: [
      { command: 'AT+CSQ', lines: ['+CSQ: 20,99'], final: 'OK' },
      { command: 'AT+NO', lines: [], final: '+CME ERROR: 100' },
    ],
    error: { name: 'org.modemd.Error.Unknown', message: 'the modem refused AT+NO', cause: 'modem-error' },
  })
})

test('at: off, and wrong use', has, async (context) => {
  const { run } = await scene(context)
  const off = await run('at', '0', 'AT+CSQ')
  assert.equal(off.exitCode, 1)
  assert.match(off.stderr, /^mmctl: The AT console is off: set at-console = yes/)
  assert.match(off.stderr.replaceAll('\n', ' '), /and run `systemctl reload modemd`/)
  assert.equal((await run('at')).exitCode, 2)
  assert.equal((await run('at', '0')).exitCode, 2)
  assert.equal((await run('at', '7', 'AT')).exitCode, 4)
  assert.equal((await run('at', '0', 'AT', '--timeout', '301')).exitCode, 2)
})

test('ports', has, async (context) => {
  const { api, run, json } = await scene(context)
  assert.deepEqual(await run('ports'), {
    exitCode: 0,
    stdout:
      'PORT          DRIVER   USB ID     ROLE  TAKEN  OWNER        MODEM\n' +
      '/dev/ttyACM0  cdc_acm  2341:0043  -     no     -            -\n' +
      '/dev/ttyUSB2  option   12d1:1436  at    yes    modemd (at)  imei_356938035643809\n',
    stderr: '',
  })
  assert.equal(
    (await run('ports', '--explain')).stdout,
    `/dev/ttyACM0 is left alone
  why        2341:0043 is an Arduino
  driver     cdc_acm
  USB id     2341:0043
  USB class  02/02/01
  device     /sys/devices/pci0000:00/0000:00:14.0/usb1/1-3
/dev/ttyUSB2 is taken
  why        the kernel's option driver is for modems only
  role       at
  modem      imei_356938035643809
  owner      modemd (at)
  driver     option
  USB id     12d1:1436
  USB class  ff/ff/ff
  device     /sys/devices/pci0000:00/0000:00:14.0/usb1/1-2
`,
  )
  const { document } = await json('ports')
  assert.equal(at(document, '0.taken'), false)
  assert.equal(at(document, '0.role'), undefined)
  assert.equal(at(document, '1.modem'), 'imei_356938035643809')
  api.ports = []
  assert.equal((await run('ports')).stdout, 'No serial port is here.\n')
})

test('ports: one that another program has is busy, and its role is not known', has, async (context) => {
  const { api, run } = await scene(context)
  const held = { ...api.ports[1]!, modem: undefined, role: 'ignored', owner: 'sleep (process 812)' } as const
  api.ports = [held, { ...held, owner: '' }]
  const lines = (await run('ports')).stdout.split('\n')
  assert.match(lines[1]!, /12d1:1436 {2}- +busy +sleep \(process 812\)/)
  assert.match(lines[2]!, /12d1:1436 {2}ignored +yes +-/)
  const { stdout } = await run('ports', '--explain')
  assert.match(stdout, /^\/dev\/ttyUSB2 is busy\n(?! +role)/)
  assert.match(stdout, /\n\/dev\/ttyUSB2 is taken\n.*\n +role +ignored\n/)
})

test('ports --rescan looks anew and waits for the answers', has, async (context) => {
  const { api, start, json } = await scene(context)
  const [known, asked] = api.ports
  api.ports = [{ ...asked!, reason: 'a modem; it is just being asked', role: undefined }]
  const running = start(['ports', '--rescan'])
  await until('the answer is waited for', () => api.log.includes('rescan()'))
  await new Promise((resolve) => setTimeout(resolve, 1100))
  assert.equal(running.stdout, '', 'it is still being asked')
  api.ports = [known!, asked!]
  const { stdout, exitCode } = await running.ended
  assert.equal(exitCode, 0)
  assert.match(stdout, /^\/dev\/ttyUSB2 {2}option .* at /m)
  assert.equal(list((await json('ports', '--rescan')).document).length, 2)
})

test('inhibit holds until it is interrupted', has, async (context) => {
  const { api, start } = await scene(context)
  const running = start(['inhibit'])
  await running.until(/Interrupt this command/)
  const { id } = api.modems[0]!.snapshot
  assert.deepEqual(api.log, [`inhibit(${id})`])
  running.interrupt()
  assert.deepEqual(await running.ended, {
    exitCode: 0,
    stdout: `modemd has let go of ${id}, /dev/ttyUSB0, /dev/ttyUSB2.
Interrupt this command (Ctrl-C) to give it back.
modemd takes ${id} back.
`,
    stderr: '',
  })
  assert.deepEqual(api.log, [`inhibit(${id})`, `take back(${id})`])
})

test('inhibit of a tty that is no modem’s now, and of what is not there', has, async (context) => {
  const { api, start, run } = await scene(context)
  const running = start(['inhibit', '/dev/ttyUSB9'])
  await running.until(/Interrupt this command/)
  running.interrupt()
  await running.ended
  assert.deepEqual(api.log, ['inhibit(/dev/ttyUSB9)', 'take back(/dev/ttyUSB9)'])
  assert.equal((await run('inhibit', 'nothing')).exitCode, 4)
})

test('inhibit ends with an error when modemd does', has, async (context) => {
  const { api, bus, service } = await serve(context)
  const running = new Running(['inhibit'], { address: bus.address })
  await running.until(/let go/)
  await service.close()
  const { exitCode, stderr } = await running.ended
  assert.equal(exitCode, 3)
  assert.match(stderr, /modemd has left the bus/)
  assert.equal(api.log.length >= 1, true)
})

test('an inhibition ends with its caller, however it ends', has, async (context) => {
  const { api, bus } = await serve(context)
  const client = await Client.connect(context, bus)
  await client.call('/org/modemd', 'org.modemd.Manager1', 'Inhibit', 's', '/dev/ttyUSB0')
  await client.connection.close()
  await until('it is taken back', () => api.log.includes('take back(/dev/ttyUSB0)'))
})

test('reset', has, async (context) => {
  const { api, run, json } = await scene(context)
  const { id } = api.modems[0]!.snapshot
  const soft = await run('reset')
  assert.equal(soft.stdout, `${id} restarts; \`mmctl monitor\` shows when it is back.\n`)
  assert.deepEqual(await json('reset', '0', '--hard'), { exitCode: 0, document: { id, reset: 'hard' } })
  assert.deepEqual(api.log, ['reset(false)', 'reset(true)'])
})

test('each command says its example', has, async (context) => {
  const { run } = await scene(context)
  for (const name of ['at', 'ports', 'inhibit', 'reset', 'enable', 'disable']) {
    const { stdout, exitCode } = await run(name, '--help')
    assert.equal(exitCode, 0)
    assert.match(stdout, new RegExp(`Example:\n {2}mmctl ${name}`))
    assert.ok(
      stdout.split('\n').every((line) => line.length <= 80),
      name,
    )
  }
})
