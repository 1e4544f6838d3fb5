/** A second, real user on a bus with the system bus's rules and our own policy file, and the list of what is not everybody's. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../support/needs.ts'
import { LINK, MANAGER, MODEM } from './fixture.ts'
import { type PrivateBus, type Ran, run } from './private-bus.ts'

const POLICY = fileURLToPath(new URL('../../dbus/org.modemd.conf', import.meta.url))
export const MANAGER1 = 'org.modemd.Manager1'
export const MESSAGE = '/org/modemd/sms/_31'
const NOBODY = 65534
/** The number of the group modemd in these tests. */
export const GROUP = 54321

/** As Debian's system.conf: connect, call only what a policy opens, receive signals and replies. `more`: further policies. */
export function systemBus(more = ''): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
  <busconfig>
    <type>system</type>
    <listen>unix:tmpdir=/tmp</listen>
    <auth>EXTERNAL</auth>
    <policy context="default">
      <allow user="*"/>
      <deny own="*"/>
      <deny send_type="method_call"/>
      <allow send_type="signal"/>
      <allow send_requested_reply="true" send_type="method_return"/>
      <allow send_requested_reply="true" send_type="error"/>
      <allow receive_type="method_call"/>
      <allow receive_type="method_return"/>
      <allow receive_type="error"/>
      <allow receive_type="signal"/>
      <allow send_destination="org.freedesktop.DBus"/>
    </policy>
    <include>${POLICY}</include>
    ${more}
  </busconfig>`
}

export function secondUser(): { skip?: string } {
  const missing = needs('dbus-daemon', 'busctl', 'unshare')
  if (missing.skip) return missing
  const taken = spawnSync('setpriv', ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', 'true'])
  return taken.status === 0 ? {} : { skip: 'a second user needs root (run the tests as root)' }
}

export function etcWithGroup(context: TestContext, group: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-etc-'))
  context.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'group'), `root:x:0:\n${group}\n`)
  writeFileSync(
    join(folder, 'passwd'),
    `root:x:0:0::/:/bin/sh\nkim:x:1000:1000::/:/bin/sh\nlee:x:1001:${GROUP}::/:/bin/sh\n`,
  )
  return folder
}

/** busctl as nobody, with more groups if wanted. */
export function asNobody(bus: PrivateBus, groups: string, ...args: readonly string[]): Promise<Ran> {
  const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, groups]
  return run('setpriv', [...user, 'busctl', `--address=${bus.address}`, ...args])
}

type Call = readonly [path: string, interfaceName: string, member: string, ...args: string[]]

const MODEM1 = 'org.modemd.Modem1'
const SIM1 = 'org.modemd.Sim1'
const MESSAGING1 = 'org.modemd.Messaging1'
const USSD1 = 'org.modemd.Ussd1'
const LOCATION1 = 'org.modemd.Location1'

/** What everybody may call. */
export const OPEN: readonly string[] = [
  'org.modemd.Manager1.Diagnose',
  'org.modemd.Manager1.ListApns',
  'org.modemd.Manager1.ListPorts',
  'org.modemd.Manager1.Rescan',
  'org.modemd.Messaging1.CountParts',
  'org.modemd.Signal1.History',
]

/** Every method that asks who calls, by polkit's action; `root`: no action, root alone. */
export const GUARDED: Readonly<Record<'connect' | 'messaging' | 'control' | 'at-console' | 'root', readonly Call[]>> = {
  connect: [
    [MANAGER, MANAGER1, 'Connect', 'sa{sv}', 'demo', '0'],
    [MANAGER, MANAGER1, 'Disconnect', 'o', '/'],
    [MODEM, MODEM1, 'Connect', 'a{sv}', '0'],
    [MODEM, MODEM1, 'Disconnect'],
    [LINK, 'org.modemd.Link1', 'Up'],
    [LINK, 'org.modemd.Link1', 'Down'],
  ],
  messaging: [
    [MODEM, MESSAGING1, 'Send', 'ss', '+15551234', 'x'],
    [MODEM, MESSAGING1, 'SendWithOptions', 'ssa{sv}', '+15551234', 'x', '0'],
    [MODEM, MESSAGING1, 'Delete', 'o', MESSAGE],
    [MESSAGE, 'org.modemd.Sms1', 'Read'],
    [MODEM, USSD1, 'Initiate', 's', '*100#'],
    [MODEM, USSD1, 'Respond', 's', '1'],
    [MODEM, USSD1, 'Cancel'],
    [MODEM, USSD1, 'LastText'],
  ],
  control: [
    [MANAGER, MANAGER1, 'Inhibit', 's', '/dev/ttyUSB2'],
    [MANAGER, MANAGER1, 'Release', 'u', '1'],
    [MANAGER, MANAGER1, 'ListProfiles'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '1', 'name', 's', 'x'],
    [MANAGER, MANAGER1, 'RemoveProfile', 's', 'demo'],
    [MODEM, MODEM1, 'Enable'],
    [MODEM, MODEM1, 'Disable'],
    [MODEM, MODEM1, 'Scan'],
    [MODEM, MODEM1, 'Register', 's', ''],
    [MODEM, SIM1, 'GetImsi'],
    [MODEM, SIM1, 'SendPin', 's', '1234'],
    [MODEM, SIM1, 'SendPinLastTry', 's', '1234'],
    [MODEM, SIM1, 'SendPuk', 'ss', '12345678', '1234'],
    [MODEM, SIM1, 'ChangePin', 'ss', '1234', '1235'],
    [MODEM, SIM1, 'ChangePinLastTry', 'ss', '1234', '1235'],
    [MODEM, SIM1, 'EnablePin', 'sb', '1234', 'false'],
    [MODEM, SIM1, 'EnablePinLastTry', 'sb', '1234', 'false'],
    [MODEM, 'org.modemd.Signal1', 'SetPoll', 'u', '1'],
    [MODEM, LOCATION1, 'SetEnabled', 'b', 'true'],
    [MODEM, LOCATION1, 'GetFix'],
  ],
  'at-console': [
    [MODEM, MODEM1, 'Command', 'su', 'AT', '1000'],
    [MODEM, MODEM1, 'ForceCommand', 'su', 'AT', '1000'],
  ],
  root: [
    [MANAGER, MANAGER1, 'ReloadConfig'],
    [MODEM, MODEM1, 'Reset', 'b', 'true'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '2', 'name', 's', 'x', 'options', 's', 'plugin x'],
    [MANAGER, MANAGER1, 'SaveProfile', 'a{sv}', '2', 'name', 's', 'x', 'chat-script', 's', '/x'],
  ],
}
