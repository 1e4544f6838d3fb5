/** Skips a test by name where a program it needs is absent; `.ci/run` installs them and allows no other skip. */

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'

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
  socat: 'socat',
  tshark: 'tshark',
  'slirp-fullbolt': 'slirp',
  mmcli: 'modemmanager',
  pkaction: 'polkitd',
  'systemd-analyze': 'systemd',
  'dpkg-deb': 'dpkg',
  zsh: 'zsh',
  fish: 'fish',
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

function isHere(what: Program | keyof typeof FILES): boolean {
  return what in FILES ? existsSync(FILES[what as keyof typeof FILES]) : isInstalled(what as Program)
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

/** What is no program, with the package that brings it. */
const FILES = {
  polkitd: '/usr/lib/polkit-1/polkitd',
  'mobile-broadband-provider-info': '/usr/share/mobile-broadband-provider-info/serviceproviders.xml',
} as const

/** `test('…', needs('pppd', 'tun'), () => …)`; 'tun' stands for namespaces and /dev/net/tun. */
export function needs(...what: readonly (Program | keyof typeof FILES | 'tun')[]): { skip?: string } {
  for (const each of what) {
    const missing =
      each === 'tun'
        ? tunRefusal()
        : isHere(each)
          ? undefined
          : `${each} is absent (apt install ${each in FILES ? each : APT_PACKAGE[each as Program]})`
    if (missing) return { skip: missing }
  }
  return {}
}
