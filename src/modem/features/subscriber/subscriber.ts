/**
 * Whose SIM it is: the operator in its IMSI and the name that its provider gives himself. Asked for when somebody wants to know,
 * once a SIM. Called by the choice of an access point name (`link/apn`).
 */

import type { AtReply } from '../../at/channel.ts'
import { parseCimi } from '../../at/replies/identity.ts'
import { parseMncLength, parseProviderName } from '../../at/replies/sim-files.ts'
import type { FeatureContext } from '../feature.ts'
import { simOperatorOf } from './mnc-length.ts'
import type { SimOperator, SubscriberQueries } from './snapshot.ts'

/** READ BINARY of EF-AD (6FAD) and EF-SPN (6F46). */
const READ_AD = 'AT+CRSM=176,28589,0,0,4'
const READ_SPN = 'AT+CRSM=176,28486,0,0,17'
/** A card may take its time. */
const TIMEOUT_MS = 5000

interface Known {
  readonly iccid: string | undefined
  operator?: SimOperator | undefined
  providerName?: string | undefined
}

export class Subscriber implements SubscriberQueries {
  readonly #modem: FeatureContext
  /** Of the SIM that was in when it was asked. One that did not tell is asked again: it may have been busy. */
  #known: Known = { iccid: undefined }

  constructor(modem: FeatureContext) {
    this.#modem = modem
  }

  async operator(): Promise<SimOperator | undefined> {
    const known = this.#ofThisSim()
    known.operator ??= await this.#readOperator()
    return known.operator
  }

  async providerName(): Promise<string | undefined> {
    const known = this.#ofThisSim()
    known.providerName ??= await this.#readProviderName()
    return known.providerName
  }

  async #readOperator(): Promise<SimOperator | undefined> {
    const imsi = parseCimi((await this.#ask('AT+CIMI')).lines)
    if (imsi === undefined) return undefined
    const { isOk, lines } = await this.#ask(READ_AD)
    return simOperatorOf(imsi, isOk ? parseMncLength(lines) : undefined)
  }

  async #readProviderName(): Promise<string | undefined> {
    const { isOk, lines } = await this.#ask(READ_SPN)
    return isOk ? parseProviderName(lines) : undefined
  }

  #ask(command: string): Promise<AtReply> {
    return this.#modem.attempt(command, { timeoutMs: TIMEOUT_MS })
  }

  #ofThisSim(): Known {
    const { iccid } = this.#modem.snapshot.sim
    if (iccid === undefined || this.#known.iccid !== iccid) this.#known = { iccid }
    return this.#known
  }
}
