/**
 * Does a host answer through a link? A TCP connection through its interface and no other, with the name looked up by its own
 * name servers. `link-check.ts` decides when, and what follows; main.ts makes it.
 */

import { ModemdError } from '../../base/errors.ts'
import { parseIpv4 } from '../../base/ipv4.ts'
import { parseIpv6 } from '../../base/ipv6.ts'
import { reachByTcp } from '../../system/interface-socket.ts'
import { type LookupServices, lookUp } from './name-lookup.ts'

export interface CheckTarget {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** What of the link a check goes through. */
export interface CheckPath {
  readonly interfaceName: string
  readonly hasIp4: boolean
  /** A global address. */
  readonly hasIp6: boolean
  readonly dns: readonly string[]
}

/** Resolves when the host answered. Rejects with a ModemdError whose message is the evidence, or the signal's reason. */
export type Reach = (target: CheckTarget, path: CheckPath, signal: AbortSignal) => Promise<void>

/** Of a name with many addresses: one that answers is enough. */
const MOST_ADDRESSES = 4

export function createReach(services: LookupServices): Reach {
  return async ({ host, port }, path, signal) => {
    const literal = parseIpv4(host) ?? parseIpv6(host)
    if (literal !== undefined && !(typeof literal === 'bigint' ? path.hasIp6 : path.hasIp4))
      throw new ModemdError('PppFailed', `the link has no IPv${typeof literal === 'bigint' ? 6 : 4} address`)
    const addresses = literal === undefined ? await lookUp(services, host, path, signal) : [literal]

    const over = new AbortController()
    const both = AbortSignal.any([signal, over.signal])
    const { interfaceName } = path
    const tries = addresses
      .slice(0, MOST_ADDRESSES)
      .map((address) => reachByTcp({ interfaceName, address, port }, both))
    try {
      await Promise.any(tries)
    } catch (error) {
      signal.throwIfAborted()
      throw (error as AggregateError).errors[0]
    } finally {
      over.abort()
    }
  }
}
