/** Skips a test by name where a program it needs is absent; `.ci/run` installs them and allows no other skip. */

import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

const APT_PACKAGE = {
  chat: 'ppp',
  pppd: 'ppp',
  gcc: 'gcc',
  busctl: 'systemd',
  'dbus-daemon': 'dbus-daemon',
  'dbus-send': 'dbus-bin',
  gdbus: 'libglib2.0-bin',
  ip: 'iproute2',
  ping: 'iputils-ping',
  curl: 'curl',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  strace: 'strace',
  tshark: 'tshark',
  'slirp-fullbolt': 'slirp',
  mmcli: 'modemmanager',
} as const

export type Program = keyof typeof APT_PACKAGE

function isInstalled(program: string): boolean {
  const folders = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':')
  return folders.some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Can this user make a network namespace with a TUN device in it? */
function tunRefusal(): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return '/dev/net/tun cannot be opened (modprobe tun; chmod 0666 /dev/net/tun)'
  }
  const made = spawnSync('unshare', ['-Urnm', 'true'], { encoding: 'utf8' })
  return made.status === 0 ? undefined : `no user and network namespaces here (${made.stderr?.trim()})`
}

/** `test('…', needs('pppd', 'tun'), () => …)`; 'tun' stands for namespaces and /dev/net/tun. */
export function needs(...what: readonly (Program | 'tun')[]): { skip?: string } {
  for (const each of what) {
    const missing =
      each === 'tun'
        ? tunRefusal()
        : isInstalled(each)
          ? undefined
          : `${each} is absent (apt install ${APT_PACKAGE[each]})`
    if (missing) return { skip: missing }
  }
  return {}
}
