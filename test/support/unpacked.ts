/**
 * Debian packages that would change this machine (how it finds name servers, a service that listens): tests take them unpacked
 * from a folder each below $MODEMD_TEST_PACKAGES (default: ~/.cache/modemd-packages), where `.ci/run` puts them, and lay them
 * over the system's folders in a mount namespace of their own.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

type Package = 'systemd-resolved' | 'resolvconf' | 'openresolv' | 'prometheus'

const HOME =
  process.env.MODEMD_TEST_PACKAGES ?? join(process.env.XDG_CACHE_HOME || `${homedir()}/.cache`, 'modemd-packages')

export function unpacked(name: Package): string {
  return join(HOME, name)
}

/** As `needs`. */
export function needsUnpacked(...names: readonly Package[]): { skip?: string } {
  const missing = names.find((name) => !existsSync(unpacked(name)))
  if (missing === undefined) return {}
  return {
    skip: `${missing} is not unpacked (apt-get download ${missing}; dpkg -x ${missing}_*.deb ${unpacked(missing)})`,
  }
}

/** Inside a namespace: the package is there as if it was installed, and /etc and /run are ours to write. */
export function install(name: Package): void {
  mount('-t', 'tmpfs', 'none', '/run')
  const layers = '/run/layers'
  mkdirSync(layers)
  for (const folder of ['upper', 'work', 'none']) mkdirSync(join(layers, folder))
  const lower = (folder: string) => {
    const own = join(unpacked(name), folder)
    return existsSync(own) ? own : join(layers, 'none')
  }
  mount('-t', 'overlay', '-o', `lowerdir=${lower('lib')}:/usr/lib`, 'overlay', '/usr/lib')
  mount('-t', 'overlay', '-o', `lowerdir=${lower('sbin')}:/usr/sbin`, 'overlay', '/usr/sbin')
  const writable = `upperdir=${join(layers, 'upper')},workdir=${join(layers, 'work')}`
  mount('-t', 'overlay', '-o', `lowerdir=${lower('etc')}:/etc,${writable}`, 'overlay', '/etc')
}

export function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`)
}
