/**
 * D-Bus type signatures and names (D-Bus specification, "Type System" and "Valid Names"), and our form of a variant.
 * What the bus daemon finds invalid costs the whole connection, so `encoder.ts` checks everything against this first.
 */

/** One complete type: `as` is the code `a` with one child `s`. */
export interface TypeNode {
  readonly code: string
  readonly children: readonly TypeNode[]
}

/** A value that carries its type. dbus-next's own Variant, which incoming calls bring, has the same shape. */
export interface Variant {
  readonly signature: string
  readonly value: unknown
}

export function variant(signature: string, value: unknown): Variant {
  return new TypedValue(signature, value)
}

/** A class, so that the encoder never takes a dictionary with these two keys for a variant. */
export class TypedValue implements Variant {
  readonly signature: string
  readonly value: unknown

  constructor(signature: string, value: unknown) {
    this.signature = signature
    this.value = value
  }
}

const BASIC_CODES = 'ybnqiuxtdsog'
const MAX_DEPTH = 32
const MAX_SIGNATURE_LENGTH = 255
const MAX_NAME_LENGTH = 255

/** Only signatures of our own code come here, so it does not grow without bound. */
const parsed = new Map<string, readonly TypeNode[] | undefined>()

/** The complete types of a signature; undefined where it is not valid (file descriptors are not for us: no `h`). */
export function parseSignature(signature: string): readonly TypeNode[] | undefined {
  if (!parsed.has(signature)) parsed.set(signature, new SignatureParser(signature).parse())
  return parsed.get(signature)
}

class SignatureParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): readonly TypeNode[] | undefined {
    if (this.#text.length > MAX_SIGNATURE_LENGTH) return undefined
    const types: TypeNode[] = []
    while (this.#at < this.#text.length) {
      const type = this.#completeType(0, 0)
      if (!type) return undefined
      types.push(type)
    }
    return types
  }

  #completeType(arrays: number, structs: number): TypeNode | undefined {
    if (arrays > MAX_DEPTH || structs > MAX_DEPTH) return undefined
    const code = this.#text[this.#at++]
    if (code === undefined) return undefined
    if (code === 'v' || BASIC_CODES.includes(code)) return { code, children: [] }
    if (code === '(') return this.#struct(arrays, structs + 1)
    if (code !== 'a') return undefined
    const isDictionary = this.#text[this.#at] === '{'
    const element = isDictionary ? this.#dictEntry(arrays + 1, structs + 1) : this.#completeType(arrays + 1, structs)
    return element && { code, children: [element] }
  }

  #struct(arrays: number, structs: number): TypeNode | undefined {
    const children: TypeNode[] = []
    while (this.#text[this.#at] !== ')') {
      const child = this.#completeType(arrays, structs)
      if (!child) return undefined
      children.push(child)
    }
    this.#at++
    return children.length > 0 ? { code: '(', children } : undefined
  }

  #dictEntry(arrays: number, structs: number): TypeNode | undefined {
    this.#at++
    const key = this.#completeType(arrays, structs)
    const value = key && BASIC_CODES.includes(key.code) ? this.#completeType(arrays, structs) : undefined
    if (!key || !value || this.#text[this.#at++] !== '}') return undefined
    return { code: '{', children: [key, value] }
  }
}

export function isObjectPath(text: string): boolean {
  return text === '/' || /^(\/[A-Za-z0-9_]+)+$/.test(text)
}

export function isInterfaceName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(text)
}

export function isMemberName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
}
