/** Can this modem dial now? A pure judgement of its snapshot, which `attempt.ts` asks at every change of it. */

import type { Cause, Failure } from '../base/cause.ts'
import type { ModemSnapshot } from '../modem/snapshot.ts'

/**
 * `pending`: it goes on by itself; should it take too long, `failure` is why. `blocked`: somebody or something has to change
 * first. `phase` is what is not done yet.
 */
export type Readiness =
  | { readonly kind: 'ready' }
  | { readonly kind: 'pending'; readonly phase: 'sim' | 'network'; readonly failure: Failure }
  | { readonly kind: 'blocked'; readonly phase: 'sim' | 'network'; readonly failure: Failure }

export interface ReadinessRules {
  readonly roaming: boolean
  /** Does a profile have a PIN that is tried by itself? */
  readonly hasPin: boolean
}

export function judgeReadiness(modem: ModemSnapshot, rules: ReadinessRules): Readiness {
  switch (modem.state) {
    case 'absent-sim':
      return blocked('sim', 'sim-absent', modem.stateReason || 'the modem finds no SIM')
    case 'locked':
      return judgeLocked(modem, rules.hasPin)
    case 'failed':
      return judgeFailed(modem)
    case 'disabled':
      return blocked('network', 'radio-off', modem.stateReason || 'the radio is off')
    case 'resetting':
      return pending('sim', 'modem-gone', 'the modem restarts')
    case 'enabling':
      return pending(isUnlocked(modem) ? 'network' : 'sim', 'no-network', 'the modem is being switched on')
    case 'searching':
      return modem.registration === 'denied'
        ? judgeDenied(modem)
        : pending('network', 'no-network', 'the modem searches a network')
    case 'connecting':
    case 'connected':
    case 'disconnecting':
      return pending('network', 'port-busy', 'the modem is in another call')
    case 'registered': {
      const failure = roamingFailure(modem, rules)
      return failure ? { kind: 'blocked', phase: 'network', failure } : { kind: 'ready' }
    }
  }
}

/** Why it may not be in a call where it is; undefined: it may. */
export function roamingFailure(
  modem: ModemSnapshot,
  { roaming }: Pick<ReadinessRules, 'roaming'>,
): Failure | undefined {
  if (modem.registration !== 'roaming' || roaming) return undefined
  return { cause: 'roaming-forbidden', detail: `the modem is in the network of ${networkName(modem)}` }
}

/** The modem goes on looking for a network by itself; for good is what no network will change (GSMA TS.34). */
function judgeDenied({ stateReason, isDenialFinal }: ModemSnapshot): Readiness {
  const detail = stateReason || 'the network refuses the SIM'
  if (isDenialFinal === false) return pending('network', 'registration-denied', detail)
  const failure: Failure = { cause: 'registration-denied', detail, ...(isDenialFinal && { isPermanent: true }) }
  return { kind: 'blocked', phase: 'network', failure }
}

function judgeFailed({ sim, failure, stateReason }: ModemSnapshot): Readiness {
  const isOurs = failure?.cause === 'modem-silent' || failure?.cause.startsWith('sim-') === true
  // The SIM's state is told a moment before its failure; another failure is one of the last call.
  if (sim.status === 'failed' && !isOurs) return blocked('sim', 'sim-failed', stateReason || 'the SIM does not work')
  return failure
    ? blocked('sim', failure.cause, failure.detail)
    : blocked('sim', 'internal', stateReason || 'the modem failed')
}

function judgeLocked({ sim, failure, stateReason }: ModemSnapshot, hasPin: boolean): Readiness {
  if (sim.status === 'puk' || sim.status === 'puk2')
    return blocked('sim', 'sim-puk', stateReason || 'the SIM asks for its PUK')
  // Another failure is one of the last call.
  if (failure?.cause.startsWith('sim-')) return blocked('sim', failure.cause, failure.detail)
  return hasPin
    ? pending('sim', 'sim-pin', 'the SIM is being unlocked')
    : blocked('sim', 'sim-pin', stateReason || 'the SIM asks for its PIN')
}

function pending(phase: 'sim' | 'network', cause: Cause, detail: string): Readiness {
  return { kind: 'pending', phase, failure: { cause, detail } }
}

function blocked(phase: 'sim' | 'network', cause: Cause, detail: string): Readiness {
  return { kind: 'blocked', phase, failure: { cause, detail } }
}

function isUnlocked({ sim }: ModemSnapshot): boolean {
  return sim.status === 'ready' || sim.status === 'pin2' || sim.status === 'puk2'
}

function networkName({ operatorName, operatorCode }: ModemSnapshot): string {
  return operatorName ?? operatorCode ?? 'a foreign operator'
}
