/** Contexts that are up: +CGPADDR, +CGCONTRDP, +CGACT and +CGATT (3GPP TS 27.007 §10.1.14, §10.1.23, §10.1.10, §10.1.9). */

import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'

export interface PdpAddress {
  readonly cid: number
  /** `10.0.0.2`, `2001:db8::1`; none where the context is down. */
  readonly addresses: readonly string[]
}

/** `+CGPADDR: 1,"10.0.0.2"`, with IPv6 dotted, a second address, or all zeros where there is none. */
export function parseCgpaddr(lines: readonly string[]): PdpAddress[] {
  return bodiesOf(lines, '+CGPADDR').flatMap((body) => {
    const [cid, ...rest] = fieldsOf(body)
    const number = numberOf(cid)
    if (number === undefined || number < 0) return []
    // Both kinds in one field, or a semicolon between them.
    const each = rest.flatMap(({ text, isQuoted }) => text.split(/[",;\s]+/).map((part) => ({ text: part, isQuoted })))
    return [{ cid: number, addresses: each.flatMap((field) => addressOf(field)?.address ?? []) }]
  })
}

export interface PdpParameters {
  readonly cid: number
  readonly bearer?: number | undefined
  readonly apn: string
  readonly address?: string | undefined
  /** Dotted, as `address`. */
  readonly mask?: string | undefined
  readonly gateway?: string | undefined
  readonly dns: readonly string[]
  readonly mtu?: number | undefined
}

/**
 * `+CGCONTRDP: <cid>,<bearer>,<apn>,<address and mask>,<gateway>,<dns>,<dns>,…`; before release 9 the mask was a field of its own,
 * and some leave the empty gateway out.
 */
export function parseCgcontrdp(lines: readonly string[]): PdpParameters[] {
  return bodiesOf(lines, '+CGCONTRDP').flatMap((body) => {
    const [cidField, bearerField, apn, local, ...rest] = fieldsOf(body)
    const cid = numberOf(cidField)
    if (cid === undefined || cid < 0) return []
    const own = local && addressOf(local)
    // The old form has the mask behind the address.
    const isEmptyMask = rest[0]?.text === '' && rest[1]?.text === '' && rest[2] && addressOf(rest[2]) !== undefined
    const hasMaskField = own !== undefined && own.mask === undefined && (isMask(rest[0]) || isEmptyMask)
    const [gateway, ...dns] = (hasMaskField ? rest.slice(1) : rest).slice(0, 3)
    const mtu = (hasMaskField ? rest.slice(1) : rest)
      .slice(5)
      .map(numberOf)
      .find((value) => value !== undefined && value >= 576)
    return [
      {
        cid,
        bearer: numberOf(bearerField),
        apn: apn?.text ?? '',
        address: own?.address,
        mask: own?.mask ?? (hasMaskField && !isEmptyMask ? rest[0]!.text : undefined),
        gateway: gateway && addressOf(gateway)?.address,
        dns: dns.flatMap((field) => addressOf(field)?.address ?? []),
        mtu,
      },
    ]
  })
}

/** `+CGACT: 1,1` a line a context → which are up. */
export function parseCgact(lines: readonly string[]): { readonly cid: number; readonly isActive: boolean }[] {
  return bodiesOf(lines, '+CGACT').flatMap((body) => {
    const [cid, state] = fieldsOf(body).map(numberOf)
    return cid === undefined || (state !== 0 && state !== 1) ? [] : [{ cid, isActive: state === 1 }]
  })
}

/** `+CGATT: 1` */
export function parseCgatt(lines: readonly string[]): boolean | undefined {
  const state = numberOf(fieldsOf(bodiesOf(lines, '+CGATT').at(-1) ?? '')[0])
  return state === 0 || state === 1 ? state === 1 : undefined
}

/** Four numbers an IPv4 address, eight one with its mask, sixteen IPv6, thirty-two that with its mask; or IPv6 with colons. */
function addressOf(field: Field): { readonly address: string; readonly mask?: string } | undefined {
  // With +CGPIAF a blank or a prefix's length parts the mask, and a zone may stand behind.
  const [text = '', behind = ''] = field.text.replace(/%\w+/, '').split(/[ /]+/)
  const own = bareAddressOf(text)
  const isMaskBehind = own && !own.mask && isMask({ text: behind, isQuoted: false })
  return isMaskBehind ? { ...own, mask: behind } : own
}

function bareAddressOf(text: string): { readonly address: string; readonly mask?: string } | undefined {
  if (text.includes(':')) {
    const bytes = ipv6Bytes(text)
    return bytes?.some((byte) => byte !== 0) ? { address: ipv6Of(bytes) } : undefined
  }
  const parts = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN))
  if (parts.some((part) => !(part <= 255))) return undefined
  if (parts.length === 4 || parts.length === 8) {
    const address = parts.slice(0, 4).join('.')
    if (address === '0.0.0.0') return undefined
    return parts.length === 4 ? { address } : { address, mask: parts.slice(4).join('.') }
  }
  if (parts.length !== 16 && parts.length !== 32) return undefined
  if (parts.slice(0, 16).every((part) => part === 0)) return undefined
  return { address: ipv6Of(parts.slice(0, 16)) }
}

/** Groups of hexadecimal digits, one run of zeros as `::`. */
function ipv6Bytes(text: string): readonly number[] | undefined {
  const halves = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const [head = [], tail] = halves
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (halves.length > 2 || (tail ? missing < 1 : missing !== 0)) return undefined
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? [])]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.map((group) => Number.parseInt(group, 16)).flatMap((value) => [value >> 8, value & 0xff])
}

/** RFC 5952 §4: the longest run of zeros, the first of several, as `::`. */
function ipv6Of(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[2 * at]! << 8) | bytes[2 * at + 1]!)
  let best = { at: 0, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (groups[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const words = groups.map((group) => group.toString(16))
  if (best.length === 1) return words.join(':')
  return `${words.slice(0, best.at).join(':')}::${words.slice(best.at + best.length).join(':')}`
}

/** Only ones, then only zeros. */
function isMask(field: Field | undefined): boolean {
  if (!field || !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(field.text)) return false
  const bits = field.text
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1+0*$/.test(bits) && bits.startsWith('11111111')
}
