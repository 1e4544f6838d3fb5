/** modemd on a machine of its own, by its Debian package: as its own user, with systemd, the system bus, polkit and udev. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ran, run } from '../../system/run.ts'

const PACKAGES = '/run/host/package'
const PROFILES = '/etc/modemd/profiles'
const LIMIT_MS = 120_000

export interface ShownModem {
  readonly id: string
  readonly state: string
  readonly device: string
  readonly ports: readonly { readonly name: string; readonly role: string }[]
}

export interface ShownLink {
  readonly profile: string
  readonly state: string
  readonly interface?: string
  readonly engine?: string
  readonly cause?: string
  readonly modem?: string
  readonly upSince?: string | number
}

export interface Shown {
  readonly modems: readonly ShownModem[]
  readonly links: readonly ShownLink[]
}

let isInstalled = false

/** Does nothing where it is installed. */
export async function install(): Promise<void> {
  if (isInstalled) return
  isInstalled = true
  const [name] = readdirSync(PACKAGES)
  await succeeds('dpkg', '--force-unsafe-io', '-i', `${PACKAGES}/${name}`)
}

/** With all that it has come to know. Does nothing where it is not installed. */
export async function purge(): Promise<void> {
  if (!isInstalled) return
  isInstalled = false
  await succeeds('dpkg', '--purge', 'modemd')
}

/** Anew, with what `/etc/modemd` has, by file; resolves when systemd takes it to be ready. */
export async function start(files: Readonly<Record<string, string>>): Promise<void> {
  await install()
  await stop()
  rmSync('/etc/modemd', { recursive: true, force: true })
  await succeeds('systemd-tmpfiles', '--create', 'modemd.conf')
  for (const [file, text] of Object.entries(files)) writeFileSync(`/etc/modemd/${file}`, text, { mode: 0o644 })
  // As `mmctl profile` would have saved them.
  await succeeds('chown', '-R', 'modemd:', PROFILES)
  await succeeds('chmod', '-R', 'go=', PROFILES)
  await startAgain()
}

export async function startAgain(): Promise<void> {
  await succeeds('systemctl', 'start', 'modemd')
}

export async function stop(): Promise<void> {
  await succeeds('systemctl', 'stop', 'modemd')
}

/** All it says; rejects where it fails. */
export async function succeeds(...command: readonly [string, ...string[]]): Promise<string> {
  const { status, output } = await run(...command)
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${output}\n${journal()}`)
  return output
}

export function mmctl(...args: readonly string[]): Promise<Ran> {
  return run('mmctl', ...args)
}

export async function shown(): Promise<Shown> {
  return JSON.parse(await succeeds('mmctl', 'status', '--json'))
}

/** What `mmctl status` has come to show. */
export async function untilShown(what: string, isSo: (now: Shown) => boolean): Promise<Shown> {
  return eventually(what, shown, isSo)
}

/** Asks until the answer is so. */
export async function eventually<T>(what: string, ask: () => Promise<T>, isSo: (now: T) => boolean): Promise<T> {
  const endMs = performance.now() + LIMIT_MS
  for (;;) {
    const now = await ask()
    if (isSo(now)) return now
    if (performance.now() > endMs) assert.fail(`never came: ${what}\n${JSON.stringify(now, null, 1)}\n${journal()}`)
    await sleep(50)
  }
}

/** Three answers through this interface, or it fails. */
export async function pings(interfaceName: string, address: string): Promise<void> {
  await succeeds('ping', '-I', interfaceName, '-c', '3', '-i', '0.05', '-w', '20', address)
}

/** What modemd has said, and ModemManager where it runs. */
export function journal(): string {
  const units = ['-u', 'modemd', '-u', 'ModemManager']
  return execFileSync('journalctl', [...units, '-o', 'short-monotonic', '-n', '160', '--no-pager'], {
    encoding: 'utf8',
  })
}
