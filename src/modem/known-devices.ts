/**
 * Which serial ports are a modem's, told without sending a byte (DESIGN §7.3): by the kernel's driver, by USB ids, by the
 * configuration. Whatever is not in the tables (`device-tables.ts`) is left alone. Pure functions; used by the fleet.
 */

import {
  CABLE_DRIVERS,
  FIRMWARE_LOADERS,
  MODEM_KERNEL_DRIVERS,
  MODEM_NETWORK_DRIVERS,
  MODEM_VENDORS,
  matchesId,
  NOT_MODEMS,
} from './device-tables.ts'
import type { TtyFacts } from './sysfs.ts'

export interface DeviceSettings {
  /** `tty:/dev/ttyS1`, `usb:1199:68a3`, `usb:1-2`. */
  readonly device: string
  /** Bits per second. */
  readonly baud: number
  /** An AT command; '': none. */
  readonly init: string
  /** A file below /sys that takes 0 and 1; '' or undefined: none. */
  readonly powerGpio?: string
}

export interface DetectSettings {
  /** `auto`, `strict` and patterns. */
  readonly allow: readonly string[]
  /** Patterns that win over everything. */
  readonly ignore: readonly string[]
  readonly devices: readonly DeviceSettings[]
}

export interface Verdict {
  readonly isModem: boolean
  /** For people: why it is taken or left alone. */
  readonly reason: string
}

/** Is it a modem, as far as can be told without asking it? */
export function judge(tty: TtyFacts, settings: DetectSettings): Verdict {
  const { usb, wwan } = tty
  if (settings.ignore.some((pattern) => matchesPattern(pattern, tty))) return no('the configuration ignores it')
  if (isNamed(tty, settings)) return yes('the configuration names it')
  if (settings.allow.includes('strict') || !settings.allow.includes('auto'))
    return no('only devices that the configuration names are taken (allow in [detect])')
  if (wwan) return yes(`the kernel's WWAN ports (${tty.driver ?? 'no driver'}) are modems' only`)
  if (!usb) {
    const kind = tty.pciId === undefined ? 'a plain serial port' : `a serial port of the PCI card ${tty.pciId}`
    return no(`nothing tells what is behind ${kind}: for a modem add [device "tty:${tty.path}"]`)
  }
  const { kernelDriver, networkDriver = '', interfaceClass } = usb
  const id = `${usb.vendor}:${usb.product}`
  const loader = FIRMWARE_LOADERS.find(([pattern]) => matchesId(pattern, id))
  if (loader) return no(`${id} is ${loader[1]}`)
  if (MODEM_KERNEL_DRIVERS.has(kernelDriver)) return yes(`the kernel's ${kernelDriver} driver is for modems only`)
  const other = NOT_MODEMS.find(([pattern]) => matchesId(pattern, id))
  if (other) return no(`${id} is ${other[1]}`)
  const maker = MODEM_VENDORS[usb.vendor]
  if (kernelDriver === 'cdc_acm' && maker !== undefined) return yes(`${id} is a modem by ${maker}`)
  if (MODEM_NETWORK_DRIVERS.has(networkDriver))
    return yes(`${id} has a mobile broadband interface (${networkDriver}), as only modems have`)
  const says = /^02\/02\/0[1-6]$/.test(interfaceClass)
    ? ', though its interface claims AT commands, as boards do, too'
    : ''
  return no(`${id} with the ${kernelDriver || 'no'} driver is not known to be a modem's${says}`)
}

/** One tty that is a device of its own: a UART, or an adapter's. Ports of a modem on USB belong together. */
export function isPlain({ usb, wwan }: TtyFacts): boolean {
  if (wwan) return false
  return !usb || CABLE_DRIVERS.has(usb.kernelDriver)
}

/** Somebody wants just this one, whatever else may have it. */
export function isNamed(tty: TtyFacts, { allow, devices }: DetectSettings): boolean {
  return [...allow, ...devices.map(({ device }) => device)].some((pattern) => matchesPattern(pattern, tty))
}

/** The `[device]` section for it. */
export function settingsFor(tty: TtyFacts, settings: DetectSettings): DeviceSettings | undefined {
  return settings.devices.find(({ device }) => matchesPattern(device, tty))
}

/** The plain ports that the configuration names, as `/dev/ttyS1`. */
export function namedTtys(settings: DetectSettings): string[] {
  const patterns = [...settings.devices.map(({ device }) => device), ...settings.allow]
  return [...new Set(patterns.flatMap((pattern) => (pattern.startsWith('tty:') ? [pattern.slice(4)] : [])))]
}

/** `usb:2341:*`, `usb:1199:68a3`, `usb:1-2`, `tty:/dev/ttyS1` */
export function matchesPattern(pattern: string, { path, usb }: TtyFacts): boolean {
  if (pattern.startsWith('tty:')) return pattern.slice(4) === path
  if (!pattern.startsWith('usb:') || !usb) return false
  const id = pattern.slice(4).toLowerCase()
  return id === usb.place || matchesId(id, `${usb.vendor}:${usb.product}`)
}

function yes(reason: string): Verdict {
  return { isModem: true, reason }
}

function no(reason: string): Verdict {
  return { isModem: false, reason }
}
