/** What the engine has to say, in order, until it is polled: bytes to send, events, and the messages of chat(8) among them. */

import type { Output } from '../base/machine.ts'
import type { ChatEvent } from './options.ts'

const LONGEST_MESSAGE = 1023

export class Outputs {
  readonly #isVerbose: boolean
  #queue: Output<ChatEvent>[] = []

  constructor(isVerbose: boolean) {
    this.#isVerbose = isVerbose
  }

  poll(): Output<ChatEvent> | undefined {
    return this.#queue.shift()
  }

  send(bytes: Uint8Array): void {
    this.#queue.push({ type: 'send', bytes })
  }

  emit(event: ChatEvent): void {
    this.#queue.push({ type: 'event', event })
  }

  log(level: 'error' | 'info', message: string): void {
    this.emit({ type: 'log', level, text: message.slice(0, LONGEST_MESSAGE) })
  }

  /** Only with -v. */
  logVerbose(message: string): void {
    if (this.#isVerbose) this.log('info', message)
  }
}
