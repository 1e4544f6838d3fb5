/** The line of a dialogue: read from standard input, a terminal, and written to standard output, whatever that is. Both are shared with who started us. */

import { EINTR, errnoText, read, write } from '../../system/libc.ts'
import { areOneOpening, isNonBlocking, isReady, ReadyWatch, setBlocking } from '../../system/shared-fd.ts'
import { dialogueSettings, readSettings, sendBreak, type TtySettings, writeSettings } from '../../system/termios.ts'

const STDIN = 0
const STDOUT = 1

/** What a read came to. `warning` is for the log. */
export type ReadResult =
  | { readonly type: 'byte'; readonly bytes: Uint8Array }
  | { readonly type: 'nothing' }
  | { readonly type: 'failed'; readonly isHangUp: boolean; readonly warning?: string }

const NOTHING: ReadResult = { type: 'nothing' }
const WOULD_WAIT: ReadResult = { type: 'failed', isHangUp: false }
const INPUT_ERROR: ReadResult = { type: 'failed', isHangUp: true }
const END_OF_FILE: ReadResult = { ...INPUT_ERROR, warning: 'warning: read() on stdin returned 0' }

export class Line {
  readonly #byte = new Uint8Array(1)
  readonly #received: ReadResult = { type: 'byte', bytes: this.#byte }
  readonly #outgoing = new Uint8Array(1)
  readonly #readable: ReadyWatch
  readonly #writable: ReadyWatch
  #before: TtySettings | undefined
  /** Nothing was there when it was last looked for, and nothing else has been done since. */
  #isWaiting = false

  constructor(onReady: () => void) {
    this.#readable = new ReadyWatch(STDIN, 'in', onReady)
    this.#writable = new ReadyWatch(STDOUT, 'out', onReady)
  }

  /** Answers why not. */
  setUp(): string | undefined {
    const before = readSettings(STDIN)
    if (typeof before === 'number') return `Can't get terminal parameters: ${errnoText(before)}`
    this.#before = before
    const answer = writeSettings(STDIN, dialogueSettings(before))
    return answer < 0 ? `Can't set terminal parameters: ${errnoText(answer)}` : undefined
  }

  /** Answers why not. */
  restore(): string | undefined {
    if (!this.#before) return undefined
    const answer = writeSettings(STDIN, this.#before)
    return answer < 0 ? `Can't restore terminal parameters: ${errnoText(answer)}` : undefined
  }

  /** One byte, if it is there: what follows stays on the line. Its buffer is used again. */
  read(): ReadResult {
    if (!isReady(STDIN, 'in')) return this.#nothing()
    const count = read(STDIN, this.#byte, 1)
    if (count === -EINTR) return NOTHING
    const wasWaiting = this.#isWaiting
    this.#isWaiting = false
    if (count === 1) return this.#received
    // chat(8) sleeps in read(2): hung up there it gets EIO, which it does not tell. Only a later read finds the end of the file.
    return count === 0 && !wasWaiting ? END_OF_FILE : INPUT_ERROR
  }

  /** As with chat(8): on a descriptor that was given to us without blocking, the first read that would wait fails. */
  #nothing(): ReadResult {
    if (!isNonBlocking(STDIN)) return NOTHING
    setBlocking(STDIN)
    return WOULD_WAIT
  }

  /** True: written. False: not now. Else the system's text for why never. */
  write(byte: number): boolean | string {
    if (!isReady(STDOUT, 'out')) return false
    this.#outgoing[0] = byte
    const count = write(STDOUT, this.#outgoing, 1)
    if (count === 1) return true
    return count === -EINTR ? false : errnoText(count)
  }

  /** Input and output share one open file description, as with `<>/dev/ttyS0 >&0`. */
  get isOneOpening(): boolean {
    return areOneOpening(STDIN, STDOUT)
  }

  sendBreak(): Promise<void> {
    return sendBreak(STDIN)
  }

  /** When `onReady` is to be called. */
  await(what: { readonly reading: boolean; readonly writing: boolean }): void {
    this.#isWaiting = what.reading
    this.#readable.want(what.reading)
    this.#writable.want(what.writing)
  }
}
