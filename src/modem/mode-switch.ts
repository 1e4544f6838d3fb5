/**
 * Dongles that show only a CD-ROM with drivers for another system until they are told to be a modem. `usb_modeswitch` knows how; its
 * own udev rules usually start it, so it has the first go. Where nothing happened it is started from here, at most once a plug, with
 * arguments that hold nothing but the ids' hexadecimal digits. Used by the fleet.
 */

import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../base/bytes.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import { switchMethod } from './mode-switch-ids.ts'
import type { PortReport } from './snapshot.ts'
import { listUsbDevices, readUsbDevice, type UsbDevice } from './sysfs.ts'

/** Resolves when it has ended; `error` is what it or the system said where it failed. */
export type RunProgram = (file: string, args: readonly string[]) => Promise<{ readonly error: string | undefined }>

export interface ModeSwitchOptions {
  readonly root: string
  readonly clock: Clock
  readonly logger: Logger
  readonly runProgram?: RunProgram | undefined
}

const PROGRAM = 'usb_modeswitch'
/** udev's rules start it within a second, and a switch takes two or three. */
const FIRST_GO_MS = 4000
const RUN_LIMIT_MS = 20_000
const STORAGE_CLASS = '08'

interface Dongle {
  readonly device: UsbDevice
  reason: string
  cancel: Cancel | undefined
}

export class ModeSwitch {
  readonly #options: ModeSwitchOptions
  /** By place. */
  readonly #dongles = new Map<string, Dongle>()
  #isClosed = false

  constructor(options: ModeSwitchOptions) {
    this.#options = options
  }

  /** Looks at every device. */
  look(): void {
    const devices = listUsbDevices(this.#options.root)
    const places = new Set(devices.map(({ place }) => place))
    for (const place of this.#dongles.keys()) if (!places.has(place)) this.#forget(place)
    for (const device of devices) this.#consider(device.place, device)
  }

  /** Something happened to the device there. */
  noticed(place: string): void {
    this.#consider(place, readUsbDevice(this.#options.root, place))
  }

  reports(): readonly PortReport[] {
    return [...this.#dongles.values()].map(({ device, reason }) => ({
      name: `usb:${device.place}`,
      device: device.path,
      driver: 'usb-storage',
      usbId: idOf(device),
      interfaceClass: undefined,
      role: undefined,
      owner: '',
      isTaken: false,
      reason,
      modem: undefined,
    }))
  }

  close(): void {
    this.#isClosed = true
    for (const place of [...this.#dongles.keys()]) this.#forget(place)
  }

  #consider(place: string, device: UsbDevice | undefined): void {
    const known = this.#dongles.get(place)
    if (known && (!device || known.device.number !== device.number || !isCdRomOnly(device))) this.#forget(place)
    if (this.#isClosed || !device || !isCdRomOnly(device) || this.#dongles.has(place)) return
    if (switchMethod(device) === undefined) return
    const { clock, logger } = this.#options
    const reason = `${idOf(device)} shows only its CD-ROM: usb_modeswitch makes a modem of it, which takes a few seconds`
    logger.info(`The USB device ${place} shows only its CD-ROM: it must be switched to be a modem.`)
    const cancel = clock.at(clock.nowMs() + FIRST_GO_MS, () => void this.#switch(place))
    this.#dongles.set(place, { device, reason, cancel })
  }

  async #switch(place: string): Promise<void> {
    const dongle = this.#dongles.get(place)
    const method = dongle && switchMethod(dongle.device)
    if (!dongle || !method) return
    dongle.cancel = undefined
    const { device } = dongle
    const id = idOf(device)
    const file = this.#program()
    if (file === undefined) {
      this.#tell(
        dongle,
        `${id} shows only its CD-ROM and ${PROGRAM} is not installed: install the package usb-modeswitch`,
      )
      return
    }
    this.#tell(dongle, `${id} shows only its CD-ROM: ${PROGRAM} was started`)
    const { error } = await (this.#options.runProgram ?? runProgram)(file, argumentsFor(device, method))
    if (this.#dongles.get(place) !== dongle) return
    if (error === undefined)
      dongle.reason = `${id} shows only its CD-ROM, also after ${PROGRAM}: unplug it and plug it in again`
    else this.#tell(dongle, `${id} shows only its CD-ROM and ${PROGRAM} failed (${printable(error, 120)})`)
  }

  #tell(dongle: Dongle, reason: string): void {
    dongle.reason = reason
    this.#options.logger.info(`The USB device ${dongle.device.place}: ${reason}.`)
  }

  #forget(place: string): void {
    this.#dongles.get(place)?.cancel?.()
    this.#dongles.delete(place)
  }

  /** Below a root only its own: a simulated dongle is nothing for the machine's program. */
  #program(): string | undefined {
    const { root } = this.#options
    const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', ...(root === '' ? pathFolders() : [])]
    return folders.map((folder) => join(root, folder, PROGRAM)).find(isExecutable)
  }
}

function isCdRomOnly({ interfaceClasses, isComplete }: UsbDevice): boolean {
  return isComplete && interfaceClasses.length > 0 && interfaceClasses.every((each) => each === STORAGE_CLASS)
}

/** Digits of sysfs only, checked where they were read. */
function argumentsFor({ vendor, product, bus, number }: UsbDevice, method: readonly string[]): readonly string[] {
  return ['-v', vendor, '-p', product, '-b', String(bus), '-g', String(number), ...method]
}

function idOf({ vendor, product }: UsbDevice): string {
  return `${vendor}:${product}`
}

function pathFolders(): readonly string[] {
  return (process.env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/'))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function runProgram(file: string, args: readonly string[]): Promise<{ readonly error: string | undefined }> {
  return new Promise((resolve) => {
    const options = { timeout: RUN_LIMIT_MS, maxBuffer: 64 * 1024, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }
    execFile(file, [...args], options, (error, _output, complaint) => {
      resolve({ error: error ? complaint.trim().split('\n').at(-1) || error.message : undefined })
    })
  })
}
