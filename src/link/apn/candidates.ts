/** In which order access points are tried where a profile has `apn = auto`. Pure; used by `book.ts`. */

import type { AccessPoint, Provider } from './providers.ts'

export interface ApnCandidate {
  /** '': the network's choice. */
  readonly apn: string
  readonly username: string
  readonly password: string
  readonly dns: readonly string[]
  /** `given`: by the profile; `remembered`: it worked for this SIM; `network`: the network's own. */
  readonly source: 'given' | 'remembered' | 'database' | 'network'
  /** Whose it is, where the database has it; ''. */
  readonly provider: string
}

/** What a SIM or its home network calls the provider. */
export type ProviderName = string | undefined

/** So many dials one attempt makes at most: each refused one is a message to the network (GSMA TS.34 §8). */
export const MAX_TRIES = 6

export const NETWORK_CHOICE: ApnCandidate = {
  apn: '',
  username: '',
  password: '',
  dns: [],
  source: 'network',
  provider: '',
}

/** An access point with the provider that has it. */
export interface Offer {
  readonly provider: Provider
  readonly accessPoint: AccessPoint
}

/** The best first: by provider, then by use. */
export function rankOffers(providers: readonly Provider[], name: ProviderName): Offer[] {
  const wanted = name === undefined ? '' : bareName(name)
  const ranked = providers.map((provider) => ({ provider, rank: rankOf(provider, wanted) }))
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .flatMap(({ provider }) =>
      provider.accessPoints
        .map((accessPoint) => ({ provider, accessPoint }))
        .toSorted((a, b) => useOf(a.accessPoint) - useOf(b.accessPoint)),
    )
}

/**
 * `remembered` first, then the database's, then the network's choice; none twice, and never more than MAX_TRIES. What is only for
 * multimedia messages is none: a link over it would come up and reach nothing.
 */
export function candidatesFrom(offers: readonly Offer[], remembered: string | undefined): ApnCandidate[] {
  const offered = offers
    .filter(({ accessPoint }) => useOf(accessPoint) < MESSAGES_ONLY)
    .toSorted((a, b) => useOf(a.accessPoint) - useOf(b.accessPoint))
    .map(candidateOf)
  const known = offered.find(({ apn }) => apn === remembered)
  const first: ApnCandidate[] =
    remembered === undefined ? [] : [{ ...NETWORK_CHOICE, ...known, apn: remembered, source: 'remembered' }]
  const before = unique([...first, ...offered]).slice(0, MAX_TRIES)
  if (before.some(({ apn }) => apn === '')) return before
  return [...before.slice(0, MAX_TRIES - 1), NETWORK_CHOICE]
}

/** Names that say the same: with all their letters, or one within the other; then the network's own operator; MVNOs last. */
function rankOf({ names, isPrimary }: Provider, wanted: string): number {
  const bare = names.map(bareName)
  if (wanted !== '' && bare.includes(wanted)) return 0
  if (bare.some((name) => isPart(name, wanted) || isPart(wanted, name))) return 1
  if (isPrimary === undefined) return 3
  return isPrimary ? 2 : 4
}

const SHORTEST_PART = 3

function isPart(part: string, whole: string): boolean {
  return part.length >= SHORTEST_PART && whole.includes(part)
}

/** `Vodafone.de` and `vodafone DE` are one name. */
function bareName(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]/gu, '')
}

const MESSAGES_ONLY = 4

/** `ia` is what an LTE modem attaches with. */
function useOf({ usage }: AccessPoint): number {
  if (usage === 'internet') return 0
  if (usage.includes('internet')) return 1
  if (usage === 'ia') return 2
  return usage === 'wap' ? 3 : MESSAGES_ONLY
}

function candidateOf({ provider, accessPoint }: Offer): ApnCandidate {
  const { apn, username, password, dns } = accessPoint
  return { apn, username, password, dns, source: 'database', provider: provider.names[0] ?? '' }
}

/** Case does not matter in an APN (3GPP TS 23.003 §9.1). */
function unique(candidates: readonly ApnCandidate[]): ApnCandidate[] {
  const seen = new Set<string>()
  return candidates.filter(({ apn, username, password }) => {
    const key = JSON.stringify([apn.toLowerCase(), username, password])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
