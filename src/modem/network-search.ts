/**
 * Networks around, and the choice of one by hand or by itself (+COPS, 3GPP TS 27.007 §7.3). Called by `modem.ts` for the bus; what
 * a refusal means comes from the report of the registration or +CEER (TS 24.008 §10.5.3.6, TS 24.301 §9.9.3.9).
 */

import { ModemdError } from '../base/errors.ts'
import { sleep } from '../base/ports.ts'
import { parseCopsTest, type ScannedNetwork } from './at/replies/cops.ts'
import { errorOf } from './at/session.ts'
import type { ModemContext } from './procedure.ts'
import { isRegistered, RegistrationQueries, readDenial, readOperator, readRegistration } from './registration.ts'
import { simError } from './sim.ts'
import type { ModemSnapshot } from './snapshot.ts'

/** All bands of three generations take up to three minutes. */
const SCAN_TIMEOUT_MS = 180_000
const REGISTER_TIMEOUT_MS = 120_000
/** Behind OK, until the modem says that it is in. */
const REGISTERED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 1000

/** Why nothing can be asked of the network now. */
export function obstacleToNetwork(modem: ModemSnapshot): ModemdError | undefined {
  return obstacleToRadio(modem) ?? (isIn(modem) ? undefined : notRegistered(modem))
}

function obstacleToRadio({ state, stateReason, sim }: ModemSnapshot): ModemdError | undefined {
  const error = simError(sim.status)
  if (error) return error
  if (state === 'disabled') return new ModemdError('NoNetwork', 'The radio is off: use `mmctl enable`.', 'radio-off')
  if (state === 'failed' || state === 'resetting' || state === 'enabling')
    return new ModemdError('WrongState', stateReason || `The modem is ${state}; try again in a moment.`)
  return undefined
}

function isIn({ registration }: ModemSnapshot): boolean {
  return registration === 'home' || registration === 'roaming'
}

function notRegistered({ registration, stateReason }: ModemSnapshot): ModemdError {
  return registration === 'denied'
    ? new ModemdError('NoNetwork', stateReason || 'The network refuses this SIM.', 'registration-denied')
    : new ModemdError('NoNetwork', 'The modem is not registered with a network.', 'no-network')
}

export class NetworkSearch {
  readonly #modem: ModemContext
  #scan: Promise<readonly ScannedNetwork[]> | undefined
  #isRegistering = false

  constructor(modem: ModemContext) {
    this.#modem = modem
  }

  /** Who asks while one is under way gets its result. */
  scan(): Promise<readonly ScannedNetwork[]> {
    this.#scan ??= this.#scanOnce().finally(() => {
      this.#scan = undefined
    })
    return this.#scan
  }

  /** '' = automatic. Resolves when the modem is in; rejects with NoNetwork and why when the network refuses it. */
  async register(plmn: string): Promise<void> {
    if (!/^(\d{5,6})?$/.test(plmn)) throw new ModemdError('InvalidArgs', 'A network is a number of 5 or 6 digits.')
    if (this.#isRegistering) throw new ModemdError('Busy', 'The modem is registering already; try again in a moment.')
    this.#refuseInCall()
    const obstacle = obstacleToRadio(this.#modem.snapshot)
    if (obstacle) throw obstacle
    this.#isRegistering = true
    try {
      if (plmn === '') await this.#registerByItself()
      else await this.#registerWith(plmn)
    } finally {
      this.#isRegistering = false
    }
  }

  async #scanOnce(): Promise<readonly ScannedNetwork[]> {
    const obstacle = obstacleToRadio(this.#modem.snapshot)
    if (obstacle) throw obstacle
    try {
      const reply = await this.#modem.attempt('AT+COPS=?', { timeoutMs: SCAN_TIMEOUT_MS })
      if (!reply.isOk) throw errorOf('AT+COPS=?', reply)
      return parseCopsTest(reply.lines)
    } catch (error) {
      throw inCallError(error, 'scanned')
    }
  }

  /** Another network ends a call. */
  #refuseInCall(): void {
    const { state } = this.#modem.snapshot
    if (state !== 'connecting' && state !== 'connected' && state !== 'disconnecting') return
    throw new ModemdError(
      'Busy',
      'The modem is in a call, which another network would end: run `mmctl disconnect` first.',
      'port-busy',
    )
  }

  async #registerByItself(): Promise<void> {
    const reply = await this.#modem.attempt('AT+COPS=0', { timeoutMs: REGISTER_TIMEOUT_MS })
    if (!reply.isOk) throw errorOf('AT+COPS=0', reply)
    const refusal = await this.#outcome()
    if (refusal) throw refusal
  }

  /** A network that refuses leaves the modem without one: it goes back to its own choice. */
  async #registerWith(plmn: string): Promise<void> {
    const command = `AT+COPS=1,2,"${plmn}"`
    const reply = await this.#modem.attempt(command, { timeoutMs: REGISTER_TIMEOUT_MS })
    const refusal = reply.isOk ? await this.#outcome(plmn) : await this.#explained(errorOf(command, reply))
    if (!refusal) return
    await this.#modem.attempt('AT+COPS=0', { timeoutMs: REGISTER_TIMEOUT_MS })
    const message = refusal.message.replace(/\.$/, '')
    throw new ModemdError(
      refusal.code,
      `${message}. The modem did not register with ${plmn}; it chooses a network by itself again.`,
      refusal.failureCause,
    )
  }

  /** undefined: it is in, and where it should be. */
  async #outcome(plmn?: string): Promise<ModemdError | undefined> {
    const modem = this.#modem
    const queries = new RegistrationQueries(modem.driver.registration)
    const untilMs = modem.clock.nowMs() + REGISTERED_WITHIN_MS
    for (;;) {
      await readRegistration(modem, queries)
      if (isRegistered(modem)) break
      if (modem.snapshot.registration === 'denied') {
        await readDenial(modem)
        return notRegistered(modem.snapshot)
      }
      if (modem.clock.nowMs() >= untilMs)
        return new ModemdError('NoNetwork', 'The modem found no network that lets it in within a minute.', 'no-network')
      await sleep(modem.clock, LOOK_EVERY_MS)
    }
    await readOperator(modem)
    const { operatorCode } = modem.snapshot
    const isWanted = plmn === undefined || operatorCode === undefined || operatorCode === plmn
    return isWanted
      ? undefined
      : new ModemdError('NoNetwork', `The modem stays in the network ${operatorCode}.`, 'no-network')
  }

  /** With the network's own reason, where the command's error is one of the network's. */
  async #explained(error: ModemdError): Promise<ModemdError> {
    if (error.code !== 'NoNetwork' && error.code !== 'Roaming' && error.failureCause !== 'modem-error') return error
    await readDenial(this.#modem)
    const { registration, stateReason } = this.#modem.snapshot
    if (registration !== 'denied') return new ModemdError('NoNetwork', error.message, 'registration-denied')
    return new ModemdError('NoNetwork', `${error.message.replace(/\.$/, '')}: ${stateReason}`, 'registration-denied')
  }
}

/** A modem with one port cannot look around while a call has it. */
function inCallError(error: unknown, done: string): unknown {
  if (!(error instanceof ModemdError) || error.failureCause !== 'port-busy') return error
  const text = `The modem has one port, and a call has it: it cannot be ${done} before \`mmctl disconnect\`.`
  return new ModemdError('Busy', text, 'port-busy')
}
