/** Numbers as C reads them: pppd's options take `0x10`, `010`, `12abc` (12) and `-1`. Used by the option reader. */

export interface LeadingNumber {
  /** 64 bits hold it; the caller cuts it to its own width. */
  readonly value: bigint
  readonly rest: string
}

/** strtol(3). undefined: no digit. */
export function leadingNumber(text: string, base: 0 | 10 | 16): LeadingNumber | undefined {
  const [, sign, body] = /^[ \t\n\v\f\r]*([+-]?)(.*)$/s.exec(text)!
  const digits = digitsOf(body!, base)
  if (!digits) return undefined
  const magnitude = BigInt(`${digits.prefix}${digits.text}`)
  return { value: sign === '-' ? -magnitude : magnitude, rest: body!.slice(digits.length) }
}

interface Digits {
  /** As BigInt wants it. */
  readonly prefix: string
  readonly text: string
  readonly length: number
}

function digitsOf(body: string, base: 0 | 10 | 16): Digits | undefined {
  const hexadecimal = base === 10 ? null : /^0[xX]([0-9a-fA-F]+)/.exec(body)
  if (hexadecimal) return { prefix: '0x', text: hexadecimal[1]!, length: hexadecimal[0].length }
  if (base === 0 && body.startsWith('0')) {
    const octal = /^[0-7]+/.exec(body)![0]
    return { prefix: '0o', text: octal, length: octal.length }
  }
  const plain = (base === 16 ? /^[0-9a-fA-F]+/ : /^[0-9]+/).exec(body)?.[0]
  return plain === undefined ? undefined : { prefix: base === 16 ? '0x' : '', text: plain, length: plain.length }
}

/** As a C int: 32 bits, signed. */
export function toInt(value: bigint): number {
  return Number(BigInt.asIntN(32, value))
}

export function toUnsigned(value: bigint): number {
  return Number(BigInt.asUintN(32, value))
}
