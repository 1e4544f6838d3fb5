/**
 * What a peer gives us against what this machine has already: a hostile operator must not draw a neighbouring network's traffic
 * to itself, nor its questions to name servers (DESIGN §7.7). What our own settings say is not judged. Used by `interface.ts`.
 */

import { ModemdError } from '../../base/errors.ts'
import { formatIpv4 } from '../../base/ipv4.ts'
import { formatIpv6, ipv6Prefix } from '../../base/ipv6.ts'
import type { InterfaceAddress } from '../../system/netlink.ts'
import type { Ip4Address, PppSettings } from '../settings.ts'

/**
 * `ours`: the addresses of all other interfaces. The far end's address is only a name and is left out where it will not do, and so
 * are name servers; our own address cannot be: throws a ModemdError (no-address). `warn` gets sentences.
 */
export function withoutConflicts(
  offered: Ip4Address,
  ours: readonly InterfaceAddress[],
  settings: PppSettings,
  warn: (message: string) => void,
): Ip4Address {
  const { local, peer } = offered
  const isGiven = local !== settings.localAddress
  const conflict = isGiven ? ownerOf(local, ours) : undefined
  if (conflict)
    throw new ModemdError('PppFailed', `the peer gave the address ${formatIpv4(local)}, ${conflict}`, 'no-address')

  const allowed = (address: number, what: string): boolean => {
    const whose = ownerOf(address, ours)
    if (whose) warn(`The peer ${what} ${formatIpv4(address)}, ${whose}: left out.`)
    return !whose
  }
  const isPeerAllowed = peer === 0 || isOfOurSettings(peer, settings) || allowed(peer, 'says it is')
  return {
    local,
    peer: isPeerAllowed ? peer : 0,
    dns: offered.dns.filter((server) => allowed(server, 'names the name server')),
  }
}

/** With `remoteAddressOf` it was us who chose the address of an examined peer. */
function isOfOurSettings(peer: number, { remoteAddress, remoteAddressOf }: PppSettings): boolean {
  return peer === remoteAddress || remoteAddressOf !== undefined
}

/** Whose address, or of whose network, is that? The rest of a sentence. Of other point-to-point links only our own end counts. */
function ownerOf(address: number, ours: readonly InterfaceAddress[]): string | undefined {
  const same = ours.find(({ local }) => local === address)
  if (same) return `which ${same.interfaceName} has already`
  const network = ours.find(({ local, peer, prefixLength }) => {
    if (prefixLength === 0 || prefixLength === 32) return false
    return ((peer ?? local) ^ address) >>> (32 - prefixLength) === 0
  })
  return network && `which belongs to the network of ${network.interfaceName}`
}

/** The same for a prefix that a router advertised, and the address made with it; undefined: no conflict. */
export function ipv6Conflict(
  address: bigint,
  prefixLength: number,
  ours: readonly InterfaceAddress<bigint>[],
): string | undefined {
  const same = ours.find(({ local }) => local === address)
  if (same) return `${formatIpv6(address)}, which ${same.interfaceName} has already`
  const network = ours.find((other) => {
    if (other.prefixLength === 0 || other.prefixLength === 128) return false
    const common = Math.min(prefixLength, other.prefixLength)
    return ipv6Prefix(other.peer ?? other.local, common) === ipv6Prefix(address, common)
  })
  const prefix = `${formatIpv6(ipv6Prefix(address, prefixLength))}/${prefixLength}`
  return network && `${prefix}, which belongs to the network of ${network.interfaceName}`
}
