/** A /sys below a temporary root, with the links the kernel makes, and its uevents by hand. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { DeviceEvent } from '../../../src/modem/detection.ts'

export interface FakeInterface {
  readonly number: number
  readonly driver: string
  /** `ttyUSB0`; undefined: the interface has no tty. */
  readonly tty?: string
  readonly class?: string
}

export interface FakeUsbDevice {
  readonly place: string
  readonly vendor: string
  readonly product: string
  readonly interfaces: readonly FakeInterface[]
}

const HUB = 'devices/pci0000:00/0000:00:14.0/usb1'

export class FakeSysfs {
  readonly root = mkdtempSync(join(tmpdir(), 'modemd-sysfs-'))
  /** Events get lost. */
  isMute = false
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
  addUsb({ place, vendor, product, interfaces }: FakeUsbDevice): void {
    const device = `${HUB}/${place}`
    this.#write(`${device}/idVendor`, vendor)
    this.#write(`${device}/idProduct`, product)
    for (const { number, driver, tty, class: interfaceClass = 'ff' } of interfaces) {
      const path = `${device}/${place}:1.${number}`
      this.#write(`${path}/bInterfaceNumber`, number.toString(16).padStart(2, '0'))
      this.#write(`${path}/bInterfaceClass`, interfaceClass)
      this.#write(`${path}/bInterfaceSubClass`, '00')
      this.#write(`${path}/bInterfaceProtocol`, '00')
      if (driver !== '') this.#link(`${path}/driver`, `bus/usb/drivers/${driver}`)
      if (tty !== undefined) this.#addTty(path, tty)
    }
  }

  addPlain(tty: string): void {
    this.#write(`devices/pnp0/00:05/tty/${tty}/dev`, '4:64')
    this.#link(`devices/pnp0/00:05/tty/${tty}/device`, 'devices/pnp0/00:05')
    this.#link(`class/tty/${tty}`, `devices/pnp0/00:05/tty/${tty}`)
  }

  removeUsb(place: string, ...ttys: readonly string[]): void {
    for (const tty of ttys) rmSync(join(this.root, 'sys/class/tty', tty), { force: true })
    rmSync(join(this.root, 'sys', HUB, place), { recursive: true, force: true })
  }

  announce(action: 'add' | 'remove', ...ttys: readonly string[]): void {
    if (this.isMute) return
    for (const tty of ttys) this.#onEvent?.({ action, subsystem: 'tty', devpath: `/devices/x/${tty}/tty/${tty}` })
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
