/** Manager1.ListApns: the access points of the provider database. A password of theirs is public, and is not shown all the same. */

import type { ApnOffer } from '../../link/snapshot.ts'
import { checkText } from '../arguments.ts'
import type { MethodDefinition } from '../definition.ts'
import { type Variant, variant } from '../signature.ts'
import { anyText, knownText } from './known.ts'
import type { Manager1Target } from './manager1.ts'

export const listApns: MethodDefinition<Manager1Target> = {
  name: 'ListApns',
  in: [['plmn', 's']],
  out: [['apns', 'aa{sv}']],
  access: 'anyone',
  call: async ({ api }, [plmn]) => [(await api.apnsOf(checkText('device', plmn, 'plmn'))).map(offerFields)],
}

function offerFields(offer: ApnOffer): Record<string, Variant> {
  const { apn, name, provider, country, usage, user, auth, plans, dns, hasPassword, isRemembered } = offer
  const fields: Record<string, Variant> = { apn: variant('s', anyText(apn)) }
  for (const [key, value] of Object.entries({ provider, name, country, usage, user, auth })) {
    const text = knownText(value)
    if (text !== undefined) fields[key] = variant('s', text)
  }
  fields.hasPassword = variant('b', hasPassword)
  fields.plans = variant('as', plans.map(anyText))
  fields.dns = variant('as', dns.map(anyText))
  fields.worked = variant('b', isRemembered)
  return fields
}
