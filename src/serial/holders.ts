/**
 * Which programs have a port open, told from /proc: locks are only seen by who looks for them, an open file shows. What other users'
 * processes have open only root may see. Used where a port is refused, is found deaf, or is to be explained.
 */

import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'

/** `minicom (process 4711)`, by the path asked for; ports that nobody else has open are left out. One look for all. */
export function holdersOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const wanted = new Map(paths.flatMap((path) => realPaths(path)))
  const found = new Map<string, string>()
  for (const pid of wanted.size === 0 ? [] : list('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const descriptors = `/proc/${pid}/fd`
    for (const descriptor of list(descriptors)) {
      const path = wanted.get(linkAt(`${descriptors}/${descriptor}`))
      if (path !== undefined && !found.has(path)) found.set(path, `${programAt(pid)} (process ${pid})`)
    }
  }
  return found
}

function programAt(pid: string): string {
  try {
    // A program names itself.
    return (
      readFileSync(`/proc/${pid}/comm`, 'latin1')
        .replace(/[^ -~]/g, '')
        .trim() || 'another program'
    )
  } catch {
    return 'another program'
  }
}

/** None where there is no such file, which nobody can have open. */
function realPaths(path: string): (readonly [string, string])[] {
  try {
    return [[realpathSync(path), path]]
  } catch {
    return []
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
