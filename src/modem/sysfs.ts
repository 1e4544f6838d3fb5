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
  /** `0318`, of the device's firmware or hardware (bcdDevice). */
  readonly revision?: string | undefined
  /** The kernel counts plugs: another one after each (devnum). */
  readonly deviceNumber?: number | undefined
  /** Of a network interface of the same device: `qmi_wwan`, `cdc_ether`. */
  readonly networkDriver?: string | undefined
}

export interface TtyFacts {
  /** `ttyUSB0` */
  readonly name: string
  /** `/dev/ttyUSB0` */
  readonly path: string
  /** Of the USB device, else of what the tty belongs to: `/sys/devices/…`, without the root. */
  readonly device: string
  /** The kernel's driver of a port that is not on USB: `serial8250`, `exar_serial`. */
  readonly driver?: string | undefined
  /** `8086:a13d` where the port is on a PCI card. */
  readonly pciId?: string | undefined
  readonly usb?: UsbFacts | undefined
  readonly wwan?: WwanFacts | undefined
}

/** A port of the kernel's WWAN subsystem (drivers/net/wwan), mostly of a modem on PCIe: `wwan0at0`. */
export interface WwanFacts {
  /** What it speaks: `AT`, `QCDM`, `MBIM`, `QMI`, `NMEA` … */
  readonly protocol: string
  /** Of the ports of its kind. */
  readonly number: number
}

/** A USB device without a serial port: perhaps a modem that plays a CD-ROM. */
export interface UsbDevice {
  /** `1-2` */
  readonly place: string
  /** `/sys/devices/…`, without the root. */
  readonly path: string
  readonly vendor: string
  readonly product: string
  readonly manufacturer: string
  /** On its bus; another after each plug. */
  readonly number: number
  readonly bus: number
  /** Two hexadecimal digits, an interface each; those that the kernel has shown so far. */
  readonly interfaceClasses: readonly string[]
  /** Every interface is shown. */
  readonly isComplete: boolean
}

const WWAN_PORT = /^wwan\d+([a-z]+)(\d+)$/

const MANY_PURPOSE_DRIVERS = new Set(['cdc_acm', 'usbserial', 'usbserial_generic', 'usb_serial_simple'])

/**
 * There is nothing left to look with: what was not seen may well be there. All that is read here throws it; whatever else goes wrong
 * is a device that goes.
 */
export function isShortage(error: unknown): boolean {
  return /^(EMFILE|ENFILE|ENOMEM)$/.test((error as NodeJS.ErrnoException).code ?? '')
}

/** Ports with a device behind them; consoles and pseudo terminals have none. */
export function listTtys(root: string): TtyFacts[] {
  const all = ['tty', 'wwan'].flatMap((subsystem) => names(join(root, '/sys/class', subsystem)))
  return all.flatMap((name) => readTty(root, name) ?? [])
}

/** undefined: no such port (any more), or not one with a device. */
export function readTty(root: string, name: string): TtyFacts | undefined {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) return undefined
  return unlessGone(undefined, () => {
    const top = realpathSync(join(root, '/sys'))
    const port = WWAN_PORT.exec(name)
    if (port) return readWwan(name, top, port[1]!, Number(port[2]))
    const tty = join(top, 'class/tty', name)
    const device = realpathSync(join(tty, 'device'))
    // The kernel shows places for UARTs that the machine does not have: their type is unknown (PORT_UNKNOWN).
    if (!device.startsWith(`${top}/`) || attribute(tty, 'type') === '0') return undefined
    const owner = ancestorWith(device, 'bInterfaceNumber', top)
    const usb = owner === undefined ? undefined : readUsb(owner, top)
    if (owner !== undefined && usb)
      return { name, path: `/dev/${name}`, device: `/sys${dirname(owner).slice(top.length)}`, usb }
    return { name, path: `/dev/${name}`, device: `/sys${device.slice(top.length)}`, ...plainFacts(device, top) }
  })
}

/** All ports of one modem have its card in common, which has the driver: `mhi-pci-generic`, `iosm`, `mtk_t7xx`. */
function readWwan(name: string, top: string, kind: string, number: number): TtyFacts | undefined {
  const port = realpathSync(join(top, 'class/wwan', name))
  if (!port.startsWith(`${top}/`)) return undefined
  const card = ancestorWith(port, 'subsystem_device', top) ?? dirname(port)
  // Linux 6.0 has no `type`: the name tells, too.
  const protocol = (attribute(port, 'type') || kind).toUpperCase()
  const facts = plainFacts(card, top)
  return { name, path: `/dev/${name}`, device: `/sys${card.slice(top.length)}`, ...facts, wwan: { protocol, number } }
}

/** Every USB device but hubs' roots. */
export function listUsbDevices(root: string): UsbDevice[] {
  return names(join(root, '/sys/bus/usb/devices')).flatMap((place) => readUsbDevice(root, place) ?? [])
}

export function readUsbDevice(root: string, place: string): UsbDevice | undefined {
  if (!/^\d+-\d+(\.\d+)*$/.test(place)) return undefined
  return unlessGone(undefined, () => {
    const top = realpathSync(join(root, '/sys'))
    const path = realpathSync(join(top, 'bus/usb/devices', place))
    if (!path.startsWith(`${top}/`)) return undefined
    const vendor = attribute(path, 'idVendor').toLowerCase()
    const product = attribute(path, 'idProduct').toLowerCase()
    if (!isId(vendor) || !isId(product)) return undefined
    const interfaceClasses = names(path)
      .filter((name) => name.startsWith(`${place}:`))
      .map((name) => attribute(join(path, name), 'bInterfaceClass').toLowerCase())
    const count = Number(attribute(path, 'bNumInterfaces'))
    return {
      place,
      path: `/sys${path.slice(top.length)}`,
      vendor,
      product,
      manufacturer: attribute(path, 'manufacturer'),
      number: Number(attribute(path, 'devnum')) || 0,
      bus: Number(attribute(path, 'busnum')) || 0,
      interfaceClasses,
      isComplete: count === interfaceClasses.length,
    }
  })
}

function plainFacts(device: string, top: string): Pick<TtyFacts, 'driver' | 'pciId'> {
  const pci = ancestorWith(device, 'subsystem_device', top)
  const pciId = pci && ['vendor', 'device'].map((name) => attribute(pci, name).replace(/^0x/, '')).join(':')
  for (let at = device; at.startsWith(`${top}/`); at = dirname(at)) {
    const driver = boundDriver(at)
    // The serial core's own middlemen (Linux 6.5) say nothing of the hardware.
    if (driver !== '' && driver !== 'port' && driver !== 'ctrl') return { driver, pciId }
  }
  return { driver: undefined, pciId }
}

function readUsb(usbInterface: string, top: string): UsbFacts | undefined {
  const device = ancestorWith(dirname(usbInterface), 'idVendor', top)
  if (device === undefined) return undefined
  const vendor = attribute(device, 'idVendor').toLowerCase()
  const product = attribute(device, 'idProduct').toLowerCase()
  const interfaceNumber = Number.parseInt(attribute(usbInterface, 'bInterfaceNumber'), 16)
  const kernelDriver = boundDriver(usbInterface)
  if (!isId(vendor) || !isId(product) || Number.isNaN(interfaceNumber)) return undefined
  return {
    place: basename(device),
    vendor,
    product,
    serial: attribute(device, 'serial'),
    interfaceNumber,
    interfaceClass: ['bInterfaceClass', 'bInterfaceSubClass', 'bInterfaceProtocol']
      .map((name) => attribute(usbInterface, name).toLowerCase())
      .join('/'),
    kernelDriver,
    revision: attribute(device, 'bcdDevice').toLowerCase(),
    deviceNumber: Number(attribute(device, 'devnum')) || undefined,
    // Drivers that only modems have say enough.
    networkDriver: MANY_PURPOSE_DRIVERS.has(kernelDriver) ? networkDriver(device) : undefined,
  }
}

function networkDriver(device: string): string | undefined {
  const place = basename(device)
  for (const name of names(device)) {
    if (!name.startsWith(`${place}:`)) continue
    const driver = boundDriver(join(device, name))
    if (names(join(device, name)).includes('net') || /mbim|qmi_wwan|^hso$/.test(driver)) return driver
  }
  return undefined
}

function isId(text: string): boolean {
  return /^[0-9a-f]{4}$/.test(text)
}

function ancestorWith(path: string, file: string, top: string): string | undefined {
  for (let at = path; at.startsWith(`${top}/`); at = dirname(at)) if (names(at).includes(file)) return at
  return undefined
}

function boundDriver(path: string): string {
  return unlessGone('', () => basename(readlinkSync(join(path, 'driver'))))
}

/** '' where there is none. What a device says of itself is cleaned: it ends in logs. */
function attribute(path: string, name: string): string {
  return unlessGone('', () => printable(readFileSync(join(path, name), 'latin1').trim(), 128))
}

function names(path: string): string[] {
  return unlessGone([], () => readdirSync(path))
}

function unlessGone<T>(otherwise: T, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isShortage(error)) throw error
    return otherwise
  }
}
