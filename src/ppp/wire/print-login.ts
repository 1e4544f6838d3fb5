/**
 * PAP, CHAP and EAP packets as pppd's debug log writes them, but for what would help a guesser: neither passwords nor the answers
 * made of them are shown (DESIGN §7.2), nor anything of a packet whose lengths lie. Used by `printing.ts`.
 */

import type { ControlPacket } from './packets.ts'
import { hexDigits, hexOctets, quoted } from './print-bytes.ts'
import { CHAP, PAP } from './protocols.ts'

const PAP_CODES: Readonly<Record<number, string>> = { 1: 'AuthReq', 2: 'AuthAck', 3: 'AuthNak' }
const CHAP_CODES: Readonly<Record<number, string>> = { 1: 'Challenge', 2: 'Response', 3: 'Success', 4: 'Failure' }
const EAP_CODES: Readonly<Record<number, string>> = { 1: 'Request', 2: 'Response', 3: 'Success', 4: 'Failure' }
const EAP_TYPES: Readonly<Record<number, string>> = {
  1: 'Identity',
  2: 'Notification',
  3: 'Nak',
  4: 'MD5-Challenge',
  5: 'OTP',
  6: 'Generic-Token',
  9: 'RSA',
  10: 'DSS',
  11: 'KEA',
  12: 'KEA-Validate',
  13: 'TLS',
  14: 'Defender',
  15: 'Windows 2000',
  16: 'Arcot',
  17: 'Cisco',
  18: 'Nokia',
  19: 'SRP',
  21: 'TTLS',
  22: 'RAS',
  23: 'AKA',
  24: '3COM',
  25: 'PEAP',
  26: 'MSCHAPv2',
}
const IDENTITY = 1
const NOTIFICATION = 2
const NAK = 3
const MD5_CHALLENGE = 4

/** What stands behind the protocol's name, with a space before it. */
export function loginText(protocol: number, packet: ControlPacket): string {
  const codes = protocol === PAP ? PAP_CODES : protocol === CHAP ? CHAP_CODES : EAP_CODES
  const name = codes[packet.code] ?? `code=0x${packet.code.toString(16)}`
  const text = codes[packet.code]
    ? (protocol === PAP ? papText : protocol === CHAP ? chapText : eapText)(packet)
    : ` ${withheld(packet.data)}`
  return ` ${name} id=0x${packet.id.toString(16)}${text}`
}

function withheld(data: Uint8Array): string {
  return `<${data.length} octets>`
}

function papText({ code, data }: ControlPacket): string {
  const length = data[0] ?? 0
  if (code === 1) {
    const passwordAt = length + 2
    const isWhole = data.length >= passwordAt && data.length >= passwordAt + data[passwordAt - 1]!
    return isWhole ? ` user=${quoted(data.subarray(1, 1 + length))} password=<hidden>` : ' <malformed>'
  }
  if (data.length < 1 + length) return hexOctets(data)
  return data.length === 0 ? '' : ` ${quoted(data.subarray(1, 1 + length))}${hexOctets(data.subarray(1 + length))}`
}

function chapText({ code, data }: ControlPacket): string {
  if (code > 2) return ` ${quoted(data)}`
  const length = data[0] ?? 0
  // Without a length the answer would be read as the name.
  if ((length === 0 && code !== 1) || data.length < 1 + length) return ' <malformed>'
  const value = code === 1 ? hexDigits(data.subarray(1, 1 + length)) : 'hidden'
  return ` <${value}>, name = ${quoted(data.subarray(1 + length))}`
}

function eapText({ code, data }: ControlPacket): string {
  if (code > 2) return hexOctets(data, 8)
  const [type] = data
  if (type === undefined) return code === 1 ? ' <missing type>' : ''
  return ` ${EAP_TYPES[type] ?? `type=0x${type.toString(16)}`}${eapData(code === 1, type, data.subarray(1))}`
}

function eapData(isRequest: boolean, type: number, data: Uint8Array): string {
  if (isRequest && (type === IDENTITY || type === NOTIFICATION))
    return data.length > 0 ? ` <Message ${quoted(data)}>` : ' <No message>'
  if (type === IDENTITY) return data.length > 0 ? ` <Name ${quoted(data)}>` : ''
  if (type === NAK && !isRequest) {
    const [wanted] = data
    if (wanted === undefined) return ' <missing hint>'
    const name = EAP_TYPES[wanted] ? ` (${EAP_TYPES[wanted]})` : ''
    return ` <Suggested-type ${wanted.toString(16).padStart(2, '0')}${name}>${hexOctets(data.subarray(1), 8)}`
  }
  if (type === MD5_CHALLENGE) return md5Data(isRequest, data)
  return data.length === 0 ? '' : ` ${withheld(data)}`
}

function md5Data(isRequest: boolean, data: Uint8Array): string {
  const [length] = data
  if (length === undefined) return isRequest ? '' : ' <missing length>'
  if (!isRequest && (length === 0 || data.length < 1 + length)) return ' <truncated>'
  if (data.length < 1 + length) return ` <truncated>${hexOctets(data.subarray(1), 8)}`
  const value = isRequest ? hexOctets(data.subarray(1, 1 + length), length) : ' hidden'
  const name = data.subarray(1 + length)
  return ` <Value${value}>${name.length > 0 ? ` <Name ${quoted(name)}>` : ' <No name>'}`
}
