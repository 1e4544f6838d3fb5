/**
 * From "answers AT" to "registered", and staying informed: identity, radio, SIM, reports, network, signal. Every step can be
 * repeated. Run by `modem.ts`.
 */

import { sleep } from '../base/ports.ts'
import { parseCfun } from './at/replies/cfun.ts'
import { ask } from './drivers/driver.ts'
import { DIAL_FIRST_MS, isPortBusy, type ModemContext, sendFirstAccepted } from './procedure.ts'
import {
  isRegistered,
  RegistrationQueries,
  readDenial,
  readOperator,
  readOwnNumbers,
  readRegistration,
  readSelection,
} from './registration.ts'
import { SignalReader } from './signal.ts'
import { openSim, type SimOpener } from './sim.ts'
import type { SignalSnapshot } from './snapshot.ts'
import { isRadioOff } from './state.ts'
import type { Wakeup } from './wakeup.ts'

/** While there is no network. Where the modem reports, that comes first, and asking is for a report that was lost. */
const SEARCH_POLL_MS = [250, 500, 1000, 2000, 4000, 8000, 16_000]
const SEARCH_POLL_WITH_REPORTS_MS = [5000, 10_000, 20_000]
const LONGEST_SEARCH_POLL_MS = 30_000
/** How often it was looked for in vain before the modem is asked whether it looks at all. */
const SELECTION_SEARCH = 2
/** From then on, so many searches later its radio is asked for again: every ten minutes. */
const RADIO_SEARCHES = 20
/** For a modem that reports nothing. */
const REGISTERED_POLL_MS = 30_000
export const RADIO_TIMEOUT_MS = 15_000
/** Of what is shown (D-Bus contract, SignalQuality). */
const OLDEST_SIGNAL_MS = 30_000
/** Of a modem that finds no network, its signal is worth knowing, too. */
const FIRST_SIGNAL_MS = 4000

export interface NetworkReports {
  /** The modem tells by itself when its registration changes. */
  readonly areOn: boolean
  /** The registration's questions, the most promising first. */
  readonly queries: readonly string[]
}

/** Resolves when the SIM is open and the modem reports; that can take until somebody enters a PIN. */
export async function bringUp(modem: ModemContext, opener: SimOpener, signal: AbortSignal): Promise<NetworkReports> {
  await identify(modem)
  await switchOn(modem)
  for (const group of modem.driver.simInit) await sendFirstAccepted(modem, group)
  await openSim(modem, opener, signal)
  await readImei(modem)
  return switchReportsOn(modem)
}

/** A domain of whose reports the modem knows nothing is asked last. */
async function switchReportsOn(modem: ModemContext): Promise<NetworkReports> {
  const { driver, snapshot } = modem
  const isKnown = (command: string) => driver.unknownTo?.[command]?.test(snapshot.model ?? '') !== true
  let areOn = false
  const refused: string[] = []
  for (const group of driver.networkInit.map((each) => each.filter(isKnown))) {
    const domain = /^AT(\+C\w*REG)=/.exec(group[0] ?? '')?.[1]
    const accepted = await sendFirstAccepted(modem, group)
    areOn ||= domain !== undefined && accepted !== undefined
    if (accepted === undefined) refused.push(`AT${domain}?`)
  }
  const isRefused = (query: string) => Number(refused.includes(query))
  return { areOn, queries: driver.registration.filter(isKnown).sort((a, b) => isRefused(a) - isRefused(b)) }
}

export async function identify(modem: ModemContext): Promise<void> {
  if (modem.snapshot.model !== undefined) return
  const { driver } = modem
  const question = (text: string) => modem.attempt(text)
  const manufacturer = modem.snapshot.manufacturer ?? (await ask(question, driver.manufacturer))
  const model = await ask(question, driver.model)
  const revision = await ask(question, driver.revision)
  modem.apply({ type: 'identity', identity: { manufacturer, model, revision } })
}

/** Some modems tell it only once the SIM is open. */
async function readImei(modem: ModemContext): Promise<void> {
  if (modem.snapshot.equipmentIdentifier !== undefined) return
  const equipmentIdentifier = await ask((text) => modem.attempt(text), modem.driver.imei)
  if (equipmentIdentifier !== undefined) modem.apply({ type: 'identity', identity: { equipmentIdentifier } })
}

/** Whatever switched it off. That the modem refuses is told by its power state. */
export async function switchOn(modem: ModemContext): Promise<void> {
  const powerState = parseCfun((await modem.attempt('AT+CFUN?')).lines)
  if (powerState !== undefined) modem.apply({ type: 'identity', identity: { powerState } })
  if (!isRadioOff(modem.snapshot)) return
  const { isOk } = await modem.attempt(modem.driver.radioOn, { timeoutMs: RADIO_TIMEOUT_MS })
  if (isOk) modem.apply({ type: 'identity', identity: { powerState: 'on' } })
}

/** Until aborted. Asks while there is no network, listens once there is one. */
export async function followNetwork(
  modem: ModemContext,
  reports: NetworkReports,
  wakeup: Wakeup,
  signal: AbortSignal,
): Promise<never> {
  const queries = new RegistrationQueries(reports.queries)
  const signalReader = new SignalReader(modem)
  const searchPollMs = reports.areOn ? SEARCH_POLL_WITH_REPORTS_MS : SEARCH_POLL_MS
  const registeredPollMs = reports.areOn ? undefined : REGISTERED_POLL_MS
  let searches = 0
  let known = ''
  let hasNumbers = false
  let isDenialAsked = false
  for (;;) {
    const isFree = await unlessBusy(async () => {
      // A dial that found no network: the report of its loss was lost, too.
      const isContradicted = modem.snapshot.failure?.cause === 'no-network'
      if (!isRegistered(modem) || !reports.areOn || isContradicted) await readRegistration(modem, queries)
      if (isContradicted && isRegistered(modem)) modem.apply({ type: 'failure', failure: undefined })
      const { registration, state } = modem.snapshot
      if (registration === 'denied' && !isDenialAsked) await readDenial(modem)
      isDenialAsked = registration === 'denied'
      // Most are in a network by then.
      if (searches === SELECTION_SEARCH && (registration === 'idle' || registration === 'searching'))
        await readSelection(modem)
      // Somebody, or the modem itself, switched it off; or it was too busy to be switched on.
      if (!isRegistered(modem) && (searches % RADIO_SEARCHES === SELECTION_SEARCH || isRadioOff(modem.snapshot)))
        await switchOn(modem)
      // Still `searching`: it was lost and found while we were busy, and `registered` waits for the operator.
      if (!isRegistered(modem) || (registration === known && state !== 'searching')) return
      // Before the operator, with whose name `registered` is told: a dial may come at once and take the only port.
      if (modem.snapshot.signal === undefined) await signalReader.read()
      await readOperator(modem, () => sleep(modem.clock, DIAL_FIRST_MS, signal))
      known = registration
      if (hasNumbers) return
      hasNumbers = true
      await readOwnNumbers(modem)
    })
    if (!isRegistered(modem)) known = ''
    else searches = 0
    const waitMs = isRegistered(modem) ? registeredPollMs : (searchPollMs[searches++] ?? LONGEST_SEARCH_POLL_MS)
    await wakeup.pause(modem.clock, isFree ? waitMs : undefined, signal)
  }
}

/** Until aborted. `pollMs` is asked anew before each pause. What a call keeps from being read is forgotten when it is old. */
export async function followSignal(
  modem: ModemContext,
  pollMs: () => number,
  wakeup: Wakeup,
  signal: AbortSignal,
): Promise<never> {
  const reader = new SignalReader(modem)
  const age = new SignalAge(modem)
  const read = async () => {
    await reader.readTechnology()
    await reader.read()
  }
  // The network is looked for first, and then asked for its signal at once.
  if (!isRegistered(modem)) await wakeup.pause(modem.clock, Math.min(FIRST_SIGNAL_MS, pollMs()), signal)
  for (;;) {
    const isFree = await unlessBusy(read)
    if (!isFree && age.leftMs() === 0) modem.apply({ type: 'no-signal' })
    const leftMs = age.leftMs()
    await wakeup.pause(modem.clock, isFree ? pollMs() : leftMs, signal)
  }
}

/** How long what was measured may still be shown, from when it was first seen here: by the monotonic clock, not by the time it is shown with. */
class SignalAge {
  readonly #modem: ModemContext
  #seen: SignalSnapshot | undefined
  #sinceMs = 0

  constructor(modem: ModemContext) {
    this.#modem = modem
  }

  /** undefined: nothing is shown. */
  leftMs(): number | undefined {
    const { snapshot, clock } = this.#modem
    if (snapshot.signal !== this.#seen) {
      this.#seen = snapshot.signal
      this.#sinceMs = clock.nowMs()
    }
    return this.#seen && Math.max(0, this.#sinceMs + OLDEST_SIGNAL_MS - clock.nowMs())
  }
}

/** false: a call has the modem's only port; whoever waits is woken when it is over. */
async function unlessBusy(step: () => Promise<void>): Promise<boolean> {
  try {
    await step()
    return true
  } catch (error) {
    if (isPortBusy(error)) return false
    throw error
  }
}
