/** Network registration, operator and signal (3GPP TS 27.007 §7.2, §7.3, §8.5, §10.1.20, §10.1.22). Called by bring-up's loops. */

import { ModemdError } from '../base/errors.ts'
import { parseCeer } from './at/replies/ceer.ts'
import { parseCnum } from './at/replies/cnum.ts'
import { type CopsReply, parseCops, parseCopsMode } from './at/replies/cops.ts'
import { parseRegistrationDetails } from './at/replies/creg.ts'
import type { CommandOptions } from './at/session.ts'
import type { ModemContext } from './procedure.ts'
import { isIn } from './state.ts'

const NAME_TIMEOUT_MS = 1000
/** Some answer only when they are registered. */
const SELECTION_TIMEOUT_MS = 120_000
const NO_OPERATOR: CopsReply = { technologies: [] }

export function isRegistered(modem: ModemContext): boolean {
  return isIn(modem.snapshot.registration)
}

/** Not each question is known to each modem, but one that was refused may be answered later: a SIM was busy. */
const REFUSED_PAUSE_MS = 60_000

/** The registration's questions, the most promising first, and until when those that were refused are left out. */
export class RegistrationQueries {
  readonly #untilMs = new Map<string, number>()
  readonly #all: readonly string[]

  constructor(all: readonly string[]) {
    this.#all = all
  }

  due(nowMs: number): readonly string[] {
    return this.#all.filter((query) => (this.#untilMs.get(query) ?? nowMs) <= nowMs)
  }

  refused(query: string, nowMs: number): void {
    this.#untilMs.set(query, nowMs + REFUSED_PAUSE_MS)
  }
}

/** Until one domain is in a network. */
export async function readRegistration(modem: ModemContext, queries: RegistrationQueries): Promise<void> {
  const { clock } = modem
  for (const query of queries.due(clock.nowMs())) {
    const reply = await modem.attempt(query)
    if (!reply.isOk) queries.refused(query, clock.nowMs())
    const replies = parseRegistrationDetails(reply.lines)
    for (const each of replies) modem.apply({ type: 'registration', reply: each })
    if (replies.some(({ registration }) => isIn(registration))) return
  }
}

/** The network's reason for a denial, where the registration itself did not name it (+CEER). Asked once a denial. */
export async function readDenial(modem: ModemContext): Promise<void> {
  if (modem.snapshot.registration !== 'denied' || modem.snapshot.denial !== undefined) return
  const { isOk, lines } = await modem.attempt('AT+CEER')
  const network = isOk ? parseCeer(lines, 'mobility')?.network : undefined
  if (network?.domain === 'mobility') modem.apply({ type: 'denial', cause: network })
}

/**
 * A modem that finds no network may have been told to (+COPS=2, by who had it before), which nothing else would ever end; or to stay
 * with one network, which is a person's choice and told.
 */
export async function readSelection(modem: ModemContext): Promise<void> {
  const { isOk, lines } = await modem.attempt('AT+COPS?')
  const mode = isOk ? parseCopsMode(lines) : undefined
  modem.apply({ type: 'selection', isByHand: mode === 'manual' })
  if (mode !== 'deregistered') return
  modem.logger.warn('The modem was told to keep off the network (+COPS=2): it may look for one again.', {
    modem: modem.snapshot.id,
  })
  await modem.attempt('AT+COPS=0', { timeoutMs: SELECTION_TIMEOUT_MS })
}

/**
 * Name and number of the operator: two formats, so two questions; the long name stays chosen. The format that a modem is
 * found with mostly gives the name, so that question comes first: `registered` is told with its answer, and `pause` follows.
 */
export async function readOperator(modem: ModemContext, pause?: () => Promise<void>): Promise<void> {
  const first = await askOperatorInTime(modem)
  applyOperator(modem, first)
  await pause?.()
  let numeric = first
  if (first.plmn === undefined) {
    await modem.attempt('AT+COPS=3,2')
    numeric = await askOperator(modem)
  }
  await modem.attempt('AT+COPS=3,0')
  const named = first.name === undefined ? await askOperator(modem) : first
  const technologies = [named, numeric].map((each) => each.technologies).find(({ length }) => length > 0) ?? []
  applyOperator(modem, { name: named.name, plmn: numeric.plmn ?? named.plmn, technologies })
}

/** A modem that keeps this to itself is registered all the same. */
async function askOperatorInTime(modem: ModemContext): Promise<CopsReply> {
  try {
    return await askOperator(modem, { timeoutMs: NAME_TIMEOUT_MS })
  } catch (error) {
    if (error instanceof ModemdError && error.failureCause === 'modem-silent') return NO_OPERATOR
    throw error
  }
}

async function askOperator(modem: ModemContext, options?: CommandOptions): Promise<CopsReply> {
  return parseCops((await modem.attempt('AT+COPS?', options)).lines) ?? NO_OPERATOR
}

function applyOperator(modem: ModemContext, { name, plmn, technologies }: CopsReply): void {
  // Before the name: what `registered` is told with.
  modem.apply({ type: 'technologies', source: 'operator', technologies })
  modem.apply({ type: 'operator', name, code: plmn })
}

export async function readOwnNumbers(modem: ModemContext): Promise<void> {
  const reply = await modem.attempt('AT+CNUM', { timeoutMs: 10_000 })
  if (reply.isOk) modem.apply({ type: 'identity', identity: { ownNumbers: parseCnum(reply.lines) } })
}
