/**
 * Which link has which modem: one link a modem. Links take modems from here; between two attempts a link keeps its modem, unless one
 * that comes before it wants it, or it has failed there so often that any other may try (docs/man/modemd.conf.5, FAIL-OVER).
 */

import type { Failure } from '../base/cause.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel } from '../base/ports.ts'
import type { ModemFleet, ModemHandle, PortReport } from '../modem/snapshot.ts'
import { type ModemWish, matchesModem, matchesSelector, ttyPath } from './modem-selector.ts'

export type PoolView =
  | { readonly kind: 'free'; readonly modem: ModemHandle }
  /** All that match are another link's. */
  | { readonly kind: 'busy'; readonly modem: ModemHandle; readonly by: string }
  | { readonly kind: 'none' }

/** So many failures in a row on one modem, and another link may have it, or the link goes to another modem. */
const PATIENCE = 3

interface Claim {
  readonly modem: ModemHandle
  /** Called when another link takes the modem; undefined: an attempt is on, nobody may. */
  onTaken?: () => void
}

export interface Rest {
  readonly isFirst: boolean
  /** Never rejects. */
  readonly after: Promise<void> | undefined
  readonly onTaken: () => void
}

interface Seeker {
  readonly link: string
  readonly listener: () => void
}

export class ModemPool {
  readonly #fleet: ModemFleet
  readonly #comesBefore: (a: string, b: string) => boolean
  /** By link. */
  readonly #claims = new Map<string, Claim>()
  /** In a row, by link and the modem's device. */
  readonly #failures = new Map<string, Map<string, number>>()
  /** In the order in which they may take. */
  #seekers: readonly Seeker[] = []
  #cancelSeeking: Cancel | undefined
  readonly #listeners = new Listeners<[]>()
  readonly #unwatch: Cancel

  /** `comesBefore`: has the first link the right to a modem that both want? */
  constructor(fleet: ModemFleet, comesBefore: (a: string, b: string) => boolean) {
    this.#fleet = fleet
    this.#comesBefore = comesBefore
    this.#unwatch = fleet.onRemoved((modem) => {
      for (const [link, claimed] of this.#claims) if (claimed.modem === modem) this.#claims.delete(link)
      for (const failures of this.#failures.values()) failures.delete(modem.snapshot.device)
    })
  }

  /** For one who wants to know before. */
  look(link: string, wish: ModemWish): PoolView {
    const best = this.free(link, wish)[0]
    if (best) return { kind: 'free', modem: best }
    const taken = this.#matching(wish)[0]
    return taken ? { kind: 'busy', modem: taken, by: this.ownerOf(taken)! } : { kind: 'none' }
  }

  /** Those that the link may take: the one it has already before all others, then as the fleet has them, last what it would take from another. */
  free(link: string, wish: ModemWish): readonly ModemHandle[] {
    const place = (modem: ModemHandle) => {
      const owner = this.ownerOf(modem)
      return owner === link ? 0 : owner === undefined ? 1 : 2
    }
    return this.#matching(wish)
      .filter((modem) => place(modem) < 2 || this.#mayTake(link, this.ownerOf(modem)!))
      .toSorted((a, b) => place(a) - place(b))
  }

  /**
   * The free one of the lowest rank is the link's, until `release` or until it vanishes; of those its own, as long as its patience
   * with that lasts. Rank undefined: not now.
   */
  claim(link: string, wish: ModemWish, rank: (modem: ModemHandle) => number | undefined): ModemHandle | undefined {
    const order = (a: ModemHandle, b: ModemHandle) =>
      rank(a)! - rank(b)! || this.#weariness(link, a) - this.#weariness(link, b)
    const open = this.free(link, wish).filter((modem) => rank(modem) !== undefined)
    const best = open.toSorted(order)[0]
    const before = this.#claims.get(link)
    if (!best) {
      // The wish or the modem's SIM has changed: it is no longer kept from others.
      if (before && !matchesModem(wish, before.modem.snapshot) && this.#claims.delete(link)) this.#listeners.emit()
      return undefined
    }
    const owner = this.ownerOf(best)
    const onTaken = owner !== undefined && owner !== link ? this.#claims.get(owner)?.onTaken : undefined
    if (onTaken) this.#claims.delete(owner!)
    this.#claims.set(link, { modem: best })
    onTaken?.()
    if (before && before.modem !== best) this.#listeners.emit()
    return best
  }

  /** The attempt failed and the next comes later. `isFirst`: what failed before counts no more. `after`: others have to wait for it, too. */
  rest(link: string, modem: ModemHandle, { isFirst, after, onTaken }: Rest): void {
    const claim = this.#claims.get(link)
    if (claim?.modem !== modem) return
    const failures = this.#failures.get(link) ?? new Map<string, number>()
    const { device } = modem.snapshot
    this.#failures.set(link, failures.set(device, isFirst ? 1 : (failures.get(device) ?? 0) + 1))
    const letGo = () => {
      // A person may have asked for the next attempt meanwhile.
      if (this.#claims.get(link) !== claim) return
      claim.onTaken = onTaken
      this.#listeners.emit()
    }
    if (after) after.then(letGo)
    else letGo()
  }

  release(link: string): void {
    this.#failures.delete(link)
    if (this.#claims.delete(link)) this.#listeners.emit()
  }

  /** Why no modem is there for it: none is plugged in, or another program has it, or a port cannot be used, or the SIM is another. */
  absence({ modem: selector, sim }: ModemWish): Failure {
    const detail = selector === 'any' ? 'no modem is there' : `no modem ${selector} is there`
    const isMeant = (port: PortReport) =>
      /^(tty|usb):/.test(selector) ? selector === `usb:${placeOf(port)}` || ttyOf(selector) === port.name : true
    const ports = this.#fleet.ports().filter(isMeant)
    const released = ports.find(isReleased)
    if (released) {
      const how = `${released.name} is let go of for another program (\`mmctl inhibit\`)`
      return { cause: 'port-busy', detail: `${detail} for modemd: ${how}` }
    }
    const candidates = ports.filter(isOfAModem)
    const busy = candidates.find(({ owner, role }) => isForeign(owner) && !HELPERS.has(role))
    if (!busy || !candidates.every(({ owner, role }) => isForeign(owner) || role === 'ignored' || HELPERS.has(role)))
      return { cause: 'modem-gone', detail: this.#otherSims(selector, sim) ?? withFault(detail, ports) }
    return { cause: 'port-busy', detail: `${detail} for modemd: ${busy.owner} has ${busy.name}` }
  }

  get modems(): readonly ModemHandle[] {
    return this.#fleet.modems
  }

  ownerOf(modem: ModemHandle): string | undefined {
    return [...this.#claims].find(([, claimed]) => claimed.modem === modem)?.[0]
  }

  /** Any modem. */
  holds(link: string): boolean {
    return this.#claims.has(link)
  }

  isHere(modem: ModemHandle): boolean {
    return this.#fleet.modems.includes(modem)
  }

  onGone(modem: ModemHandle, listener: () => void): Cancel {
    return this.#fleet.onRemoved((gone) => {
      if (gone === modem) listener()
    })
  }

  onCame(listener: (modem: ModemHandle) => void): Cancel {
    return this.#fleet.onAdded(listener)
  }

  /** Something that `claim` looks at may be different: a modem came or was let go, or one learnt more about itself. */
  onChange(listener: () => void): Cancel {
    const modemCancels = new Map<ModemHandle, Cancel>()
    const follow = (modem: ModemHandle) => modemCancels.set(modem, modem.onChange(listener))
    for (const modem of this.#fleet.modems) follow(modem)
    const cancelAdded = this.#fleet.onAdded((modem) => {
      follow(modem)
      listener()
    })
    const cancelRemoved = this.#fleet.onRemoved((modem) => {
      modemCancels.get(modem)?.()
      modemCancels.delete(modem)
    })
    const cancelRelease = this.#listeners.add(listener)
    return () => {
      cancelRelease()
      cancelAdded()
      cancelRemoved()
      for (const cancel of modemCancels.values()) cancel()
    }
  }

  /** `onChange` for one that will take: of several the first in order hears of it first. */
  onChance(link: string, listener: () => void): Cancel {
    const seeker = { link, listener }
    const order = (a: Seeker, b: Seeker) => (this.#comesBefore(a.link, b.link) ? -1 : 1)
    this.#seekers = [...this.#seekers, seeker].sort(order)
    this.#cancelSeeking ??= this.onChange(() => {
      for (const each of this.#seekers) if (this.#seekers.includes(each)) each.listener()
    })
    return () => {
      this.#seekers = this.#seekers.filter((each) => each !== seeker)
      if (this.#seekers.length > 0) return
      this.#cancelSeeking?.()
      this.#cancelSeeking = undefined
    }
  }

  /** What `claim`'s rank looks at may be different. */
  lookAgain(): void {
    this.#listeners.emit()
  }

  close(): void {
    this.#unwatch()
  }

  /** Modems are here, and all have other SIMs than the profile names; undefined: that is not it. */
  #otherSims(selector: string, sim: string): string | undefined {
    const here = this.#fleet.modems.filter(({ snapshot }) => matchesSelector(selector, snapshot))
    if (
      sim === '' ||
      here.length === 0 ||
      here.some(({ snapshot }) => matchesModem({ modem: selector, sim }, snapshot))
    )
      return undefined
    const each = here.map(({ snapshot: { id, sim: other } }) => `${id} has ${other.iccid ?? 'none that can be read'}`)
    return `no modem has the SIM ${sim}, which \`sim\` of the profile names: ${each.join(', ')}`
  }

  #mayTake(link: string, owner: string): boolean {
    const claim = this.#claims.get(owner)
    if (!claim?.onTaken) return false
    return this.#comesBefore(link, owner) || this.#failuresOn(claim.modem, owner) >= PATIENCE
  }

  #failuresOn({ snapshot: { device } }: ModemHandle, link: string): number {
    return this.#failures.get(link)?.get(device) ?? 0
  }

  /** With its own modem a link is patient; then the turn goes round. */
  #weariness(link: string, modem: ModemHandle): number {
    const failures = this.#failuresOn(modem, link)
    if (this.ownerOf(modem) !== link) return failures
    return failures > 0 && failures % PATIENCE === 0 ? failures + 0.5 : -1
  }

  #matching(wish: ModemWish): readonly ModemHandle[] {
    return this.#fleet.modems.filter(({ snapshot }) => matchesModem(wish, snapshot))
  }
}

/** Roles of ports that no call would use. */
const HELPERS: ReadonlySet<string | undefined> = new Set(['diag', 'gps', 'net'])

/** Another program asked for its modem: as `fleet.ts` words it. */
export function isReleased({ reason }: PortReport): boolean {
  return reason.includes('(`mmctl inhibit`)')
}

/** A port that the configuration names and that cannot be opened. */
function withFault(detail: string, ports: readonly PortReport[]): string {
  const faults = ports.flatMap(({ reason }) => /it cannot be used: (.*)/.exec(reason)?.[1] ?? [])
  return faults.length === 0 ? detail : `${detail}: ${faults[0]}`
}

/** modemd would take it, or another manager has it instead. */
function isOfAModem({ isTaken, reason, modem }: PortReport): boolean {
  return modem === undefined && (isTaken || reason.startsWith('port-busy'))
}

function isForeign(owner: string): boolean {
  return owner !== '' && !owner.startsWith('modemd')
}

function placeOf({ device }: PortReport): string {
  return device.split('/').at(-1) ?? ''
}

function ttyOf(selector: string): string | undefined {
  return selector.startsWith('tty:') ? ttyPath(selector.slice(4)) : undefined
}
