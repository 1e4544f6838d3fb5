/** PPP protocol numbers (IANA ppp-numbers) and the names that pppd prints for them. */

export const IPV4 = 0x0021
export const IPV6 = 0x0057
export const IPCP = 0x8021
export const IPV6CP = 0x8057
export const LCP = 0xc021
export const PAP = 0xc023
export const CHAP = 0xc223

const NAMES: Readonly<Record<number, string>> = {
  [IPV4]: 'IP',
  [IPV6]: 'IPv6',
  [IPCP]: 'IPCP',
  [IPV6CP]: 'IPV6CP',
  [LCP]: 'LCP',
  [PAP]: 'PAP',
  [CHAP]: 'CHAP',
  45: 'VJC TCP/IP',
  47: 'VJU TCP/IP',
  253: 'compressed data',
  32851: 'ECP',
  33021: 'CCP',
  49189: 'LQR',
  49703: 'EAP',
}

/** `LCP`, or `0x1234` where the number has no name. */
export function protocolName(protocol: number): string {
  return NAMES[protocol] ?? `0x${protocol.toString(16).padStart(4, '0')}`
}
