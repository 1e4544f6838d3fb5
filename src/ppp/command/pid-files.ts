/** /run/pppN.pid and /run/ppp-LINKNAME.pid, as pppd writes them: `poff` and others find us by them. `link.ts` and `run.ts` use it. */

import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { errorText } from '../../base/errors.ts'
import type { Messages } from './messages.ts'

const FOLDER = '/run'
const MODE = 0o644

export class PidFiles {
  readonly #messages: Messages
  readonly #linkFile: string | undefined
  #interfaceFile: string | undefined

  constructor(linkName: string | undefined, messages: Messages) {
    this.#messages = messages
    // The name comes from an option and may not lead elsewhere.
    this.#linkFile = linkName === undefined ? undefined : `${FOLDER}/ppp-${linkName.replaceAll('/', '_')}.pid`
  }

  /** At the start; the interface has no name yet. */
  start(): void {
    removeStale()
    if (this.#linkFile) this.#write(this.#linkFile, `${process.pid}\n`)
  }

  interfaceNamed(name: string): void {
    this.interfaceGone()
    this.#interfaceFile = `${FOLDER}/${name}.pid`
    this.#write(this.#interfaceFile, `${process.pid}\n`)
    if (this.#linkFile) this.#write(this.#linkFile, `${process.pid}\n${name}\n`)
  }

  interfaceGone(): void {
    if (this.#interfaceFile) remove(this.#interfaceFile)
    this.#interfaceFile = undefined
  }

  end(): void {
    this.interfaceGone()
    if (this.#linkFile) remove(this.#linkFile)
  }

  #write(file: string, content: string): void {
    try {
      writeFileSync(file, content, { mode: MODE })
    } catch (error) {
      this.#messages.error(`Failed to create pid file ${file}: ${errorText(error)}`)
    }
  }
}

/** Only what names this process. */
function remove(file: string): void {
  try {
    if (pidIn(file) === process.pid) unlinkSync(file)
  } catch {
    // Somebody else was quicker.
  }
}

/** What a killed modem-ppp (or pppd) left: its process is there no more. */
function removeStale(): void {
  for (const name of names()) {
    if (!/^ppp\d+\.pid$/.test(name)) continue
    try {
      const pid = pidIn(`${FOLDER}/${name}`)
      if (pid > 0 && !existsSync(`/proc/${pid}`)) unlinkSync(`${FOLDER}/${name}`)
    } catch {
      // Not ours to remove.
    }
  }
}

function names(): string[] {
  try {
    return readdirSync(FOLDER)
  } catch {
    return []
  }
}

function pidIn(file: string): number {
  return Number.parseInt(readFileSync(file, 'latin1'), 10)
}
