/** A bounds-checked reader and a growing writer, big-endian as every PPP and PPPoE field is. */

/** Reads never pass the end: a read that would returns undefined and leaves the position alone. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number | undefined {
    return this.#bytes[this.#at] === undefined ? undefined : this.#bytes[this.#at++]
  }

  u16(): number | undefined {
    const part = this.take(2)
    return part && (part[0]! << 8) | part[1]!
  }

  u32(): number | undefined {
    const part = this.take(4)
    return part && ((part[0]! << 24) | (part[1]! << 16) | (part[2]! << 8) | part[3]!) >>> 0
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array | undefined {
    if (count < 0 || count > this.remaining) return undefined
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    return this.take(this.remaining)!
  }
}

export class ByteWriter {
  #bytes = new Uint8Array(64)
  #length = 0

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    this.#room(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value)
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value)
  }

  bytes(values: ArrayLike<number>): this {
    this.#room(values.length)
    this.#bytes.set(values, this.#length)
    this.#length += values.length
    return this
  }

  /** A copy of what was written. */
  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

/** Each char of `text` as one byte (Latin-1): AT lines and chat strings are bytes, not UTF-8. */
export function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}

export function fromLatin1(bytes: Uint8Array): string {
  let text = ''
  for (const value of bytes) text += String.fromCharCode(value)
  return text
}

/** For terminals, logs and D-Bus: control characters as `\xNN`, so that what a modem says cannot drive a terminal. */
export function printable(text: string, maxLength = 200): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
