/**
 * Hears that the modem dropped the carrier (DCD), as it does when a call ends: the kernel tells nobody who does not wait for it in a
 * thread of his own (TIOCMIWAIT, which the drivers option and sierra do not have), but it hangs the tty up when that is not CLOCAL,
 * at once and for every driver. A wire that can open its tty again (`outlivesHangUp`) lets it; on others the line is looked at four
 * times a second. Used by `kernel.ts`, whose line nobody reads, so that NO CARRIER goes unread, too.
 */

import type { Cancel, Clock } from '../../base/ports.ts'
import type { Wire } from '../../serial/wire.ts'

export interface CarrierLine {
  /** undefined: there is no such line, or it was hung up. */
  hasCarrier(tty: number): boolean | undefined
  /** Answers 0 or a negative errno. */
  setLocal(tty: number, on: boolean): number
}

const POLL_MS = 250
/** A modem raises it with CONNECT; one that has not by then does not use it. */
const COMES_WITHIN_MS = 2000

export class CarrierWatch {
  readonly #wire: Wire
  readonly #fd: number
  readonly #line: CarrierLine
  readonly #clock: Clock
  readonly #comesByMs: number
  readonly #onLost: () => void
  #isHungUpByKernel = false
  #hadCarrier = false
  #isStopped = false
  #cancelPoll: Cancel | undefined

  constructor(wire: Wire, fd: number, line: CarrierLine, clock: Clock, onLost: () => void) {
    this.#wire = wire
    this.#fd = fd
    this.#line = line
    this.#clock = clock
    this.#onLost = onLost
    this.#comesByMs = clock.nowMs() + COMES_WITHIN_MS
    this.#look()
  }

  /** Before the tty is given back, with the settings that it had. */
  stop(): void {
    this.#isStopped = true
    this.#cancelPoll?.()
    // A tty that was hung up, or is about to be, is opened again when the next one reads it.
    if (this.#isHungUpByKernel && this.#line.hasCarrier(this.#fd) === true) this.#wire.outlivesHangUp = false
  }

  #look(): void {
    if (this.#isStopped) return
    const isUp = this.#wire.fd === this.#fd ? this.#line.hasCarrier(this.#fd) : undefined
    if (isUp === undefined) return
    if (this.#hadCarrier && !isUp) {
      this.#onLost()
      return
    }
    const nowMs = this.#clock.nowMs()
    if (isUp && this.#leaveItToTheKernel()) return
    this.#hadCarrier = isUp
    if (isUp || nowMs < this.#comesByMs) this.#cancelPoll = this.#clock.at(nowMs + POLL_MS, () => this.#look())
  }

  #leaveItToTheKernel(): boolean {
    if (this.#wire.outlivesHangUp === undefined || this.#line.setLocal(this.#fd, false) < 0) return false
    this.#wire.outlivesHangUp = true
    this.#isHungUpByKernel = true
    // It may have gone in between.
    if (this.#line.hasCarrier(this.#fd) === false) this.#onLost()
    return true
  }
}
