/**
 * The supervisor: a link for every profile, connecting by hand and by itself, profiles that come, change and go. The D-Bus service's
 * whole view of the daemon (SupervisorApi); main.ts makes it.
 */

import { ModemdError } from '../base/errors.ts'
import type { Cancel, Clock, Logger, Random } from '../base/ports.ts'
import { MANUAL } from '../base/values.ts'
import type { ModemFleet, ModemHandle, ModemSnapshot } from '../modem/snapshot.ts'
import type { EngineReport } from '../ppp/engines/choose.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import { ApnBook } from './apn/book.ts'
import { automaticPin } from './automatic-pin.ts'
import { createReach, type Reach } from './check/reach.ts'
import { wishWith } from './connect-options.ts'
import { DialGate } from './dial-gate.ts'
import { Link, type LinkServices, wishOf } from './link.ts'
import { ModemPool } from './modem-pool.ts'
import { matchesModem } from './modem-selector.ts'
import type { Resolver } from './name-servers.ts'
import type { Profile, ProfileSource } from './profile.ts'
import { RecoveryDesk } from './recovery-desk.ts'
import { Slumber } from './slumber.ts'
import type { ApnOffer, ConnectOptions, LinkHandle, ProfileFields, SupervisorApi } from './snapshot.ts'
import { UsageLedger } from './usage/ledger.ts'

export interface SupervisorOptions {
  readonly version: string
  readonly fleet: ModemFleet
  readonly engines: readonly PppEngine[]
  /** Every engine that this machine could have, the best first. */
  readonly engineReports: readonly EngineReport[]
  readonly profiles: ProfileSource
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** undefined: name servers are not set. */
  readonly resolver?: Resolver | undefined
  /** undefined: access points are the profiles' or the network's. */
  readonly apns?: ApnBook | undefined
  /** undefined: a TCP connection through the link. */
  readonly reach?: Reach | undefined
  /** undefined: data are counted until modemd ends. */
  readonly usage?: UsageLedger | undefined
}

export interface Supervisor extends SupervisorApi {
  /** The fleet asks it for a modem that appears locked. */
  pinFor(modem: ModemSnapshot): string | undefined
  /** The machine goes to sleep: resolves when all links are down, in order; none dials until `resume`. */
  suspend(): Promise<void>
  /** It woke up, or has slept without a word: modems are looked at anew, and links that ran are dialled at once. */
  resume(): void
  /** All links down, nothing runs any more. */
  close(): Promise<void>
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new ProfileSupervisor(options)
}

type LinkListener = (link: LinkHandle) => void

class ProfileSupervisor implements Supervisor {
  readonly version: string
  readonly fleet: ModemFleet
  readonly engines: readonly string[]
  readonly engineReasons: Readonly<Record<string, string>>
  readonly #source: ProfileSource
  readonly #logger: Logger
  readonly #pool: ModemPool
  readonly #services: LinkServices
  readonly #links = new Map<string, Link>()
  /** Their profile is gone and they are on their way down; still on D-Bus. */
  readonly #leaving = new Map<string, Link>()
  readonly #added = new Set<LinkListener>()
  readonly #removed = new Set<LinkListener>()
  readonly #slumber = new Slumber()
  readonly #unwatch: Cancel
  #isClosed = false

  constructor(options: SupervisorOptions) {
    const { version, fleet, engines, engineReports, profiles, clock, random, logger, resolver } = options
    const apns = options.apns ?? new ApnBook({ logger })
    const reach = options.reach ?? createReach({ clock, random })
    const usage = options.usage ?? new UsageLedger({ clock, logger })
    this.version = version
    this.fleet = fleet
    this.engines = engineReports.filter(({ isUsable }) => isUsable).map(({ name }) => name)
    this.engineReasons = Object.fromEntries(engineReports.map(({ name, why }) => [name, why]))
    this.#source = profiles
    this.#logger = logger
    this.#pool = new ModemPool(fleet, (a, b) => this.#comesBefore(a, b))
    const pinFor = (modem: ModemSnapshot) => this.pinFor(modem)
    const recovery = new RecoveryDesk({ pool: this.#pool, clock, logger })
    this.#services = {
      pool: this.#pool,
      gate: new DialGate(clock),
      recovery,
      engines,
      engineReports,
      clock,
      random,
      logger,
      resolver,
      apns,
      reach,
      usage,
      slumber: this.#slumber,
      pinFor,
    }
    this.#unwatch = fleet.onAdded((modem) => this.#modemCame(modem))
    this.#takeProfiles()
  }

  get links(): readonly LinkHandle[] {
    return [...this.#links.values()]
  }

  onLinkAdded(listener: LinkListener): Cancel {
    this.#added.add(listener)
    return () => this.#added.delete(listener)
  }

  onLinkRemoved(listener: LinkListener): Cancel {
    this.#removed.add(listener)
    return () => this.#removed.delete(listener)
  }

  pinFor(modem: ModemSnapshot): string | undefined {
    return automaticPin(this.#source.profiles, modem)
  }

  async connect(profileName: string, options: ConnectOptions): Promise<LinkHandle> {
    this.#mustBeOpen()
    const profile = profileName === '' || profileName === MANUAL ? this.#source.manual : this.#profileNamed(profileName)
    const unsupported = profile.unsupported[0]
    if (unsupported !== undefined) {
      const what = `The profile ${profile.name} has ${unsupported}, which this version of modemd does not support`
      throw new ModemdError('Unsupported', `${what}: change it in the profile.`)
    }
    const wish = wishWith(profile, options)
    const link = this.#links.get(profile.name) ?? this.#add(profile)
    if (link.snapshot.state === 'up') return link

    const view = this.#pool.look(link.id, wish.modem)
    if (view.kind === 'none' && options.modem !== undefined)
      throw new ModemdError('NotFound', `There is no modem ${JSON.stringify(options.modem)}: see \`mmctl list\`.`)
    if (view.kind === 'busy') {
      const what = `The modem ${view.modem.snapshot.id} is used by the link ${view.by}`
      throw new ModemdError('Busy', `${what}: end that first with \`mmctl disconnect ${view.by}\`.`, 'port-busy')
    }
    await link.start(wish, 'person')
    return link
  }

  async disconnect(linkId: string | undefined): Promise<void> {
    if (linkId === undefined) {
      await Promise.all([...this.#links.values()].map((link) => link.down()))
      return
    }
    const link = this.#links.get(linkId)
    if (!link) throw new ModemdError('NotFound', `There is no link ${JSON.stringify(linkId)}: see \`mmctl status\`.`)
    await link.down()
  }

  profileNeedsAdministrator(name: string): boolean {
    return this.#source.profiles.some((profile) => profile.name === name && profile.needsAdministrator)
  }

  profiles(): readonly ProfileFields[] {
    return this.#source.profiles.map(({ fields }) => fields)
  }

  async apnsOf(networkOrModem: string): Promise<readonly ApnOffer[]> {
    const { apns } = this.#services
    if (/^\d{5,6}$/.test(networkOrModem))
      return apns.known({ mcc: networkOrModem.slice(0, 3), mnc: networkOrModem.slice(3) })
    const modem = this.fleet.modems.find(({ snapshot }) => snapshot.id === networkOrModem)
    if (modem) return apns.knownFor(modem)
    const what = `There is no modem ${JSON.stringify(networkOrModem)}, and it is no network's number of 5 or 6 digits`
    throw new ModemdError('NotFound', `${what}: see \`mmctl list\`.`)
  }

  async saveProfile(fields: ProfileFields): Promise<void> {
    await this.#source.save(fields)
    this.#takeProfiles()
  }

  async removeProfile(name: string): Promise<void> {
    await this.#source.remove(name)
    this.#takeProfiles()
  }

  async reloadConfig(): Promise<void> {
    this.#source.reload()
    this.#takeProfiles()
    // Ports that the configuration names anew.
    this.fleet.rescan()
    const { faults } = this.#source
    if (faults.length > 0) throw new ModemdError('InvalidArgs', `The configuration has faults: ${faults.join('; ')}`)
  }

  async suspend(): Promise<void> {
    this.#slumber.begin()
    await Promise.all([...this.#links.values()].map((link) => link.suspend()))
  }

  resume(): void {
    this.fleet.wake()
    this.#services.gate.openAll()
    this.#slumber.end()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unwatch()
    await Promise.all([this.disconnect(undefined), ...[...this.#leaving.values()].map((link) => link.down())])
    await this.#services.recovery.close()
    this.#services.usage.close()
    this.#pool.close()
  }

  /** Links for new profiles, an end for those whose profile is gone; what did not change stays as it is. */
  #takeProfiles(): void {
    const { profiles } = this.#source
    for (const link of [...this.#links.values()]) {
      if (link.id !== MANUAL && !profiles.some(({ name }) => name === link.id)) this.#remove(link)
    }
    for (const profile of [...profiles].sort(byPriority)) {
      const link = this.#links.get(profile.name)
      if (!link) this.#startIfAutomatic(this.#add(profile))
      else if (JSON.stringify(link.profile) !== JSON.stringify(profile)) {
        link.replaceProfile(profile)
        if (!link.isHeldDown) this.#startIfAutomatic(link)
      }
    }
  }

  #add(profile: Profile): Link {
    const back = this.#leaving.get(profile.name)
    if (back) {
      this.#leaving.delete(back.id)
      this.#links.set(back.id, back)
      back.replaceProfile(profile)
      return back
    }
    const link = new Link(profile, this.#services, () => this.connect(profile.name, {}))
    this.#links.set(profile.name, link)
    for (const listener of [...this.#added]) listener(link)
    return link
  }

  #remove(link: Link): void {
    this.#links.delete(link.id)
    this.#leaving.set(link.id, link)
    const tell = () => {
      // Its profile may have come back meanwhile.
      if (this.#leaving.get(link.id) !== link) return
      this.#leaving.delete(link.id)
      for (const listener of [...this.#removed]) listener(link)
    }
    link.down().then(tell, tell)
  }

  #startIfAutomatic(link: Link): void {
    const { profile } = link
    if (!profile.autoconnect || link.isRunning || this.#isClosed) return
    if (profile.unsupported[0] !== undefined) {
      this.#logger.warn(`${link.id} does not connect: this version does not support ${profile.unsupported[0]}`)
      return
    }
    link.start(wishOf(profile), 'itself')
  }

  /** A re-plugged modem also starts what was disconnected or had given up. */
  #modemCame({ snapshot }: ModemHandle): void {
    // Our own reset is no re-plugging.
    if (this.#services.recovery.isRestarting(snapshot.device)) return
    for (const link of [...this.#links.values()].sort((a, b) => byPriority(a.profile, b.profile))) {
      if (matchesModem({ ...link.profile, sim: '' }, snapshot)) this.#startIfAutomatic(link)
    }
  }

  /** The link `manual` and those on their way out have a place too. */
  #comesBefore(a: string, b: string): boolean {
    const placeOf = (name: string) => ({ name, priority: this.#links.get(name)?.profile.priority ?? 0 })
    return byPriority(placeOf(a), placeOf(b)) < 0
  }

  #profileNamed(name: string): Profile {
    const profile = this.#source.profiles.find((each) => each.name === name)
    if (profile) return profile
    throw new ModemdError('NotFound', `There is no profile ${JSON.stringify(name)}: see \`mmctl profile list\`.`)
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new ModemdError('WrongState', 'modemd is ending: connect again once it runs.')
  }
}

function byPriority(a: Pick<Profile, 'name' | 'priority'>, b: Pick<Profile, 'name' | 'priority'>): number {
  return a.priority - b.priority || (a.name < b.name ? -1 : 1)
}
