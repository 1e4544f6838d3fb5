/**
 * The lock file of -l, as chat(8) had it before 1995: the file that is named, with our process id in the form of UUCP. Whoever made
 * it must remove it: here only if the script fails, since after it the line is the next program's.
 */

import { unlinkSync, writeFileSync } from 'node:fs'
import { errnoText } from '../../system/libc.ts'

export class ScriptLock {
  readonly #path: Buffer
  #isOurs = false

  constructor(name: string) {
    this.#path = Buffer.from(name, 'latin1')
  }

  /** Answers why not. An old file stays: its maker is long gone when the next program uses the line. */
  take(): string | undefined {
    try {
      writeFileSync(this.#path, `${String(process.pid).padStart(10)}\n`, { flag: 'wx', mode: 0o644 })
      this.#isOurs = true
      return undefined
    } catch (error) {
      const why = errnoText((error as NodeJS.ErrnoException).errno ?? 0)
      return `Can't get lock file '${this.#path.toString('latin1')}': ${why}`
    }
  }

  remove(): void {
    if (!this.#isOurs) return
    try {
      unlinkSync(this.#path)
    } catch {
      // Somebody else was quicker.
    }
  }
}
