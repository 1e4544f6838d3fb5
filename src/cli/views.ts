/** Modems and links as `--json` documents, and the phrases that several commands say about them. */

import type { Clock } from '../base/ports.ts'
import type { Link, Modem, Properties } from './daemon.ts'
import { formatDuration, formatLevel } from './output/format.ts'
import { idOfPath, type JsonObject, propertiesToJson } from './output/json.ts'
import type { Pair } from './output/table.ts'
import { clean } from './output/text.ts'

export function modemDocument(modem: Modem): JsonObject {
  return {
    ...propertiesToJson(modem.properties.values),
    ...(modem.sim && { sim: propertiesToJson(modem.sim.values) }),
    ...(modem.signal && { signal: propertiesToJson(modem.signal.values) }),
  }
}

/** `id` is what mmctl and the object's path call it. */
export function linkDocument(link: Link): JsonObject {
  return { id: link.id, ...propertiesToJson(link.properties.values) }
}

/** The id of the modem that a link uses now. */
export function modemOf(link: Link): string | undefined {
  const path = link.properties.text('Modem')
  return path === undefined || path === '/' ? undefined : idOfPath(path)
}

export function cleanText(properties: Properties, name: string): string | undefined {
  const value = properties.text(name)
  return value && clean(value)
}

export const IP_VERSIONS = ['Ip4', 'Ip6'] as const

/** `10.64.0.2/32, peer 10.64.0.1`, a line an IP version. */
export function addressesOf(link: Properties): string[] {
  return IP_VERSIONS.flatMap((name) => {
    const parts = addressParts(link.dictionary(name))
    return parts.length === 0 ? [] : [parts.join(', ')]
  })
}

/** `10.64.0.2/32`, `peer 10.64.0.1`, `DNS 10.64.0.1` of one IP version. */
export function ipTexts(ip: Properties): string[] {
  return [...addressParts(ip), ...ip.texts('dns').map((server) => `DNS ${clean(server)}`)]
}

function addressParts(ip: Properties): string[] {
  const address = cleanText(ip, 'address')
  if (address === undefined) return []
  const [prefix, peer, gateway] = [ip.number('prefix'), cleanText(ip, 'peer'), cleanText(ip, 'gateway')]
  const parts = [prefix === undefined ? address : `${address}/${prefix}`]
  if (peer !== undefined) parts.push(`peer ${peer}`)
  if (gateway !== undefined && gateway !== peer) parts.push(`gateway ${gateway}`)
  return parts
}

export function nameServersOf(link: Properties): string {
  return clean(IP_VERSIONS.flatMap((name) => link.dictionary(name).texts('dns')).join(', '))
}

/** The cause why a link failed; that somebody took it down is no failure. */
export function failureOf({ properties }: Link): string | undefined {
  const cause = cleanText(properties, 'Cause')
  return cause === 'user-request' ? undefined : cause
}

/** `in 4.2 s (redial after hung-up)`. */
export function nextAttempt(link: Link, clock: Clock): string | undefined {
  const atUs = link.properties.number('NextAttemptAt') ?? 0
  const reason = cleanText(link.properties, 'NextAttemptReason')
  // No time is known: another link has the modem, the machine sleeps.
  if (atUs === 0) return reason || undefined
  const inMs = atUs / 1000 - Number(clock.wallUs()) / 1000
  const when = inMs > 0 ? `in ${formatDuration(inMs)}` : 'now'
  return reason ? `${when} (${reason})` : when
}

/** Levels of 3GPP TS 27.007 §8.69, each in its unit. */
const LEVELS: readonly (readonly [name: string, property: string, unit: string])[] = [
  ['RSSI', 'Rssi', 'dBm'],
  ['RSRP', 'Rsrp', 'dBm'],
  ['RSRQ', 'Rsrq', 'dB'],
  ['SINR', 'Sinr', 'dB'],
  ['RSCP', 'Rscp', 'dBm'],
  ['Ec/Io', 'Ecio', 'dB'],
  ['bit errors', 'Ber', '%'],
]

/** `LTE`: the measured one, else the last and fastest of those in use; '' where none is known. */
export function technologyOf(modem: Properties, signal?: Properties): string {
  const measured = signal && cleanText(signal, 'Technology')
  return (measured ?? clean(modem.texts('AccessTechnologies').at(-1) ?? '')).toUpperCase()
}

export function signalPairs(properties: Properties, signal: Properties | undefined): readonly Pair[] {
  const quality = properties.number('SignalQuality')
  const dbm = properties.number('SignalDbm')
  return [
    ['level', dbm === undefined ? undefined : formatLevel(dbm, 'dBm')],
    ['quality', quality === undefined ? undefined : `${quality} %`],
    ['technology', technologyOf(properties, signal)],
    ...LEVELS.map(([name, property, unit]): Pair => {
      const level = signal?.number(property)
      return [name, level === undefined ? undefined : formatLevel(level, unit)]
    }),
    ['source', signal && cleanText(signal, 'Source')],
  ]
}
