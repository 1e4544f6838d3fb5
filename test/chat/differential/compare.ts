/** Both programs on one case. They mostly sleep, so many run at once; but a start of Node costs, so few start at once. */

import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { ChatCase, Outcome } from './case.ts'
import { Places } from './places.ts'
import { runCase } from './run.ts'
import type { SyslogSocket } from './syslog-socket.ts'

const DEBIAN_CHAT = ['/usr/sbin/chat']
const MODEM_CHAT = [process.execPath, fileURLToPath(new URL('../../../dist/modem-chat.cjs', import.meta.url))]
/** MODEMD_CHAT_UNDER_TEST: another program in the place of modem-chat; Debian's own shows that the comparison is steady. */
const OURS = process.env.MODEMD_CHAT_UNDER_TEST ? [process.env.MODEMD_CHAT_UNDER_TEST] : MODEM_CHAT

const AT_ONCE = 40
const STARTS_AT_ONCE = 3

export interface Comparison {
  readonly theirs: Outcome
  readonly ours: Outcome
  readonly isSame: boolean
}

export async function compare(chatCase: ChatCase, syslog?: SyslogSocket): Promise<Comparison> {
  const theirs = await theirPlaces.use(() => runCase(DEBIAN_CHAT, chatCase, starts, syslog))
  const ours = await ourPlaces.use(() => runCase(OURS, chatCase, starts, syslog))
  // A program can be over before its settings are seen.
  const wasSeen = theirs.during !== '' && ours.during !== ''
  const [their, our] = wasSeen ? [theirs, ours] : [theirs, ours].map((outcome) => ({ ...outcome, during: '' }))
  return { theirs: their!, ours: our!, isSame: isDeepStrictEqual(their, our) }
}

/**
 * On a loaded machine a second's limit can pass before a modem has answered. A difference is one if it comes again; what
 * never comes again in three tries was the machine.
 */
export async function compareSteadily(chatCase: ChatCase, syslog?: SyslogSocket): Promise<Comparison> {
  let comparison = await compare(chatCase, syslog)
  if (comparison.isSame) return comparison
  for (let attempt = 0; attempt < 3; attempt++) {
    const again = await compare(chatCase, syslog)
    if (!again.isSame) return again
    comparison = again
  }
  unsteady.push(chatCase.name)
  return comparison
}

/** Cases that differed once and then no more. */
export const unsteady: string[] = []

const theirPlaces = new Places(AT_ONCE)
const ourPlaces = new Places(AT_ONCE)
const starts = new Places(STARTS_AT_ONCE)
