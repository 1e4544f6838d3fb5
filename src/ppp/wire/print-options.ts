/** Configuration options as pppd's debug log writes them, by protocol and type. Used by `printing.ts`. */

import { formatIpv4 } from '../../base/ipv4.ts'
import { hexDigits, hexOctets } from './print-bytes.ts'
import { CCP, CHAP, EAP, IPCP, IPV6CP, LCP, PAP } from './protocols.ts'

/** Answers undefined where the length is not what the type asks for. */
type OptionText = (data: Uint8Array) => string | undefined

function exactly(length: number, text: (data: DataView) => string): OptionText {
  return (data) => (data.length === length ? text(new DataView(data.buffer, data.byteOffset, length)) : undefined)
}

/** What is behind the first `length` octets is shown as octets. */
function atLeast(length: number, text: (data: DataView) => string): OptionText {
  return (data) =>
    data.length < length
      ? undefined
      : text(new DataView(data.buffer, data.byteOffset, data.length)) + hexOctets(data.subarray(length))
}

const bare = (name: string): OptionText => exactly(0, () => name)
const number16 = (name: string): OptionText => exactly(2, (data) => `${name} ${data.getUint16(0)}`)
const hex32 = (name: string): OptionText => exactly(4, (data) => `${name} 0x${data.getUint32(0).toString(16)}`)
const address = (name: string): OptionText => exactly(4, (data) => `${name} ${formatIpv4(data.getUint32(0))}`)

const CHAP_ALGORITHMS: Readonly<Record<number, string>> = { 5: ' MD5', 128: ' MS', 129: ' MS-v2' }
const AUTH_NAMES: Readonly<Record<number, string>> = { [PAP]: 'pap', [CHAP]: 'chap', [EAP]: 'eap' }
const QUALITY_REPORT = 0xc025
const CALLBACK_CBCP = 6
const ENDPOINT_CLASSES = ['null', 'local', 'IP', 'MAC', 'magic', 'phone']
const MAX_ENDPOINT_OCTETS = 20
const VJ_NAMES: Readonly<Record<number, string>> = { 45: 'VJ', 55: 'old-VJ' }

function authText(data: Uint8Array): string | undefined {
  if (data.length < 2) return undefined
  const protocol = (data[0]! << 8) | data[1]!
  const name = AUTH_NAMES[protocol] ?? `0x${protocol.toString(16)}`
  const algorithm = protocol === CHAP ? CHAP_ALGORITHMS[data[2] ?? 0] : undefined
  return `auth ${name}${algorithm ?? ''}${hexOctets(data.subarray(algorithm ? 3 : 2))}`
}

function callbackText(data: DataView): string {
  const operation = data.getUint8(0)
  return `callback ${operation === CALLBACK_CBCP ? 'CBCP' : `0x${operation.toString(16)}`}`
}

/** RFC 1990 §5.1.3. */
function endpointText(data: Uint8Array): string | undefined {
  const [kind] = data
  if (kind === undefined) return undefined
  const value = Array.from(data.subarray(1, 1 + MAX_ENDPOINT_OCTETS))
  const name = ENDPOINT_CLASSES[kind] ?? `${kind}`
  const shown = value.length > 0 ? `${name}:${endpointValue(name, value)}` : name
  return `endpoint [${shown}]${hexOctets(data.subarray(1 + MAX_ENDPOINT_OCTETS))}`
}

function endpointValue(name: string, value: readonly number[]): string {
  if (name === 'IP' && value.length === 4) return value.join('.')
  const octets = value.map((octet) => octet.toString(16).padStart(2, '0'))
  if (name === 'MAC' && value.length === 6) return octets.join(':')
  if (name === 'magic' && value.length % 4 === 0) return octets.join('').replace(/(.{8})(?!$)/g, '$1.')
  return octets.join('.')
}

/** Four groups, never shortened. */
function linkLocalText(data: Uint8Array): string | undefined {
  return data.length === 8 ? `addr fe80::${hexDigits(data).replace(/(....)(?!$)/g, '$1:')}` : undefined
}

const MPPE_BITS = [
  [0x01, 0, 'H'],
  [0x80, 3, 'M'],
  [0x40, 3, 'S'],
  [0x20, 3, 'L'],
  [0x10, 3, 'D'],
  [0x01, 3, 'C'],
] as const

function mppeText(data: DataView): string {
  return `mppe ${MPPE_BITS.map(([bit, at, name]) => (data.getUint8(at) & bit ? '+' : '-') + name).join(' ')}`
}

function deflateText(name: string): (data: DataView) => string {
  return (data) => {
    const [size, method, check] = [(data.getUint8(0) >>> 4) + 8, data.getUint8(0) & 0x0f, data.getUint8(1)]
    return `${name} ${size}${method === 8 ? '' : ` method ${method}`}${check === 0 ? '' : ` check ${check}`}`
  }
}

export const OPTION_TEXTS: Readonly<Record<number, Readonly<Record<number, OptionText>>>> = {
  [LCP]: {
    1: number16('mru'),
    2: hex32('asyncmap'),
    3: authText,
    4: atLeast(2, (data) => {
      const protocol = data.getUint16(0)
      return `quality ${protocol === QUALITY_REPORT ? 'lqr' : `0x${protocol.toString(16)}`}`
    }),
    5: hex32('magic'),
    7: bare('pcomp'),
    8: bare('accomp'),
    13: atLeast(1, callbackText),
    17: number16('mrru'),
    18: bare('ssnhf'),
    19: endpointText,
  },
  [IPCP]: {
    1: exactly(8, (data) => `addrs ${formatIpv4(data.getUint32(0))} ${formatIpv4(data.getUint32(4))}`),
    2: atLeast(2, (data) => `compress ${VJ_NAMES[data.getUint16(0)] ?? `0x${data.getUint16(0).toString(16)}`}`),
    3: address('addr'),
    129: address('ms-dns1'),
    130: address('ms-wins'),
    131: address('ms-dns2'),
    132: address('ms-wins'),
  },
  [IPV6CP]: {
    1: linkLocalText,
    2: atLeast(2, (data) => `compress 0x${data.getUint16(0).toString(16)}`),
  },
  [CCP]: {
    1: atLeast(0, () => 'predictor 1'),
    2: atLeast(0, () => 'predictor 2'),
    18: atLeast(4, mppeText),
    21: atLeast(1, (data) => `bsd v${data.getUint8(0) >>> 5} ${data.getUint8(0) & 0x1f}`),
    24: atLeast(2, deflateText('deflate(old#)')),
    26: atLeast(2, deflateText('deflate')),
  },
}
