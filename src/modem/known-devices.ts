/**
 * Which serial ports are a modem's, told without sending a byte (DESIGN §7.3): by the kernel's driver, by USB ids, by the
 * configuration. Whatever is not in these tables is left alone. Data and pure functions; used by the fleet.
 */

import type { ModemDriver } from './drivers/driver.ts'
import { generic } from './drivers/generic.ts'
import { huawei } from './drivers/huawei.ts'
import type { PortRole } from './snapshot.ts'
import type { TtyFacts, UsbFacts } from './sysfs.ts'

export interface DeviceSettings {
  /** `tty:/dev/ttyS1`, `usb:1199:68a3`, `usb:1-2`. */
  readonly device: string
  /** Bits per second. */
  readonly baud: number
  /** An AT command; '': none. */
  readonly init: string
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

/** The kernel binds these by tables of modems only. */
const MODEM_KERNEL_DRIVERS = new Set(['option', 'qcserial', 'sierra', 'hso', 'ipw', 'qcaux', 'kyocera'])

/** Makers of cellular modems whose CDC-ACM ports are modems. cdc_acm alone says nothing: an Arduino has it, too. */
const MODEM_VENDORS: Readonly<Record<string, string>> = {
  '0af0': 'Option',
  '0bdb': 'Ericsson',
  '1199': 'Sierra Wireless',
  '12d1': 'Huawei',
  '1410': 'Novatel Wireless',
  '1519': 'Intel (Comneon)',
  '1546': 'u-blox',
  '19d2': 'ZTE',
  '1bbb': 'Alcatel',
  '1bc7': 'Telit',
  '1e0e': 'SIMCom',
  '1e2d': 'Cinterion',
  '2c7c': 'Quectel',
  '2cb7': 'Fibocom',
  '2dee': 'MeiG',
  '413c': 'Dell',
}

/** Never written to, whatever driver they have that modems share. `*`: all products. First match counts. */
const NOT_MODEMS: readonly (readonly [id: string, what: string])[] = [
  ['1546:01a*', 'a u-blox GNSS receiver'],
  ['1546:05*', 'a u-blox GNSS receiver'],
  ['0403:*', 'an FTDI serial cable or a board behind one'],
  ['0424:*', 'a Microchip hub or serial adapter'],
  ['0463:*', 'an Eaton UPS'],
  ['0483:*', 'an STMicroelectronics board, programmer or security key'],
  ['04d8:*', 'a Microchip board'],
  ['051d:*', 'an APC UPS'],
  ['0525:*', 'a Linux USB gadget'],
  ['0665:*', 'a UPS behind a Cypress adapter'],
  ['067b:*', 'a Prolific serial cable or what is behind one'],
  ['0764:*', 'a CyberPower UPS'],
  ['091e:*', 'a Garmin GPS receiver'],
  ['0d28:*', 'an Arm mbed or DAPLink board'],
  ['0e8d:*', 'a MediaTek telephone or GPS receiver'],
  ['1050:*', 'a Yubico security key'],
  ['10c4:*', 'a Silicon Labs serial cable or a board behind one'],
  ['1209:*', 'a device of the shared pid.codes ids'],
  ['1366:*', 'a SEGGER debug probe'],
  ['16c0:*', 'a Teensy or V-USB board'],
  ['16d0:*', 'a device of the shared MCS ids'],
  ['1a86:*', 'a QinHeng CH34x serial cable or a board behind one'],
  ['1b4f:*', 'a SparkFun board'],
  ['1d50:*', 'an OpenMoko-registered board'],
  ['1d6b:*', 'a Linux USB gadget'],
  ['1eaf:*', 'a LeafLabs board'],
  ['1fc9:*', 'an NXP board'],
  ['20a0:*', 'a Nitrokey or other security key'],
  ['2341:*', 'an Arduino'],
  ['239a:*', 'an Adafruit board'],
  ['26ac:*', 'a 3D Robotics flight controller'],
  ['2a03:*', 'an Arduino'],
  ['2b04:*', 'a Particle board'],
  ['2dae:*', 'a CubePilot flight controller'],
  ['2e8a:*', 'a Raspberry Pi Pico'],
  ['303a:*', 'an Espressif board'],
  ['03eb:*', 'an Atmel board'],
]

/** By USB id and interface number, where the maker documents it. What is not here is learnt by asking. */
const PORT_ROLES: Readonly<Record<string, Readonly<Record<number, PortRole>>>> = {
  '12d1:1436': { 0: 'data', 3: 'diag', 4: 'at' },
  '2c7c:0125': { 0: 'diag', 1: 'gps', 2: 'at', 3: 'data' },
  '1e0e:9001': { 0: 'diag', 1: 'gps', 2: 'at', 3: 'data', 4: 'ignored' },
}

/** Is it a modem, as far as can be told without asking it? */
export function judge(tty: TtyFacts, settings: DetectSettings): Verdict {
  const { usb } = tty
  if (settings.ignore.some((pattern) => matchesPattern(pattern, tty))) return no('the configuration ignores it')
  if (isNamed(tty, settings)) return yes('the configuration names it')
  if (settings.allow.includes('strict') || !settings.allow.includes('auto'))
    return no('only devices that the configuration names are taken (allow in [detect])')
  if (!usb) return no('nothing tells whether a modem is behind a plain serial port: name it in a [device] section')
  const id = `${usb.vendor}:${usb.product}`
  if (MODEM_KERNEL_DRIVERS.has(usb.kernelDriver))
    return yes(`the kernel's ${usb.kernelDriver} driver is for modems only`)
  const other = NOT_MODEMS.find(([pattern]) => matchesId(pattern, id))
  if (other) return no(`${id} is ${other[1]}`)
  const maker = MODEM_VENDORS[usb.vendor]
  if (usb.kernelDriver === 'cdc_acm' && maker !== undefined) return yes(`${id} is a modem by ${maker}`)
  return no(`${id} with the ${usb.kernelDriver || 'no'} driver is not known to be a modem's`)
}

/** One tty that is a device of its own: a UART, or an adapter's. Ports of a modem on USB belong together. */
export function isPlain({ usb }: TtyFacts): boolean {
  return !usb || !(MODEM_KERNEL_DRIVERS.has(usb.kernelDriver) || usb.kernelDriver === 'cdc_acm')
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

export function knownRole(usb: UsbFacts | undefined): PortRole | undefined {
  return usb && PORT_ROLES[`${usb.vendor}:${usb.product}`]?.[usb.interfaceNumber]
}

export function driverForUsb(usb: UsbFacts): ModemDriver {
  return usb.vendor === '12d1' ? huawei : generic
}

/** For a modem that USB tells nothing about; `manufacturer` is its own word. */
export function driverForManufacturer(manufacturer: string | undefined): ModemDriver {
  return /huawei/i.test(manufacturer ?? '') ? huawei : generic
}

/** `usb:2341:*`, `usb:1199:68a3`, `usb:1-2`, `tty:/dev/ttyS1` */
export function matchesPattern(pattern: string, { path, usb }: TtyFacts): boolean {
  if (pattern.startsWith('tty:')) return pattern.slice(4) === path
  if (!pattern.startsWith('usb:') || !usb) return false
  const id = pattern.slice(4).toLowerCase()
  return id === usb.place || matchesId(id, `${usb.vendor}:${usb.product}`)
}

function isNamed(tty: TtyFacts, { allow, devices }: DetectSettings): boolean {
  return [...allow, ...devices.map(({ device }) => device)].some((pattern) => matchesPattern(pattern, tty))
}

function matchesId(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : pattern === id
}

function yes(reason: string): Verdict {
  return { isModem: true, reason }
}

function no(reason: string): Verdict {
  return { isModem: false, reason }
}
