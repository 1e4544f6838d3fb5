/** The cause that StateChanged tells with a step: why this step was taken, never why an earlier one was. Pure; used by `exporter.ts`. */

import type { Cause } from '../base/cause.ts'
import type { LinkSnapshot } from '../link/snapshot.ts'
import type { ModemSnapshot } from '../modem/snapshot.ts'

/**
 * A link keeps its last cause on the way up and while it is up: the steps that it belongs to are the one that it came with, and the one
 * that ends the attempt.
 */
export function causeOfLinkStep(next: LinkSnapshot, previous: LinkSnapshot): Cause | '' {
  const isNew = next.cause !== previous.cause || next.causeAtUs !== previous.causeAtUs
  return ((isNew || previous.state === 'going-down') && next.cause) || ''
}

const LOCKS: readonly Cause[] = ['sim-pin', 'sim-pin-refused', 'sim-puk']
const REFUSALS: readonly Cause[] = ['no-network', 'registration-denied', 'roaming-forbidden']

/** What is wrong with a modem may stand for some steps more: only a state that it explains is told with it. */
export function causeOfModemStep({ state, failure }: ModemSnapshot): Cause | '' {
  const cause = failure?.cause
  if (cause === undefined) return ''
  switch (state) {
    case 'failed':
      return cause
    case 'absent-sim':
      return cause === 'sim-absent' ? cause : ''
    case 'locked':
      return LOCKS.includes(cause) ? cause : ''
    case 'searching':
      return REFUSALS.includes(cause) ? cause : ''
    default:
      return ''
  }
}
