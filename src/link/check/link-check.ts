/**
 * A profile's `check` on one call: an address is not yet traffic. The link is up only once the host answered; while it is up the
 * host is asked again only where nothing else shows that data come in, since each question costs data and battery. Called by
 * `carry.ts`.
 */

import type { Failure } from '../../base/cause.ts'
import { errorText } from '../../base/errors.ts'
import { type Cancel, type Clock, sleep } from '../../base/ports.ts'
import type { CheckPath, CheckTarget, Reach } from './reach.ts'

/** Four tries of the kernel's for one connection. */
const TRY_MS = 10_000
/** A network that has just given an address may take a while to carry anything. */
const FIRST_LIMIT_MS = 20_000
const PAUSE_MS = 1000
/** How often a link that is up is looked at, without a packet. */
const LOOK_MS = 30_000
/** A link that nothing uses is asked this often. */
const IDLE_MS = 300_000
/** One may be lost in a change of cell. */
const TRIES_WHILE_UP = 2

export interface LinkCheckOptions {
  readonly target: CheckTarget
  readonly reach: Reach
  readonly clock: Clock
  /** undefined: it has no address now. */
  readonly path: () => CheckPath | undefined
  readonly counters: () => { readonly rxBytes: bigint; readonly txBytes: bigint }
  /** It was up and the host no longer answers. */
  readonly onLost: (failure: Failure) => void
}

export class LinkCheck {
  readonly #options: LinkCheckOptions
  readonly #over = new AbortController()
  #counted = { rxBytes: 0n, txBytes: 0n }
  #provenMs = 0
  #cancelLook: Cancel | undefined

  constructor(options: LinkCheckOptions) {
    this.#options = options
  }

  /** Until the host answered: undefined. Else why the link is of no use. Never rejects. */
  async first(): Promise<Failure | undefined> {
    const { clock } = this.#options
    const giveUpMs = clock.nowMs() + FIRST_LIMIT_MS
    for (;;) {
      const trouble = await this.#try()
      if (trouble === undefined || clock.nowMs() + PAUSE_MS > giveUpMs) return trouble
      await this.#pause()
      if (this.#over.signal.aborted) return trouble
    }
  }

  /** Once it is up. */
  watch(): void {
    this.#proven()
    this.#lookLater()
  }

  /** Idempotent. */
  stop(): void {
    this.#over.abort()
    this.#cancelLook?.()
  }

  #lookLater(): void {
    const { clock } = this.#options
    if (!this.#over.signal.aborted) this.#cancelLook = clock.at(clock.nowMs() + LOOK_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    const { clock, counters, onLost } = this.#options
    const { rxBytes, txBytes } = counters()
    const hasReceived = rxBytes !== this.#counted.rxBytes
    const isSilent = !hasReceived && txBytes !== this.#counted.txBytes
    if (hasReceived) this.#proven()
    else if (isSilent || clock.nowMs() - this.#provenMs >= IDLE_MS) {
      const trouble = await this.#ask()
      if (this.#over.signal.aborted) return
      if (trouble) return onLost(trouble)
      this.#proven()
    }
    this.#lookLater()
  }

  async #ask(): Promise<Failure | undefined> {
    let trouble: Failure | undefined
    for (let left = TRIES_WHILE_UP; left > 0; left--) {
      trouble = await this.#try()
      if (trouble === undefined || this.#over.signal.aborted) return trouble
      if (left > 1) await this.#pause()
    }
    return trouble
  }

  #proven(): void {
    this.#counted = this.#options.counters()
    this.#provenMs = this.#options.clock.nowMs()
  }

  async #try(): Promise<Failure | undefined> {
    const { target, reach, clock } = this.#options
    const late = new AbortController()
    const cancelLate = clock.at(clock.nowMs() + TRY_MS, () => late.abort())
    try {
      const path = this.#options.path()
      if (!path) return failure(target, 'the link has no address')
      await reach(target, path, AbortSignal.any([this.#over.signal, late.signal]))
      return undefined
    } catch (error) {
      return failure(target, late.signal.aborted ? `no answer within ${TRY_MS / 1000} s` : errorText(error))
    } finally {
      cancelLate()
    }
  }

  /** Ends early with the link. */
  async #pause(): Promise<void> {
    await sleep(this.#options.clock, PAUSE_MS, this.#over.signal).catch(() => {})
  }
}

function failure({ host, port }: CheckTarget, detail: string): Failure {
  const shown = host.includes(':') ? `[${host}]` : host
  return { cause: 'echo-lost', detail: `the check of ${shown}:${port} failed: ${detail}` }
}
