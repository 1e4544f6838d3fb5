/**
 * The D-Bus wire format: values to bytes and back, by signature (D-Bus specification, "Marshaling"). Called by
 * `bus-client.ts` only. We send little-endian and read both; offsets count from the start of the message's header or
 * of its body, which begin on a multiple of 8.
 *
 * Values: y n q i u h d are numbers; x t numbers where they are safe, else bigints; s o g strings; b a boolean; ay
 * bytes; an array or a struct an array; a dictionary an object without prototype; a variant is a `Variant` on the way
 * out and its bare value on the way in.
 */

/** Bytes that are not D-Bus, or a value that its signature cannot carry. */
export class MarshalError extends Error {
  override readonly name = 'MarshalError'
}

export class Variant {
  readonly signature: string
  readonly value: unknown

  constructor(signature: string, value: unknown) {
    this.signature = signature
    this.value = value
  }
}

/** `org.modemd`'s options are `a{sv}`: a text, a number or a flag each. */
export type VariantDictionary = Readonly<Record<string, Variant>>

const ALIGNMENT: Readonly<Record<string, number>> = {
  y: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  h: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 4,
  o: 4,
  g: 1,
  v: 1,
  a: 4,
  '(': 8,
  '{': 8,
}

/** The specification allows 32 arrays in 32 structs; variants count too here. */
const DEEPEST = 64
const LONGEST_ARRAY_BYTES = 64 * 1024 * 1024
const OBJECT_PATH = /^\/$|^(\/[A-Za-z0-9_]+)+$/

export function marshal(signature: string, values: readonly unknown[]): Buffer {
  const types = completeTypes(signature)
  if (types.length !== values.length)
    throw new MarshalError(`${values.length} values for the ${types.length} types of "${signature}"`)
  const writer = new Writer()
  types.forEach((type, index) => {
    writer.write(type, values[index], 0)
  })
  return writer.done()
}

export function unmarshal(signature: string, bytes: Buffer, littleEndian = true): unknown[] {
  const reader = new Reader(bytes, littleEndian)
  return completeTypes(signature).map((type) => reader.read(type, 0))
}

/** `sa{sv}(ii)` → `s`, `a{sv}`, `(ii)`. */
function completeTypes(signature: string): string[] {
  const types: string[] = []
  for (let at = 0; at < signature.length; ) {
    const end = typeEnd(signature, at, 0)
    types.push(signature.slice(at, end))
    at = end
  }
  return types
}

/** Where the complete type that starts at `at` ends. */
function typeEnd(signature: string, at: number, depth: number): number {
  const code = signature[at]
  if (code === undefined || ALIGNMENT[code] === undefined || depth > DEEPEST)
    throw new MarshalError(`"${signature}" is no D-Bus signature`)
  if (code === 'a') return typeEnd(signature, at + 1, depth + 1)
  if (code !== '(' && code !== '{') return at + 1
  const close = code === '(' ? ')' : '}'
  let end = at + 1
  let members = 0
  for (; signature[end] !== close; members++) end = typeEnd(signature, end, depth + 1)
  if (code === '{' ? members !== 2 || signature[at - 1] !== 'a' : members === 0)
    throw new MarshalError(`"${signature}" is no D-Bus signature`)
  return end + 1
}

class Writer {
  #bytes = Buffer.alloc(256)
  #length = 0

  done(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  write(type: string, value: unknown, depth: number): void {
    const code = type[0]!
    if (depth > DEEPEST) throw new MarshalError('values are nested too deeply')
    if (code === 'a') this.#writeArray(type.slice(1), value, depth)
    else if (code === '(') this.#writeStruct(type.slice(1, -1), value, depth)
    else if (code === 'v') this.#writeVariant(value, depth)
    else if (isText(code)) this.#writeText(code, value)
    else if (code === 'x' || code === 't') this.#writeLong(code, value)
    else this.#writeNumber(code, code === 'b' ? asFlag(value) : value)
  }

  #writeNumber(code: string, value: unknown): void {
    if (typeof value !== 'number') throw new MarshalError(`${typeof value} where "${code}" needs a number`)
    const at = this.#room(ALIGNMENT[code]!, ALIGNMENT[code]!)
    try {
      if (code === 'y') this.#bytes.writeUInt8(value, at)
      else if (code === 'n') this.#bytes.writeInt16LE(value, at)
      else if (code === 'q') this.#bytes.writeUInt16LE(value, at)
      else if (code === 'i') this.#bytes.writeInt32LE(value, at)
      else if (code === 'd') this.#bytes.writeDoubleLE(value, at)
      else this.#bytes.writeUInt32LE(value, at)
    } catch {
      throw new MarshalError(`${value} does not fit into "${code}"`)
    }
  }

  #writeLong(code: string, value: unknown): void {
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw new MarshalError(`${typeof value} where "${code}" needs a number`)
    const at = this.#room(8, 8)
    try {
      if (code === 'x') this.#bytes.writeBigInt64LE(BigInt(value), at)
      else this.#bytes.writeBigUInt64LE(BigInt(value), at)
    } catch {
      throw new MarshalError(`${value} does not fit into "${code}"`)
    }
  }

  #writeText(code: string, value: unknown): void {
    if (typeof value !== 'string') throw new MarshalError(`${typeof value} where "${code}" needs a text`)
    // Each of these would make the bus drop the whole connection.
    if (value.includes('\0')) throw new MarshalError('a text on D-Bus cannot hold a NUL character')
    if (code === 'o' && !OBJECT_PATH.test(value)) throw new MarshalError(`"${value}" is no D-Bus object path`)
    if (code === 'g') completeTypes(value)
    const text = Buffer.from(value, 'utf8')
    if (code === 'g') this.#writeNumber('y', text.length)
    else this.#writeNumber('u', text.length)
    // First the room: making it may put other bytes in the place of these.
    const at = this.#room(1, text.length + 1)
    text.copy(this.#bytes, at)
  }

  #writeArray(element: string, value: unknown, depth: number): void {
    const lengthAt = this.#room(4, 4)
    const start = this.#room(ALIGNMENT[element[0]!]!, 0)
    if (value instanceof Uint8Array && element === 'y') this.#writeBytes(value)
    else if (element[0] === '{') this.#writeEntries(element, value, depth)
    else for (const item of asList(value)) this.write(element, item, depth + 1)
    this.#bytes.writeUInt32LE(this.#length - start, lengthAt)
  }

  #writeBytes(value: Uint8Array): void {
    const at = this.#room(1, value.length)
    this.#bytes.set(value, at)
  }

  #writeEntries(entry: string, value: unknown, depth: number): void {
    if (typeof value !== 'object' || value === null) throw new MarshalError(`no dictionary for "a${entry}"`)
    const [keyType = '', valueType = ''] = completeTypes(entry.slice(1, -1))
    for (const [key, item] of Object.entries(value)) {
      this.#room(8, 0)
      this.write(keyType, isText(keyType) ? key : Number(key), depth + 1)
      this.write(valueType, item, depth + 1)
    }
  }

  #writeStruct(members: string, value: unknown, depth: number): void {
    this.#room(8, 0)
    const types = completeTypes(members)
    const items = asList(value)
    if (types.length !== items.length) throw new MarshalError(`${items.length} values for "(${members})"`)
    types.forEach((type, index) => {
      this.write(type, items[index], depth + 1)
    })
  }

  #writeVariant(value: unknown, depth: number): void {
    if (!(value instanceof Variant)) throw new MarshalError('a variant needs its signature')
    if (completeTypes(value.signature).length !== 1)
      throw new MarshalError(`"${value.signature}" is not one complete type`)
    this.#writeText('g', value.signature)
    this.write(value.signature, value.value, depth + 1)
  }

  /** Pads to a multiple of `alignment`, reserves `count` zeroed bytes and says where. */
  #room(alignment: number, count: number): number {
    const at = Math.ceil(this.#length / alignment) * alignment
    if (at + count > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, at + count))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    this.#length = at + count
    return at
  }
}

class Reader {
  readonly #bytes: Buffer
  readonly #littleEndian: boolean
  #at = 0

  constructor(bytes: Buffer, littleEndian: boolean) {
    this.#bytes = bytes
    this.#littleEndian = littleEndian
  }

  read(type: string, depth: number): unknown {
    if (depth > DEEPEST) throw new MarshalError('values are nested too deeply')
    const code = type[0]!
    if (code === 'a') return this.#readArray(type.slice(1), depth)
    if (code === '(') return this.#readStruct(type.slice(1, -1), depth)
    if (code === 'v') return this.#readVariant(depth)
    if (code === 's' || code === 'o') return this.#readText(this.#readNumber('u'))
    if (code === 'g') return this.#readText(this.#readNumber('y'))
    if (code === 'x' || code === 't') return this.#readLong(code)
    const value = this.#readNumber(code)
    return code === 'b' ? value === 1 : value
  }

  #readNumber(code: string): number {
    const little = this.#littleEndian
    const bytes = this.#bytes
    const at = this.#take(ALIGNMENT[code]!, ALIGNMENT[code]!)
    if (code === 'y') return bytes[at]!
    if (code === 'n') return little ? bytes.readInt16LE(at) : bytes.readInt16BE(at)
    if (code === 'q') return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
    if (code === 'i') return little ? bytes.readInt32LE(at) : bytes.readInt32BE(at)
    if (code === 'd') return little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at)
    return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }

  #readLong(code: string): number | bigint {
    const little = this.#littleEndian
    const at = this.#take(8, 8)
    if (code === 'x') return safe(little ? this.#bytes.readBigInt64LE(at) : this.#bytes.readBigInt64BE(at))
    return safe(little ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at))
  }

  #readText(length: number): string {
    const at = this.#take(1, length + 1)
    return this.#bytes.toString('utf8', at, at + length)
  }

  #readArray(element: string, depth: number): unknown {
    const length = this.#readNumber('u')
    if (length > LONGEST_ARRAY_BYTES) throw new MarshalError(`an array of ${length} bytes`)
    const start = this.#take(ALIGNMENT[element[0]!]!, 0)
    const end = start + length
    if (end > this.#bytes.length) throw new MarshalError('an array that passes the end of its message')
    if (element === 'y') return Uint8Array.from(this.#bytes.subarray(this.#take(1, length), end))
    if (element[0] === '{') return this.#readEntries(element, end, depth)
    const items: unknown[] = []
    while (this.#at < end) items.push(this.read(element, depth + 1))
    if (this.#at !== end) throw new MarshalError('an array whose elements pass its end')
    return items
  }

  #readEntries(entry: string, end: number, depth: number): unknown {
    const [keyType = '', valueType = ''] = completeTypes(entry.slice(1, -1))
    const entries: Record<string, unknown> = Object.create(null)
    while (this.#at < end) {
      this.#take(8, 0)
      entries[String(this.read(keyType, depth + 1))] = this.read(valueType, depth + 1)
    }
    if (this.#at !== end) throw new MarshalError('a dictionary whose entries pass its end')
    return entries
  }

  #readStruct(members: string, depth: number): unknown[] {
    this.#take(8, 0)
    return completeTypes(members).map((type) => this.read(type, depth + 1))
  }

  #readVariant(depth: number): unknown {
    const signature = this.#readText(this.#readNumber('y'))
    if (!/^[ybnqiuxtdsogvh]$/.test(signature) && completeTypes(signature).length !== 1)
      throw new MarshalError(`a variant of signature "${signature}"`)
    return this.read(signature, depth + 1)
  }

  /** Skips padding, moves on by `count` and says where the taken bytes start. */
  #take(alignment: number, count: number): number {
    const at = Math.ceil(this.#at / alignment) * alignment
    if (at + count > this.#bytes.length) throw new MarshalError('a message that ends in the middle of a value')
    this.#at = at + count
    return at
  }
}

function safe(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function asFlag(value: unknown): number {
  if (typeof value !== 'boolean') throw new MarshalError(`${typeof value} where "b" needs true or false`)
  return value ? 1 : 0
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new MarshalError(`${typeof value} where an array is needed`)
  return value
}

function isText(type: string): boolean {
  return type === 's' || type === 'o' || type === 'g'
}
