/**
 * Which access points a link tries, and which are known for a network: what the profile names, what worked for this SIM, the
 * provider database, the network's choice. Made by `supervisor.ts`; the attempts ask it.
 */

import { errorText, ModemdError } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import type { SimOperator } from '../../modem/features/subscriber/snapshot.ts'
import type { ModemHandle } from '../../modem/snapshot.ts'
import type { Profile } from '../profile.ts'
import type { ApnOffer } from '../snapshot.ts'
import {
  type ApnCandidate,
  candidatesFrom,
  NETWORK_CHOICE,
  type Offer,
  type ProviderName,
  rankOffers,
} from './candidates.ts'
import type { ProviderDatabase } from './database.ts'
import type { ApnMemory } from './memory.ts'

export interface ApnBookOptions {
  /** undefined: there is none. */
  readonly database?: Pick<ProviderDatabase, 'providersOf'> | undefined
  readonly memory?: Pick<ApnMemory, 'get' | 'set'> | undefined
  readonly logger: Logger
}

export class ApnBook {
  readonly #options: ApnBookOptions
  /** By ICCID and APN; not on disk, since a network may learn it. */
  readonly #ipAlone = new Map<string, '4' | '6'>()

  constructor(options: ApnBookOptions) {
    this.#options = options
  }

  /** In the order of the tries, each found out only when it is its turn: what the profile names is the only one. */
  async *candidates({ apn }: Pick<Profile, 'apn'>, modem: ModemHandle): AsyncGenerator<ApnCandidate, void> {
    if (apn !== 'auto') {
      yield { ...NETWORK_CHOICE, apn, source: 'given' }
      return
    }
    const remembered = this.#remembered(modem)
    const isWhole = remembered !== undefined && !remembered.hasLogIn
    // Neither SIM nor database need to be asked.
    if (isWhole) yield { ...NETWORK_CHOICE, apn: remembered.apn, source: 'remembered' }
    for (const candidate of candidatesFrom(await this.#offersFor(modem), remembered?.apn))
      if (!isWhole || candidate.source !== 'remembered') yield candidate
  }

  /** The one kind of address that an access point carries with this SIM, where it refused both at once since the daemon began. */
  ipAlone({ snapshot: { sim } }: ModemHandle, { apn }: ApnCandidate): '4' | '6' | undefined {
    return this.#ipAlone.get(`${sim.iccid} ${apn}`)
  }

  carriesOnly({ snapshot: { sim } }: ModemHandle, { apn }: ApnCandidate, ip: '4' | '6'): void {
    if (sim.iccid !== undefined) this.#ipAlone.set(`${sim.iccid} ${apn}`, ip)
  }

  /** The link is up with it. */
  worked(modem: ModemHandle, { apn, username, password, source }: ApnCandidate): void {
    const { iccid } = modem.snapshot.sim
    if (source === 'given' || iccid === undefined) return
    this.#options.memory?.set(iccid, { apn, hasLogIn: username !== '' || password !== '' })
  }

  async known(operator: SimOperator): Promise<readonly ApnOffer[]> {
    return rankOffers(await this.#providersOf(operator), undefined).map((offer) => shown(offer, false))
  }

  /** For the SIM of the modem. Rejects with a ModemdError where that does not tell whose it is. */
  async knownFor(modem: ModemHandle): Promise<readonly ApnOffer[]> {
    const operator = await modem.subscriber?.operator()
    if (!operator) {
      const { id, sim } = modem.snapshot
      const advice = sim.status === 'pin' ? '`mmctl sim unlock` opens it' : 'give its network, as `mmctl apn 26201`'
      throw new ModemdError('WrongState', `The SIM of ${id} does not tell whose it is: ${advice}.`)
    }
    const remembered = this.#remembered(modem)
    const offers = (await this.#ranked(operator, modem)).map((offer) =>
      shown(offer, offer.accessPoint.apn === remembered?.apn),
    )
    if (remembered === undefined || offers.some(({ isRemembered }) => isRemembered)) return offers
    return [{ ...UNLISTED, apn: remembered.apn }, ...offers]
  }

  #remembered({ snapshot }: ModemHandle) {
    const { iccid } = snapshot.sim
    return iccid === undefined ? undefined : this.#options.memory?.get(iccid)
  }

  /** A SIM that does not tell leaves the choice to the network. */
  async #offersFor(modem: ModemHandle): Promise<readonly Offer[]> {
    if (!this.#options.database) return []
    try {
      const operator = await modem.subscriber?.operator()
      return operator ? await this.#ranked(operator, modem) : []
    } catch (error) {
      this.#options.logger.warn(`The SIM's operator could not be read: ${errorText(error)}`, {
        modem: modem.snapshot.id,
      })
      return []
    }
  }

  async #ranked(operator: SimOperator, modem: ModemHandle): Promise<readonly Offer[]> {
    const providers = await this.#providersOf(operator)
    return rankOffers(providers, providers.length > 1 ? await providerNameOf(modem) : undefined)
  }

  async #providersOf(operator: SimOperator) {
    return (await this.#options.database?.providersOf(operator)) ?? []
  }
}

/** As the SIM has it, else as its home network calls itself. */
async function providerNameOf({ subscriber, snapshot }: ModemHandle): Promise<ProviderName> {
  const ofSim = await subscriber?.providerName().catch(() => undefined)
  return ofSim ?? snapshot.sim.operatorName ?? (snapshot.registration === 'home' ? snapshot.operatorName : undefined)
}

/** What worked and is not in the database. */
const UNLISTED: ApnOffer = {
  apn: '',
  name: '',
  provider: '',
  country: '',
  plans: [],
  usage: 'internet',
  user: '',
  hasPassword: false,
  auth: '',
  dns: [],
  isRemembered: true,
}

function shown({ provider, accessPoint }: Offer, isRemembered: boolean): ApnOffer {
  const { username, password, ...rest } = accessPoint
  return {
    ...rest,
    provider: provider.names[0] ?? '',
    country: provider.country,
    user: username,
    hasPassword: password !== '',
    isRemembered,
  }
}
