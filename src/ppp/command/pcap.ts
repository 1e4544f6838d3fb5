/** The packets of a line in libpcap's file format, for tshark: LINKTYPE_PPP_WITH_DIR, a direction octet before each. */

import type { Direction } from '../../serial/tap.ts'

const MAGIC = 0xa1b2c3d4
const LINKTYPE_PPP_WITH_DIR = 204
const LONGEST_PACKET = 65_535
const FILE_HEADER_BYTES = 24
const PACKET_HEADER_BYTES = 16
const DIRECTION: Readonly<Record<Direction, number>> = { received: 0, sent: 1 }

export function pcapHeader(): Uint8Array {
  const header = new DataView(new ArrayBuffer(FILE_HEADER_BYTES))
  header.setUint32(0, MAGIC)
  header.setUint16(4, 2)
  header.setUint16(6, 4)
  header.setUint32(16, LONGEST_PACKET)
  header.setUint32(20, LINKTYPE_PPP_WITH_DIR)
  return new Uint8Array(header.buffer)
}

/** `frame`: without flags, escapes and FCS. Compressed headers (RFC 1661 §6.5, §6.6) are written out. */
export function pcapPacket(direction: Direction, frame: Uint8Array, atUs: bigint): Uint8Array {
  const packet = withHeader(frame).subarray(0, LONGEST_PACKET - 1)
  const record = new Uint8Array(PACKET_HEADER_BYTES + 1 + packet.length)
  const header = new DataView(record.buffer)
  header.setUint32(0, Number(atUs / 1_000_000n))
  header.setUint32(4, Number(atUs % 1_000_000n))
  header.setUint32(8, packet.length + 1)
  header.setUint32(12, packet.length + 1)
  record[PACKET_HEADER_BYTES] = DIRECTION[direction]
  record.set(packet, PACKET_HEADER_BYTES + 1)
  return record
}

function withHeader(frame: Uint8Array): Uint8Array {
  const body = frame[0] === 0xff && frame[1] === 0x03 ? frame.subarray(2) : frame
  const isShort = (body[0]! & 1) === 1
  return Uint8Array.from([0xff, 0x03, ...(isShort ? [0] : []), ...body])
}
