/** Steps that must not overlap: one after another, in the order in which they were asked for. One that fails holds up none. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as `step` does, which begins when all before it have ended. */
  take<T>(step: () => Promise<T> | T): Promise<T> {
    const turn = this.#last.then(step)
    this.#last = turn.catch(() => {})
    return turn
  }
}
