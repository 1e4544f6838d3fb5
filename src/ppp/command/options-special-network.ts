/** The options of the protocols whose arguments have a form of their own, as pppd's own parsers take them. */

import { formatIpv4 } from '../../base/ipv4.ts'
import { parseIpv6 } from '../../base/ipv6.ts'
import type { Definition, OptionContext, Taking } from './options-definition.ts'
import { leadingNumber, toInt, toUnsigned } from './options-numbers.ts'
import type { OptionValues } from './options-values.ts'

/** `-all` forgets, as in pppd, all that was said of LCP before it. 0 stands for LCP's own default. */
export const NO_LCP_OPTIONS: Partial<OptionValues> = {
  wantsMru: 0,
  wantsAccm: 0,
  wantsMagic: 0,
  wantsPfc: 0,
  wantsAcfc: 0,
  mru: 0,
  mtu: 0,
  accm: 0,
  mrru: 0,
  shortSequence: 0,
  passive: 0,
  silent: 0,
  wantsPap: 0,
  wantsChap: 0,
  wantsMschap: 0,
  wantsMschapV2: 0,
  wantsEap: 0,
}

/** inet_addr(3): one to four parts, each decimal, octal or hexadecimal; the last one fills what is left. */
function numericAddress(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length > 4) return undefined
  const numbers = parts.map((part) => leadingNumber(part, 0))
  if (numbers.some((number, at) => number?.rest !== '' || !/^\d/.test(parts[at]!))) return undefined
  const values = numbers.map((number) => number!.value)
  const last = values.pop()!
  const restBits = 8n * BigInt(4 - values.length)
  if (values.some((value) => value > 255n) || last >= 1n << restBits) return undefined
  const head = values.reduce((address, value) => (address << 8n) | value, 0n)
  const address = Number((head << restBits) | last)
  // inet_addr's own answer for "wrong" is this address.
  return address === 0xffffffff ? undefined : address
}

/** Loopback, multicast, and what is no address at all. */
export function isBadAddress(address: number): boolean {
  return address >>> 24 === 127 || address >>> 28 >= 14
}

export function addressOf(word: string, { services }: Pick<OptionContext, 'services'>): number | undefined {
  return numericAddress(word) ?? services.lookUpHost(word)
}

/** LOCAL:REMOTE; either may be missing. Each half holds by its own priority. */
export const addressPair: Definition = {
  type: 'wild',
  name: 'IP addresses',
  matches: (word) => word.includes(':'),
  take: (word, context) => {
    const at = word.indexOf(':')
    return takeLocal(word.slice(0, at), context) ?? takeRemote(word.slice(at + 1), context)
  },
  show: ({ localAddress, remoteAddress }) => `${shownAddress(localAddress)}:${shownAddress(remoteAddress)}`,
}

function shownAddress(address: number): string {
  return address === 0 ? '' : formatIpv4(address)
}

function takeLocal(word: string, context: OptionContext): Taking {
  const { values, priority } = context
  if (word === '' || priority < values.localPriority) return undefined
  const address = addressOf(word, context)
  if (address === undefined) return `unknown host: ${word}`
  if (isBadAddress(address)) return `bad local IP address ${formatIpv4(address)}`
  if (address !== 0) values.localAddress = address
  values.localPriority = priority
  return undefined
}

function takeRemote(word: string, context: OptionContext): Taking {
  const { values, priority } = context
  if (word === '' || priority < values.remotePriority) return undefined
  const address = addressOf(word, context)
  if (address === undefined) return `unknown host: ${word}`
  if (numericAddress(word) === undefined && values.remoteName === '') values.remoteName = word
  if (isBadAddress(address)) return `bad remote IP address ${formatIpv4(address)}`
  if (address !== 0) values.remoteAddress = address
  values.remotePriority = priority
  return undefined
}

/** The last two hold, the older one first; a single one is both. */
export function takeDns(word: string, context: OptionContext): Taking {
  const address = addressOf(word, context)
  if (address === undefined) return `invalid address parameter '${word}' for ms-dns option`
  const { values, source } = context
  values.dns = [values.dns[1] || address, address]
  values.dnsList.push({ value: word, source })
  return undefined
}

/** Our server gives no WINS servers; what pppd takes is taken. */
export function takeWins(word: string, context: OptionContext): Taking {
  if (addressOf(word, context) === undefined) return `invalid address parameter '${word}' for ms-wins option`
  context.values.winsList.push({ value: word, source: context.source })
  return undefined
}

/** Four parts, or one number that is too large for a part. */
export function takeNetmask(word: string, { values }: OptionContext): Taking {
  const mask = maskOf(word)
  if (mask === undefined) return `invalid netmask value '${word}'`
  values.netmask = formatIpv4(mask)
  return undefined
}

function maskOf(word: string): number | undefined {
  const whole = leadingNumber(word, 0)
  if (whole?.rest === '' && whole.value > 255n) return toUnsigned(whole.value)
  const parts = word.split('.').map((part) => leadingNumber(part, 0))
  if (parts.length !== 4 || parts.some((part) => part?.rest !== '' || part.value < 0n || part.value > 255n))
    return undefined
  return parts.reduce((mask, part) => mask * 256 + Number(part!.value), 0)
}

export function takeVjSlots(word: string, { values }: OptionContext): Taking {
  const number = leadingNumber(word, 0)
  if (!number) return `invalid numeric parameter '${word}' for vj-max-slots option`
  const slots = toInt(number.value)
  if (slots < 2 || slots > 16) return 'vj-max-slots value must be between 2 and 16'
  values.vjSlots = String(slots)
  return undefined
}

export function takeEndpoint(word: string, { values }: OptionContext): Taking {
  values.endpoint = word
  return undefined
}

export function takeBsdComp(word: string, { values }: OptionContext): Taking {
  const sizes = sizesOf(word)
  if (!sizes) return `invalid parameter '${word}' for bsdcomp option`
  if (sizes.some((size) => size !== 0 && (size < 9 || size > 15))) return 'bsdcomp option values must be 0 or 9 .. 15'
  values.bsdComp = shownSizes(sizes)
  return undefined
}

export function takeDeflate(word: string, { values, warn }: OptionContext): Taking {
  const sizes = sizesOf(word)
  if (!sizes) return `invalid parameter '${word}' for deflate option`
  if (sizes.some((size) => size !== 0 && (size < 8 || size > 15))) return 'deflate option values must be 0 or 8 .. 15'
  if (sizes.includes(8)) warn('deflate option value of 8 changed to 9 to avoid zlib bug')
  values.deflate = shownSizes(sizes.map((size) => (size === 8 ? 9 : size)))
  return undefined
}

function shownSizes([received, sent]: readonly number[]): string {
  return received === sent ? String(received) : `${received},${sent}`
}

/** `NR,NT` or one for both. */
function sizesOf(word: string): readonly number[] | undefined {
  const first = leadingNumber(word, 0)
  if (!first) return undefined
  const second = first.rest.startsWith(',') ? leadingNumber(first.rest.slice(1), 0) : { ...first }
  if (second?.rest !== '') return undefined
  return [toInt(first.value), toInt(second.value)]
}

/** LOCAL,REMOTE: the low 64 bits in the notation of an IPv6 address. It turns IPv6 on. */
export function takeInterfaceIds(word: string, context: OptionContext): Taking {
  const { values, priority } = context
  const at = word.indexOf(',')
  const local = at < 0 ? word : word.slice(0, at)
  const remote = at < 0 ? '' : word.slice(at + 1)
  if (local !== '') {
    const id = interfaceId(local)
    if (id === undefined) return `Illegal interface identifier (local): ${local}`
    if (priority >= values.localIdPriority) Object.assign(values, { localId: id, localIdPriority: priority })
  }
  if (remote !== '') {
    const id = interfaceId(remote)
    if (id === undefined) return `Illegal interface identifier (remote): ${remote}`
    if (priority >= values.remoteIdPriority) Object.assign(values, { remoteId: id, remoteIdPriority: priority })
  }
  if (context.overrides('+ipv6')) values.ipv6 = 1
  return undefined
}

function interfaceId(word: string): bigint | undefined {
  const id = parseIpv6(word)
  return id === undefined || id === 0n || id >> 64n !== 0n ? undefined : id
}

export function shownInterfaceIds({ localId, remoteId }: OptionValues): string {
  const [local, remote] = [localId, remoteId].map((id) => (id === 0n ? '' : shownId(id)))
  return `${local},${remote}`
}

/** As pppd prints it: the link-local address, every group whole. */
function shownId(id: bigint): string {
  const digits = id.toString(16).padStart(16, '0')
  return `fe80::${digits.match(/.{4}/g)!.join(':')}`
}
