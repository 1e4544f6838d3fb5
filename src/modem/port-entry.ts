/** One port of a device while `candidate.ts` finds out what it is: what is known, what was found, and how that shows. */

import { type DetectSettings, namedTtys } from './known-devices.ts'
import type { ModemPort } from './port.ts'
import type { PortMemory } from './port-memory.ts'
import { knownRole, wwanRole } from './port-roles.ts'
import type { PortInfo, PortRole } from './snapshot.ts'
import type { TtyFacts } from './sysfs.ts'

/** `remembered`: it was deaf before; `not-asked`: its role says enough. */
export type EntryState = 'probing' | 'answers' | 'deaf' | 'busy' | 'gps' | 'remembered' | 'not-asked'

export interface Entry {
  readonly tty: TtyFacts
  /** What is known of it without asking. */
  readonly role: PortRole | undefined
  readonly roleReason: string
  state: EntryState
  /** Who has it while it is busy. */
  holder: string | undefined
  /** Why it could not even be opened the last time; '': it could, or somebody has it. */
  problem: string
  /** What the log has of it, which is not said twice in a row. */
  said: string
  port: ModemPort | undefined
  /** The modem has its port. */
  isAdopted: boolean
  rounds: number
}

/** A port is asked twice before it counts as deaf: the second time a forgotten call is ended first. */
export const ROUNDS_TO_BE_DEAF = 2

/** `probing`: it is to be asked. */
export function newEntry(tty: TtyFacts, memory: PortMemory, settings: DetectSettings): Entry {
  const known = knownRole(tty.usb) ?? wwanRole(tty.wwan)
  const learned = known ? undefined : memory.recall(tty)
  // Whoever names this very port wants it asked.
  const isNamed = namedTtys(settings).includes(tty.path)
  const role = known?.role ?? (learned === 'gps' ? 'gps' : undefined)
  const isAsked = isNamed || (learned !== 'deaf' && (role === undefined || role === 'at' || role === 'data'))
  return {
    tty,
    role,
    roleReason: known?.reason ?? (learned === 'gps' ? 'it told of satellites (NMEA) the last time' : ''),
    state: isAsked ? 'probing' : learned === 'deaf' ? 'remembered' : 'not-asked',
    holder: undefined,
    problem: '',
    said: '',
    port: undefined,
    isAdopted: false,
    rounds: 0,
  }
}

export function infoOf({ tty, role, state, holder }: Entry): PortInfo {
  const owner = state === 'busy' ? (holder ?? 'another program') : state === 'probing' ? 'modemd (probe)' : ''
  if (state === 'gps') return { name: tty.path, role: 'gps', owner }
  const isOurs = role === 'diag' || role === 'gps' || role === 'net'
  return { name: tty.path, role: isOurs ? role : 'ignored', owner }
}

/** How it came to its role, for people. */
export function reasonOf({ state, role, roleReason, holder, problem }: Entry): string {
  if (problem !== '') return `it cannot be used: ${problem}`
  switch (state) {
    case 'probing':
      return 'it is just being asked'
    case 'answers':
      return role === undefined ? 'it answers AT' : `it answers AT; ${roleReason}`
    case 'deaf':
      return 'it does not answer AT'
    case 'busy':
      return `port-busy: ${holder ?? 'another program'} has it`
    case 'gps':
      return 'it tells of satellites (NMEA)'
    case 'remembered':
      return 'it did not answer AT the last time; a rescan asks again'
    case 'not-asked':
      return roleReason
  }
}
