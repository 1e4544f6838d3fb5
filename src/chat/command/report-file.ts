/** Where reports go: the file of -r, appended to, or standard error. */

import { closeSync, openSync } from 'node:fs'
import { latin1 } from '../../base/bytes.ts'
import { errnoText } from '../../system/libc.ts'
import { writeAll } from '../../system/shared-fd.ts'
import type { ReportFile as Named } from '../command-line.ts'
import { toStderr } from './messages.ts'

const STDERR = 2

export class ReportOutput {
  readonly #name: string | undefined
  readonly #fd: number

  /** All of `files` are opened; the last one counts, and standard error where it cannot be opened. */
  constructor(files: readonly Named[]) {
    let fd = STDERR
    for (const { name, isAnnounced } of files) {
      if (fd !== STDERR) closeSync(fd)
      fd = openForAppending(name)
      if (fd !== STDERR && isAnnounced) writeAll(fd, latin1(`Opening "${name}"...\n`))
    }
    this.#fd = fd
    this.#name = files.at(-1)?.name
  }

  /** A line. One that the file does not take is not lost. */
  write(text: string): void {
    const answer = writeAll(this.#fd, latin1(text))
    if (answer >= 0 || this.#fd === STDERR) return
    toStderr(`modem-chat: cannot write the report to ${this.#name}: ${errnoText(answer)}; here it is:\n${text}`)
  }

  /** At the end. */
  close(isVerbose: boolean): void {
    if (this.#name !== undefined && isVerbose) writeAll(this.#fd, latin1(`Closing "${this.#name}".\n`))
  }
}

function openForAppending(name: string): number {
  try {
    return openSync(Buffer.from(name, 'latin1'), 'a')
  } catch {
    return STDERR
  }
}
