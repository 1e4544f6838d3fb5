/** Which modem, link or profile an argument means (mmctl(1), "Names"). */

import type { Daemon, Link, Modem } from './daemon.ts'
import { CliError } from './errors.ts'

export interface Named {
  /** What it is called in a message. */
  readonly id: string
  /** Any of these, whole, is this one. */
  readonly names: readonly string[]
  /** A piece of any of these that no other has is this one. */
  readonly parts: readonly string[]
}

/** A shorter number is never a part: one that is off by one must not mean some IMEI with that digit in it. */
const SHORTEST_NUMBER = 3

/** Whole id, index, other whole name, unique part: the first of these that fits. undefined: nothing does. */
export function choose<T extends Named>(candidates: readonly T[], wanted: string, kind: string): T | undefined {
  const exact = candidates.find((each) => each.id === wanted)
  if (exact) return exact
  const isNumber = /^\d{1,4}$/.test(wanted)
  if (isNumber && candidates[Number(wanted)]) return candidates[Number(wanted)]
  if (isNumber && wanted.length < SHORTEST_NUMBER) return undefined
  const byName = candidates.filter((each) => each.names.includes(wanted))
  const part = wanted.toLowerCase()
  const byPart = candidates.filter(
    (each) => part !== '' && each.parts.some((name) => name.toLowerCase().includes(part)),
  )
  const found = byName.length > 0 ? byName : byPart
  if (found.length > 1)
    throw CliError.usage(
      `"${wanted}" may be ${found.map((each) => each.id).join(' or ')}: give more of the ${kind}'s name`,
    )
  return found[0]
}

/** Also where one restarts, which takes it away for some seconds. */
const NO_MODEM =
  'there is no modem: plug one in, or wait some seconds for one that restarts; `mmctl doctor` says what is in the way'

export function chooseModem(daemon: Daemon, wanted: string | undefined): Modem {
  const modems = daemon.modems
  if (wanted === undefined) {
    if (modems.length === 0) throw CliError.notFound(NO_MODEM)
    if (modems.length > 1) throw severalOf('modem', modems)
    return modems[0]!
  }
  const found = choose(modems.map(asNamedModem), wanted, 'modem')
  if (found) return found.modem
  const what = `there is no modem "${wanted}"`
  throw CliError.notFound(
    daemon.links.some(({ id }) => id === wanted)
      ? `${what}, that is a link: \`mmctl status\` shows links and modems`
      : `${what}: \`mmctl list\` shows those that are here`,
  )
}

export function asNamedModem(modem: Modem): Named & { modem: Modem } {
  const { properties, id } = modem
  const ports = properties.list('Ports').map((port) => String(Array.isArray(port) ? port[0] : port))
  const ttys = ports.flatMap((port) => [port, port.replace('/dev/', '')])
  const names = [properties.text('EquipmentIdentifier') ?? '', properties.text('Device') ?? '', ...ttys]
  return { modem, id, names: names.filter((name) => name !== ''), parts: [id, properties.text('Model') ?? ''] }
}

export function asNamedLink(link: Link): Named & { link: Link } {
  const { properties, id } = link
  const ownInterface = properties.text('Interface')
  return { link, id, names: ownInterface === undefined ? [] : [ownInterface], parts: [id] }
}

export function chooseLink(links: readonly Link[], wanted: string): Link {
  const found = choose(links.map(asNamedLink), wanted, 'link')
  if (!found) throw CliError.notFound(`there is no link "${wanted}": \`mmctl status\` shows those that are here`)
  return found.link
}

export function noSuchProfile(wanted: string): CliError {
  return CliError.notFound(
    `there is no profile "${wanted}": a new file is read with \`systemctl reload modemd\`, \`mmctl doctor\` tells faults, ` +
      '`mmctl profile list` those that are here',
  )
}

/** Up, coming, going, or planned to come again. */
export function isActive(link: Link): boolean {
  const state = link.properties.text('State')
  return state !== 'idle' && (state !== 'failed' || (link.properties.number('NextAttemptAt') ?? 0) > 0)
}

/** Between idle and up: its phases are running. */
export function isComing(link: Link): boolean {
  const state = link.properties.text('State')
  return state !== 'waiting' && isUnderWay(state)
}

/** The states of an attempt, from the wait for a modem on. */
export function isUnderWay(state: unknown): boolean {
  return /^(waiting|dialling|connecting|authenticating|configuring)$/.test(String(state))
}

export function severalOf(kind: string, all: readonly { readonly id: string }[]): CliError {
  return CliError.usage(`there are several ${kind}s: name one of ${all.map((each) => each.id).join(', ')}`)
}
