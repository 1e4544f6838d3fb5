/**
 * The whole product with an operator that we did not write: modemd dials a scripted modem on a plain UART (`[device]`),
 * and behind its CONNECT stands Debian's own pppd (on fakeppp, in a network namespace of its own).
 */

import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { Rig, type Servant } from '../support/rig.ts'

const MODEM = fileURLToPath(new URL('pppd-modem.ts', import.meta.url))
const TTY = '/dev/ttyS9'
const SERVER = '10.70.0.1'
const CLIENT = '10.70.0.2'

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun', 'ping', 'ip', 'dbus-daemon', 'busctl'))) {
  for (const auth of ['pap', 'chap'])
    test(`pppd asks for ${auth}: address, name servers, ping, and its hang-up is redialled`, (t) => dialPppd(t, auth))
  test('pppd refuses the password: auth-refused, exit 10, and no further try', refusedByPppd)
}

async function dialPppd(t: TestContext, auth: string): Promise<void> {
  const { rig, modem } = await started(t, auth, 'sekret')
  rig.read('mmctl', 'connect', 'uart')
  assert.match(rig.read('ip', 'addr', 'show', 'ppp0'), new RegExp(`inet ${CLIENT} peer ${SERVER}`))
  assert.match(rig.read('cat', '/etc/resolv.conf'), /^nameserver 10\.70\.0\.53\nnameserver 10\.70\.0\.54$/m)
  assert.match(rig.read('ping', '-c', '2', '-i', '0.2', '-w', '10', SERVER), / 0% packet loss/)

  const { upSince } = rig.link('uart')
  modem.child.kill('SIGUSR1')
  await rig.untilUpAgain('uart', upSince)
  assert.equal(rig.link('uart').cause, 'hung-up')
  assert.match(rig.read('ping', '-c', '1', '-W', '2', SERVER), / 0% packet loss/)
  assert.equal(callsOf(modem), 2)

  rig.read('mmctl', 'disconnect', 'uart')
  assert.doesNotMatch(rig.read('ip', '-o', 'link'), /ppp/)
}

async function refusedByPppd(t: TestContext): Promise<void> {
  const { rig, modem } = await started(t, 'chap', 'another')
  const { stdout, stderr, status } = rig.try('mmctl', 'connect', 'uart')
  assert.equal(status, 10, `${stdout}${stderr}${rig.logs()}`)
  const { state, cause } = rig.link('uart')
  await rig.until('the call is told', () => callsOf(modem) > 0)
  assert.deepEqual({ state, cause, calls: callsOf(modem) }, { state: 'failed', cause: 'auth-refused', calls: 1 })
}

async function started(t: TestContext, auth: string, secret: string): Promise<{ rig: Rig; modem: Servant }> {
  const profile = '[profile]\napn = internet\nusername = alice\npassword = sekret\n[ppp]\nlcp-restart = 1s\n'
  const rig = new Rig({
    files: {
      'etc/modemd/modemd.conf': `[device "tty:${TTY}"]\nbaud = 115200\n`,
      'etc/modemd/profiles/uart.conf': profile,
    },
  })
  t.after(async () => {
    await rig.stop()
    rig.remove()
  })
  await rig.startBus()
  const modem = rig.spawn(process.execPath, ['--import=tsx', MODEM, auth, secret])
  await rig.until('the modem tells its tty', () => /^path .*\n/.test(modem.log))
  symlinkSync(/^path (.*)$/m.exec(modem.log)![1]!, rig.root + TTY)
  await rig.startModemd()
  await rig.until('the modem is registered', () => rig.modems()[0]?.state === 'registered')
  return { rig, modem }
}

function callsOf(modem: Servant): number {
  return modem.log.match(/^call$/gm)?.length ?? 0
}
