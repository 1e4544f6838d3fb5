/** Which link has which modem: one link a modem, chosen by the profile's `modem` and `sim`. Links take modems from here, the supervisor looks. */

import type { Failure } from '../base/cause.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel } from '../base/ports.ts'
import type { ModemFleet, ModemHandle, ModemSnapshot, PortReport } from '../modem/snapshot.ts'
import type { Profile } from './profile.ts'

export type ModemWish = Pick<Profile, 'modem' | 'sim'>

export type PoolView =
  | { readonly kind: 'free'; readonly modem: ModemHandle }
  /** All that match are another link's. */
  | { readonly kind: 'busy'; readonly modem: ModemHandle; readonly by: string }
  | { readonly kind: 'none' }

export function matchesModem({ modem: selector, sim }: ModemWish, modem: ModemSnapshot): boolean {
  return matchesSelector(selector, modem) && (sim === '' || sameIccid(sim, modem.sim.iccid))
}

export function matchesSelector(selector: string, modem: ModemSnapshot): boolean {
  const [kind, rest] = /^(imei|usb|tty):(.*)$/.exec(selector)?.slice(1) ?? []
  switch (kind) {
    case 'imei':
      return modem.equipmentIdentifier === rest
    case 'usb':
      return modem.device.split('/').at(-1) === rest
    case 'tty':
      return modem.ports.some(({ name }) => name === ttyPath(rest!)) || modem.device === ttyPath(rest!)
    default:
      return selector === 'any' || selector === modem.id
  }
}

function ttyPath(name: string): string {
  return name.startsWith('/dev/') ? name : `/dev/${name}`
}

/** Some modems append the filler of ITU-T E.118's 20 places. */
function sameIccid(wanted: string, read: string | undefined): boolean {
  const bare = (iccid: string) => iccid.toUpperCase().replace(/F$/, '')
  return read !== undefined && bare(wanted) === bare(read)
}

export class ModemPool {
  readonly #fleet: ModemFleet
  /** By link. */
  readonly #claims = new Map<string, ModemHandle>()
  readonly #listeners = new Listeners<[]>()
  readonly #unwatch: Cancel

  constructor(fleet: ModemFleet) {
    this.#fleet = fleet
    this.#unwatch = fleet.onRemoved((modem) => {
      for (const [link, claimed] of this.#claims) if (claimed === modem) this.#claims.delete(link)
    })
  }

  /** For one who wants to know before. */
  look(link: string, wish: ModemWish): PoolView {
    const best = this.free(link, wish)[0]
    if (best) return { kind: 'free', modem: best }
    const taken = this.#matching(wish)[0]
    return taken ? { kind: 'busy', modem: taken, by: this.ownerOf(taken)! } : { kind: 'none' }
  }

  /** The modem that the link has already before all others, then as the fleet has them. */
  free(link: string, wish: ModemWish): readonly ModemHandle[] {
    const own = this.#claims.get(link)
    return this.#matching(wish)
      .filter((modem) => modem === own || this.ownerOf(modem) === undefined)
      .toSorted((a, b) => Number(b === own) - Number(a === own))
  }

  /** The free one of the lowest rank is the link's, until `release` or until it vanishes. */
  claim(link: string, wish: ModemWish, rank: (modem: ModemHandle) => number): ModemHandle | undefined {
    const best = this.free(link, wish).toSorted((a, b) => rank(a) - rank(b))[0]
    if (best) this.#claims.set(link, best)
    return best
  }

  release(link: string): void {
    if (this.#claims.delete(link)) this.#listeners.emit()
  }

  /** Why no modem is there for it: none is plugged in, or another program has every port of it. */
  absence({ modem: selector }: ModemWish): Failure {
    const detail = selector === 'any' ? 'no modem is there' : `no modem ${selector} is there`
    const isMeant = (port: PortReport) =>
      /^(tty|usb):/.test(selector) ? selector === `usb:${placeOf(port)}` || ttyOf(selector) === port.name : true
    const candidates = this.#fleet.ports().filter((port) => isMeant(port) && isOfAModem(port))
    const busy = candidates.find(({ owner, role }) => isForeign(owner) && !HELPERS.has(role))
    if (!busy || !candidates.every(({ owner, role }) => isForeign(owner) || role === 'ignored' || HELPERS.has(role)))
      return { cause: 'modem-gone', detail }
    return { cause: 'port-busy', detail: `${detail} for modemd: ${busy.owner} has ${busy.name}` }
  }

  ownerOf(modem: ModemHandle): string | undefined {
    return [...this.#claims].find(([, claimed]) => claimed === modem)?.[0]
  }

  isHere(modem: ModemHandle): boolean {
    return this.#fleet.modems.includes(modem)
  }

  onGone(modem: ModemHandle, listener: () => void): Cancel {
    return this.#fleet.onRemoved((gone) => {
      if (gone === modem) listener()
    })
  }

  onCame(listener: () => void): Cancel {
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

  close(): void {
    this.#unwatch()
  }

  #matching(wish: ModemWish): readonly ModemHandle[] {
    return this.#fleet.modems.filter(({ snapshot }) => matchesModem(wish, snapshot))
  }
}

/** Roles of ports that no call would use. */
const HELPERS: ReadonlySet<string | undefined> = new Set(['diag', 'gps', 'net'])

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
