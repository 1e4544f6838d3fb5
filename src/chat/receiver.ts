/** What chat(8) does with received bytes during an expect, in its order: echo, log, reports, the string that is expected, ABORT strings. Used by `engine.ts`. */

import { latin1 } from '../base/bytes.ts'
import type { ExpectLog } from './expect-log.ts'
import type { Expectation } from './expectation.ts'
import type { ChatOptions } from './options.ts'
import type { Outputs } from './outputs.ts'
import type { Settings } from './settings.ts'
import { echoed } from './visible.ts'

/** `used` bytes were taken; what follows the one that decided is for somebody else. */
export interface Received {
  readonly used: number
  readonly decided?: 'met' | { readonly abortIndex: number }
}

export class Receiver {
  readonly #echoesReceived: boolean
  readonly #settings: Settings
  readonly #outputs: Outputs
  #owesLineEnd = false

  constructor(options: ChatOptions, settings: Settings, outputs: Outputs) {
    this.#echoesReceived = options.echoReceived ?? false
    this.#settings = settings
    this.#outputs = outputs
  }

  /** Takes bytes until the expect is decided. */
  take(bytes: Uint8Array, expectation: Expectation, log: ExpectLog | undefined, nowMs: number): Received {
    const isShown = this.#settings.isEchoing || this.#echoesReceived || log
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]! & 0x7f
      if (isShown) this.#show(byte, log)
      expectation.take(byte)
      this.#report(byte, expectation.reportsFound, nowMs)
      if (expectation.isMet) {
        log?.matched()
        return { used: at + 1, decided: 'met' }
      }
      const aborts = expectation.abortsFound
      if (aborts) {
        log?.aborted()
        return { used: at + 1, decided: { abortIndex: aborts[0]! } }
      }
      log?.slide()
    }
    return { used: bytes.length }
  }

  #show(byte: number, log: ExpectLog | undefined): void {
    const shown = echoed(byte)
    if (this.#settings.isEchoing && shown) {
      this.#outputs.emit({ type: 'echo', bytes: latin1(shown) })
      this.#owesLineEnd = shown !== '\n'
    }
    log?.received(byte)
    if (this.#echoesReceived && shown) this.#outputs.emit({ type: 'echo', bytes: latin1(shown) })
  }

  /** The byte that ends a report begins no other. */
  #report(byte: number, found: readonly number[] | undefined, nowMs: number): void {
    const { reports } = this.#settings
    if (!reports.isGathering) {
      if (found) reports.begin(found, nowMs)
    } else if (reports.take(byte)) this.endReport()
  }

  endReport(): void {
    const report = this.#settings.reports.end()
    if (report) this.#outputs.emit({ type: 'report', ...report })
  }

  /** At the end of the script. */
  endEcho(): void {
    if (this.#owesLineEnd) this.#outputs.emit({ type: 'echo', bytes: latin1('\n') })
    this.#owesLineEnd = false
  }
}
