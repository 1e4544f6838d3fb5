/** Runs the chat engine over standard input and output: a byte at a time, so that what follows the last match stays on the line. */

import type { Cancel, Clock } from '../../base/ports.ts'
import type { ChatEngine } from '../engine.ts'
import type { ChatEnd, ChatEvent } from '../options.ts'
import type { Line } from './line.ts'

/** So that signals and the clock are heard while a modem talks without end. */
const MOST_READS = 4096
/** A hang-up's SIGHUP comes a moment after the end of the file, and must be heard first. */
const HANG_UP_SETTLES_MS = 20

export interface DialogueHandlers {
  event(event: ChatEvent): void
  end(end: ChatEnd): void
}

export class Dialogue {
  readonly #engine: ChatEngine
  readonly #line: Line
  readonly #clock: Clock
  readonly #handlers: DialogueHandlers
  #unsent: Uint8Array | undefined
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined
  #isOver = false
  /** The line has hung up. */
  #hangUp: 'settling' | 'settled' | undefined

  constructor(engine: ChatEngine, line: Line, clock: Clock, handlers: DialogueHandlers) {
    this.#engine = engine
    this.#line = line
    this.#clock = clock
    this.#handlers = handlers
  }

  start(): void {
    this.#engine.handle({ type: 'open' }, this.#clock.nowMs())
    this.goOn()
  }

  interrupt(name: string): void {
    // What was settling is no read of the phase that begins now.
    if (this.#hangUp) this.#hangUp = 'settled'
    this.#engine.interrupt(name, this.#clock.nowMs())
    this.goOn()
  }

  alarm(): void {
    this.#engine.alarm(this.#clock.nowMs())
    this.goOn()
  }

  /** A file has more. */
  resume(): void {
    this.#engine.resume(this.#clock.nowMs())
    this.goOn()
  }

  /** The line may be ready. */
  goOn(): void {
    let reads = 0
    do this.#drain()
    while (!this.#isOver && (this.#write() || (reads++ < MOST_READS && this.#read())))
    if (this.#isOver) return
    const reading = this.#engine.isReading && this.#hangUp !== 'settling'
    this.#line.await({ reading, writing: this.#unsent !== undefined })
    this.#arm()
  }

  #drain(): void {
    // A signal or the time limit has ended the send.
    if (!this.#engine.isWriting) this.#unsent = undefined
    for (let output = this.#engine.poll(); output; output = this.#engine.poll()) {
      if (output.type === 'send') this.#unsent = output.bytes
      else this.#event(output.event)
    }
  }

  #event(event: ChatEvent): void {
    if (event.type === 'break') void this.#line.sendBreak().then(() => this.#breakDone())
    else if (event.type !== 'end') this.#handlers.event(event)
    else {
      this.#isOver = true
      this.#timer?.cancel()
      this.#handlers.end(event)
    }
  }

  #breakDone(): void {
    this.#engine.sent(this.#clock.nowMs())
    this.goOn()
  }

  /** Each byte alone. Answers whether anything has come of it. */
  #write(): boolean {
    if (!this.#unsent) return false
    const done = this.#line.write(this.#unsent[0]!)
    if (done === false) return this.#giveUp()
    if (done === true) {
      this.#unsent = this.#unsent.length > 1 ? this.#unsent.subarray(1) : undefined
      if (!this.#unsent) this.#engine.sent(this.#clock.nowMs())
      else if (this.#engine.mustNotSend) this.#engine.sendFailed(this.#clock.nowMs())
    } else {
      this.#unsent = undefined
      this.#engine.sendFailed(this.#clock.nowMs(), done)
    }
    return true
  }

  /** The limit makes chat(8)'s input non-blocking. Where output is another opening of the line, a byte that it does not take is waited for still. */
  #giveUp(): boolean {
    if (!this.#engine.mustNotSend || !this.#line.isOneOpening) return false
    this.#unsent = undefined
    this.#engine.sendFailed(this.#clock.nowMs())
    return true
  }

  #read(): boolean {
    if (!this.#engine.isReading || this.#hangUp === 'settling') return false
    const result = this.#line.read()
    const nowMs = this.#clock.nowMs()
    if (result.type === 'byte') this.#engine.handle({ type: 'data', bytes: result.bytes }, nowMs)
    else if (result.type === 'failed' && result.isHangUp && !this.#hangUp) this.#settle(result.warning)
    else if (result.type === 'failed') this.#engine.readFailed(nowMs, result.warning)
    else if (this.#engine.mustNotWait) this.#engine.readFailed(nowMs)
    else return false
    return true
  }

  #settle(warning: string | undefined): void {
    this.#hangUp = 'settling'
    this.#clock.at(this.#clock.nowMs() + HANG_UP_SETTLES_MS, () => {
      if (this.#isOver || this.#hangUp !== 'settling') return
      this.#hangUp = 'settled'
      this.#engine.readFailed(this.#clock.nowMs(), warning)
      this.goOn()
    })
  }

  #arm(): void {
    const atMs = this.#engine.deadline()?.atMs
    if (atMs === this.#timer?.atMs) return
    this.#timer?.cancel()
    this.#timer = atMs === undefined ? undefined : { atMs, cancel: this.#clock.at(atMs, () => this.#onTimer()) }
  }

  /** What is there already counts. */
  #onTimer(): void {
    this.#timer = undefined
    this.goOn()
    if (this.#isOver) return
    this.#engine.handle({ type: 'timeout' }, this.#clock.nowMs())
    this.goOn()
  }
}
