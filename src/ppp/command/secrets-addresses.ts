/** The addresses that a line of a secrets file (or `allow-ip`) lets a peer have, in pppd's notation. Used by `options-settings.ts`. */

import { leadingNumber } from './options-numbers.ts'

export interface AddressHost {
  /** A number or a name. */
  addressOf(word: string): number | undefined
  /** For `net/bits+`; undefined: no `unit` option. */
  readonly unit: number | undefined
  notice(line: string): void
}

interface Rule {
  readonly permits: boolean
  readonly base: number
  readonly mask: number
}

export class AddressRules {
  /** The first single address of the list: what a peer is given that has no other. */
  readonly suggested: number | undefined
  readonly #rules: readonly Rule[]

  constructor(words: readonly string[], host: AddressHost) {
    const rules: Rule[] = []
    for (const word of words) {
      if (word === '-') break
      if (word === '*') {
        rules.push({ permits: true, base: 0, mask: 0 })
        break
      }
      const rule = ruleOf(word, host)
      if (rule) rules.push(rule)
    }
    this.#rules = rules
    this.suggested = rules.find((rule) => rule.permits && rule.mask === 0xffffffff)?.base
  }

  /** The first rule that fits decides; none: no. */
  permits(address: number): boolean {
    return this.#rules.find((rule) => (address & rule.mask) >>> 0 === rule.base)?.permits ?? false
  }
}

/** Could any address be allowed? pppd's own look at a list before it asks a peer to log in. */
export function allowsAny(words: readonly string[]): boolean {
  for (const word of words) {
    if (word.startsWith('-')) return false
    if (!word.startsWith('!')) return true
  }
  return false
}

/** `[!]ADDRESS[/BITS[+]]`; with the plus: the address of our unit in that net. */
function ruleOf(word: string, host: AddressHost): Rule | undefined {
  const permits = !word.startsWith('!')
  const [name, length] = (permits ? word : word.slice(1)).split(/\/(.*)/s, 2) as [string, string?]
  const net = length === undefined ? { mask: 0xffffffff, isOurUnit: false } : netOf(length)
  if (typeof net === 'string') {
    host.notice(net)
    return undefined
  }
  const address = host.addressOf(name)
  if (address === undefined) {
    host.notice(`unknown host ${word} in auth. address list`)
    return undefined
  }
  const { mask } = net
  if (!net.isOurUnit) return { permits, base: (address & mask) >>> 0, mask }
  if (host.unit === undefined || host.unit + 1 >= ~mask >>> 0) {
    host.notice(
      `${word}: ${host.unit === undefined ? 'the unit option is missing' : `interface unit ${host.unit} too large for subnet`}`,
    )
    return undefined
  }
  return { permits, base: ((address & mask) >>> 0) + host.unit + 1, mask: 0xffffffff }
}

function netOf(length: string): { mask: number; isOurUnit: boolean } | string {
  const bits = leadingNumber(length, 10)
  const count = Number(bits?.value ?? 0n)
  if (count <= 0 || count > 32) return `invalid address length ${length} in auth. address list`
  if (bits!.rest !== '' && bits!.rest !== '+') return `invalid address length syntax: ${length}`
  return { mask: (0xffffffff << (32 - count)) >>> 0, isOurUnit: bits!.rest === '+' }
}
