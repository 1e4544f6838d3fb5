/** `mmctl list` where no modem is shown, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../support/needs.ts'
import { scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('a modem that another program has is not told as one that is not here', has, async (context) => {
  const { api, run, json } = await scene(context)
  api.removeModem(api.modems[0]!)
  const [arduino, port] = api.ports
  const free = { ...port!, modem: undefined, role: undefined, owner: '' }
  api.ports = [
    arduino!,
    { ...free, isTaken: false, reason: 'let go of because another program asked for it (`mmctl inhibit`)' },
  ]
  const { stdout } = await run('list')
  assert.equal(
    stdout.replaceAll('\n', ' '),
    'No modem is here: /dev/ttyUSB2 is let go of for another program (`mmctl inhibit`). ',
  )
  assert.deepEqual((await json('list')).document, [])
  api.ports = [{ ...free, owner: 'sleep (process 812)' }]
  assert.equal((await run('list')).stdout, 'No modem is here: sleep (process 812) has /dev/ttyUSB2.\n')
})
