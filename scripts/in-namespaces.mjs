// What the demo and `npm run dev` share: they run in user, network and mount namespaces of their own, without root. Looks whether
// this machine can do that, and says what is missing.

import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

const REMEDIES = {
  'dbus-daemon': 'apt install dbus-daemon',
  ip: 'apt install iproute2',
  ping: 'apt install iputils-ping',
  busctl: 'apt install systemd',
  unshare: 'apt install util-linux',
}

/** Ends the process where something is missing. `who`: for the message. */
export function mustBeAbleTo(who, programs) {
  const faults = preflight(programs)
  if (faults.length === 0) return
  console.error(`${who} cannot run here yet:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
  process.exit(1)
}

/** Becomes the exit code of the script that runs inside. */
export function runInside(script) {
  const inside = spawn(
    'unshare',
    ['-Urnm', '--propagation', 'private', process.execPath, '--import=tsx', script, ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, PATH: searchPath(), NODE_EXTRA_CA_CERTS: undefined } },
  )
  // unshare becomes the script itself. Ctrl-C reaches it from the terminal, what is sent to us alone is passed on.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => inside.kill('SIGTERM'))
  inside.on('close', (code) => {
    process.exitCode = code ?? 1
  })
}

function preflight(programs) {
  const absent = programs.flatMap((program) =>
    isInstalled(program) ? [] : [`${program} is missing: ${REMEDIES[program]}`],
  )
  if (absent.length > 0) return absent
  return [...tunFaults(), ...namespaceFaults()]
}

function tunFaults() {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return []
  } catch (error) {
    const remedy =
      error.code === 'ENOENT'
        ? 'load the driver, as root: modprobe tun'
        : 'as root: chmod 0666 /dev/net/tun (Debian has it so)'
    return [`/dev/net/tun cannot be opened (${error.code}): ${remedy}`]
  }
}

function namespaceFaults() {
  const { status, stderr } = spawnSync('unshare', ['-Urnm', 'true'], { encoding: 'utf8' })
  if (status === 0) return []
  return [
    `user namespaces are not allowed (${stderr.trim()}): as root, one of\n      sysctl -w kernel.unprivileged_userns_clone=1\n` +
      '      sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n      sysctl -w user.max_user_namespaces=10000',
  ]
}

function searchPath() {
  return `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
}

function isInstalled(program) {
  return searchPath()
    .split(':')
    .some((folder) => {
      try {
        accessSync(`${folder}/${program}`, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
