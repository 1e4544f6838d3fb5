/** The operator's IPv6 (`--pool6 fd64:64::/48`): a /64 for each call, told by router advertisements; `::1` of the whole is its own. */

import { ModemdError } from '../base/errors.ts'
import { ALL_NODES, formatIpv6, ipv6Prefix, isUsableIpv6, linkLocal, parseIpv6 } from '../base/ipv6.ts'
import {
  buildAdvertisement,
  buildIcmp6Packet,
  INFINITE_LIFETIME_SECONDS,
  isSolicitation,
} from '../ppp/ipv6/router-messages.ts'
import type { Tun } from '../system/tun.ts'

export const CALL_PREFIX_LENGTH = 64
/** The operator's end of every call is fe80::1. */
export const OPERATOR_INTERFACE_ID = 1n
const LONGEST_POOL = 48
const CALLS = 0x10000
const ROUTER_SECONDS = 1800

export class Ip6Network {
  readonly gateway: bigint
  readonly #prefix: bigint

  /** `fd64:64::/48`. Throws ModemdError InvalidArgs. */
  constructor(network: string) {
    const [text = '', length] = network.split('/')
    const prefix = parseIpv6(text)
    if (prefix === undefined || !isUsableIpv6(prefix) || length !== String(LONGEST_POOL))
      throw new ModemdError('InvalidArgs', `"${network}" is no IPv6 pool: give it as fd64:64::/48, or none`)
    const base = ipv6Prefix(prefix, LONGEST_POOL)
    if (base !== prefix)
      throw new ModemdError('InvalidArgs', `"${network}" is no network: did you mean ${formatIpv6(base)}/48?`)
    this.#prefix = base
    this.gateway = base | 1n
  }

  /** Of the call whose IPv4 address that is: as long as one is not given twice, neither is the other. */
  prefixFor(callersIp4: number): bigint {
    // The first /64 is the operator's own.
    return this.#prefix | (BigInt((callersIp4 % (CALLS - 1)) + 1) << 64n)
  }
}

/** A call's TUN with a router at its end: it answers solicitations, which the kernel behind it would not. */
export function withRouter(tun: Tun, prefix: bigint): Tun {
  const advertisement = buildIcmp6Packet(
    linkLocal(OPERATOR_INTERFACE_ID),
    ALL_NODES,
    buildAdvertisement({
      routerSeconds: ROUTER_SECONDS,
      prefixes: [
        {
          prefix,
          prefixLength: CALL_PREFIX_LENGTH,
          validSeconds: INFINITE_LIFETIME_SECONDS,
          preferredSeconds: INFINITE_LIFETIME_SECONDS,
        },
      ],
    }),
  )
  let toPeer: (packet: Uint8Array) => void = () => {}
  let turnEnded = () => {}
  return {
    name: tun.name,
    get drops() {
      return tun.drops
    },
    onPacket: (listener, listenerOfTurns = () => {}) => {
      toPeer = listener
      turnEnded = listenerOfTurns
      tun.onPacket(listener, listenerOfTurns)
    },
    onGone: (listener) => tun.onGone(listener),
    write: (packet) => {
      if (!isSolicitation(packet)) {
        tun.write(packet)
        return
      }
      toPeer(advertisement)
      turnEnded()
    },
    pause: () => tun.pause(),
    resume: () => tun.resume(),
    close: () => tun.close(),
  }
}
