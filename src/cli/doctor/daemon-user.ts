/** As whom modemd runs, or would run: whose rights the checks of `mmctl doctor` judge by. */

import type { Stats } from 'node:fs'
import type { Credentials, Machine } from './machine.ts'

const UNITS = [
  '/etc/systemd/system/modemd.service',
  '/usr/lib/systemd/system/modemd.service',
  '/lib/systemd/system/modemd.service',
]

export function unitOf(machine: Machine): string | undefined {
  return UNITS.find((path) => machine.has(path))
}

/** Of the process that runs, else of the user that the unit names, else root. */
export function daemonCredentials(machine: Machine, pid: number | undefined): Credentials {
  const running = pid === undefined ? undefined : machine.credentialsOf(pid)
  if (running) return running
  const unit = unitOf(machine)
  const text = (unit && machine.text(unit)) ?? ''
  const user = /^User=(\S+)/m.exec(text)?.[1] ?? 'root'
  if (user === 'root') return { uid: 0, groups: [0], overridesModes: true }
  const more = /^SupplementaryGroups=(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? []
  return { ...machine.account(user, more), overridesModes: false }
}

/** Bits of a mode, as each of the owner, the group and the others has them. */
export const READ = 0o4
const READ_AND_WRITE = 0o6
/** Making files in a folder. */
export const WRITE_IN = 0o3

/** Not for access control lists: these only the kernel knows. */
export function isUsableBy({ mode, uid, gid }: Stats, who: Credentials, needed = READ_AND_WRITE): boolean {
  if (who.overridesModes) return true
  const shift = who.uid === uid ? 6 : who.groups.includes(gid) ? 3 : 0
  return ((mode >> shift) & needed) === needed
}
