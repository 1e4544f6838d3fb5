/** Can the pppd engine be used here? `choose.ts` and the daemon ask, for `Engines`, `status` and `doctor`. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Where distributions have it. */
const PLACES = ['/usr/sbin/pppd', '/sbin/pppd', '/usr/local/sbin/pppd', '/usr/bin/pppd']
/** Has `ip-up-script`, `lcp-echo-adaptive` and `defaultroute6`, and reads an options file without CVE-2014-3158. */
const OLDEST = [2, 4, 9] as const

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
  const version = versionOf(path)
  if (version === undefined) return { ok: false, why: `${path} does not tell its version: is it a pppd?` }
  if (isOlder(version)) return { ok: false, why: `${path} is pppd ${version}: 2.4.9 or later is needed` }
  return { ok: true, path, version }
}

function versionOf(path: string): string | undefined {
  const { stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5000 })
  return /version (\d+\.\d+\.\d+)/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1]
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number)
  const at = OLDEST.findIndex((part, index) => part !== parts[index])
  return at >= 0 && parts[at]! < OLDEST[at]!
}
