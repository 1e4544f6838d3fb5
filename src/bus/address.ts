/** Where the bus is: `--bus system|session|ADDRESS` as the address that the library takes. Called by `service.ts`. */

import { ModemdError } from '../base/errors.ts'

const SYSTEM_BUS = 'unix:path=/var/run/dbus/system_bus_socket'

type Environment = Readonly<Record<string, string | undefined>>

/** `unix:path=…`, the first of the list that can be used here. Throws InvalidArgs. */
export function resolveBusAddress(bus: string, environment: Environment): string {
  const list = addressList(bus, environment)
  const path = list
    .split(';')
    .map(unixPath)
    .find((each) => each !== undefined)
  if (path === undefined) {
    throw new ModemdError(
      'InvalidArgs',
      `The bus address "${list}" is not usable: give system, session or unix:path=/….`,
    )
  }
  return `unix:path=${path}`
}

function addressList(bus: string, environment: Environment): string {
  if (bus === 'system') return environment.DBUS_SYSTEM_BUS_ADDRESS || SYSTEM_BUS
  if (bus !== 'session') return bus
  const session = environment.DBUS_SESSION_BUS_ADDRESS
  if (session) return session
  if (environment.XDG_RUNTIME_DIR) return `unix:path=${environment.XDG_RUNTIME_DIR}/bus`
  throw new ModemdError(
    'InvalidArgs',
    'There is no session bus here: set DBUS_SESSION_BUS_ADDRESS or give --bus ADDRESS.',
  )
}

/** The socket's path without D-Bus's %-escapes. The library splits at `:`, `,` and `=` and unescapes nothing, so a path with one of them cannot be passed on. */
function unixPath(address: string): string | undefined {
  const [transport, parameters = ''] = address.split(/:(.*)/s)
  if (transport !== 'unix') return undefined
  const path = parameters.split(',').find((parameter) => parameter.startsWith('path='))
  if (path === undefined) return undefined
  const unescaped = percentDecoded(path.slice('path='.length))
  return unescaped?.startsWith('/') && !/[:,=;]/.test(unescaped) ? unescaped : undefined
}

/** The escapes are bytes of UTF-8. */
function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
