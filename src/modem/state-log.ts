/**
 * The modem's life in the log: each of its states with the reason, but those of a call, which the link tells of. Called by `modem.ts`.
 */

import { printable } from '../base/bytes.ts'
import type { Logger } from '../base/ports.ts'
import type { ModemSnapshot, ModemState } from './snapshot.ts'

const OF_A_CALL: ReadonlySet<ModemState> = new Set<ModemState>(['connecting', 'connected', 'disconnecting'])

export class StateLog {
  readonly #logger: Logger
  #told = ''

  constructor(logger: Logger) {
    this.#logger = logger
  }

  note(snapshot: ModemSnapshot): void {
    const { id, state, failure } = snapshot
    // Who removes it says so.
    if (OF_A_CALL.has(state) || failure?.cause === 'modem-gone') return
    const text = textOf(snapshot)
    if (text === this.#told) return
    this.#told = text
    this.#logger.info(`The modem is ${text}`, { modem: id })
  }
}

function textOf({ state, stateReason, registration, operatorName, operatorCode }: ModemSnapshot): string {
  if (state !== 'registered') return [state, printable(stateReason)].filter(Boolean).join(': ')
  const operator = printable(operatorName ?? operatorCode ?? '')
  return operator === '' ? `registered (${registration})` : `registered with ${operator} (${registration})`
}
