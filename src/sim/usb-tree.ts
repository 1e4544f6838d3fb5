/**
 * A USB modem (or a UART's) as the kernel shows it: sysfs (Documentation/ABI/testing/sysfs-bus-usb, drivers/usb/serial/bus.c), the tty links
 * under dev, and its uevents. Made under `--root` by `simulated-modem.ts`.
 */

import { existsSync, type FSWatcher, readFileSync, readlinkSync, watch } from 'node:fs'
import { join } from 'node:path'
import { ModemdError } from '../base/errors.ts'
import { injectUevent } from '../system/uevents.ts'
import type { OwnedFiles } from './owned-files.ts'
import type { Personality, UsbInterface } from './personality.ts'

type Usb = NonNullable<Personality['usb']>

const CONTROLLER = '/devices/pci0000:00/0000:00:14.0'
const ROOT_HUB = `${CONTROLLER}/usb1`

/** Driver of a USB interface to that of its tty: usb-serial's, or undefined where the tty is the interface's own. */
const SERIAL_DRIVER: Readonly<Record<string, string>> = { option: 'option1', sierra: 'sierra', qcserial: 'qcserial' }

const TTY_MAJOR = { ttyUSB: 188, ttyACM: 166, ttyS: 4 } as const
/** Of /dev/ttyS0. */
const FIRST_UART_MINOR = 64
type TtyKind = keyof typeof TTY_MAJOR

type Uevent = Readonly<Record<string, string>>

/** A tty of a plugged modem, and where programs that open it come out. */
export interface TreePort {
  readonly interface: UsbInterface
  /** `ttyUSB0` */
  readonly tty: string
  readonly slavePath: string
}

export interface PluggedDevice {
  readonly ports: readonly TreePort[]
  /** The ttys, in their order, come out elsewhere now. */
  reopened(slavePaths: readonly string[]): void
  /** Its interfaces and ttys go, the device stays: it is not authorised (Documentation/usb/authorization.rst). */
  unbind(): void
  unplug(): void
}

export class UsbTree {
  readonly #root: string
  readonly #files: OwnedFiles
  readonly #onHotplug: (how: 'uevents' | 'directory', why?: string) => void
  readonly #ttys = new Set<string>()
  #deviceNumber = 2
  #sendsUevents = !sharesTheMachinesNetwork()

  /** `onHotplug` tells how changes are announced, once that is known: by netlink, or only by the directories themselves. */
  constructor(root: string, files: OwnedFiles, onHotplug: (how: 'uevents' | 'directory', why?: string) => void) {
    this.#root = root
    this.#files = files
    this.#onHotplug = onHotplug
    if (!this.#sendsUevents) onHotplug('directory')
  }

  /** Free names from `lowest` on, as the kernel gives them. */
  ttyNames(interfaces: readonly UsbInterface[], lowest = 0): readonly string[] {
    const names: string[] = []
    for (const each of interfaces) {
      const kind: TtyKind = each.driver === null ? 'ttyS' : each.driver === 'cdc_acm' ? 'ttyACM' : 'ttyUSB'
      let number = lowest
      while (this.#isTaken(`${kind}${number}`) || names.includes(`${kind}${number}`)) number++
      names.push(`${kind}${number}`)
    }
    return names
  }

  /** `port` is the hub's, from 1: the device is `1-PORT`. `onAuthorised`: somebody wrote to the device's `authorized`. */
  plug(
    port: number,
    personality: Personality,
    ports: readonly TreePort[],
    onAuthorised: (on: boolean) => void,
  ): PluggedDevice {
    const { usb } = personality
    const device = usb ? `${ROOT_HUB}/1-${port}` : `/devices/pnp0/00:0${port}`
    if (existsSync(this.#sys(device)))
      throw new ModemdError('Busy', `${this.#sys(device)} is there already: take another --root, or remove it`)
    for (const { tty } of ports) this.#ttys.add(tty)
    const events = usb ? this.#addUsb(device, port, usb, ports) : ports.flatMap((each) => this.#addTty(device, each))
    this.#files.save()
    this.#announce('add', events)
    const reopened = (slavePaths: readonly string[]) => {
      for (const [index, { tty }] of ports.entries()) this.#files.link(join(this.#root, 'dev', tty), slavePaths[index]!)
    }
    const watcher = usb && this.#watchAuthorised(device, onAuthorised)
    let parts = events.filter(({ DEVPATH }) => DEVPATH?.startsWith(device))
    const remove = (gone: readonly Uevent[]) => {
      this.#remove(gone)
      parts = parts.filter((part) => !gone.includes(part))
    }
    return {
      ports,
      reopened,
      unbind: () => remove(parts.filter(({ DEVPATH }) => DEVPATH !== device)),
      unplug: () => {
        watcher?.close()
        remove(parts)
        this.#files.remove(this.#sys(device))
      },
    }
  }

  #addUsb(device: string, port: number, usb: Usb, ports: readonly TreePort[]): readonly Uevent[] {
    const events = [...this.#addRootHub(), this.#addDevice(device, port, usb)]
    for (const each of usb.interfaces) {
      const found = ports.find((candidate) => candidate.interface === each)
      events.push(...this.#addInterface(device, port, usb, each, found))
    }
    return events
  }

  /** What came with these events. */
  #remove(events: readonly Uevent[]): void {
    for (const { DEVPATH = '', SUBSYSTEM, DEVNAME = '' } of events) {
      const name = DEVPATH.split('/').at(-1)!
      if (SUBSYSTEM === 'tty') {
        this.#ttys.delete(name)
        for (const path of [`dev/${DEVNAME}`, `sys/class/tty/${name}`]) this.#files.remove(join(this.#root, path))
      } else this.#files.remove(this.#sys(`/bus/${SUBSYSTEM}/devices/${name}`))
    }
    for (const { DEVPATH = '' } of events) this.#files.remove(this.#sys(DEVPATH))
    this.#announce('remove', [...events].reverse())
  }

  #watchAuthorised(device: string, onAuthorised: (on: boolean) => void): FSWatcher {
    const file = join(this.#sys(device), 'authorized')
    const watcher = watch(file, () => {
      const text = existsSync(file) ? readFileSync(file, 'latin1').trim() : ''
      if (text === '0' || text === '1') onAuthorised(text === '1')
    })
    watcher.on('error', () => watcher.close())
    return watcher
  }

  #addRootHub(): readonly Uevent[] {
    if (existsSync(this.#sys(ROOT_HUB))) return []
    this.#attributes(ROOT_HUB, {
      idVendor: '1d6b',
      idProduct: '0002',
      bcdDevice: '0610',
      bDeviceClass: '09',
      bDeviceSubClass: '00',
      bDeviceProtocol: '01',
      manufacturer: 'Linux xhci-hcd',
      product: 'xHCI Host Controller',
      busnum: '1',
      devnum: '1',
      speed: '480',
    })
    this.#link(`${ROOT_HUB}/subsystem`, '/bus/usb')
    this.#link('/bus/usb/devices/usb1', ROOT_HUB)
    return []
  }

  #addDevice(device: string, port: number, usb: Usb): Uevent {
    const number = ++this.#deviceNumber
    const event = {
      MAJOR: '189',
      MINOR: String(number - 1),
      DEVNAME: `bus/usb/001/${String(number).padStart(3, '0')}`,
      DEVTYPE: 'usb_device',
      DRIVER: 'usb',
      ...productOf(usb),
      BUSNUM: '001',
      DEVNUM: String(number).padStart(3, '0'),
    }
    this.#attributes(device, {
      idVendor: usb.idVendor,
      idProduct: usb.idProduct,
      bcdDevice: usb.bcdDevice,
      bDeviceClass: usb.deviceClass,
      bDeviceSubClass: usb.deviceSubClass,
      bDeviceProtocol: usb.deviceProtocol,
      bConfigurationValue: '1',
      bNumConfigurations: '1',
      bNumInterfaces: String(usb.interfaces.length).padStart(2),
      manufacturer: usb.manufacturer,
      product: usb.product,
      version: ' 2.00',
      speed: '480',
      busnum: '1',
      authorized: '1',
      devnum: String(number),
      devpath: String(port),
      uevent: ueventText(event).trimEnd(),
    })
    this.#link(`${device}/subsystem`, '/bus/usb')
    this.#link(`${device}/driver`, '/bus/usb/drivers/usb')
    this.#link(`/bus/usb/devices/1-${port}`, device)
    return { ...event, DEVPATH: device, SUBSYSTEM: 'usb' }
  }

  #addInterface(
    device: string,
    port: number,
    usb: Usb,
    usbInterface: UsbInterface,
    found: TreePort | undefined,
  ): readonly Uevent[] {
    const { number, driver } = usbInterface
    const name = `1-${port}:1.${number}`
    const path = `${device}/${name}`
    const event = {
      DEVTYPE: 'usb_interface',
      ...(driver ? { DRIVER: driver } : {}),
      ...productOf(usb),
      INTERFACE: [usbInterface.class, usbInterface.subClass, usbInterface.protocol].map(decimal).join('/'),
      MODALIAS: modaliasOf(usb, usbInterface),
    }
    this.#attributes(path, {
      bInterfaceNumber: number.toString(16).padStart(2, '0'),
      bAlternateSetting: ' 0',
      bNumEndpoints: usbInterface.port === 'modem' ? '03' : '02',
      bInterfaceClass: usbInterface.class,
      bInterfaceSubClass: usbInterface.subClass,
      bInterfaceProtocol: usbInterface.protocol,
      modalias: event.MODALIAS,
      uevent: ueventText(event).trimEnd(),
    })
    this.#link(`${path}/subsystem`, '/bus/usb')
    this.#link(`/bus/usb/devices/${name}`, path)
    if (driver) this.#link(`${path}/driver`, `/bus/usb/drivers/${driver}`)
    return [{ ...event, DEVPATH: path, SUBSYSTEM: 'usb' }, ...(found ? this.#addTty(path, found) : [])]
  }

  #addTty(interfacePath: string, { interface: usbInterface, tty, slavePath }: TreePort): readonly Uevent[] {
    const serialDriver = SERIAL_DRIVER[usbInterface.driver ?? '']
    const events: Uevent[] = []
    const parent = serialDriver ? `${interfacePath}/${tty}` : interfacePath
    if (serialDriver) {
      const event = { DRIVER: serialDriver }
      this.#attributes(parent, { port_number: '0', uevent: ueventText(event).trimEnd() })
      this.#link(`${parent}/subsystem`, '/bus/usb-serial')
      this.#link(`${parent}/driver`, `/bus/usb-serial/drivers/${serialDriver}`)
      this.#link(`/bus/usb-serial/devices/${tty}`, parent)
      events.push({ ...event, DEVPATH: parent, SUBSYSTEM: 'usb-serial' })
    }
    const kind = tty.replace(/\d+$/, '') as TtyKind
    const minor = Number(tty.slice(kind.length)) + (kind === 'ttyS' ? FIRST_UART_MINOR : 0)
    const event = { MAJOR: String(TTY_MAJOR[kind]), MINOR: String(minor), DEVNAME: tty }
    const path = `${parent}/tty/${tty}`
    this.#attributes(path, { dev: `${event.MAJOR}:${event.MINOR}`, uevent: ueventText(event).trimEnd() })
    this.#link(`${path}/device`, parent)
    this.#link(`${path}/subsystem`, '/class/tty')
    this.#files.link(join(this.#root, 'dev', tty), slavePath)
    this.#link(`/class/tty/${tty}`, path)
    return [...events, { ...event, DEVPATH: path, SUBSYSTEM: 'tty' }]
  }

  #announce(action: 'add' | 'remove', events: readonly Uevent[]): void {
    if (!this.#sendsUevents) {
      this.#onHotplug('directory')
      return
    }
    try {
      for (const event of events) injectUevent({ ACTION: action, ...event })
      this.#onHotplug('uevents')
    } catch (error) {
      if (!(error instanceof ModemdError)) throw error
      this.#sendsUevents = false
      this.#onHotplug('directory', error.message)
    }
  }

  #isTaken(tty: string): boolean {
    return this.#ttys.has(tty) || existsSync(join(this.#root, 'sys/class/tty', tty))
  }

  #sys(path: string): string {
    return join(this.#root, 'sys', path)
  }

  #attributes(path: string, values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) this.#files.write(join(this.#sys(path), name), `${value}\n`)
  }

  /** A relative link inside sys; a directory it points to is made if it is not there. */
  #link(path: string, target: string): void {
    this.#files.makeFolder(this.#sys(target))
    this.#files.link(this.#sys(path), this.#sys(target), true)
  }
}

/**
 * Uevents injected by root in the first network namespace would reach the machine's own udev. The link of process 1 cannot
 * be read from a user namespace, which has its own.
 */
function sharesTheMachinesNetwork(): boolean {
  try {
    return readlinkSync('/proc/self/ns/net') === readlinkSync('/proc/1/ns/net')
  } catch {
    return false
  }
}

function decimal(hex: string): number {
  return Number.parseInt(hex, 16)
}

/** As in the kernel's uevents: hexadecimal without zeros in front, and the class in decimal. */
function productOf(usb: Usb): { readonly PRODUCT: string; readonly TYPE: string } {
  return {
    PRODUCT: [usb.idVendor, usb.idProduct, usb.bcdDevice].map((each) => decimal(each).toString(16)).join('/'),
    TYPE: [usb.deviceClass, usb.deviceSubClass, usb.deviceProtocol].map(decimal).join('/'),
  }
}

function modaliasOf(usb: Usb, usbInterface: UsbInterface): string {
  const upper = (hex: string) => hex.toUpperCase()
  const device = `v${upper(usb.idVendor)}p${upper(usb.idProduct)}d${upper(usb.bcdDevice)}`
  const classes = `dc${upper(usb.deviceClass)}dsc${upper(usb.deviceSubClass)}dp${upper(usb.deviceProtocol)}`
  const own = `ic${upper(usbInterface.class)}isc${upper(usbInterface.subClass)}ip${upper(usbInterface.protocol)}`
  return `usb:${device}${classes}${own}in${usbInterface.number.toString(16).padStart(2, '0').toUpperCase()}`
}

function ueventText(event: Uevent): string {
  return Object.entries(event)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
