/**
 * PINs and passwords are in the daemon's memory: no core file has it, and no other program of the same user reads it (prctl(2),
 * PR_SET_DUMPABLE). Where systemd starts the daemon the unit's LimitCORE=0 says so, too. Called first by `daemon/main.ts`.
 */

import { prctl } from './libc.ts'

const PR_SET_DUMPABLE = 4

export function forbidCoreDumps(): void {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}
