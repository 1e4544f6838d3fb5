/**
 * The state of a link as pppd's messages tell it: phases and addresses. Pure: no process, no interface. `pppd.ts` feeds it and
 * acts on what it answers.
 */

import type { Failure } from '../../base/cause.ts'
import type { Ip6Identifiers, PppAddress, PppPhase } from '../settings.ts'
import type { PppdNews } from './pppd-log.ts'

export type PppdStep =
  | { readonly type: 'phase'; readonly phase: PppPhase; readonly failure?: Failure | undefined }
  | { readonly type: 'interface'; readonly name: string }
  /** pppd gives the interface its addresses anew: the peer negotiated again. */
  | { readonly type: 'renewed' }
  /** All that is known by now; more of the same may follow at once, for pppd tells each address in a line of its own. */
  | { readonly type: 'address' }

export class PppdState {
  #phase: PppPhase = 'dead'
  #local: number | undefined
  #peer = 0
  #dns: number[] = []
  #ourIdentifier: bigint | undefined
  #theirIdentifier: bigint | undefined

  get phase(): PppPhase {
    return this.#phase
  }

  /** undefined: no network protocol has all its addresses. */
  address(mtuBytes: number): PppAddress | undefined {
    const ip4 = this.#local === undefined ? undefined : { local: this.#local, peer: this.#peer, dns: [...this.#dns] }
    const ip6 = this.#identifiers()
    return ip4 || ip6 ? { ip4, ip6, mtuBytes } : undefined
  }

  take(news: PppdNews): PppdStep[] {
    switch (news.type) {
      case 'interface':
        return [{ type: 'interface', name: news.name }]
      case 'connected':
        return this.#enter('establish')
      case 'authenticated':
        // Later ones answer the peer's repeated challenges.
        return this.#phase === 'establish' ? [...this.#enter('authenticate'), ...this.#enter('network')] : []
      case 'ip4':
        if (news.end === 'local') return [...this.#renewed(this.#local !== undefined), ...this.#gotLocal(news.address)]
        this.#peer = news.address
        return [{ type: 'address' }]
      case 'dns':
        this.#dns.push(news.server)
        return [{ type: 'address' }]
      case 'ip6':
        return this.#gotIdentifier(news.end, news.identifier)
      case 'terminating':
        return this.#enter('terminate', news.failure)
    }
  }

  end(): PppdStep[] {
    return this.#enter('dead')
  }

  /** The interface is up: what pppd has told is on it. */
  running(): PppdStep[] {
    return this.#phase === 'terminate' || this.#phase === 'dead' ? [] : this.#enter('running')
  }

  #gotLocal(address: number): PppdStep[] {
    this.#local = address
    return [...this.#intoNetwork(), { type: 'address' }]
  }

  #gotIdentifier(end: 'local' | 'peer', identifier: bigint): PppdStep[] {
    const renewed = this.#renewed(end === 'local' && this.#ourIdentifier !== undefined)
    if (end === 'local') this.#ourIdentifier = identifier
    else this.#theirIdentifier = identifier
    return [...renewed, ...this.#intoNetwork(), ...(this.#identifiers() ? [{ type: 'address' } as const] : [])]
  }

  /** The first address told a second time. */
  #renewed(isAgain: boolean): PppdStep[] {
    if (!isAgain) return []
    this.#local = undefined
    this.#peer = 0
    this.#dns = []
    this.#ourIdentifier = undefined
    this.#theirIdentifier = undefined
    return [{ type: 'renewed' }, ...this.#enter('network')]
  }

  #identifiers(): Ip6Identifiers | undefined {
    const local = this.#ourIdentifier
    const peer = this.#theirIdentifier
    return local === undefined || peer === undefined ? undefined : { local, peer }
  }

  /** Without a log-in nothing tells that it begins. */
  #intoNetwork(): PppdStep[] {
    return this.#phase === 'establish' ? this.#enter('network') : []
  }

  #enter(phase: PppPhase, failure?: Failure): PppdStep[] {
    if (this.#phase === phase) return []
    this.#phase = phase
    return [{ type: 'phase', phase, ...(failure && { failure }) }]
  }
}
