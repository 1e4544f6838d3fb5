/**
 * Where reports go: the file of -r, appended to, or standard error. As with chat(8) a file gets what there is when the program
 * ends: that shows only where the file is something else's too, or the program is killed.
 */

import { closeSync, openSync } from 'node:fs'
import { latin1 } from '../../base/bytes.ts'
import { errnoText } from '../../system/libc.ts'
import { writeAll } from '../../system/shared-fd.ts'
import { readSettings } from '../../system/termios.ts'
import type { ReportFile as Named } from '../command-line.ts'
import { toStderr } from './messages.ts'

const STDERR = 2

export class ReportOutput {
  #name: string | undefined
  #fd = STDERR
  #isHeld = false
  #held = ''

  /** All of `files` are opened; the last one counts, and standard error where it cannot be opened. */
  constructor(files: readonly Named[]) {
    for (const { name, isAnnounced } of files) {
      this.flush()
      if (this.#fd !== STDERR) closeSync(this.#fd)
      this.#fd = openForAppending(name)
      // A terminal shows each line at once.
      this.#isHeld = this.#fd !== STDERR && typeof readSettings(this.#fd) === 'number'
      this.#name = name
      if (this.#fd !== STDERR && isAnnounced) this.write(`Opening "${name}"...\n`)
    }
  }

  get isStderr(): boolean {
    return this.#fd === STDERR
  }

  /** The name of -r. */
  get name(): string | undefined {
    return this.#name
  }

  /** A line. */
  write(text: string): void {
    this.#held += text
    if (!this.#isHeld) this.flush()
  }

  /** What the file does not take is not lost. */
  flush(): void {
    const text = this.#held
    this.#held = ''
    if (text === '') return
    const answer = writeAll(this.#fd, latin1(text))
    if (answer >= 0 || this.isStderr) return
    toStderr(`modem-chat: cannot write to ${this.#name}: ${errnoText(answer)}; it would have got:\n${text}`)
  }
}

function openForAppending(name: string): number {
  try {
    return openSync(Buffer.from(name, 'latin1'), 'a')
  } catch {
    return STDERR
  }
}
