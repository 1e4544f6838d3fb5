/** A modem that restarts: the command, and the wait until it answers again. Called by `modem.ts`. */

import { ModemdError } from '../base/errors.ts'
import { type Clock, sleep } from '../base/ports.ts'
import type { AtReply, ProbeTimes } from './at/channel.ts'
import { errorOf } from './at/session.ts'
import type { ModemDriver } from './drivers/driver.ts'
import type { ModemPort } from './port.ts'

const DEAF_MS = 2000
const PROBE_TIMES: ProbeTimes = [0, 2000, 5000, 10_000, 20_000, 40_000, 60_000]

/** The first that is accepted. A modem that vanishes instead of answering does what it was told. */
export async function sendReset(
  commands: readonly string[],
  attempt: (text: string) => Promise<AtReply>,
): Promise<void> {
  try {
    let refusal: ModemdError | undefined
    for (const command of commands) {
      const reply = await attempt(command)
      if (reply.isOk) return
      refusal ??= errorOf(command, reply)
    }
    if (refusal) throw refusal
  } catch (error) {
    if (!(error instanceof ModemdError && error.failureCause === 'modem-gone')) throw error
  }
}

/** A USB modem comes back as a new one; a plain UART's answers here again. Resolves after a minute at the latest. */
export async function awaitRestart(
  ports: readonly ModemPort[],
  driver: ModemDriver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await sleep(clock, DEAF_MS, signal)
  const restart = async ({ session }: ModemPort) => {
    if (await session?.probe(PROBE_TIMES)) session?.sendFirst(driver.portInit)
  }
  await Promise.all(ports.map(restart))
}
