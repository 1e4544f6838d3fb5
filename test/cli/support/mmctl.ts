/** mmctl run inside the test's process, with a terminal or a pipe of the test's own. */

import { clock } from '../../../src/cli/clock.ts'
import type { InputStream } from '../../../src/cli/io.ts'
import { runProgram } from '../../../src/cli/program.ts'

export interface RunOptions {
  readonly address: string
  /** A terminal of so many columns; absent: a pipe. */
  readonly columns?: number
  readonly stdin?: InputStream
  readonly env?: Readonly<Record<string, string>>
}

export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export class Running {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  readonly #interrupts = new Set<() => void>()
  readonly #waiters = new Set<() => void>()

  constructor(argv: readonly string[], { address, columns, stdin = NO_INPUT, env }: RunOptions) {
    const stream = (name: 'stdout' | 'stderr') => ({
      isTTY: columns !== undefined,
      columns,
      write: (text: string) => {
        this[name] += text
        for (const look of [...this.#waiters]) look()
      },
    })
    const io = {
      stdin,
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      env: { DBUS_SYSTEM_BUS_ADDRESS: address, TERM: 'xterm', ...env },
      onInterrupt: (listener: () => void) => {
        this.#interrupts.add(listener)
        return () => this.#interrupts.delete(listener)
      },
    }
    this.ended = runProgram(argv, io, clock).then((exitCode) => ({
      exitCode,
      stdout: this.stdout,
      stderr: this.stderr,
    }))
  }

  /** SIGINT. */
  interrupt(): void {
    for (const listener of [...this.#interrupts]) listener()
  }

  /** Resolves when it has said this, on either stream; fails when it ends without. */
  async until(pattern: RegExp): Promise<void> {
    const said = new Promise<void>((resolve) => {
      const look = () => {
        if (!pattern.test(this.stdout + this.stderr)) return
        this.#waiters.delete(look)
        resolve()
      }
      this.#waiters.add(look)
      look()
    })
    const ended = this.ended.then(() => {
      if (!pattern.test(this.stdout + this.stderr))
        throw new Error(`mmctl ended without ${pattern}: ${this.stdout}${this.stderr}`)
    })
    await Promise.race([said, ended])
  }
}

export async function mmctl(argv: readonly string[], options: RunOptions): Promise<Ended> {
  return new Running(argv, options).ended
}

const NO_INPUT: InputStream = { isTTY: false, on: () => {}, off: () => {}, resume: () => {}, pause: () => {} }

/** A keyboard on a terminal: `type` gives keys, `isRaw` tells whether they are echoed by the terminal. */
export class Keyboard implements InputStream {
  readonly isTTY = true
  isRaw = false
  readonly #listeners = new Set<(bytes: Buffer) => void>()

  setRawMode(on: boolean): void {
    this.isRaw = on
  }

  on(_event: 'data', listener: (bytes: Buffer) => void): void {
    this.#listeners.add(listener)
  }

  off(_event: 'data', listener: (bytes: Buffer) => void): void {
    this.#listeners.delete(listener)
  }

  resume(): void {}

  pause(): void {}

  type(keys: string): void {
    for (const listener of [...this.#listeners]) listener(Buffer.from(keys))
  }
}
