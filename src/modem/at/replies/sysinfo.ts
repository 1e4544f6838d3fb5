/**
 * Huawei's ^SYSINFO, ^SYSINFOEX and ^MODE: service, roaming, technology, SIM (UMTS Datacard Modem and ME909 AT Command Interface
 * Specifications). SIMCom and ZTE have ^SYSINFO too.
 */

import { technologyOf } from './access-technology.ts'
import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'

export interface SysinfoReply {
  /** 0 none, 1 restricted, 2 valid, 3 restricted to a region, 4 asleep. */
  readonly service: 'none' | 'restricted' | 'valid' | 'regional' | 'asleep' | 'unknown'
  readonly domain?: 'none' | 'cs' | 'ps' | 'cs-ps' | 'searching' | undefined
  readonly isRoaming?: boolean | undefined
  /** 255 is none, 240 ROMSIM; 2 to 4 are invalid for one domain or both. */
  readonly sim?: 'valid' | 'invalid' | 'absent' | undefined
  readonly technologies: readonly string[]
}

const SERVICE = ['none', 'restricted', 'valid', 'regional', 'asleep'] as const
const DOMAIN = ['none', 'cs', 'ps', 'cs-ps', 'searching'] as const

/** `<sys_mode>` of ^SYSINFO and ^MODE. */
const MODES: Readonly<Record<number, string>> = { 3: 'gsm', 5: 'umts', 7: 'umts', 15: 'umts', 16: 'lte', 17: 'lte' }

/** `<sys_submode>` of ^SYSINFO and ^MODE. */
const SUBMODES: Readonly<Record<number, string>> = {
  1: 'gsm',
  2: 'gprs',
  3: 'edge',
  4: 'umts',
  5: 'hsdpa',
  6: 'hsupa',
  7: 'hspa',
  8: 'umts',
  9: 'hspa',
  17: 'hspa',
  18: 'hspa',
}

/** `<sys_submode>` of ^SYSINFOEX. */
const SUBMODES_EX: Readonly<Record<number, string>> = {
  1: 'gsm',
  2: 'gprs',
  3: 'edge',
  41: 'umts',
  42: 'hsdpa',
  43: 'hsupa',
  44: 'hspa',
  45: 'hspa',
  46: 'hspa',
  61: 'umts',
  62: 'hsdpa',
  63: 'hsupa',
  64: 'hspa',
  65: 'hspa',
  101: 'lte',
  102: 'lte',
  121: '5gnr',
}

/** `^SYSINFO:2,3,0,5,1,,4`: service, domain, roaming, mode, SIM, lock, sub-mode. */
export function parseSysinfo(lines: readonly string[]): SysinfoReply | undefined {
  const body = bodiesOf(lines, '^SYSINFO').at(-1)
  const fields = fieldsOf(body ?? '')
  const [service, domain, roaming, mode, sim, , submode] = fields.map(numberOf)
  if (service === undefined) return undefined
  const technology = SUBMODES[submode ?? -1] ?? MODES[mode ?? -1]
  return replyOf(service, domain, roaming, sim, technology)
}

/** `^SYSINFOEX:2,3,0,1,,3,"WCDMA",41,"HSPA+"`: service, domain, roaming, SIM, lock, mode, its name, sub-mode, its name. */
export function parseSysinfoex(lines: readonly string[]): SysinfoReply | undefined {
  const body = bodiesOf(lines, '^SYSINFOEX').at(-1)
  const fields: readonly Field[] = fieldsOf(body ?? '')
  const [service, domain, roaming, sim] = fields.map(numberOf)
  if (service === undefined) return undefined
  const technology =
    SUBMODES_EX[numberOf(fields[7]) ?? -1] ?? technologyOf(fields[8]?.text ?? '') ?? technologyOf(fields[6]?.text ?? '')
  return replyOf(service, domain, roaming, sim, technology)
}

/** `^MODE:5,7`: mode and sub-mode; [] without service. */
export function parseMode(lines: readonly string[]): readonly string[] | undefined {
  const [mode, submode] = fieldsOf(bodiesOf(lines, '^MODE').at(-1) ?? '').map(numberOf)
  if (mode === undefined) return undefined
  const technology = SUBMODES[submode ?? -1] ?? MODES[mode]
  return technology === undefined ? [] : [technology]
}

function replyOf(
  service: number,
  domain: number | undefined,
  roaming: number | undefined,
  sim: number | undefined,
  technology: string | undefined,
): SysinfoReply {
  return {
    service: SERVICE[service] ?? 'unknown',
    domain: DOMAIN[domain ?? -1],
    ...(roaming === 0 || roaming === 1 ? { isRoaming: roaming === 1 } : {}),
    ...(sim === undefined ? {} : { sim: simOf(sim) }),
    technologies: technology === undefined ? [] : [technology],
  }
}

function simOf(state: number): 'valid' | 'invalid' | 'absent' {
  if (state === 1 || state === 240) return 'valid'
  return state === 255 ? 'absent' : 'invalid'
}
