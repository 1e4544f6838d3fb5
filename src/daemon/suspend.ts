/**
 * The machine's sleep: links go down in order before it and come back after it. systemd-logind tells when, and waits for us while a link
 * is up; a sleep that nobody told of is noticed afterwards by the clock (`system/sleep-clock.ts`). Made by `main.ts`.
 */

import { errorText } from '../base/errors.ts'
import { type Cancel, type Logger, sleep } from '../base/ports.ts'
import { Turns } from '../base/turns.ts'
import type { LogindListener } from '../bus/logind.ts'
import type { LinkHandle } from '../link/snapshot.ts'
import type { Supervisor } from '../link/supervisor.ts'
import type { SleepClock } from '../system/sleep-clock.ts'

/** logind waits 5 s, unless its InhibitDelayMaxSec says otherwise. */
const HANG_UP_LIMIT_MS = 4000

export interface SuspendOptions {
  readonly supervisor: Pick<Supervisor, 'links' | 'onLinkAdded' | 'onLinkRemoved' | 'suspend' | 'resume'>
  /** Idempotent. */
  readonly inhibitor: { hold(): void; release(): void }
  readonly clock: SleepClock
  readonly logger: Logger
}

export class Suspend implements LogindListener {
  readonly #options: SuspendOptions
  readonly #following = new Map<LinkHandle, Cancel>()
  readonly #unwatch: readonly Cancel[]
  #hasLogind = false
  #isGoing = false
  #isHeld = false
  readonly #turns = new Turns()

  constructor(options: SuspendOptions) {
    this.#options = options
    const { supervisor } = options
    for (const link of supervisor.links) this.#follow(link)
    this.#unwatch = [
      supervisor.onLinkAdded((link) => this.#follow(link)),
      supervisor.onLinkRemoved((link) => {
        this.#following.get(link)?.()
        this.#following.delete(link)
        this.#update()
      }),
    ]
  }

  onPresence(isHere: boolean): void {
    this.#hasLogind = isHere
    // Its word that the machine woke up may be lost with it, or with the bus.
    if (this.#isGoing) this.onSleep(false)
    // The one that held it is gone, too.
    this.#release()
    this.#update()
  }

  onSleep(isGoing: boolean): void {
    this.#isGoing = isGoing
    if (!isGoing) this.#options.clock.forget()
    this.#inTurn(() =>
      isGoing ? this.#hangUp('The machine goes to sleep: links go down.') : this.#comeBack('woke up'),
    )
  }

  /** Without a word of logind. */
  slept(ms: number): void {
    if (this.#isGoing) return
    const how = `has slept for ${Math.round(ms / 1000)} s`
    this.#inTurn(async () => {
      await this.#hangUp(`The machine ${how} and nobody said so: links begin anew.`)
      this.#comeBack(how)
    })
  }

  close(): void {
    for (const cancel of [...this.#unwatch, ...this.#following.values()]) cancel()
    this.#release()
  }

  async #hangUp(what: string): Promise<void> {
    const { supervisor, clock, logger } = this.#options
    logger.info(what)
    const done = new AbortController()
    const late = sleep(clock, HANG_UP_LIMIT_MS, done.signal).then(
      () => logger.warn('Not every link is down before the machine sleeps.'),
      () => {},
    )
    await Promise.race([supervisor.suspend(), late])
    done.abort()
    this.#release()
  }

  #comeBack(how: string): void {
    const { supervisor, logger } = this.#options
    logger.info(`The machine ${how}: modems are looked at anew, links come back.`)
    supervisor.resume()
    this.#update()
  }

  /** A sleep that is called off is told at once. */
  #inTurn(step: () => Promise<void> | void): void {
    this.#turns.take(step).catch((error) => this.#options.logger.error(errorText(error)))
  }

  #follow(link: LinkHandle): void {
    this.#following.set(
      link,
      link.onChange((next, previous) => next.state !== previous.state && this.#update()),
    )
    this.#update()
  }

  #update(): void {
    const states = this.#options.supervisor.links.map(({ snapshot }) => snapshot.state)
    const isUp = states.includes('up') || (this.#isHeld && states.includes('going-down'))
    if (!this.#hasLogind || this.#isGoing || !isUp) {
      // What holds it up while it goes is let go of when all links are down.
      if (!this.#isGoing) this.#release()
      return
    }
    this.#isHeld = true
    // Also where it was held: it may have ended by itself.
    this.#options.inhibitor.hold()
  }

  #release(): void {
    this.#isHeld = false
    this.#options.inhibitor.release()
  }
}
