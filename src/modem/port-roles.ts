/**
 * What a modem's port is for, where its maker documents it: by USB id and interface number, else by the interface's class, subclass
 * and protocol. What is not here is learnt by asking (`candidate.ts`) and remembered (`port-memory.ts`).
 * Sources: Linux's drivers/usb/serial/qcserial.c (layouts of Gobi and Sierra), Quectel's Linux USB driver guide, SIMCom's, u-blox's
 * and Telit's AT manuals, Huawei's own interface protocols.
 */

import type { PortRole } from './snapshot.ts'
import type { UsbFacts, WwanFacts } from './sysfs.ts'

type Layout = Readonly<Record<number, PortRole>>

/** From interface 0 on; `-`: nothing is known of it. */
function layout(roles: string): Layout {
  const entries = roles.split(' ').map((role, number) => [number, role] as const)
  return Object.fromEntries(entries.filter(([, role]) => role !== '-')) as Layout
}

function all(ids: string, roles: string): Record<string, Layout> {
  return Object.fromEntries(ids.split(' ').map((id) => [id, layout(roles)]))
}

const PORT_ROLES: Readonly<Record<string, Layout>> = {
  ...all('12d1:1436', 'data - - diag at'),
  // Quectel: diagnostics, NMEA, AT, modem. The first three have Qualcomm's ids.
  ...all('05c6:9090 05c6:9003 05c6:9215 2c7c:0121 2c7c:0125 2c7c:0191 2c7c:0195', 'diag gps at data'),
  ...all('2c7c:0296 2c7c:0306 2c7c:0435 2c7c:0512 2c7c:0620 2c7c:0800 2c7c:0801', 'diag gps at data'),
  // SIMCom SIM7100, SIM7600; SIM7070 in its two layouts.
  ...all('1e0e:9001', 'diag gps at data ignored'),
  ...all('1e0e:9205', 'diag gps at data'),
  ...all('1e0e:9206', 'diag gps at ignored ignored data'),
  // Sierra Wireless, and what Dell and HP sell of it.
  ...all('1199:68a2 1199:68c0 1199:901c 1199:901f 1199:9041 1199:9051 1199:9053 1199:9055', 'diag - gps at'),
  ...all('1199:9061 1199:9063 1199:9071 1199:9079 1199:907b 0f3d:68a2 114f:68a2', 'diag - gps at'),
  ...all('413c:81a2 413c:81a3 413c:81a4 413c:81a8 413c:81a9 413c:81b1 413c:81b3 03f0:4e1d', 'diag - gps at'),
  // Gobi 2000 and 3000; the network interface is before them.
  ...all('1199:9001 1199:9011 1199:9013 1199:9015 1199:9019 05c6:9205 05c6:920b 05c6:920d', '- diag at gps'),
  ...all('413c:8186 413c:8194 03f0:251d 1410:a021 12d1:14f1 1199:68a5 1199:68a9', '- diag at gps'),
  // u-blox LISA-U2, TOBY-R2, LARA-R2, TOBY-L4: their CDC data interfaces lie between.
  ...all('1546:1102', 'data - at - at - ignored - diag - diag - ignored'),
  ...all('1546:1107 1546:110a', 'data - at - at - ignored - ignored - diag'),
  ...all('1546:1010', '- - ignored - ignored - at - ignored'),
  // Telit UC864, HE910, DE910.
  ...all('1bc7:1003 1bc7:1006', 'data - at'),
  ...all('1bc7:1004 1bc7:1005', 'data - gps at'),
  ...all('1bc7:0021', 'data - - - - - at'),
  // Telit LE910Cx, ZTE MF190.
  ...all('1bc7:1201', 'diag - - gps data at diag'),
  ...all('19d2:0117', 'diag at data'),
  ...all('1bc7:1010', '- gps at data'),
}

/** `12d1 ff/02/01`, or `* …` for every maker. */
const INTERFACE_ROLES: Readonly<Record<string, PortRole>> = {
  '* ff/ff/30': 'diag',
  '2c7c ff/00/40': 'gps',
  ...Object.fromEntries(['01', '02', '03', '06'].flatMap((subclass) => huaweiProtocols(subclass))),
}

function huaweiProtocols(subclass: string): (readonly [string, PortRole])[] {
  const roles: Readonly<Record<string, PortRole>> = {
    '01': 'data',
    '02': 'at',
    '03': 'diag',
    '05': 'gps',
    '10': 'data',
    '12': 'at',
    '13': 'diag',
    '14': 'gps',
    '31': 'data',
    '32': 'at',
    '33': 'diag',
    '61': 'data',
    '62': 'at',
    '63': 'diag',
  }
  return Object.entries(roles).map(([protocol, role]) => [`12d1 ff/${subclass}/${protocol}`, role] as const)
}

export interface KnownRole {
  readonly role: PortRole
  /** For people: how it is known. */
  readonly reason: string
}

/** What a WWAN port speaks: AT is asked; another protocol that is not here is left alone. */
const WWAN_ROLES: Readonly<Record<string, PortRole>> = { QCDM: 'diag', NMEA: 'gps', QMI: 'net', MBIM: 'net' }

/** Of a port that the kernel names by its protocol; undefined: of another, or AT's. */
export function wwanRole(wwan: WwanFacts | undefined): KnownRole | undefined {
  if (!wwan || wwan.protocol === 'AT') return undefined
  return known(WWAN_ROLES[wwan.protocol] ?? 'ignored', `the kernel says that it speaks ${wwan.protocol}`)
}

/** undefined: nobody says. */
export function knownRole(usb: UsbFacts | undefined): KnownRole | undefined {
  if (!usb) return undefined
  const { vendor, product, interfaceNumber, interfaceClass, kernelDriver } = usb
  const listed = PORT_ROLES[`${vendor}:${product}`]?.[interfaceNumber]
  if (listed) return known(listed, `interface ${interfaceNumber} of ${vendor}:${product} is known`)
  const shown = INTERFACE_ROLES[`${vendor} ${interfaceClass}`] ?? INTERFACE_ROLES[`* ${interfaceClass}`]
  if (shown) return known(shown, `its interface says so (${interfaceClass})`)
  if (kernelDriver === 'cdc_acm' && isSilentAcm(interfaceClass))
    return known('ignored', `its interface speaks no AT commands (${interfaceClass})`)
  return undefined
}

/** How many ports of this kind of device answer AT; undefined: nobody says. */
export function knownAtPorts({ vendor, product }: Pick<UsbFacts, 'vendor' | 'product'>): number | undefined {
  const roles = PORT_ROLES[`${vendor}:${product}`]
  return roles && Object.values(roles).filter((role) => role === 'at' || role === 'data').length
}

/** CDC-ACM names its command set: 1 to 6 are AT's (USB CDC 1.2, table 17); 0 and ff are none, or the maker's own. */
function isSilentAcm(interfaceClass: string): boolean {
  return interfaceClass.startsWith('02/02/') && !/^02\/02\/0[1-6]$/.test(interfaceClass)
}

function known(role: PortRole, reason: string): KnownRole {
  return { role, reason }
}
