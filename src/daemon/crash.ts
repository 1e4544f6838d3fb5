/**
 * What a modemd that was killed, or a power cut, may have left, and the one list of what puts it right at the next start, before a
 * port is opened. Called by `main.ts`, which has made sure that no other modemd runs.
 *
 * What needs nothing here, because it cannot outlive us: the interfaces of the builtin and kernel engines with their addresses and
 * routes (they go with our descriptors), what systemd-resolved has for them, the inhibitor of sleep (its pipe ends), a call (the tty
 * hangs up when it is closed, and detection asks a port that stays silent whether it is in one). What others put right themselves
 * when they start: the links of ports (`modem/port-links.ts`), half written state files (`modem/state-files.ts`), a PIN whose try
 * was cut short (`modem/pin-ledger.ts`: it counts as refused unless the SIM is open), a USB port or power that was off for a restart
 * (`modem/device-restart.ts`).
 */

import type { Clock, Logger } from '../base/ports.ts'
import type { ResolverChain } from '../link/resolver-chain.ts'
import { endLeftOverPppd } from '../ppp/engines/pppd-leftover.ts'
import { removeLocksAfterCrash } from '../serial/lock-file.ts'

export interface CrashServices {
  /** '' or the directory that stands for `/`. */
  readonly root: string
  readonly resolver: ResolverChain
  readonly clock: Clock
  readonly logger: Logger
}

/** Never rejects: what cannot be put right is said, and modemd starts all the same. */
export async function putRightAfterCrash({ root, resolver, clock, logger }: CrashServices): Promise<void> {
  // It has a port, an interface, a route.
  await endLeftOverPppd({ clock, logger })
  await resolver.restoreAfterCrash()
  await removeLocksAfterCrash(`${root}/run/lock`)
}
