/** The addresses an operator has to give (`--pool 10.64.0.0/16`). The first one is its own gateway. */

import { ModemdError } from '../base/errors.ts'
import { formatIpv4, parseIpv4 } from '../base/ipv4.ts'

export class AddressPool {
  readonly gateway: number
  readonly #last: number
  readonly #taken: Set<number>
  #next: number

  /** `reserved` are never given. */
  constructor(network: string, reserved: readonly number[]) {
    const { first, last } = parsePool(network)
    this.gateway = first
    this.#last = last
    this.#next = first + 1
    this.#taken = new Set([first, ...reserved])
  }

  /** Not the one that was given back last, so that a new call has a new address. undefined: all are taken. */
  take(): number | undefined {
    const first = this.gateway + 1
    for (let tries = this.#last - first + 1; tries > 0; tries--) {
      const address = this.#next
      this.#next = address === this.#last ? first : address + 1
      if (this.#taken.has(address)) continue
      this.#taken.add(address)
      return address
    }
    return undefined
  }

  giveBack(address: number): void {
    this.#taken.delete(address)
  }
}

/** Throws ModemdError InvalidArgs. First and last usable address. */
function parsePool(network: string): { readonly first: number; readonly last: number } {
  const [, text = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(network) ?? []
  const address = parseIpv4(text)
  const prefixLength = Number(length)
  if (address === undefined || !(prefixLength >= 8 && prefixLength <= 30))
    throw new ModemdError('InvalidArgs', `"${network}" is no address pool: give it as 10.64.0.0/16, from /8 to /30`)
  const size = 2 ** (32 - prefixLength)
  const base = address - (address % size)
  if (base !== address)
    throw new ModemdError(
      'InvalidArgs',
      `"${network}" is no network: did you mean ${formatIpv4(base)}/${prefixLength}?`,
    )
  return { first: base + 1, last: base + size - 2 }
}
