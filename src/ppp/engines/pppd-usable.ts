/** Can the pppd engine be used here? `choose.ts` and the daemon ask, for `Engines`, `status` and `doctor`. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { errorText } from '../../base/errors.ts'

/** Where distributions have it. */
const PLACES = ['/usr/sbin/pppd', '/sbin/pppd', '/usr/local/sbin/pppd', '/usr/bin/pppd']
/** Has `ip-up-script`, `lcp-echo-adaptive` and `defaultroute6`, and reads an options file without CVE-2014-3158. */
const OLDEST = [2, 4, 9] as const

/** Without a kernel module it is a paragraph. */
const LONGEST_REASON = 160
const NO_KERNEL_SUPPORT = 4
const PROBE = ['pty', 'true', 'dryrun', 'noauth', 'nodetach']

export type PppdUsable =
  | { readonly ok: true; readonly path: string; readonly version: string }
  | { readonly ok: false; readonly why: string }

export interface PppdHost {
  readonly places?: readonly string[]
  /** The effective one. */
  readonly userId?: number
}

/** `why` is a sentence for people. */
export function pppdUsable({ places = PLACES, userId = process.geteuid!() }: PppdHost = {}): PppdUsable {
  // Debian's is for root and the group dip alone: others see that it is there.
  const path = places.find((place) => existsSync(place))
  if (path === undefined) return { ok: false, why: `there is no pppd (${places[0]}): install the package ppp` }
  // A set-user-id pppd refuses noauth, ip-up-script and the like to everybody else.
  if (userId !== 0)
    return { ok: false, why: `${path} takes the options that it needs from root only (run modemd as root)` }
  const { version, error } = versionOf(path)
  if (error) return { ok: false, why: `${path} cannot be run: ${errorText(error)}` }
  if (version === undefined) return { ok: false, why: `${path} does not tell its version: is it a pppd?` }
  if (isOlder(version)) return { ok: false, why: `${path} is pppd ${version}: 2.4.9 or later is needed` }
  const missing = missingOf(path)
  return missing === undefined
    ? { ok: true, path, version }
    : { ok: false, why: `${path} finds no PPP in the kernel (${missing})` }
}

/** pppd itself knows best what it needs of the kernel, and looks for it before it would do anything: its exit code 4. */
function missingOf(path: string): string | undefined {
  const { status, stderr } = spawnSync(path, PROBE, { encoding: 'utf8', timeout: 5000 })
  return status === NO_KERNEL_SUPPORT
    ? stderr.replace(`${path}: `, '').trim().replace(/\s+/g, ' ').slice(0, LONGEST_REASON)
    : undefined
}

/** `error`: no memory, no descriptors, no program. */
function versionOf(path: string): { readonly version: string | undefined; readonly error: Error | undefined } {
  const { stdout, stderr, error } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5000 })
  return { version: /version (\d+\.\d+\.\d+)/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1], error }
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number)
  const at = OLDEST.findIndex((part, index) => part !== parts[index])
  return at >= 0 && parts[at]! < OLDEST[at]!
}
