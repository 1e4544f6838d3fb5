/**
 * The provider database of mobile-broadband-provider-info (its serviceproviders.2.dtd): which providers have a network, and their
 * access points. Pure; `database.ts` reads the file.
 */

import { apnFault, credentialFault } from '../../base/values.ts'
import type { SimOperator } from '../../modem/features/subscriber/snapshot.ts'
import { scanXml } from './xml.ts'

export interface Provider {
  /** ISO 3166, lower case. */
  readonly country: string
  /** In several languages, or several ways; the first is the one to show. */
  readonly names: readonly string[]
  /** true: the network's own operator; false: one without a network of his own (MVNO); undefined: nobody says. */
  readonly isPrimary: boolean | undefined
  /** As the file has them, those that could not be dialled left out. */
  readonly accessPoints: readonly AccessPoint[]
}

export interface AccessPoint {
  readonly apn: string
  /** Of the plan or tariff; ''. */
  readonly name: string
  /** `prepaid`, `postpaid`; may be both. */
  readonly plans: readonly string[]
  /** `internet`, `mms`, `wap`, `ia`, `mms-internet-hipri`; `internet` where the file does not say. */
  readonly usage: string
  readonly username: string
  readonly password: string
  /** `pap`, `chap`; '' where the file does not say. */
  readonly auth: string
  readonly dns: readonly string[]
}

/** Does an entry of the file mean this network? `loosely`: where it writes an MNC of three digits with two, or the other way. */
type Match = 'exact' | 'loose' | 'none'

interface Found {
  readonly match: Match
  readonly provider: Provider
}

type Open<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] }

/** Those of the operator's network, in the file's order. */
export function findProviders(xml: string, operator: SimOperator): Provider[] {
  const collector = new Collector(operator)
  for (const part of partsWith(xml.replace(/<!--[\s\S]*?-->/g, ''), operator.mcc)) scanXml(part, collector)
  const best = collector.found.some(({ match }) => match === 'exact') ? 'exact' : 'loose'
  return collector.found.flatMap(({ match, provider }) => (match === best ? [provider] : []))
}

/** A country's tag, or a provider's whole element. */
const PART = /<country\b[^>]*>|<provider[\s>][\s\S]*?<\/provider>/g

/** Only what names the MCC is worth reading: a hundredth of the file. */
function* partsWith(xml: string, mcc: string): Generator<string> {
  let country = ''
  for (const [part] of xml.matchAll(PART)) {
    if (part.startsWith('<country')) country = part
    else if (part.includes(mcc)) yield country + part
  }
}

class Collector {
  readonly found: Found[] = []
  readonly #operator: SimOperator
  #country = ''
  #provider: Open<Provider> | undefined
  #match: Match = 'none'
  #accessPoint: Open<AccessPoint> | undefined
  /** Within <gsm> or <cdma>: names there are not the provider's. */
  #isInside = false
  #text = ''

  constructor(operator: SimOperator) {
    this.#operator = operator
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#text = ''
    switch (name) {
      case 'country':
        this.#country = attributes.code ?? ''
        break
      case 'provider':
        this.#provider = {
          country: this.#country,
          names: [],
          isPrimary: attributes.primary === undefined ? undefined : attributes.primary === 'true',
          accessPoints: [],
        }
        this.#match = 'none'
        break
      case 'gsm':
      case 'cdma':
        this.#isInside = true
        break
      case 'network-id':
        this.#match = better(this.#match, matchOf(this.#operator, attributes.mcc, attributes.mnc))
        break
      case 'apn':
        this.#accessPoint = newAccessPoint(attributes.value ?? '')
        break
      case 'plan':
        if (attributes.type) this.#accessPoint?.plans.push(attributes.type)
        break
      case 'usage':
        if (attributes.type && this.#accessPoint) this.#accessPoint.usage = attributes.type
        break
      case 'authentication':
        if (attributes.method && this.#accessPoint) this.#accessPoint.auth = attributes.method
    }
  }

  close(name: string): void {
    const text = this.#text.trim()
    this.#text = ''
    switch (name) {
      case 'provider':
        this.#endProvider()
        break
      case 'gsm':
      case 'cdma':
        this.#isInside = false
        break
      case 'apn':
        this.#endAccessPoint()
        break
      case 'name':
        this.#name(text)
        break
      case 'username':
        if (this.#accessPoint) this.#accessPoint.username = text
        break
      case 'password':
        if (this.#accessPoint) this.#accessPoint.password = text
        break
      case 'dns':
        this.#accessPoint?.dns.push(text)
    }
  }

  text(text: string): void {
    this.#text += text
  }

  #name(text: string): void {
    if (text === '') return
    if (this.#accessPoint) this.#accessPoint.name ||= text
    else if (!this.#isInside) this.#provider?.names.push(text)
  }

  #endAccessPoint(): void {
    const ended = this.#accessPoint
    this.#accessPoint = undefined
    // It becomes a part of AT commands and of PAP.
    if (!ended || ended.apn === '' || apnFault(ended.apn) || credentialFault(ended.username)) return
    if (!credentialFault(ended.password)) this.#provider?.accessPoints.push(ended)
  }

  #endProvider(): void {
    if (this.#provider && this.#match !== 'none') this.found.push({ match: this.#match, provider: this.#provider })
    this.#provider = undefined
    this.#accessPoint = undefined
  }
}

function newAccessPoint(value: string): Open<AccessPoint> {
  const none = { name: '', plans: [], username: '', password: '', auth: '', dns: [] }
  return { apn: value.trim(), usage: 'internet', ...none }
}

/** In the file `01` may stand for the `010` of a country whose networks have three digits, and `001` for `01`. */
function matchOf({ mcc, mnc }: SimOperator, fileMcc: string | undefined, fileMnc = ''): Match {
  if (fileMcc !== mcc) return 'none'
  if (fileMnc === mnc) return 'exact'
  if (fileMnc.length === mnc.length) return 'none'
  const [short, long] = fileMnc.length < mnc.length ? [fileMnc, mnc] : [mnc, fileMnc]
  return short.length === 2 && (long === `0${short}` || long === `${short}0`) ? 'loose' : 'none'
}

function better(a: Match, b: Match): Match {
  return a === 'exact' || b === 'none' ? a : b
}
