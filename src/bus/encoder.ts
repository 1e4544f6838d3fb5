/**
 * Everything that leaves for the bus passes here first (called by `connection.ts` only): values are checked against
 * their signature, text is made valid, and dbus-next gets nothing that would make it throw or the bus hang up on us.
 */

import { ModemdError } from '../base/errors.ts'
import { isObjectPath, parseSignature, TypedValue, type TypeNode } from './signature.ts'

/** Makes the library's own variant. */
export type MakeVariant = (signature: string, value: unknown) => unknown

/** Far below the bus's limits (system bus: 32 MiB a message), far above anything modemd has to say. */
const MAX_STRING_BYTES = 1024 * 1024
const MAX_ELEMENTS = 100_000

const INTEGER_RANGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  y: [0, 0xff],
  n: [-0x8000, 0x7fff],
  q: [0, 0xffff],
  i: [-0x80000000, 0x7fffffff],
  u: [0, 0xffffffff],
}

const LONG_RANGES: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  x: [-(2n ** 63n), 2n ** 63n - 1n],
  t: [0n, 2n ** 64n - 1n],
}

/** The body in the library's form. Throws a ModemdError (Internal) that names the place; never the value, which may be a secret. */
export function encodeBody(signature: string, body: readonly unknown[], makeVariant: MakeVariant): unknown[] {
  const types = parseSignature(signature)
  if (!types) throw refusal(`the signature ${JSON.stringify(signature)} is not valid`)
  if (types.length !== body.length) throw refusal(`${body.length} values were given for the signature ${signature}`)
  return types.map((type, index) => encodeValue(type, body[index], makeVariant))
}

function encodeValue(type: TypeNode, value: unknown, makeVariant: MakeVariant): unknown {
  switch (type.code) {
    case 's':
      return encodeString(value)
    case 'o':
      if (typeof value !== 'string' || !isObjectPath(value)) throw refusal('an object path is not valid')
      return value
    case 'g':
      if (typeof value !== 'string' || !parseSignature(value)) throw refusal('a signature is not valid')
      return value
    case 'b':
      if (typeof value !== 'boolean') throw refusal('a boolean is not one')
      return value
    case 'd':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw refusal('a double is not a finite number')
      return value
    case 'x':
    case 't':
      return encodeLong(type.code, value)
    case 'v':
      return encodeVariant(value, makeVariant)
    case '(':
      return encodeStruct(type, value, makeVariant)
    case 'a':
      return encodeArray(type.children[0]!, value, makeVariant)
    default:
      return encodeInteger(type.code, value)
  }
}

/** NUL and lone surrogates, which no D-Bus string may hold, become U+FFFD. */
export function cleanText(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\ufffd')
}

function encodeString(value: unknown): string {
  if (typeof value !== 'string') throw refusal('a string is not one')
  if (Buffer.byteLength(value) > MAX_STRING_BYTES) throw refusal('a string is longer than 1 MiB')
  return cleanText(value)
}

function encodeInteger(code: string, value: unknown): number {
  const range = INTEGER_RANGES[code]
  if (!range || !Number.isInteger(value)) throw refusal(`an integer (${code}) is not one`)
  const integer = value as number
  if (integer < range[0] || integer > range[1]) throw refusal(`an integer (${code}) is out of its range`)
  return integer
}

function encodeLong(code: 'x' | 't', value: unknown): bigint {
  const [min, max] = LONG_RANGES[code]!
  if (typeof value !== 'bigint' || value < min || value > max) throw refusal(`a 64-bit integer (${code}) is not one`)
  return value
}

function encodeVariant(value: unknown, makeVariant: MakeVariant): unknown {
  if (!(value instanceof TypedValue)) throw refusal('a variant is not one')
  const types = parseSignature(value.signature)
  if (types?.length !== 1) throw refusal('a variant does not hold one complete type')
  return makeVariant(value.signature, encodeValue(types[0]!, value.value, makeVariant))
}

function encodeStruct(type: TypeNode, value: unknown, makeVariant: MakeVariant): unknown[] {
  if (!Array.isArray(value) || value.length !== type.children.length) throw refusal('a struct has not all its members')
  return type.children.map((child, index) => encodeValue(child, value[index], makeVariant))
}

function encodeArray(element: TypeNode, value: unknown, makeVariant: MakeVariant): unknown {
  if (element.code === '{') return encodeDictionary(element, value, makeVariant)
  if (!Array.isArray(value)) throw refusal('an array is not one')
  if (value.length > MAX_ELEMENTS) throw refusal('an array is too long')
  return value.map((each) => encodeValue(element, each, makeVariant))
}

function encodeDictionary(entry: TypeNode, value: unknown, makeVariant: MakeVariant): unknown {
  const [key, content] = entry.children
  // The library's dictionaries are plain objects, whose keys are strings.
  if (key!.code !== 's' && key!.code !== 'o') throw refusal('a dictionary has keys that are no strings')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusal('a dictionary is not one')
  const encoded: Record<string, unknown> = {}
  for (const [name, each] of Object.entries(value)) {
    encoded[encodeValue(key!, name, makeVariant) as string] = encodeValue(content!, each, makeVariant)
  }
  return encoded
}

function refusal(what: string): ModemdError {
  return new ModemdError('Internal', `modemd wanted to say something that D-Bus does not allow: ${what}.`)
}
