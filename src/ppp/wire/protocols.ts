/** PPP protocol numbers (IANA ppp-numbers) and the names that pppd prints for them. */

export const IPV4 = 0x0021
export const IPV6 = 0x0057
export const IPCP = 0x8021
export const IPV6CP = 0x8057
export const ECP = 0x8053
export const CCP = 0x80fd
export const LCP = 0xc021
export const PAP = 0xc023
export const CHAP = 0xc223
export const EAP = 0xc227

const NAMES: Readonly<Record<number, string>> = {
  [IPV4]: 'IP',
  [IPV6]: 'IPv6',
  [IPCP]: 'IPCP',
  [IPV6CP]: 'IPV6CP',
  [ECP]: 'ECP',
  [CCP]: 'CCP',
  [LCP]: 'LCP',
  [PAP]: 'PAP',
  [CHAP]: 'CHAP',
  [EAP]: 'EAP',
  45: 'VJC TCP/IP',
  47: 'VJU TCP/IP',
  253: 'compressed data',
  49189: 'LQR',
}

/** `LCP`, or `0x1234` where the number has no name. */
export function protocolName(protocol: number): string {
  return NAMES[protocol] ?? `0x${protocol.toString(16).padStart(4, '0')}`
}
