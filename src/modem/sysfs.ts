/**
 * Serial ports as the kernel shows them below /sys (Documentation/ABI/testing/sysfs-bus-usb). Read-only; nothing here opens a
 * port. Used by `detection.ts`.
 */

import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { printable } from '../base/bytes.ts'

export interface UsbFacts {
  /** `1-2`: bus and hub ports, the same after re-plugging into the same place. */
  readonly place: string
  /** Four lower-case hexadecimal digits each. */
  readonly vendor: string
  readonly product: string
  readonly serial: string
  readonly interfaceNumber: number
  /** Two hexadecimal digits each: class, subclass, protocol. */
  readonly interfaceClass: string
  /** Of the interface: `option`, `cdc_acm`, `ftdi_sio`; '' where none is bound. */
  readonly kernelDriver: string
}

export interface TtyFacts {
  /** `ttyUSB0` */
  readonly name: string
  /** `/dev/ttyUSB0` */
  readonly path: string
  /** Of the USB device, else of what the tty belongs to: `/sys/devices/…`, without the root. */
  readonly device: string
  readonly usb?: UsbFacts | undefined
}

/** Ports with a device behind them; consoles and pseudo terminals have none. */
export function listTtys(root: string): TtyFacts[] {
  return names(join(root, '/sys/class/tty')).flatMap((name) => readTty(root, name) ?? [])
}

/** undefined: no such port (any more), or not one with a device. */
export function readTty(root: string, name: string): TtyFacts | undefined {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) return undefined
  try {
    const top = realpathSync(join(root, '/sys'))
    const device = realpathSync(join(top, 'class/tty', name, 'device'))
    if (!device.startsWith(`${top}/`)) return undefined
    const owner = ancestorWith(device, 'bInterfaceNumber', top)
    const usb = owner === undefined ? undefined : readUsb(owner, top)
    const place = owner !== undefined && usb ? dirname(owner) : device
    return { name, path: `/dev/${name}`, device: `/sys${place.slice(top.length)}`, usb }
  } catch {
    return undefined
  }
}

function readUsb(usbInterface: string, top: string): UsbFacts | undefined {
  const device = ancestorWith(dirname(usbInterface), 'idVendor', top)
  if (device === undefined) return undefined
  const vendor = attribute(device, 'idVendor').toLowerCase()
  const product = attribute(device, 'idProduct').toLowerCase()
  const interfaceNumber = Number.parseInt(attribute(usbInterface, 'bInterfaceNumber'), 16)
  if (!/^[0-9a-f]{4}$/.test(vendor) || !/^[0-9a-f]{4}$/.test(product) || Number.isNaN(interfaceNumber)) return undefined
  return {
    place: basename(device),
    vendor,
    product,
    serial: attribute(device, 'serial'),
    interfaceNumber,
    interfaceClass: ['bInterfaceClass', 'bInterfaceSubClass', 'bInterfaceProtocol']
      .map((name) => attribute(usbInterface, name).toLowerCase())
      .join('/'),
    kernelDriver: boundDriver(usbInterface),
  }
}

function ancestorWith(path: string, file: string, top: string): string | undefined {
  for (let at = path; at.startsWith(`${top}/`); at = dirname(at)) if (names(at).includes(file)) return at
  return undefined
}

function boundDriver(path: string): string {
  try {
    return basename(readlinkSync(join(path, 'driver')))
  } catch {
    return ''
  }
}

/** '' where there is none. What a device says of itself is cleaned: it ends in logs. */
function attribute(path: string, name: string): string {
  try {
    return printable(readFileSync(join(path, name), 'latin1').trim(), 128)
  } catch {
    return ''
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
