/**
 * The tty on which a virtual modem tells where it is: once a second while its receiver is on. Answers no AT; Sierra's receiver is
 * switched here, by `$GPS_START` and `$GPS_STOP`. Pure; `serial/pump.ts` runs it on a pty, as `at-port.ts`.
 */

import { fromLatin1, latin1 } from '../base/bytes.ts'
import type { Deadline, Input, Machine, Output } from '../base/machine.ts'
import type { ModemState } from './modem-state.ts'
import type { PortEvent } from './port-event.ts'

const EVERY_MS = 1000
const MAX_LINE_LENGTH = 80

export class GpsPort implements Machine<PortEvent> {
  readonly #modem: ModemState
  readonly #outputs: Output<PortEvent>[] = []
  #line = ''
  #nextMs: number | undefined

  constructor(modem: ModemState) {
    this.#modem = modem
  }

  handle(input: Input, nowMs: number): void {
    if (input.type === 'data') this.#read(fromLatin1(input.bytes), nowMs)
    const { gps } = this.#modem
    if (!gps.isOn) this.#nextMs = undefined
    else if (nowMs >= (this.#nextMs ?? nowMs)) {
      this.#nextMs = nowMs + EVERY_MS
      const text = gps.sentences(nowMs, this.#modem.wallMs()).map((sentence) => `${sentence}\r\n`)
      this.#outputs.push({ type: 'send', bytes: latin1(text.join('')) })
    }
  }

  poll(): Output<PortEvent> | undefined {
    return this.#outputs.shift()
  }

  deadline(): Deadline | undefined {
    if (!this.#modem.gps.isOn) return undefined
    return { atMs: this.#nextMs ?? 0, why: 'the next place' }
  }

  #read(text: string, nowMs: number): void {
    const lines = (this.#line + text).split(/[\r\n]+/)
    this.#line = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH)
    for (const line of lines) {
      if (line === '$GPS_START') this.#modem.gps.switchOn(nowMs)
      if (line === '$GPS_STOP') this.#modem.gps.switchOff()
    }
  }
}
