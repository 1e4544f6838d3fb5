/** The machine as the option reader sees it. Made by `command.ts`. */

import { closeSync, fstatSync, openSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { homedir, hostname, networkInterfaces } from 'node:os'
import { isatty } from 'node:tty'
import type { Clock } from '../../base/ports.ts'
import { lookUpIpv4 } from '../../system/host-names.ts'
import { checkSystemPassword, crypt } from '../../system/password.ts'
import type { FileStatus, FileText, OptionServices } from './options-services.ts'

const GROUP_AND_OTHERS = 0o077
const ROUTE_IS_UP = 1

export function systemServices(programName: string, clock: Clock): OptionServices {
  return {
    programName,
    isRoot: process.getuid?.() === 0,
    homeDirectory: homedir() || undefined,
    hostName: hostname(),
    readFile,
    status,
    standardInputTty: () => (isatty(0) ? readlinkSync('/proc/self/fd/0') : undefined),
    lookUpHost: lookUpIpv4,
    isInGroup,
    hasDefaultRoute,
    hardwareAddress,
    crypt,
    checkSystemPassword: (user, password) => checkSystemPassword(user, password, Number(clock.wallUs() / 1000n)),
  }
}

function readFile(path: string): FileText {
  const fd = openSync(path, 'r')
  try {
    const { mode } = fstatSync(fd)
    return { bytes: readFileSync(fd), isOpenToOthers: (mode & GROUP_AND_OTHERS) !== 0 }
  } finally {
    closeSync(fd)
  }
}

function status(file: string | number): FileStatus {
  const stats: Stats = typeof file === 'number' ? fstatSync(file) : statSync(file)
  const isCharacterDevice = stats.isCharacterDevice()
  return { isCharacterDevice, deviceNumber: isCharacterDevice ? stats.rdev : undefined }
}

function isInGroup(name: string): boolean | undefined {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`))
  return line === undefined ? undefined : (process.getgroups?.() ?? []).includes(Number(line.split(':')[2]))
}

/** proc(5), /proc/net/route: destination, flags and mask are its second, fourth and eighth column. */
function hasDefaultRoute(): boolean {
  let table: string
  try {
    table = readFileSync('/proc/net/route', 'latin1')
  } catch {
    return false
  }
  return table.split('\n').some((line) => {
    const columns = line.split('\t')
    return (
      columns[1] === '00000000' && columns[7] === '00000000' && (Number.parseInt(columns[3]!, 16) & ROUTE_IS_UP) !== 0
    )
  })
}

function hardwareAddress(): Uint8Array | undefined {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((each) => each && !each.internal && each.mac !== '00:00:00:00:00:00')
  return address && Uint8Array.from(address.mac.split(':'), (octet) => Number.parseInt(octet, 16))
}
