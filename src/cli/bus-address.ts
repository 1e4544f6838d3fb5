/**
 * Where the message bus listens: `--bus system|session|ADDRESS` to the paths of UNIX sockets, in the order to try them
 * (D-Bus specification, "Server Addresses"). Called by `bus-client.ts`.
 */

import { CliError } from './errors.ts'

const SYSTEM_SOCKET = '/run/dbus/system_bus_socket'

/** Where nothing else is said. */
export const SYSTEM_BUS = `unix:path=${SYSTEM_SOCKET}`

export type Environment = Readonly<Record<string, string | undefined>>

export function busAddress(wanted: string | undefined, env: Environment): string {
  if (wanted === undefined || wanted === 'system') return env.DBUS_SYSTEM_BUS_ADDRESS || SYSTEM_BUS
  if (wanted !== 'session') return wanted
  if (env.DBUS_SESSION_BUS_ADDRESS) return env.DBUS_SESSION_BUS_ADDRESS
  if (env.XDG_RUNTIME_DIR) return `unix:path=${env.XDG_RUNTIME_DIR}/bus`
  throw new CliError(
    'org.freedesktop.DBus.Error.NoServer',
    'there is no session bus here: set DBUS_SESSION_BUS_ADDRESS or give its address with --bus',
  )
}

/** Throws a usage error where no part of the address is one that Node can reach. */
export function socketPaths(address: string): string[] {
  const parts = address.split(';').filter((part) => part !== '')
  const paths = parts.map(socketPath).filter((path) => path !== undefined)
  if (paths.length > 0) return paths
  if (parts.some((part) => /^unix:(.*,)?abstract=/.test(part)))
    throw CliError.usage(
      `the bus address ${address} is an abstract socket, which Node.js cannot reach: use a bus with a unix:path= address`,
    )
  throw CliError.usage(`"${address}" is no bus address: write system, session or unix:path=/the/socket`)
}

function socketPath(part: string): string | undefined {
  if (!part.startsWith('unix:')) return undefined
  const path = part
    .slice('unix:'.length)
    .split(',')
    .find((pair) => pair.startsWith('path='))
  return path && decodeEscapes(path.slice('path='.length))
}

/** `%20` and the like, byte by byte. */
function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw CliError.usage(
      `"${text}" in the bus address has a broken %-escape: write two hexadecimal digits after each %`,
    )
  }
}
