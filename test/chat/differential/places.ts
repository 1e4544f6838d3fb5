/** So many at once, and no more. */

export class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async use<T>(run: () => Promise<T>): Promise<T> {
    const leave = await this.take()
    try {
      return await run()
    } finally {
      leave()
    }
  }

  /** Answers how to leave it; leaving twice is once. */
  async take(): Promise<() => void> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#free--
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
