/** systemd-logind's word that the machine goes to sleep or woke up (org.freedesktop.login1(5), PrepareForSleep). Used by `daemon/suspend.ts`. */

import type { Neighbours } from './neighbours.ts'

const NAME = 'org.freedesktop.login1'

export interface LogindListener {
  /** It came or went. */
  onPresence(isHere: boolean): void
  /** True: the machine waits a few seconds for those that asked it to; false: it woke up. */
  onSleep(isGoing: boolean): void
}

export async function followLogind(neighbours: Neighbours, listener: LogindListener): Promise<void> {
  await neighbours.follow({
    name: NAME,
    match: `interface='${NAME}.Manager',member='PrepareForSleep'`,
    onOwner: (owner) => listener.onPresence(owner !== ''),
    onSignal: ({ interface: from, member, body: [isGoing] }) => {
      if (from === `${NAME}.Manager` && member === 'PrepareForSleep' && typeof isGoing === 'boolean')
        listener.onSleep(isGoing)
    },
  })
}
