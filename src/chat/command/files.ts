/**
 * The files a script is made of: that of -f and those of `@file`. What is on a disk is read at once; what may let us wait (a
 * FIFO) is read by Node's threads, so that signals are heard meanwhile: it is `NOT_YET` there, and `wake` says when to ask again.
 */

import { close, closeSync, open, openSync, read, readSync, statSync } from 'node:fs'
import { fromLatin1 } from '../../base/bytes.ts'
import { errnoText } from '../../system/libc.ts'
import { NOT_YET, type NotYet, type ScriptWord, scriptWords } from '../script.ts'
import { LONGEST_FILE, type ReadFile } from '../send-word.ts'

const PART_BYTES = 4096

type Part = Uint8Array | NotYet | undefined

interface Source {
  /** The system's text for why it cannot be opened; undefined: it is open. */
  opened(): string | NotYet | undefined
  /** undefined: the end, also where it cannot be read (a directory). */
  part(): Part
  close(): void
}

/** The words of a script file, read as far as they are asked for. */
export function* fileWords(name: string, wake: () => void): Generator<ScriptWord | NotYet> {
  const source = openSource(name, wake)
  let refusal = source.opened()
  for (; refusal === NOT_YET; refusal = source.opened()) yield NOT_YET
  if (refusal !== undefined) yield { message: `${name} -- open failed: ${refusal}` }
  else yield* scriptWords(textParts(source))
}

function* textParts(source: Source): Generator<string | NotYet> {
  for (let part = source.part(); part; part = source.part()) yield part === NOT_YET ? NOT_YET : fromLatin1(part)
  source.close()
}

/** For `@file`: up to 1023 bytes. One at a time, since a send waits for its file. */
export function fileReader(wake: () => void): ReadFile {
  let reading: Generator<Uint8Array | string | NotYet> | undefined
  return (name) => {
    reading ??= fileContent(name, wake)
    const content = reading.next().value as Uint8Array | string | NotYet
    if (content !== NOT_YET) reading = undefined
    return content
  }
}

function* fileContent(name: string, wake: () => void): Generator<Uint8Array | string | NotYet> {
  const source = openSource(name, wake)
  let refusal = source.opened()
  for (; refusal === NOT_YET; refusal = source.opened()) yield NOT_YET
  if (refusal !== undefined) {
    yield refusal
    return
  }
  const bytes: number[] = []
  for (let part = source.part(); part && bytes.length < LONGEST_FILE; part = source.part()) {
    if (part === NOT_YET) yield NOT_YET
    else bytes.push(...part)
  }
  source.close()
  yield Uint8Array.from(bytes)
}

function openSource(name: string, wake: () => void): Source {
  const path = Buffer.from(name, 'latin1')
  return mayWait(path) ? new SlowSource(path, wake) : new DiskSource(path)
}

function mayWait(path: Buffer): boolean {
  try {
    const found = statSync(path)
    return !found.isFile() && !found.isDirectory()
  } catch {
    // Opening it tells why.
    return false
  }
}

class DiskSource implements Source {
  readonly #path: Buffer
  #fd = -1

  constructor(path: Buffer) {
    this.#path = path
  }

  opened(): string | undefined {
    try {
      this.#fd = openSync(this.#path, 'r')
      return undefined
    } catch (error) {
      return textOf(error)
    }
  }

  part(): Uint8Array | undefined {
    const buffer = new Uint8Array(PART_BYTES)
    try {
      const count = readSync(this.#fd, buffer)
      return count > 0 ? buffer.subarray(0, count) : undefined
    } catch {
      return undefined
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

class SlowSource implements Source {
  readonly #wake: () => void
  #fd: number | undefined
  #refusal: string | undefined
  #arrived: Uint8Array | 'end' | undefined
  #isReading = false

  constructor(path: Buffer, wake: () => void) {
    this.#wake = wake
    open(path, 'r', (error, fd) => {
      if (error) this.#refusal = textOf(error)
      else this.#fd = fd
      wake()
    })
  }

  opened(): string | NotYet | undefined {
    if (this.#refusal !== undefined) return this.#refusal
    return this.#fd === undefined ? NOT_YET : undefined
  }

  part(): Part {
    const arrived = this.#arrived
    if (arrived === 'end') return undefined
    this.#arrived = undefined
    if (arrived) return arrived
    this.#read()
    return NOT_YET
  }

  close(): void {
    close(this.#fd!)
  }

  #read(): void {
    if (this.#isReading) return
    this.#isReading = true
    const buffer = new Uint8Array(PART_BYTES)
    read(this.#fd!, buffer, 0, PART_BYTES, null, (error, count) => {
      this.#isReading = false
      this.#arrived = error || count === 0 ? 'end' : buffer.subarray(0, count)
      this.#wake()
    })
  }
}

function textOf(error: unknown): string {
  return errnoText((error as NodeJS.ErrnoException).errno ?? 0)
}
