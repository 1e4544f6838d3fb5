/** One cell of the fault matrix on virtual time: the fault strikes in its state, then the link is watched until it stands again. */

import type { Cause } from '../../src/base/cause.ts'
import type { Logger } from '../../src/base/ports.ts'
import type { LinkSnapshot } from '../../src/link/snapshot.ts'
import {
  EXPECTATIONS,
  type Expected,
  expectationOf,
  type MatrixFault,
  type Remedy,
  STAGE_OF,
  type State,
} from './expectations.ts'
import { LINK, World } from './world.ts'

export interface CellOptions {
  readonly fault: MatrixFault
  readonly state: State
  readonly seed: number
  readonly personality: string
  readonly logger?: Logger | undefined
}

export interface Outcome {
  readonly fault: MatrixFault
  readonly state: State
  /** What is not as it must be; empty: the cell is right. */
  readonly wrong: readonly string[]
  /** That the link showed, in their order. */
  readonly causes: readonly Cause[]
  /** From the strike, or what somebody did, to the link that stands; undefined: never. */
  readonly upAfterS: number | undefined
}

/** So long it must stand to be up again; a dead peer is noticed sooner. */
const STANDS_MS = 90_000
/** A link that stood so long when the operator hung up counts as good. */
const GOOD_CALL_MS = 65_000
const STRIKE_LIMIT_MS = 90_000
const DOWN_LIMIT_MS = 20_000
/** How long a link that must wait for somebody is watched. */
const SETTLING_MS = 60_000
const WAITING_MS = 600_000

export async function runCell(options: CellOptions): Promise<Outcome> {
  const { seed, personality, logger } = options
  const world = await World.create({ seed, personality, ...(logger && { logger }) })
  const run = new CellRun(world, options)
  try {
    await run.live()
  } catch (error) {
    run.complain(error instanceof Error ? error.message : String(error))
  }
  await run.end()
  return run.outcome
}

class CellRun {
  readonly #world: World
  readonly #options: CellOptions
  readonly #expected: Expected
  readonly #wrong: string[] = []
  readonly #causes: Cause[] = []
  #isOver = false
  #upSinceMs: number | undefined
  #upAfterS: number | undefined

  constructor(world: World, options: CellOptions) {
    this.#world = world
    this.#options = options
    this.#expected = expectationOf(options.fault, options.state, options.personality, world.hasOnePort)
    world.link.onChange((next, previous) => this.#changed(next, previous))
  }

  get outcome(): Outcome {
    const { fault, state } = this.#options
    return { fault, state, wrong: this.#wrong, causes: this.#causes, upAfterS: this.#upAfterS }
  }

  complain(sentence: string): void {
    this.#wrong.push(sentence)
  }

  async live(): Promise<void> {
    const { fault, state } = this.#options
    const { modem } = this.#world
    modem.fault([...EXPECTATIONS[fault].words.split(' '), `at=${STAGE_OF[state]}`])
    modem.plug()
    if (state === 'hanging-up') await this.#hangUpAndConnect()
    if (this.#expected.isNext) await this.#letOperatorHangUp()
    if (!(await this.#world.until(() => this.#hasStruck, STRIKE_LIMIT_MS))) return this.complain('it never struck')
    let sinceMs = this.#world.clock.nowMs()
    const { remedy } = this.#expected
    if (remedy) {
      await this.#watchWaiting()
      sinceMs = this.#world.clock.nowMs()
      this.#act(remedy)
    }
    await this.#watchRecovery(sinceMs)
    this.#judgeCauses()
    this.#judgeSim()
    this.#isOver = true
  }

  async end(): Promise<void> {
    const world = this.#world
    const pending = await world.close()
    if (pending !== 0) this.complain(`at the end ${pending} timers are left`)
    if (world.tuns.some(({ isOpen }) => isOpen)) this.complain('at the end an interface is left')
  }

  get #hasStruck(): boolean {
    return Object.keys(this.#world.faults.struck).length > 0
  }

  async #hangUpAndConnect(): Promise<void> {
    const { supervisor, link } = this.#world
    if (!(await this.#world.until(() => this.#isUp, STRIKE_LIMIT_MS))) throw new Error('it was never up')
    void supervisor.disconnect(LINK)
    const isDown = () => link.snapshot.state === 'idle'
    if (!(await this.#world.until(isDown, DOWN_LIMIT_MS))) this.complain('it does not go down')
    this.#causes.length = 0
    void supervisor.connect(LINK, {})
  }

  async #letOperatorHangUp(): Promise<void> {
    const { modem, clock } = this.#world
    const hasStood = () => this.#upSinceMs !== undefined && clock.nowMs() - this.#upSinceMs >= GOOD_CALL_MS
    await this.#world.until(hasStood, STRIKE_LIMIT_MS + GOOD_CALL_MS)
    if (this.#hasStruck) return this.complain('it struck this call already')
    if (!modem.hangUp()) this.complain('there is no call')
  }

  /** Rightly down: it stays so, without a dial, and says what somebody has to do. */
  async #watchWaiting(): Promise<void> {
    const { statistics, clock } = this.#world
    // What is on its way when the fault strikes is no new dial, what comes after the failure is.
    await this.#world.until(() => this.#isDown, SETTLING_MS)
    const { calls } = statistics
    const commands = statistics.commands.byName.ATD ?? 0
    await clock.advance(SETTLING_MS)
    this.#judgeWaiting()
    await this.#world.until(() => this.#isUp, WAITING_MS)
    if (this.#isUp) this.complain('it is up although nobody did anything')
    const dials = (statistics.commands.byName.ATD ?? 0) - commands + statistics.calls - calls
    if (dials > 0) this.complain(`it was dialled ${dials} times in vain`)
  }

  get #isDown(): boolean {
    const { state, cause } = this.#world.link.snapshot
    return this.#expected.causes.some((each) => each === cause) && /^(failed|waiting)$/.test(state)
  }

  /** Without a modem it waits for one; everything else that stops a link is a failure for somebody to mend. */
  #judgeWaiting(): void {
    const { state, advice, nextAttemptAtUs } = this.#world.link.snapshot
    const [cause] = this.#expected.causes
    if (cause === undefined || cause === 'modem-gone') {
      if (state !== 'waiting') this.complain(`without a modem it is ${state}`)
      return
    }
    if (state !== 'failed') this.complain(`it is ${state}, not failed`)
    if (!advice) this.complain('nobody is told what to do')
    if (nextAttemptAtUs !== 0n) this.complain('it names a next attempt')
  }

  #act(remedy: Remedy): void {
    const { modem, supervisor } = this.#world
    switch (remedy) {
      case 'plug in':
        modem.plug()
        break
      case 'plug in anew':
        modem.replug(500)
        break
      case 'put the SIM in':
        modem.insertSim(undefined, undefined)
        break
      case 'connect':
        void supervisor.connect(LINK, {})
    }
  }

  async #watchRecovery(sinceMs: number): Promise<void> {
    const { clock } = this.#world
    const { withinS } = this.#expected
    const stands = () => this.#upSinceMs !== undefined && clock.nowMs() - this.#upSinceMs >= STANDS_MS
    if (!(await this.#world.until(stands, withinS * 2000 + STANDS_MS * 3))) {
      const { state, cause, causeDetail } = this.#world.link.snapshot
      const modemState = this.#world.handle?.snapshot.state ?? 'gone'
      return this.complain(`it is not up again: ${state} (${cause}: ${causeDetail}), the modem is ${modemState}`)
    }
    this.#upAfterS = Math.max(0, this.#upSinceMs! - sinceMs) / 1000
    if (this.#upAfterS > withinS) this.complain(`up after ${this.#upAfterS.toFixed(1)} s, not within ${withinS} s`)
    if (!(await this.#world.pings(30))) this.complain('it is up and carries nothing')
  }

  #judgeCauses(): void {
    const { causes, also = [] } = this.#expected
    const seen = new Set(this.#causes)
    if (causes.length > 0 && !causes.some((cause) => seen.has(cause)))
      this.complain(`${causes.join(' or ')} was not seen, but ${[...seen].join(', ') || 'no failure'}`)
    const strange = [...seen].filter((cause) => !causes.includes(cause) && !also.includes(cause))
    if (strange.length > 0) this.complain(`${strange.join(', ')} has no reason`)
  }

  #judgeSim(): void {
    const { sim } = this.#world
    if (sim.pinTries !== 3 || sim.tries.refused > 0) this.complain(`the SIM has ${sim.pinTries} PIN tries left`)
  }

  get #isUp(): boolean {
    return this.#upSinceMs !== undefined
  }

  #changed(next: LinkSnapshot, previous: LinkSnapshot): void {
    if (next.state !== previous.state) this.#upSinceMs = next.state === 'up' ? this.#world.clock.nowMs() : undefined
    if (this.#isOver || !/^(waiting|failed|idle)$/.test(next.state) || next.cause === undefined) return
    const isNews =
      next.state !== previous.state ||
      next.cause !== previous.cause ||
      next.causeDetail !== previous.causeDetail ||
      (next.nextAttemptAtUs !== previous.nextAttemptAtUs && next.nextAttemptAtUs !== 0n)
    if (!isNews) return
    this.#causes.push(next.cause)
    if (!next.causeDetail) this.complain(`${next.cause} without evidence`)
  }
}
