/**
 * Control packets as text, in the words of pppd's debug log, for traces and for the evidence in a failure's detail:
 * `[LCP ConfReq id=0x1 <asyncmap 0x0> <magic 0x5fd1ccd2> <pcomp> <accomp>]`. Passwords and CHAP answers are not shown
 * (DESIGN §7.2); what the peer sent is cleaned of control characters.
 */

import { fromLatin1, printable } from '../../base/bytes.ts'
import { formatIpv4 } from '../../base/ipv4.ts'
import {
  CODE,
  type ConfigOption,
  type ControlPacket,
  parseControl,
  parseOptions,
  u16Value,
  u32Value,
} from './packets.ts'
import { CHAP, IPCP, LCP, PAP, protocolName } from './protocols.ts'

const MAX_SHOWN_BYTES = 32

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

/** Answers undefined where an option's length is not what its type asks for. */
type OptionPrinter = (option: ConfigOption) => string | undefined

const number32 =
  (name: string): OptionPrinter =>
  (option) => {
    const value = u32Value(option)
    return value === undefined ? undefined : `${name} 0x${value.toString(16)}`
  }

const address =
  (name: string): OptionPrinter =>
  (option) => {
    const value = u32Value(option)
    return value === undefined ? undefined : `${name} ${formatIpv4(value)}`
  }

const bare =
  (name: string): OptionPrinter =>
  ({ data }) =>
    data.length === 0 ? name : undefined

const OPTIONS: Readonly<Record<number, Readonly<Record<number, OptionPrinter>>>> = {
  [LCP]: {
    1: (option) => (u16Value(option) === undefined ? undefined : `mru ${u16Value(option)}`),
    2: number32('asyncmap'),
    3: ({ data }) => authName(data),
    5: number32('magic'),
    7: bare('pcomp'),
    8: bare('accomp'),
  },
  [IPCP]: {
    2: ({ data }) => (data[0] === 0 && data[1] === 0x2d ? `compress VJ ${hex(data.subarray(2))}` : undefined),
    3: address('addr'),
    129: address('ms-dns1'),
    130: address('ms-wins'),
    131: address('ms-dns2'),
    132: address('ms-wins'),
  },
}

const CHAP_ALGORITHMS: Readonly<Record<number, string>> = { 5: 'MD5', 128: 'MS', 129: 'MS-v2' }

function authName(data: Uint8Array): string | undefined {
  if (data.length < 2) return undefined
  const protocol = (data[0]! << 8) | data[1]!
  if (protocol === CHAP && data.length === 3) return `auth chap ${CHAP_ALGORITHMS[data[2]!] ?? hex(data.subarray(2))}`
  return `auth ${protocolName(protocol).toLowerCase()}${data.length > 2 ? ` ${hex(data.subarray(2))}` : ''}`
}

/** `protocol` is the frame's, `info` what follows it. */
export function printPacket(protocol: number, info: Uint8Array): string {
  const packet = parseControl(info)
  if (!packet) return `[${protocolName(protocol)} ${hidesSecrets(protocol) ? `<${info.length} octets>` : hex(info)}]`
  if (protocol === PAP) return printPap(packet)
  if (protocol === CHAP) return printChap(packet)
  const names = protocol === LCP ? LCP_CODE_NAMES : CODE_NAMES
  const name = names[packet.code] ?? `code=0x${packet.code.toString(16)}`
  return bracket(protocol, name, packet.id, printData(protocol, packet))
}

function hidesSecrets(protocol: number): boolean {
  return protocol === PAP || protocol === CHAP
}

function bracket(protocol: number, name: string, id: number, rest: string): string {
  return `[${protocolName(protocol)} ${name} id=0x${id.toString(16)}${rest && ` ${rest}`}]`
}

function printData(protocol: number, { code, data }: ControlPacket): string {
  switch (code) {
    case CODE.configureRequest:
    case CODE.configureAck:
    case CODE.configureNak:
    case CODE.configureReject:
      return printOptions(protocol, data)
    case CODE.terminateRequest:
    case CODE.terminateAck:
      return data.length === 0 ? '' : quoted(data)
    case CODE.echoRequest:
    case CODE.echoReply:
    case CODE.discardRequest:
    case CODE.identification:
      return data.length < 4 ? hex(data) : `magic=0x${hex(data.subarray(0, 4)).replaceAll(' ', '')}`
    case CODE.protocolReject: {
      const rejected = data.length < 2 ? 0 : (data[0]! << 8) | data[1]!
      return hidesSecrets(rejected) ? `${hex(data.subarray(0, 2))} <hidden>` : hex(data)
    }
    default:
      return hex(data)
  }
}

function printOptions(protocol: number, data: Uint8Array): string {
  const options = parseOptions(data)
  return options ? options.map((option) => printOption(protocol, option)).join(' ') : hex(data)
}

/** `<mru 1500>`; an option without a name, or of a wrong length, as pppd prints it: all its octets. */
export function printOption(protocol: number, option: ConfigOption): string {
  const text = OPTIONS[protocol]?.[option.type]?.(option)
  return `<${text ?? ` ${hex(Uint8Array.of(option.type, option.data.length + 2, ...option.data))}`}>`
}

/** A name that runs over its packet is not shown either: the password might be in it. */
function printPap({ code, id, data }: ControlPacket): string {
  if (code === 1) {
    const nameEnd = 1 + (data[0] ?? 0)
    const user = nameEnd < data.length ? quoted(data.subarray(1, nameEnd)) : '<malformed>'
    return bracket(PAP, 'AuthReq', id, `user=${user} password=<hidden>`)
  }
  if (code === 2) return bracket(PAP, 'AuthAck', id, quoted(data.subarray(1)))
  if (code === 3) return bracket(PAP, 'AuthNak', id, quoted(data.subarray(1)))
  return bracket(PAP, `code=0x${code.toString(16)}`, id, `<${data.length} octets>`)
}

function printChap(packet: ControlPacket): string {
  const { code, id, data } = packet
  const valueSize = data[0] ?? 0
  const name = quoted(data.subarray(1 + valueSize))
  if (code === 1) return bracket(CHAP, 'Challenge', id, `<${hex(data.subarray(1, 1 + valueSize), '')}>, name = ${name}`)
  if (code === 2) return bracket(CHAP, 'Response', id, `<hidden>, name = ${name}`)
  const verdict = code === 3 ? 'Success' : code === 4 ? 'Failure' : `code=0x${code.toString(16)}`
  return bracket(CHAP, verdict, id, quoted(data))
}

function quoted(bytes: Uint8Array): string {
  return `"${printable(fromLatin1(bytes))}"`
}

function hex(bytes: Uint8Array, separator = ' '): string {
  const shown = Array.from(bytes.subarray(0, MAX_SHOWN_BYTES), (octet) => octet.toString(16).padStart(2, '0'))
  return bytes.length > MAX_SHOWN_BYTES ? `${shown.join(separator)}${separator}...` : shown.join(separator)
}
