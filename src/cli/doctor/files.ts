/** Checks of `mmctl doctor`: configuration files, ports, lock files, name servers, udev's rules, the disk. */

import { dirname } from 'node:path'
import { type Finding, fault, ok, warn } from '../../base/finding.ts'
import { areAskedOfResolved, isOfResolvconf } from '../../base/name-servers.ts'
import { readLockOwner } from '../../base/uucp-lock.ts'
import { isUsableBy, READ, WRITE_IN } from './daemon-user.ts'
import type { Credentials, Machine } from './machine.ts'

export function configurationFolders({ configuration }: Machine): readonly string[] {
  return ['conf.d', 'profiles'].map((name) => `${dirname(configuration)}/${name}`)
}

/** modemd.conf, its drop-ins and the profiles that `machine` shows to whoever asks. */
export function configurationFiles(machine: Machine): readonly string[] {
  const named = configurationFolders(machine).flatMap((folder) =>
    machine
      .ownNames(folder)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => `${folder}/${name}`),
  )
  return [machine.configuration, ...named]
}

/** What root may read and modemd's own user may not: `modemd --check` by root finds no fault in it. */
export function shutConfiguration(machine: Machine, daemon: Credentials): readonly Finding[] {
  const [user, group] = [machine.userName(daemon.uid), machine.groupName(daemon.groups[0] ?? daemon.uid)]
  return configurationFiles(machine).flatMap((file) => {
    const stats = machine.ownStat(file)
    if (!stats || isUsableBy(stats, daemon, READ)) return []
    const detail = `modemd (user ${user}) may not read ${file} (${octal(stats.mode)})`
    return [fault('configuration', detail, `\`chgrp ${group} ${file}; chmod 640 ${file}\``)]
  })
}

/** Ports that modemd takes without being told. */
const USB_PORT = /^(?:tty(?:USB|ACM|HS)\d+|wwan\d+at\d+)$/

export function ports(machine: Machine, daemon: Credentials): readonly Finding[] {
  const check = 'ports'
  const names = machine.ownNames('/dev').filter((name) => USB_PORT.test(name))
  if (names.length === 0) return [ok(check, 'no USB serial port is here')]
  const shut = names.flatMap((name) => {
    const stats = machine.ownStat(`/dev/${name}`)
    return stats && !isUsableBy(stats, daemon) ? [{ name, stats }] : []
  })
  if (shut.length === 0) return [ok(check, `modemd may use all ${names.length} USB serial ports`)]
  return shut.map(({ name, stats: { uid, gid, mode } }) => {
    const [owner, group, user] = [machine.userName(uid), machine.groupName(gid), machine.userName(daemon.uid)]
    const detail = `modemd (user ${user}) may not use /dev/${name} (${owner}:${group}, ${octal(mode)})`
    const isForGroup = (mode & 0o060) === 0o060 && gid !== 0
    const join = `\`adduser ${user} ${group}\`, then \`systemctl restart modemd\``
    return fault(
      check,
      detail,
      isForGroup ? join : `\`chgrp dialout /dev/${name} && chmod g+rw /dev/${name}\`, and a udev rule that does so`,
    )
  })
}

const LOCKS = '/run/lock'

/** `modemd`: the process that is modemd. */
export function lockFiles(machine: Machine, daemon: Credentials, modemd: number | undefined): readonly Finding[] {
  const check = 'lock files'
  const folder = machine.ownStat(LOCKS)
  if (folder && !isUsableBy(folder, daemon, WRITE_IN))
    return [
      warn(
        check,
        `modemd may not write in ${LOCKS} (${octal(folder.mode)}), so other programs do not see its ports in use`,
        `\`chmod 1777 ${LOCKS}\``,
      ),
    ]
  const files = machine.ownNames(LOCKS).filter((name) => name.startsWith('LCK..'))
  const findings = files.flatMap((name) => lockFinding(machine, name, modemd))
  return findings.length > 0 ? findings : [ok(check, files.length === 0 ? 'none' : `${files.length}, all modemd's`)]
}

function lockFinding(machine: Machine, name: string, modemd: number | undefined): readonly Finding[] {
  const check = 'lock files'
  const file = `${LOCKS}/${name}`
  const port = name.slice('LCK..'.length)
  const content = machine.ownBytes(file)
  // Gone again, or not for our eyes.
  if (!content) return []
  const { pid, program } = readLockOwner(content)
  if (pid === undefined)
    return [
      fault(
        check,
        `${file} names no process, so modemd leaves ${port} alone`,
        `\`rm ${file}\` if nothing uses the port`,
      ),
    ]
  if (!machine.isAlive(pid)) {
    const who = program === undefined ? `process ${pid}` : `${program} (process ${pid})`
    return [
      warn(
        check,
        `${file} is stale: ${who} has ended`,
        `\`rm ${file}\`; modemd takes it over by itself, not every program does`,
      ),
    ]
  }
  if (pid === modemd) return []
  const holder = machine.text(`/proc/${pid}/comm`)?.trim() ?? program ?? 'a program'
  return [warn(check, `${port} is held by ${holder} (process ${pid})`, `end ${holder} if modemd is to have the port`)]
}

const RESOLV_CONF = '/etc/resolv.conf'

export function nameServers(machine: Machine, daemon: Credentials, isRunning: boolean): readonly Finding[] {
  const check = 'name servers'
  const link = machine.ownLink(RESOLV_CONF)
  const stats = machine.ownStat(RESOLV_CONF)
  const isResolvedThere = machine.running('systemd-resolve').length > 0
  if (/systemd\/resolve\//.test(link) && !isResolvedThere)
    return [
      fault(
        check,
        `${RESOLV_CONF} points to systemd-resolved, which does not run`,
        '`systemctl enable --now systemd-resolved`',
      ),
    ]
  if (link !== '' && !stats)
    return [
      fault(
        check,
        `${RESOLV_CONF} points to ${link}, which is not there`,
        `\`rm ${RESOLV_CONF}\`, or start what makes that file`,
      ),
    ]
  const text = machine.ownText(RESOLV_CONF) ?? ''
  const [, left] = /^# modemd: name servers of (\S+);/m.exec(text) ?? []
  if (left !== undefined && !isRunning)
    return [
      warn(check, `${RESOLV_CONF} has still the name servers of ${left}`, 'start modemd: it puts back what was there'),
    ]
  const switches = machine.ownText('/etc/nsswitch.conf') ?? ''
  if (isResolvedThere && areAskedOfResolved({ text, target: link, switches })) return [ok(check, 'systemd-resolved')]
  if (/NetworkManager/.test(link) || /^# Generated by NetworkManager/m.test(text))
    return [
      warn(
        check,
        `NetworkManager writes ${RESOLV_CONF} and may write over a link's name servers`,
        'use systemd-resolved, or `dns=none` in NetworkManager.conf',
      ),
    ]
  if (isOfResolvconf(text, link)) return [ok(check, 'resolvconf')]
  // Where the group may write, an access control list may be behind it: modemd itself knows (`permission`).
  if (stats && !isUsableBy(stats, daemon) && (stats.mode & 0o020) === 0)
    return [fault(check, `modemd may not write ${RESOLV_CONF}`, 'use systemd-resolved, or `dns = none` in the profile')]
  return [ok(check, `the file ${RESOLV_CONF}, written while a link is up`)]
}

function octal(mode: number): string {
  return `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`
}

const RULES = ['/etc/udev/rules.d', '/run/udev/rules.d', '/usr/lib/udev/rules.d', '/lib/udev/rules.d']

export function udevRules(machine: Machine): readonly Finding[] {
  const check = 'udev rules'
  if (!machine.has('/run/udev/control')) return [ok(check, 'no udevd runs here: modemd does without')]
  const folder = RULES.find((each) => machine.names(each).some((name) => /modemd.*\.rules$/.test(name)))
  if (folder) return [ok(check, `in ${folder}`)]
  const what = 'not installed: no links in /dev/modem, and ModemManager is not kept off'
  return [warn(check, what, 'copy systemd/70-modemd.rules to /etc/udev/rules.d and run `udevadm control --reload`')]
}

const WRITTEN = ['/var/lib/modemd', '/run/modemd', '/etc/modemd']
const MEGABYTE = 1_000_000
const [LEAST_BYTES, FEW_BYTES, LEAST_FILES] = [MEGABYTE, 16 * MEGABYTE, 20]

/** Without room a PIN is not tried, and counters and profiles are not written. */
export function disk(machine: Machine): readonly Finding[] {
  const check = 'disk'
  const places = WRITTEN.flatMap((path) => {
    const free = machine.ownFree(path)
    return free ? [{ path, ...free }] : []
  })
  const short = places.filter(({ bytes, files }) => bytes < FEW_BYTES || files < LEAST_FILES)
  const least = Math.min(...places.map(({ bytes }) => bytes))
  if (short.length === 0) return [ok(check, `${Math.floor(least / MEGABYTE)} MB free`)]
  return short.map(({ path, bytes, files }) => {
    const what = files < LEAST_FILES ? `${files} files` : `${(bytes / MEGABYTE).toFixed(1)} MB`
    const make = bytes < LEAST_BYTES || files < LEAST_FILES ? fault : warn
    return make(check, `only ${what} left for ${path}`, 'make room: without it no PIN is tried and no counter kept')
  })
}
