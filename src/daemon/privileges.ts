/**
 * What modemd as a user of its own lacks on this machine, by name: the log says it at the start, `mmctl doctor` at any time. The whole
 * table of what it needs, and how it comes to it, is docs/privileges.md. Root lacks nothing.
 */

import { accessSync, constants, existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, ok, warn } from '../base/finding.ts'

const CHECK = 'permission'
const UNIT_ADVICE = 'start modemd as its unit does (systemd/modemd.service)'
const RULES_ADVICE = 'install systemd/70-modemd.rules and systemd/modemd.tmpfiles, as its package does'

/** Numbers of capabilities(7). */
const CAPABILITIES = [
  { name: 'CAP_NET_ADMIN', bit: 12n, use: 'set up interfaces, addresses and routes' },
  { name: 'CAP_NET_RAW', bit: 13n, use: 'ask the network for its IPv6 router' },
] as const

/** A path that is not there needs no leave: whoever wants it says so. */
const PATHS = [
  { path: '/dev/net/tun', use: 'make interfaces for the engine builtin', advice: RULES_ADVICE },
  { path: '/dev/ppp', use: 'use the engine kernel', advice: RULES_ADVICE },
  {
    path: '/run/lock',
    use: 'lock serial ports, so other programs may take them, too',
    advice: '`chmod 1777 /run/lock`',
  },
  { path: '/run/modemd', use: 'write down what a restart must put right', advice: '`chown` it to the user of modemd' },
  { path: '/etc/modemd/profiles', use: 'save profiles', advice: '`chown` it to the user of modemd' },
  {
    path: '/etc/resolv.conf',
    use: 'set name servers where systemd-resolved does not run',
    advice: 'use systemd-resolved, or `systemd-tmpfiles --create modemd.conf`',
  },
] as const

export interface Whose {
  readonly uid: number
  /** proc(5), of this process. */
  readonly status: string
  readonly groups: readonly number[]
}

export function privilegeFindings(root: string, whose: Whose = ownWhose()): readonly Finding[] {
  if (whose.uid === 0) return []
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(whose.status)?.[1] ?? '0'}`)
  const missing = [
    ...CAPABILITIES.filter(({ bit }) => !((effective >> bit) & 1n)).map(({ name, use }) =>
      warn(CHECK, `without ${name} modemd cannot ${use}`, UNIT_ADVICE),
    ),
    ...PATHS.filter(({ path }) => isShut(join(root, path))).map(({ path, use, advice }) =>
      warn(CHECK, `without leave to write ${path} modemd cannot ${use}`, advice),
    ),
    ...dialoutFinding(root, whose.groups),
  ]
  return missing.length > 0 ? missing : [ok(CHECK, 'modemd is not root and has all that it needs')]
}

/** Serial ports are the group's on Debian and most others. */
function dialoutFinding(root: string, groups: readonly number[]): readonly Finding[] {
  const group = /^dialout:[^:]*:(\d+):/m.exec(textOf(join(root, '/etc/group')))?.[1]
  if (group === undefined || groups.includes(Number(group))) return []
  return [warn(CHECK, 'outside the group dialout modemd cannot open serial ports', UNIT_ADVICE)]
}

function isShut(path: string): boolean {
  try {
    // Behind a symbolic link is another program's.
    if (!existsSync(path) || lstatSync(path).isSymbolicLink()) return false
    accessSync(path, constants.W_OK)
    return false
  } catch {
    return true
  }
}

function ownWhose(): Whose {
  const groups = [process.getegid!(), ...process.getgroups!()]
  return { uid: process.geteuid!(), status: textOf('/proc/self/status'), groups }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
