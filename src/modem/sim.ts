/** The SIM's side of a modem: its state, its number, its tries, and the wait until it is open. Called by bring-up and `modem.ts`. */

import { ModemdError } from '../base/errors.ts'
import { sleep } from '../base/ports.ts'
import { parseError } from './at/replies/cme.ts'
import { parseCpin } from './at/replies/cpin.ts'
import type { TriesLeft } from './at/replies/pin-tries.ts'
import { ask } from './drivers/driver.ts'
import type { ModemContext } from './procedure.ts'
import type { SimStatus } from './snapshot.ts'
import type { Wakeup } from './wakeup.ts'

/** A SIM that is still busy after this is taken for broken. */
const BUSY_LIMIT_MS = 20_000
const BUSY_POLL_MS = [100, 200, 300, 500, 1000]
/** Some modems say "not inserted" or "failure" in their first seconds. */
const SECOND_LOOKS_MS = [1000, 3000, 8000]

const STATUS_BY_CME: Readonly<Record<number, SimStatus>> = {
  5: 'failed',
  10: 'absent',
  11: 'pin',
  12: 'puk',
  13: 'failed',
  15: 'failed',
}

export interface SimOpener {
  readonly wakeup: Wakeup
  /** The profile's PIN, where there is one and the rule allows a try by itself. Resolves true when the SIM took it. */
  tryProfilePin(): Promise<boolean>
}

/** undefined: busy, or an answer that says nothing. What it says is the modem's state from now on. */
export async function readSimStatus(modem: ModemContext): Promise<SimStatus | undefined> {
  const status = await askSimStatus(modem)
  if (status !== undefined) modem.apply({ type: 'sim', sim: { status } })
  return status
}

async function askSimStatus(modem: ModemContext): Promise<SimStatus | undefined> {
  const reply = await modem.attempt('AT+CPIN?', { timeoutMs: 6000 })
  if (reply.isOk) {
    const cpin = parseCpin(reply.lines)
    return cpin && (cpin.status ?? 'failed')
  }
  const { kind, number } = parseError(reply.final)
  return kind === 'cme' && number !== undefined ? STATUS_BY_CME[number] : undefined
}

export async function readTriesLeft(modem: ModemContext): Promise<TriesLeft | undefined> {
  const tries = await ask((text, options) => modem.attempt(text, options), modem.driver.triesLeft)
  if (tries) modem.apply({ type: 'sim', sim: { pinTries: tries.pin, pukTries: tries.puk } })
  return tries
}

export async function readIccid(modem: ModemContext): Promise<void> {
  if (modem.snapshot.sim.iccid !== undefined) return
  const iccid = await ask((text, options) => modem.attempt(text, options), modem.driver.iccid)
  if (iccid !== undefined) modem.apply({ type: 'sim', sim: { iccid } })
}

/** Resolves when the SIM is ready. Until then it waits for a person, a report or, for a few times, a moment. */
export async function openSim(modem: ModemContext, opener: SimOpener, signal: AbortSignal): Promise<void> {
  let looks = 0
  let hasTried = false
  let isTaken = false
  for (;;) {
    const known = modem.snapshot.sim.status
    // Whoever tried the PIN has asked already, and where the SIM took long he did not see it open.
    const isKnown = isTaken && known !== undefined && known !== 'pin'
    isTaken = false
    const status = isKnown ? known : await readSettledStatus(modem, signal)
    modem.apply({ type: 'sim', sim: { status } })
    if (status === 'absent' || status === 'failed') {
      modem.apply({ type: 'failure', failure: failureOf(status) })
      await opener.wakeup.pause(modem.clock, SECOND_LOOKS_MS[looks++], signal)
      continue
    }
    await readIccid(modem)
    if (status !== 'pin' && status !== 'puk') {
      if (modem.snapshot.failure?.cause.startsWith('sim-')) modem.apply({ type: 'failure', failure: undefined })
      return
    }
    if (status === 'puk') modem.apply({ type: 'failure', failure: failureOf('puk') })
    else if (!hasTried) {
      hasTried = true
      isTaken = await opener.tryProfilePin()
      if (isTaken) continue
    }
    await readTriesLeft(modem)
    await opener.wakeup.pause(modem.clock, undefined, signal)
  }
}

async function readSettledStatus(modem: ModemContext, signal: AbortSignal): Promise<SimStatus> {
  const giveUpAtMs = modem.clock.nowMs() + BUSY_LIMIT_MS
  for (let look = 0; ; look++) {
    const status = await readSimStatus(modem)
    if (status !== undefined) return status
    if (modem.clock.nowMs() >= giveUpAtMs) return 'failed'
    await sleep(modem.clock, BUSY_POLL_MS[look] ?? 1000, signal)
  }
}

function failureOf(status: 'absent' | 'failed' | 'puk') {
  if (status === 'absent') return { cause: 'sim-absent', detail: 'The modem finds no SIM.' } as const
  if (status === 'puk') return { cause: 'sim-puk', detail: 'The SIM asks for its PUK.' } as const
  return { cause: 'sim-failed', detail: 'The SIM does not answer, or with a failure.' } as const
}

/** For a dial that cannot be made: what is the matter with the SIM? */
export function simError(status: SimStatus | undefined): ModemdError | undefined {
  switch (status) {
    case 'absent':
      return new ModemdError('SimAbsent', 'There is no SIM in the modem.', 'sim-absent')
    case 'failed':
      return new ModemdError('SimAbsent', 'The SIM does not work.', 'sim-failed')
    case 'pin':
      return new ModemdError('SimPin', 'The SIM asks for its PIN.', 'sim-pin')
    case 'puk':
      return new ModemdError('SimPuk', 'The SIM asks for its PUK.', 'sim-puk')
    default:
      return undefined
  }
}
