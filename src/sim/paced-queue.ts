/** Bytes that take their time on the air (`--speed`). Pure; one for each direction of a call in `at-port.ts`. */

/** Long writes are cut to about a packet, so that what is due comes out bit by bit. */
const PIECE_BYTES = 1500

interface Piece {
  readonly bytes: Uint8Array
  readonly dueMs: number
}

export class PacedQueue {
  readonly #bitsPerSecond: number
  #pieces: Piece[] = []
  #queuedBytes = 0
  #freeAtMs = 0

  /** 0: no limit. */
  constructor(bitsPerSecond: number) {
    this.#bitsPerSecond = bitsPerSecond
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get deadlineMs(): number | undefined {
    return this.#pieces[0]?.dueMs
  }

  push(bytes: Uint8Array, nowMs: number): void {
    this.#queuedBytes += bytes.length
    if (this.#bitsPerSecond === 0) {
      this.#pieces.push({ bytes: bytes.slice(), dueMs: nowMs })
      return
    }
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.slice(at, at + PIECE_BYTES)
      this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (piece.length * 8000) / this.#bitsPerSecond
      this.#pieces.push({ bytes: piece, dueMs: this.#freeAtMs })
    }
  }

  /** The next piece that has arrived. */
  take(nowMs: number): Uint8Array | undefined {
    const next = this.#pieces[0]
    if (!next || next.dueMs > nowMs) return undefined
    this.#pieces.shift()
    this.#queuedBytes -= next.bytes.length
    return next.bytes
  }

  clear(): void {
    this.#pieces = []
    this.#queuedBytes = 0
    this.#freeAtMs = 0
  }
}
