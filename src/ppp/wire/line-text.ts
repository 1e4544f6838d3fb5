/**
 * A modem that lost its call says so in plain text on the data port, between frames (V.250 §6.3.1). These tests look at
 * what the decoder holds or threw away; a good frame's payload never comes here. Called by `serial-session.ts`.
 */

import { fromLatin1 } from '../../base/bytes.ts'

const NO_CARRIER = 'NO CARRIER'
const LF = 0x0a
const CR = 0x0d

function isText(octet: number): boolean {
  return (octet >= 0x20 && octet < 0x7f) || octet === CR || octet === LF || octet === 0x09
}

/** Nothing but text, and the message in it. No PPP frame is all text: the high octet of its length is not. */
export function saysNoCarrier(bytes: Uint8Array): boolean {
  return bytes.length >= NO_CARRIER.length && bytes.every(isText) && fromLatin1(bytes).includes(NO_CARRIER)
}

/** The message stands at the end of a frame that was cut off, or is payload of one that is still coming. */
export function mayEndInNoCarrier(bytes: Uint8Array): boolean {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === CR || bytes[end - 1] === LF)) end--
  const start = end - NO_CARRIER.length
  return start >= 0 && bytes[end - 1] === 0x52 && fromLatin1(bytes.subarray(start, end)) === NO_CARRIER
}
