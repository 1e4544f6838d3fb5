/**
 * The cause behind an error that a modem's method gave, for `--json`. A D-Bus error carries a name and a text only (GLib takes no more than
 * the text), so the modem's FailedCause says which of the causes with that name it was. Called by `daemon.ts`.
 */

import type { Cause } from '../base/cause.ts'
import type { ErrorCode } from '../base/errors.ts'

type Causes = Readonly<Partial<Record<ErrorCode, readonly Cause[]>>>

/** The first is meant where the modem names none of them. */
const CAUSES: Causes = {
  SimPin: ['sim-pin', 'sim-pin-refused'],
  SimPuk: ['sim-puk'],
  SimAbsent: ['sim-absent', 'sim-failed'],
  NoNetwork: ['no-network', 'registration-denied', 'radio-off'],
  Roaming: ['roaming-forbidden'],
}

/** By interface, where a name means something else. */
const EXCEPTIONS: Readonly<Record<string, Causes>> = {
  // Their secret was tried, or would have been. The console's guard refuses commands, not tries.
  Sim1: { SimPin: ['sim-pin-refused'], PinGuard: ['sim-pin'] },
  // Also of a session that the network ended.
  Ussd1: { NoNetwork: [] },
}

/** The causes that an error of one of our interfaces may have. */
export function possibleCauses(interfaceName: string, errorName: string): readonly Cause[] {
  const code = errorName.replace('org.modemd.Error.', '') as ErrorCode
  return EXCEPTIONS[interfaceName]?.[code] ?? CAUSES[code] ?? []
}
