/** IPv4 addresses as 32-bit unsigned numbers inside, dotted text outside. */

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}

export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined
  return parts.reduce((address, part) => address * 256 + Number(part), 0)
}

const PLACEHOLDERS: ReadonlySet<number | undefined> = new Set(['10.11.12.13', '10.11.12.14'].map(parseIpv4))

/** What GSM modems name as name servers until their network context is active. */
export function isPlaceholderNameServer(address: number): boolean {
  return PLACEHOLDERS.has(address)
}

/** May a peer give us this as an address or a name server? Not 0/8, 127/8, multicast, reserved or broadcast (DESIGN §7.7). */
export function isUsableUnicast(address: number): boolean {
  const first = address >>> 24
  return first !== 0 && first !== 127 && first < 224
}
