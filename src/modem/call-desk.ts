/** The one call of a modem: the dial, what the call may do, its end, and what each makes of the modem's state. Used by `modem.ts`. */

import { printable } from '../base/bytes.ts'
import type { Cause, Failure } from '../base/cause.ts'
import { ModemdError } from '../base/errors.ts'
import { type Clock, type Logger, sleep } from '../base/ports.ts'
import type { AtReply } from './at/channel.ts'
import { parseCgact } from './at/replies/cgact.ts'
import { type PacketEvent, parseCgev } from './at/replies/cgev.ts'
import { prefixOf } from './at/unsolicited.ts'
import { asDialError, type Connected, dial, obstacleOf } from './dial.ts'
import { isModemsWord } from './dial-result.ts'
import type { ModemDriver } from './drivers/driver.ts'
import type { FeatureRound, ModemFeature } from './features/feature.ts'
import { hangUp } from './hang-up.ts'
import type { ModemPort } from './port.ts'
import type { PortSet } from './port-set.ts'
import { sendFirstAccepted } from './procedure.ts'
import { limitFor, networkReason } from './refusal.ts'
import { type Call, DialError, type DialRequest, type LineState } from './snapshot.ts'
import { type Activity, type Change, isIn, type ModemRecord } from './state.ts'

export interface CallDeskOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly driver: ModemDriver
  readonly ports: PortSet
  readonly record: () => ModemRecord
  apply(change: Change): void
  /** What the SIM has to do with the end of a call, asked on the port that carried it; undefined: nothing. Never rejects. */
  simFailure(port: ModemPort, failure: Failure): Promise<Failure | undefined>
  /** On a port that is free. */
  ask(text: string): Promise<AtReply>
  /** The port is free for commands again. */
  onEnded(): void
}

/** Of the ends of a call those that tell of the modem; the others are the link's, and the SIM's and the radio's show by themselves. */
const OF_THE_MODEM: ReadonlySet<Cause> = new Set<Cause>(['modem-silent', 'modem-error', 'no-network'])

/** A modem may tell of the network first and end the call then; one that drops the line with the context does so at once. */
const DOUBT_PAUSES_MS = { registration: [0, 1000, 3000], context: [1000, 3000] } as const

/** Behind whoever dials at once: the end of a context is no news before that. */
const PACKET_REPORTS_AFTER_MS = 1000

interface LiveCall extends Call {
  readonly cid: number | undefined
  /** False: nobody hears it. */
  tellEnd(failure: Failure, line: LineState): boolean
  isEnding(): boolean
  readonly ended: Promise<void>
}

/** Why a call may be over though its line stands. */
interface Doubt {
  readonly call: LiveCall
  /** For people. */
  reason(): string
  /** There is still reason to doubt. */
  isOpen(): boolean
  /** The context whose end is the proof; undefined: the end of all of them. */
  readonly cid: number | undefined
}

export class CallDesk implements ModemFeature {
  readonly #options: CallDeskOptions
  #call: LiveCall | undefined
  #dropped: Failure | undefined
  /** What the modem is from the end of the call on. */
  #next: Activity = 'running'
  /** The contexts of its call are being asked for. */
  readonly #doubts = new Map<keyof typeof DOUBT_PAUSES_MS, Doubt>()

  constructor(options: CallDeskOptions) {
    this.#options = options
  }

  /** Rejects as `ModemCommands.dial` does. */
  async dial(request: DialRequest): Promise<Call> {
    const { ports, clock, logger, driver, apply } = this.#options
    if (ports.called) throw new ModemdError('Busy', 'The modem already carries a call.', 'port-busy')
    const record = this.#options.record()
    const obstacle = obstacleOf(record)
    if (obstacle) throw new DialError(obstacle)
    const port = ports.data
    ports.called = port
    apply({ type: 'activity', activity: 'connecting' })
    try {
      const isLte = record.domains.eps !== undefined
      this.#call = this.#callOn(port, request.ipType, await dial(port, request, { clock, logger, driver, isLte }))
      return this.#call
    } catch (error) {
      const { failure } = asDialError(error)
      // After silence nobody knows, it may be an old call.
      const isLost = !port.session || failure.cause === 'modem-silent'
      if (isModemsWord(failure, request.chatScript)) port.toAt()
      else if (isLost && !this.#isGone) await hangUp(port, clock)
      this.#end(failure)
      throw new DialError(failure)
    }
  }

  /** Before the radio goes. The modem is `next` as soon as no call stands, so that nobody dials once more. Rejects with Busy during a dial. */
  async endAny(failure: Failure, next: 'disabled' | 'resetting', line: LineState): Promise<void> {
    const { ports, apply } = this.#options
    if (this.#call) {
      this.#dropped ??= failure
      this.#next = next
      await this.#lose(this.#call, failure, line)
    } else if (ports.called) throw new ModemdError('Busy', 'The modem is dialling; try again in a moment.', 'port-busy')
    else apply({ type: 'activity', activity: next })
  }

  /** What carried the call is gone, and nobody but us knows it yet. */
  drop(failure: Failure): void {
    if (!this.#call || this.#dropped) return
    this.#dropped = failure
    void this.#lose(this.#call, failure, 'is dead')
  }

  /** A call with a port beside it hears there of the end of its context: not every modem drops the line then. */
  async onRound(round: FeatureRound): Promise<void> {
    if (this.#options.ports.all.length < 2) return
    await sleep(round.clock, PACKET_REPORTS_AFTER_MS, round.signal)
    const accepted = await sendFirstAccepted(round, this.#options.driver.packetReports)
    const call = this.#call
    if (!call || accepted === undefined) return
    // What happened before was not told.
    const { cid } = call
    void this.#doubt('context', { call, cid, isOpen: () => true, reason: () => 'its context is gone' })
  }

  onReport(line: string): boolean {
    if (prefixOf(line) !== '+CGEV') return false
    const call = this.#call
    const event = parseCgev([line])
    if (call && event && mayEnd(event, call.cid))
      void this.#doubt('context', {
        call,
        cid: event.what === 'detach' ? undefined : call.cid,
        isOpen: () => true,
        reason: () => `${event.by === 'network' ? 'the network' : 'the modem'} ended its context (${printable(line)})`,
      })
    return true
  }

  /**
   * The network has let go of the modem, and not every modem drops the line then. That no context is left is the proof: the call may
   * outlive a change of radio, of which reports tell the same.
   */
  async doubt(): Promise<void> {
    const { record } = this.#options
    const registration = () => record().snapshot.registration
    if (!this.#call) return
    await this.#doubt('registration', {
      call: this.#call,
      cid: undefined,
      isOpen: () => !isIn(registration()),
      reason: () => `the modem is no longer registered (${registration()})`,
    })
  }

  async #doubt(kind: keyof typeof DOUBT_PAUSES_MS, doubt: Doubt): Promise<void> {
    const { clock, ask } = this.#options
    if (this.#doubts.get(kind)?.call === doubt.call) return
    this.#doubts.set(kind, doubt)
    const isOpen = () => doubt.call === this.#call && !doubt.call.isEnding() && doubt.isOpen()
    for (const pauseMs of DOUBT_PAUSES_MS[kind]) {
      if (pauseMs > 0) await sleep(clock, pauseMs)
      const reply = isOpen() ? await ask('AT+CGACT?').catch(() => undefined) : undefined
      const contexts = reply?.isOk ? parseCgact(reply.lines) : []
      if (!isOpen() || contexts.length === 0) break
      if (contexts.some(({ cid, isActive }) => isActive && (doubt.cid === undefined || cid === doubt.cid))) continue
      const lines = printable(reply!.lines.join(', '))
      this.drop({ cause: 'hung-up', detail: `${doubt.reason()}: ${lines}` })
      break
    }
    if (this.#doubts.get(kind) === doubt) this.#doubts.delete(kind)
  }

  /** Whoever has the call ends it first: PPP may still write to the line. */
  async #lose(call: LiveCall, failure: Failure, line: LineState): Promise<void> {
    if (!call.tellEnd(failure, line)) await call.hangUp(failure)
    await call.ended
  }

  get #isGone(): boolean {
    return this.#options.record().activity === 'gone'
  }

  #callOn(port: ModemPort, ipType: DialRequest['ipType'], connected: Connected): LiveCall {
    const { apply } = this.#options
    let ending: Promise<Failure | undefined> | undefined
    let onEnd: ((failure: Failure, line: LineState) => void) | undefined
    let tellEnded = () => {}
    const ended = new Promise<void>((resolve) => {
      tellEnded = resolve
    })
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
        ending ??= this.#hangUp(port, failure, wasUp ? undefined : ipType).finally(tellEnded)
        return ending
      },
      onEnd: (listener) => {
        onEnd = listener
      },
      tellEnd: (failure, line) => {
        if (ending) return true
        onEnd?.(failure, line)
        return onEnd !== undefined
      },
      isEnding: () => ending !== undefined,
      ended,
    }
  }

  /** `asked`: what the call was for, where it was never up and the network may say why. */
  async #hangUp(
    port: ModemPort,
    failure: Failure | undefined,
    asked: DialRequest['ipType'] | undefined,
  ): Promise<Failure | undefined> {
    const { apply, clock, logger } = this.#options
    apply({ type: 'activity', activity: 'disconnecting' })
    const answers = !this.#isGone && (await hangUp(port, clock))
    if (!answers && !this.#isGone) logger.warn(`${port.path}: the modem does not answer AT after the call.`)
    const reason = this.#dropped ?? (answers && failure ? await this.#reasonOf(port, failure, asked) : undefined)
    this.#end(reason ?? failure)
    return reason
  }

  async #reasonOf(port: ModemPort, failure: Failure, asked: DialRequest['ipType'] | undefined) {
    const ofSim = await this.#options.simFailure(port, failure)
    if (ofSim || asked === undefined) return ofSim
    const reason = await networkReason(port, failure)
    return reason && limitFor(asked, reason)
  }

  #end(failure: Failure | undefined): void {
    const { ports, apply, onEnded } = this.#options
    ports.called = undefined
    this.#call = undefined
    this.#dropped = undefined
    if (failure && OF_THE_MODEM.has(failure.cause)) apply({ type: 'failure', failure })
    apply({ type: 'activity', activity: this.#next })
    this.#next = 'running'
    onEnded()
  }
}

/** A detach takes all contexts along, and no report for each follows (3GPP TS 27.007 §10.1.19). */
function mayEnd({ what, cid }: PacketEvent, ofCall: number | undefined): boolean {
  if (what === 'detach') return true
  return what === 'deactivate' && (cid === undefined || ofCall === undefined || cid === ofCall)
}
