/**
 * Control packets as text, in the words of pppd's debug log, for traces, for modem-ppp and for the evidence in a failure's detail:
 * `[LCP ConfReq id=0x1 <asyncmap 0x0> <magic 0x5fd1ccd2> <pcomp> <accomp>]`. Passwords and what is made of them are not shown
 * (DESIGN §7.2); what the peer sent is cleaned of control characters.
 */

import { CODE, type ConfigOption, type ControlPacket, HEADER_BYTES, parseControl } from './packets.ts'
import { hexOctets, quoted } from './print-bytes.ts'
import { loginText } from './print-login.ts'
import { OPTION_TEXTS } from './print-options.ts'
import { CCP, CHAP, EAP, ECP, IPCP, IPV6CP, LCP, PAP } from './protocols.ts'

const CODE_NAMES: Readonly<Record<number, string>> = {
  [CODE.configureRequest]: 'ConfReq',
  [CODE.configureAck]: 'ConfAck',
  [CODE.configureNak]: 'ConfNak',
  [CODE.configureReject]: 'ConfRej',
  [CODE.terminateRequest]: 'TermReq',
  [CODE.terminateAck]: 'TermAck',
  [CODE.codeReject]: 'CodeRej',
}

const LCP_CODE_NAMES: Readonly<Record<number, string>> = {
  ...CODE_NAMES,
  [CODE.protocolReject]: 'ProtRej',
  [CODE.echoRequest]: 'EchoReq',
  [CODE.echoReply]: 'EchoRep',
  [CODE.discardRequest]: 'DiscReq',
  [CODE.identification]: 'Ident',
  [CODE.timeRemaining]: 'TimeRem',
}

/** RFC 1962 §3. */
const CCP_CODE_NAMES: Readonly<Record<number, string>> = { ...CODE_NAMES, 14: 'ResetReq', 15: 'ResetAck' }

/** The protocols that pppd knows, by the names it prints. */
const PRINTED: Readonly<Record<number, { readonly name: string; readonly codes: Readonly<Record<number, string>> }>> = {
  [LCP]: { name: 'LCP', codes: LCP_CODE_NAMES },
  [IPCP]: { name: 'IPCP', codes: CODE_NAMES },
  [IPV6CP]: { name: 'IPV6CP', codes: CODE_NAMES },
  [CCP]: { name: 'CCP', codes: CCP_CODE_NAMES },
}
const LOGINS: Readonly<Record<number, string>> = { [PAP]: 'PAP', [CHAP]: 'CHAP', [EAP]: 'EAP' }
/** Data of a protocol whose control protocol pppd knows; packets of IP itself are not printed. */
const DATA_NAMES: Readonly<Record<number, string>> = { 253: 'Compressed', 83: 'Encrypted' }
const DATA_OCTETS = 8

/** `protocol` is the frame's, `info` what follows it. */
export function printPacket(protocol: number, info: Uint8Array): string {
  const packet = parseControl(info)
  const login = LOGINS[protocol]
  if (login) return packet ? `[${login}${loginText(protocol, packet)}]` : `[${login}] <${info.length} octets>`
  if (protocol === ECP) return `[ECP]${hexOctets(info)}`
  const printed = PRINTED[protocol]
  if (!printed) {
    const data = DATA_NAMES[protocol]
    return data
      ? `[${data} data]${hexOctets(info, DATA_OCTETS)}`
      : `[proto=0x${protocol.toString(16)}]${hexOctets(info)}`
  }
  if (!packet) return `[${printed.name}]${hexOctets(info)}`
  const { code, id, data } = packet
  const padding = hexOctets(info.subarray(HEADER_BYTES + data.length))
  const codeName = printed.codes[code] ?? `code=0x${code.toString(16)}`
  return `[${printed.name} ${codeName} id=0x${id.toString(16)}${dataText(protocol, packet)}]${padding}`
}

/** `<mru 1500>`; an option without a name, or of a wrong length, as pppd prints it: all its octets. */
export function printOption(protocol: number, { type, data }: ConfigOption): string {
  const text = OPTION_TEXTS[protocol]?.[type]?.(data)
  return `<${text ?? hexOctets(Uint8Array.of(type, data.length + 2, ...data))}>`
}

function dataText(protocol: number, packet: ControlPacket): string {
  const { code, data } = packet
  if (code <= CODE.configureReject && code >= CODE.configureRequest) return optionsText(protocol, data)
  if (code === CODE.terminateRequest || code === CODE.terminateAck)
    return data.length > 0 && data[0]! >= 0x20 && data[0]! < 0x7f ? ` ${quoted(data)}` : hexOctets(data)
  return protocol === LCP ? lcpText(packet) : hexOctets(data)
}

function optionsText(protocol: number, data: Uint8Array): string {
  let text = ''
  let at = 0
  while (at + 2 <= data.length) {
    const length = data[at + 1]!
    if (length < 2 || at + length > data.length) break
    text += ` ${printOption(protocol, { type: data[at]!, data: data.subarray(at + 2, at + length) })}`
    at += length
  }
  return text + hexOctets(data.subarray(at))
}

function lcpText({ code, data }: ControlPacket): string {
  switch (code) {
    case CODE.protocolReject: {
      const rejected = data.length < 2 ? 0 : (data[0]! << 8) | data[1]!
      return LOGINS[rejected] ? `${hexOctets(data.subarray(0, 2))} <hidden>` : hexOctets(data)
    }
    case CODE.echoRequest:
    case CODE.echoReply:
    case CODE.discardRequest:
      return magicText(data, hexOctets)
    case CODE.identification:
      return magicText(data, message)
    case CODE.timeRemaining: {
      if (data.length < 8) return magicText(data, hexOctets)
      const seconds = Number.parseInt(number32(data.subarray(4)), 16)
      return magicText(data, () => ` seconds=${seconds}${message(data.subarray(8))}`)
    }
    default:
      return hexOctets(data)
  }
}

function magicText(data: Uint8Array, textOfRest: (rest: Uint8Array) => string): string {
  return data.length < 4 ? hexOctets(data) : ` magic=0x${number32(data)}${textOfRest(data.subarray(4))}`
}

function message(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : ` ${quoted(bytes)}`
}

/** The first four octets, without leading zeros. */
function number32(bytes: Uint8Array): string {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0).toString(16)
}
