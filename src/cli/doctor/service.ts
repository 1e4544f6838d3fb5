/** Checks of `mmctl doctor`: may modemd be on the bus, does it start at boot, may this user control it. */

import { type Finding, fault, ok, warn } from '../../base/finding.ts'
import { unitOf } from './daemon-user.ts'
import type { Machine } from './machine.ts'

const POLICIES = ['/etc/dbus-1/system.d/org.modemd.conf', '/usr/share/dbus-1/system.d/org.modemd.conf']

export function busPolicy(machine: Machine, bus: { readonly isSystem: boolean }): readonly Finding[] {
  const check = 'bus policy'
  if (!bus.isSystem) return [ok(check, 'none is needed on this bus')]
  const file = POLICIES.find((path) => machine.has(path))
  if (file === undefined)
    return [
      fault(
        check,
        'the system bus lets nobody be org.modemd',
        'copy dbus/org.modemd.conf to /etc/dbus-1/system.d/ and reload the bus (`systemctl reload dbus`)',
      ),
    ]
  return [ok(check, file)]
}

/** Only where systemd is what started the machine. */
export function bootService(machine: Machine): readonly Finding[] {
  const check = 'start at boot'
  if (!machine.has('/run/systemd/system')) return []
  if (unitOf(machine) === undefined)
    return [
      warn(
        check,
        'there is no modemd.service',
        'copy systemd/modemd.service to /etc/systemd/system/, then `systemctl enable --now modemd`',
      ),
    ]
  const isEnabled = machine.names('/etc/systemd/system/multi-user.target.wants').includes('modemd.service')
  return [
    isEnabled
      ? ok(check, 'modemd.service is enabled')
      : warn(check, 'modemd.service is not enabled', '`systemctl enable modemd`'),
  ]
}

const GROUP = 'modemd'

const POLKIT_ACTIONS = '/usr/share/polkit-1/actions/org.modemd.policy'

function isInGroup(machine: Machine): boolean {
  const group = machine.group(GROUP)
  return group !== undefined && machine.groups.includes(group.id)
}

/** The user who asks. `daemonUid`: modemd's own user may do all, too. */
export function rights(machine: Machine, daemonUid: number | undefined): readonly Finding[] {
  const check = 'your rights'
  const name = machine.userName(machine.uid)
  if (machine.uid === 0 || machine.uid === daemonUid) return [ok(check, `${name} may control modemd`)]
  if (isInGroup(machine)) return [ok(check, `${name} is in the group ${GROUP} and may control modemd`)]
  const isPolkitThere = machine.running('polkitd').length > 0 && machine.has(POLKIT_ACTIONS)
  if (isPolkitThere)
    return [ok(check, `polkit decides what ${name} may do: at an active console, connect and messages`)]
  const group = machine.group(GROUP)
  if (!group)
    return [
      warn(
        check,
        `there is no group ${GROUP}: only root may control modemd`,
        `\`groupadd --system ${GROUP} && adduser ${name} ${GROUP}\`, then log in again`,
      ),
    ]
  if (group.members.includes(name))
    return [warn(check, `${name} is in the group ${GROUP}, but not in this session`, 'log out and in again')]
  return [
    warn(
      check,
      `${name} may look, but neither connect nor change anything`,
      `\`adduser ${name} ${GROUP}\` as root, then log in again`,
    ),
  ]
}
