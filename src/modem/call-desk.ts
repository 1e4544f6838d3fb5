/** The one call of a modem: the dial, what the call may do, its end, and what each makes of the modem's state. Used by `modem.ts`. */

import type { Failure } from '../base/cause.ts'
import { ModemdError } from '../base/errors.ts'
import type { Clock, Logger } from '../base/ports.ts'
import { asDialError, type Connected, dial, obstacleOf } from './dial.ts'
import { hangUp } from './hang-up.ts'
import type { ModemPort } from './port.ts'
import type { PortSet } from './port-set.ts'
import { networkReason } from './refusal.ts'
import { type Call, DialError, type DialRequest } from './snapshot.ts'
import type { Change, ModemRecord } from './state.ts'

export interface CallDeskOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly ports: PortSet
  readonly record: () => ModemRecord
  apply(change: Change): void
  /** What the SIM has to do with the end of a call, asked on the port that carried it; undefined: nothing. Never rejects. */
  simFailure(port: ModemPort, failure: Failure): Promise<Failure | undefined>
  /** The port is free for commands again. */
  onEnded(): void
}

export class CallDesk {
  readonly #options: CallDeskOptions
  #call: Call | undefined
  #dropped: Failure | undefined

  constructor(options: CallDeskOptions) {
    this.#options = options
  }

  /** Rejects as `ModemCommands.dial` does. */
  async dial(request: DialRequest): Promise<Call> {
    const { ports, clock, logger, apply } = this.#options
    if (ports.called) throw new ModemdError('Busy', 'The modem already carries a call.', 'port-busy')
    const record = this.#options.record()
    const obstacle = obstacleOf(record)
    if (obstacle) throw new DialError(obstacle)
    const port = ports.data
    ports.called = port
    apply({ type: 'activity', activity: 'connecting' })
    try {
      const isLte = record.domains.eps !== undefined
      this.#call = this.#callOn(port, await dial(port, request, { clock, logger, isLte }))
      return this.#call
    } catch (error) {
      const { failure } = asDialError(error)
      // An abort string was the modem's own word: it is in command mode. After silence nobody knows, it may be an old call.
      const isLost = !port.session || failure.cause === 'modem-silent'
      if ((failure.chatExit ?? 0) >= 4) port.toAt()
      else if (isLost && !this.#isGone) await hangUp(port, clock)
      this.#end(failure)
      throw new DialError(failure)
    }
  }

  /** Before the radio goes. Rejects with Busy during a dial. */
  async endAny(why: string): Promise<void> {
    if (this.#call) await this.#call.hangUp({ cause: 'user-request', detail: why })
    else if (this.#options.ports.called)
      throw new ModemdError('Busy', 'The modem is dialling; try again in a moment.', 'port-busy')
  }

  /** What carried the call is gone, and nobody but us knows it yet. */
  drop(failure: Failure): void {
    if (!this.#call || this.#dropped) return
    this.#dropped = failure
    void this.#call.hangUp(failure)
  }

  get #isGone(): boolean {
    return this.#options.record().activity === 'gone'
  }

  #callOn(port: ModemPort, connected: Connected): Call {
    const { apply } = this.#options
    let ending: Promise<Failure | undefined> | undefined
    let wasUp = false
    return {
      ...connected,
      established: () => {
        if (ending) return
        wasUp = true
        apply({ type: 'failure', failure: undefined })
        apply({ type: 'activity', activity: 'connected' })
      },
      hangUp: (failure) => {
        ending ??= this.#hangUp(port, failure, wasUp)
        return ending
      },
    }
  }

  async #hangUp(port: ModemPort, failure: Failure | undefined, wasUp: boolean): Promise<Failure | undefined> {
    const { apply, clock, logger } = this.#options
    apply({ type: 'activity', activity: 'disconnecting' })
    const answers = !this.#isGone && (await hangUp(port, clock))
    if (!answers && !this.#isGone) logger.warn(`${port.path}: the modem does not answer AT after the call.`)
    const reason = this.#dropped ?? (answers && failure ? await this.#reasonOf(port, failure, wasUp) : undefined)
    this.#end(reason ?? failure)
    return reason
  }

  async #reasonOf(port: ModemPort, failure: Failure, wasUp: boolean): Promise<Failure | undefined> {
    const ofSim = await this.#options.simFailure(port, failure)
    return ofSim ?? (wasUp ? undefined : await networkReason(port, failure))
  }

  #end(failure: Failure | undefined): void {
    const { ports, apply, onEnded } = this.#options
    ports.called = undefined
    this.#call = undefined
    this.#dropped = undefined
    if (failure) apply({ type: 'failure', failure })
    apply({ type: 'activity', activity: 'running' })
    onEnded()
  }
}
