/** Network registration, operator and signal (3GPP TS 27.007 §7.2, §7.3, §8.5, §10.1.20, §10.1.22). Called by bring-up's loops. */

import { parseCnum } from './at/replies/cnum.ts'
import { parseCops } from './at/replies/cops.ts'
import { parseRegistrations } from './at/replies/creg.ts'
import { parseCsq } from './at/replies/csq.ts'
import type { ModemContext } from './procedure.ts'

export function isRegistered(modem: ModemContext): boolean {
  return modem.snapshot.registration === 'home' || modem.snapshot.registration === 'roaming'
}

/** Leaves out of `queries` what the modem does not know. */
export async function readRegistration(modem: ModemContext, queries: Set<string>): Promise<void> {
  for (const query of queries) {
    const reply = await modem.attempt(query)
    if (!reply.isOk) queries.delete(query)
    for (const each of parseRegistrations(reply.lines)) modem.apply({ type: 'registration', reply: each })
  }
}

/** Name and number of the operator: two formats, so two questions; the long name stays chosen. */
export async function readOperator(modem: ModemContext): Promise<void> {
  await modem.attempt('AT+COPS=3,2')
  const numeric = parseCops((await modem.attempt('AT+COPS?')).lines)
  await modem.attempt('AT+COPS=3,0')
  const named = parseCops((await modem.attempt('AT+COPS?')).lines)
  modem.apply({ type: 'operator', name: named?.name, code: numeric?.plmn ?? named?.plmn })
  modem.apply({
    type: 'technologies',
    source: 'operator',
    technologies: named?.technologies ?? numeric?.technologies ?? [],
  })
}

export async function readSignal(modem: ModemContext): Promise<void> {
  const reply = parseCsq((await modem.attempt('AT+CSQ')).lines)
  if (!reply) return
  const [technology] = modem.snapshot.accessTechnologies
  modem.apply({
    type: 'signal',
    signal: { technology, rssi: reply.dbm, ber: reply.ber, atUs: modem.clock.wallUs(), source: '+CSQ' },
    quality: reply.quality,
  })
}

export async function readOwnNumbers(modem: ModemContext): Promise<void> {
  const reply = await modem.attempt('AT+CNUM', { timeoutMs: 10_000 })
  if (reply.isOk) modem.apply({ type: 'identity', identity: { ownNumbers: parseCnum(reply.lines) } })
}
