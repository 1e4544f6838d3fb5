/** A /sys below a temporary root, with the links the kernel makes, and its uevents by hand. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { DeviceEvent } from '../../../src/modem/detection.ts'

export interface FakeInterface {
  readonly number: number
  readonly driver: string
  /** `ttyUSB0`; undefined: the interface has no tty. */
  readonly tty?: string
  /** `ff`, or with subclass and protocol `ff/01/02`. */
  readonly class?: string
}

export interface FakeUsbDevice {
  readonly place: string
  readonly vendor: string
  readonly product: string
  /** `0318` */
  readonly revision?: string
  readonly serial?: string
  readonly manufacturer?: string
  readonly interfaces: readonly FakeInterface[]
}

const HUB = 'devices/pci0000:00/0000:00:14.0/usb1'

export class FakeSysfs {
  readonly root = mkdtempSync(join(tmpdir(), 'modemd-sysfs-'))
  /** Events get lost. */
  isMute = false
  #plugs = 0
  #onEvent: ((event: DeviceEvent) => void) | undefined

  constructor() {
    mkdirSync(join(this.root, 'dev'))
    mkdirSync(join(this.root, 'sys/class/tty'), { recursive: true })
  }

  readonly listenUevents = (onEvent: (event: DeviceEvent) => void): { close(): void } => {
    this.#onEvent = onEvent
    return {
      close: () => {
        this.#onEvent = undefined
      },
    }
  }

  /** The files; `announce` sends the events. */
  addUsb({ place, vendor, product, revision, serial, manufacturer, interfaces }: FakeUsbDevice): void {
    const device = `${HUB}/${place}`
    const isNew = !existsSync(join(this.root, 'sys', device))
    const texts = { idVendor: vendor, idProduct: product, bcdDevice: revision, serial, manufacturer, busnum: '1' }
    if (isNew) this.#write(`${device}/bNumInterfaces`, ` ${interfaces.length}`)
    for (const [name, text] of Object.entries(texts)) if (text !== undefined) this.#write(`${device}/${name}`, text)
    if (isNew) {
      this.#write(`${device}/devnum`, String(++this.#plugs))
      this.#link(`bus/usb/devices/${place}`, device)
    }
    for (const { number, driver, tty, class: interfaceClass = 'ff' } of interfaces) {
      const path = `${device}/${place}:1.${number}`
      const [main = '', sub = '00', protocol = '00'] = interfaceClass.split('/')
      this.#write(`${path}/bInterfaceNumber`, number.toString(16).padStart(2, '0'))
      this.#write(`${path}/bInterfaceClass`, main)
      this.#write(`${path}/bInterfaceSubClass`, sub)
      this.#write(`${path}/bInterfaceProtocol`, protocol)
      if (driver !== '') this.#link(`${path}/driver`, `bus/usb/drivers/${driver}`)
      if (tty !== undefined) this.#addTty(path, tty)
    }
  }

  addPlain(tty: string): void {
    this.#write(`devices/pnp0/00:05/tty/${tty}/dev`, '4:64')
    this.#link(`devices/pnp0/00:05/tty/${tty}/device`, 'devices/pnp0/00:05')
    this.#link(`class/tty/${tty}`, `devices/pnp0/00:05/tty/${tty}`)
  }

  /** As before the kernel has shown it. */
  hideInterface(place: string, number: number): void {
    rmSync(join(this.root, 'sys', HUB, place, `${place}:1.${number}`), { recursive: true })
  }

  /** A serial port of a PCI card. */
  addPci(tty: string, vendor: string, device: string): void {
    const card = 'devices/pci0000:00/0000:00:1c.0/0000:02:00.0'
    this.#write(`${card}/vendor`, `0x${vendor}`)
    this.#write(`${card}/device`, `0x${device}`)
    this.#write(`${card}/subsystem_device`, '0x0001')
    this.#link(`${card}/driver`, 'bus/pci/drivers/exar_serial')
    this.#write(`${card}/tty/${tty}/dev`, '4:68')
    this.#write(`${card}/tty/${tty}/type`, '4')
    this.#link(`${card}/tty/${tty}/device`, card)
    this.#link(`class/tty/${tty}`, `${card}/tty/${tty}`)
  }

  /** Ports of a modem on PCIe. */
  addWwan(driver: string, ports: Readonly<Record<string, string>>): void {
    const card = 'devices/pci0000:00/0000:00:1d.0/0000:03:00.0'
    this.#write(`${card}/subsystem_device`, '0x0001')
    this.#link(`${card}/driver`, `bus/pci/drivers/${driver}`)
    for (const [name, type] of Object.entries(ports)) {
      const port = `${card}/mhi0/wwan/wwan0/${name}`
      this.#write(`${port}/type`, type)
      this.#link(`class/wwan/${name}`, port)
    }
  }

  /** A place for a UART that the machine does not have. */
  addGhost(tty: string): void {
    this.#write(`devices/platform/serial8250/tty/${tty}/type`, '0')
    this.#link(`devices/platform/serial8250/tty/${tty}/device`, 'devices/platform/serial8250')
    this.#link(`class/tty/${tty}`, `devices/platform/serial8250/tty/${tty}`)
  }

  removeUsb(place: string, ...ttys: readonly string[]): void {
    for (const tty of ttys) rmSync(join(this.root, 'sys/class/tty', tty), { force: true })
    rmSync(join(this.root, 'sys', HUB, place), { recursive: true, force: true })
    rmSync(join(this.root, 'sys/bus/usb/devices', place), { force: true })
  }

  announce(action: 'add' | 'remove', ...ttys: readonly string[]): void {
    if (this.isMute) return
    for (const tty of ttys) this.#onEvent?.({ action, subsystem: 'tty', devpath: `/devices/x/${tty}/tty/${tty}` })
  }

  announceWwan(action: 'add' | 'remove', ...ports: readonly string[]): void {
    for (const port of ports) this.#onEvent?.({ action, subsystem: 'wwan', devpath: `/devices/x/wwan/wwan0/${port}` })
  }

  announceUsb(action: 'add' | 'remove', place: string): void {
    this.#onEvent?.({ action, subsystem: 'usb', devpath: `/${HUB}/${place}` })
    if (action === 'add') this.#onEvent?.({ action, subsystem: 'usb', devpath: `/${HUB}/${place}/${place}:1.0` })
  }

  /** The whole tree goes, and an empty one is there again. */
  wipe(): void {
    rmSync(join(this.root, 'sys'), { recursive: true, force: true })
    mkdirSync(join(this.root, 'sys/class/tty'), { recursive: true })
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  #addTty(interfacePath: string, tty: string): void {
    const parent = tty.startsWith('ttyACM') ? interfacePath : `${interfacePath}/${tty}`
    this.#write(`${parent}/tty/${tty}/dev`, '188:0')
    this.#link(`${parent}/tty/${tty}/device`, parent)
    this.#link(`class/tty/${tty}`, `${parent}/tty/${tty}`)
  }

  #write(path: string, text: string): void {
    const file = join(this.root, 'sys', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${text}\n`)
  }

  #link(path: string, target: string): void {
    const link = join(this.root, 'sys', path)
    const file = join(this.root, 'sys', target)
    mkdirSync(dirname(link), { recursive: true })
    if (target.startsWith('bus/')) mkdirSync(file, { recursive: true })
    symlinkSync(relative(dirname(link), file), link)
  }
}
