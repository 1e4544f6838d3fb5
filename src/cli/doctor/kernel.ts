/** Checks of `mmctl doctor`: what the kernel and the machine must have so that PPP can run. */

import { type Finding, fault, ok, warn } from '../../base/finding.ts'
import { isUsableBy } from './daemon-user.ts'
import type { Credentials, Machine } from './machine.ts'

const MODULES = ['ppp_generic', 'ppp_async'] as const

export function kernelPpp(machine: Machine): readonly Finding[] {
  const check = 'kernel PPP'
  const absent = MODULES.filter((name) => !isLoaded(machine, name) && !isLoadable(machine, name))
  const waiting = MODULES.filter((name) => !isLoaded(machine, name) && isLoadable(machine, name))
  if (absent.length > 0) {
    const detail = `the kernel ${machine.kernel} has no ${absent.join(' and ')}: PPP runs in user space (engine builtin)`
    const modules = `install the kernel's modules and run \`modprobe ${absent.at(-1)}\`; a container gets them, and /dev/ppp, from its host`
    return [hasTun(machine) ? warn(check, detail, modules) : fault(check, `no ${absent.join(' and ')}`, modules)]
  }
  if (waiting.length > 0) return [ok(check, `${waiting.join(' and ')}: loaded when the first link needs it`)]
  if (!machine.has('/dev/ppp'))
    return [warn(check, 'the modules are loaded, but there is no /dev/ppp', '`mknod /dev/ppp c 108 0` as root')]
  return [ok(check, `${MODULES.join(' and ')} are there, and /dev/ppp`)]
}

function isLoaded(machine: Machine, name: string): boolean {
  return machine.has(`/sys/module/${name}`) || new RegExp(`^${name} `, 'm').test(machine.text('/proc/modules') ?? '')
}

/** Its file is there, or it is part of the kernel. */
function isLoadable(machine: Machine, name: string): boolean {
  const folder = `/lib/modules/${machine.kernel}`
  const known = ['modules.dep', 'modules.builtin'].map((file) => machine.text(`${folder}/${file}`) ?? '')
  return known.some((text) => text.includes(`/${name}.ko`))
}

function hasTun(machine: Machine): boolean {
  return machine.has(TUN)
}

const TUN = '/dev/net/tun'

export function tun(machine: Machine, daemon: Credentials): readonly Finding[] {
  const stats = machine.stat(TUN)
  if (!stats)
    return [
      warn(
        TUN,
        'it is not there: PPP cannot run in user space (engine builtin)',
        '`modprobe tun` as root; a container gets it from its host',
      ),
    ]
  if (isUsableBy(stats, daemon)) return [ok(TUN, 'modemd may use it')]
  return [fault(TUN, 'modemd may not open it', '`chmod 0666 /dev/net/tun` as root (so Debian has it)')]
}

const PPPD_PLACES = ['/usr/sbin/pppd', '/sbin/pppd', '/usr/local/sbin/pppd', '/usr/bin/pppd']

/** Whether it can be used, where a profile asks for it, the daemon tells. */
export function pppd(machine: Machine): readonly Finding[] {
  const place = PPPD_PLACES.find((path) => machine.has(path))
  return [
    ok('pppd', place ? `${place} is there, for \`engine = pppd\`` : 'not installed: only `engine = pppd` needs it'),
  ]
}

/** rfkill: a switch of the computer, or airplane mode. */
export function radioSwitch(machine: Machine): readonly Finding[] {
  const check = 'radio switch'
  const folder = '/sys/class/rfkill'
  const modems = machine.names(folder).flatMap((name) => {
    const read = (file: string) => machine.text(`${folder}/${name}/${file}`)?.trim()
    return read('type') === 'wwan' ? [{ name: read('name') ?? name, soft: read('soft'), hard: read('hard') }] : []
  })
  const hard = modems.find((each) => each.hard === '1')
  if (hard) return [fault(check, `${hard.name} is switched off by a switch of the computer`, 'switch it on')]
  const soft = modems.find((each) => each.soft === '1')
  if (soft) return [fault(check, `${soft.name} is switched off (airplane mode)`, '`rfkill unblock wwan`')]
  return modems.length === 0 ? [] : [ok(check, 'on')]
}

/** Before this modemd was made. */
const EARLIEST_MS = Date.UTC(2025, 0, 1)
const KEEPERS = ['systemd-timesyn', 'chronyd', 'ntpd', 'ntpd-rs', 'openntpd']

/** Policy has a clock of its own; months of `data-limit` and the log have this one. */
export function wallClock(machine: Machine): readonly Finding[] {
  const now = new Date(machine.nowMs).toISOString().slice(0, 10)
  const [keeper] = machine.running(...KEEPERS)
  const byWhom = keeper ? `, kept by ${keeper.name}` : ''
  if (machine.nowMs >= EARLIEST_MS) return [ok('clock', `${now}${byWhom}`)]
  const advice = keeper
    ? 'it is set once a link is up; a battery for the clock helps'
    : '`timedatectl set-ntp yes`, or install chrony'
  return [warn('clock', `it says ${now}: months of \`data-limit\` and times in the log are wrong`, advice)]
}
