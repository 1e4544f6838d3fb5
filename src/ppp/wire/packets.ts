/**
 * Packets of the control protocols: code, identifier, length, data (RFC 1661 §5), and lists of options in them (§6).
 * Every length is checked here, once; what is behind the Length field is padding.
 */

import { ByteReader, ByteWriter } from '../../base/bytes.ts'

/** RFC 1661 §5; 1 to 7 are every control protocol's, 8 to 11 LCP's, 12 and 13 are RFC 1570's. */
export const CODE = {
  configureRequest: 1,
  configureAck: 2,
  configureNak: 3,
  configureReject: 4,
  terminateRequest: 5,
  terminateAck: 6,
  codeReject: 7,
  protocolReject: 8,
  echoRequest: 9,
  echoReply: 10,
  discardRequest: 11,
  identification: 12,
  timeRemaining: 13,
} as const

export const HEADER_BYTES = 4

export interface ControlPacket {
  readonly code: number
  readonly id: number
  /** A view into what was parsed. */
  readonly data: Uint8Array
}

export interface ConfigOption {
  readonly type: number
  readonly data: Uint8Array
}

/** Undefined: too short, or its Length says less than a header or more than there is. */
export function parseControl(info: Uint8Array): ControlPacket | undefined {
  const reader = new ByteReader(info)
  const code = reader.u8()
  const id = reader.u8()
  const length = reader.u16()
  if (code === undefined || id === undefined || length === undefined) return undefined
  const data = reader.take(length - HEADER_BYTES)
  return data && { code, id, data }
}

export function controlBytes(code: number, id: number, data: Uint8Array): Uint8Array {
  return new ByteWriter()
    .u8(code)
    .u8(id)
    .u16(HEADER_BYTES + data.length)
    .bytes(data)
    .done()
}

/** Undefined: an option is shorter than its own header or runs over the end; then none of them can be trusted. */
export function parseOptions(data: Uint8Array): ConfigOption[] | undefined {
  const reader = new ByteReader(data)
  const options: ConfigOption[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()!
    const length = reader.u8()
    const value = length === undefined ? undefined : reader.take(length - 2)
    if (!value) return undefined
    options.push({ type, data: value })
  }
  return options
}

export function optionBytes(options: readonly ConfigOption[]): Uint8Array {
  const writer = new ByteWriter()
  for (const { type, data } of options)
    writer
      .u8(type)
      .u8(data.length + 2)
      .bytes(data)
  return writer.done()
}

/** The value of an option that is one 32-bit number; undefined where its length is another. */
export function u32Value(option: ConfigOption): number | undefined {
  return option.data.length === 4 ? new ByteReader(option.data).u32() : undefined
}

export function u32Option(type: number, value: number): ConfigOption {
  return { type, data: new ByteWriter().u32(value).done() }
}

export function u16Value(option: ConfigOption): number | undefined {
  return option.data.length === 2 ? new ByteReader(option.data).u16() : undefined
}

export function u16Option(type: number, value: number): ConfigOption {
  return { type, data: new ByteWriter().u16(value).done() }
}

export function u64Value(option: ConfigOption): bigint | undefined {
  if (option.data.length !== 8) return undefined
  const reader = new ByteReader(option.data)
  return (BigInt(reader.u32()!) << 32n) | BigInt(reader.u32()!)
}

export function u64Option(type: number, value: bigint): ConfigOption {
  return {
    type,
    data: new ByteWriter()
      .u32(Number(value >> 32n))
      .u32(Number(value & 0xffffffffn))
      .done(),
  }
}
