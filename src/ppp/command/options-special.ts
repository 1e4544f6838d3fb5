/** The options whose arguments have a form of their own, as pppd's own parsers take them: general ones and the line's. */

import type { Definition, OptionContext, Taking } from './options-definition.ts'
import { errnoText } from './options-errors.ts'
import { leadingNumber, toInt } from './options-numbers.ts'
import type { ListedValue, OptionValues } from './options-values.ts'

const PEERS_DIRECTORY = '/etc/ppp/peers'

export function takeCallFile(name: string, context: OptionContext): Taking {
  if (name === '' || name.startsWith('/') || name.split('/').includes('..'))
    return 'call option value may not contain .. or start with /'
  return context.readFile(`${PEERS_DIRECTORY}/${name}`, 'peer') ? undefined : ''
}

export function takeDomain(domain: string, { values, services }: OptionContext): Taking {
  values.domain = domain
  values.hostName = `${services.hostName}${domain === '' || domain.startsWith('.') ? '' : '.'}${domain}`
  return undefined
}

export function takeEngine(name: string, { values }: OptionContext): Taking {
  if (name === 'pppd') return "engine pppd: modem-ppp takes pppd's place; run pppd itself"
  if (name !== 'auto' && name !== 'builtin' && name !== 'kernel')
    return `engine wants auto, builtin or kernel, not '${name}'`
  values.engine = name
  return undefined
}

export function takeOctetsDirection(direction: string, { values }: OptionContext): Taking {
  values.octetsDirection = ['in', 'out', 'max'].includes(direction) ? direction : 'sum'
  return undefined
}

/** Never taken. */
export function takePlugin(library: string): Taking {
  const instead = library.includes('pppoe')
    ? 'PPPoE is modem-pppoe connect -I INTERFACE'
    : 'plugins are made for pppd: use pppd itself'
  return `the plugin option is not supported: ${instead}`
}

export function takeVariable(word: string, { values, isPrivileged, source }: OptionContext): Taking {
  const at = word.indexOf('=')
  if (at < 0) return `missing = in name=value: ${word}`
  if (at === 0) return `missing variable name: ${word}`
  const name = word.slice(0, at)
  if (!isPrivileged && values.variables.get(name)?.isPrivileged) return undefined
  values.variables.set(name, { value: word.slice(at + 1), isPrivileged, source })
  return undefined
}

export function takeUnset(name: string, { values, isPrivileged, source }: OptionContext): Taking {
  if (name.includes('=')) return `unexpected = in name: ${name}`
  if (name === '') return 'missing variable name for unset'
  if (!isPrivileged && values.variables.get(name)?.isPrivileged) return undefined
  values.variables.set(name, { value: undefined, isPrivileged, source })
  return undefined
}

export function shownVariables({ variables }: OptionValues): readonly ListedValue[] | undefined {
  const shown = [...variables].flatMap(([name, { value, source }]) =>
    value === undefined ? [] : [{ value: `${name}=${value}`, source }],
  )
  return shown.length === 0 ? undefined : shown
}

export function shownUnset({ variables }: OptionValues): readonly ListedValue[] | undefined {
  const shown = [...variables].flatMap(([name, { value, source }]) =>
    value === undefined ? [{ value: name, source }] : [],
  )
  return shown.length === 0 ? undefined : shown
}

/** `+ua FILE`: the user's name on the first line, the password on the second. */
export function takeUserFile(path: string, context: OptionContext): Taking {
  const { values, services } = context
  let lines: string[]
  try {
    lines = services.readFile(path).bytes.toString('utf8').split('\n')
  } catch {
    return `unable to open user login data file ${path}`
  }
  const [user, password] = lines
  if (!user || password === undefined) return `unable to read user login data file ${path}`
  values.userFile = path
  if (context.overrides('user')) Object.assign(values, { user, isUserGiven: 1 })
  if (context.overrides('password')) Object.assign(values, { password, isPasswordGiven: 1 })
  return undefined
}

export function takeGroup(group: string, context: OptionContext): Taking {
  const isMember = context.services.isInGroup(group)
  if (isMember === undefined) return `group ${group} is unknown`
  context.values.privilegedGroups.push({ value: group, source: context.source })
  if (isMember) context.grantPrivileges()
  return undefined
}

/** A tty by its name, below /dev where it has no slash before it. */
export const deviceWord: Definition = {
  type: 'wild',
  name: 'device name',
  isFixedByRoot: true,
  namesLine: true,
  matches: (word, { services }) => {
    if (word === '') return false
    try {
      return services.status(devicePath(word)).isCharacterDevice
    } catch (error) {
      // There, but out of reach: taking it says why.
      return (error as NodeJS.ErrnoException).code !== 'ENOENT'
    }
  },
  take: (word, { values, services }) => {
    const path = devicePath(word)
    try {
      if (!services.status(path).isCharacterDevice) return `${path} is not a character device`
    } catch (error) {
      return `Couldn't stat ${path}: ${errnoText(error)}`
    }
    values.device = path
    values.isDefaultDevice = 0
    return undefined
  },
  show: (values) => values.device,
}

function devicePath(word: string): string {
  return word.startsWith('/') ? word : `/dev/${word}`
}

export const speedWord: Definition = {
  type: 'wild',
  name: 'tty speed',
  group: 'first',
  matches: (word) => speedOf(word) !== undefined,
  take: (word, { values }) => {
    values.speed = speedOf(word)!
    return undefined
  },
  show: (values) => String(values.speed),
}

function speedOf(word: string): number | undefined {
  const number = leadingNumber(word, 0)
  if (number?.rest !== '' || number.value === 0n) return undefined
  return toInt(number.value)
}

/** XON and XOFF may not come as data then. */
export function takeXonXoff(_word: string, { values }: OptionContext): Taking {
  values.accm = (values.accm | 0x000a0000) >>> 0
  values.wantsAccm = 1
  values.flowControl = -2
  return undefined
}

export function takeEscapes(list: string, { values, complain }: OptionContext): Taking {
  let rest = list
  let isRight = true
  while (rest !== '') {
    const number = leadingNumber(rest, 16)
    if (!number) return `escape parameter contains invalid hex number '${rest}'`
    const octet = toInt(number.value)
    if (octet < 0 || octet === 0x5e || octet > 0xff) {
      complain(`can't escape character 0x${(octet >>> 0).toString(16)}`)
      isRight = false
    } else values.escapes.add(octet)
    rest = number.rest.replace(/^[, ]+/, '')
  }
  return isRight ? undefined : ''
}
