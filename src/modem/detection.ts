/**
 * Serial ports as they come and go: a look at /sys, then the kernel's uevents; where those do not come (or below a `--root`
 * whose tree is a simulator's), a change in its directories counts as one. Used by the fleet.
 */

import { existsSync, type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '../base/errors.ts'
import type { Cancel, Clock, Logger } from '../base/ports.ts'
import { isShortage, listTtys, readTty, type TtyFacts } from './sysfs.ts'

/** What is needed of `system/uevents.ts`. */
export interface DeviceEvent {
  readonly action: string
  readonly devpath: string
  readonly subsystem: string
}

export type ListenDeviceEvents = (onEvent: (event: DeviceEvent) => void, onOverrun: () => void) => { close(): void }

export interface DetectionOptions {
  /** Put before /sys and /dev; ''. */
  readonly root: string
  readonly listenUevents: ListenDeviceEvents
  readonly clock: Clock
  readonly logger: Logger
  onTty(tty: TtyFacts): void
  onTtyGone(tty: TtyFacts): void
  /** A USB device came, went or got an interface; `place`: `1-2`. */
  onUsb(place: string): void
  /** After each look at everything: plain ports are no part of /sys/class/tty below a root. */
  onLook(): void
}

/** A tree that is being made or removed changes many times. */
const DIRECTORY_QUIET_MS = 20
/** The event of a port may come before the links that lead to it. */
const RETRY_MS = [10, 40, 150]
/** Until descriptors or memory may be had again. */
const SHORTAGE_MS = 5000

export class Detection {
  readonly #options: DetectionOptions
  readonly #ttys = new Map<string, TtyFacts>()
  readonly #watchers: FSWatcher[] = []
  readonly #timers = new Set<Cancel>()
  readonly #watchesDirectories: boolean
  #events: { close(): void } | undefined
  #lookTimer: Cancel | undefined
  #isShort = false
  #isClosed = false

  constructor(options: DetectionOptions) {
    this.#options = options
    const { root, listenUevents, logger } = options
    try {
      this.#events = listenUevents(
        (event) => this.#onEvent(event),
        () => this.look(),
      )
    } catch (error) {
      logger.info(`No device events (${errorText(error)}): directories are watched instead.`)
    }
    this.#watchesDirectories = root !== '' || this.#events === undefined
  }

  /** Compares what is there with what was there. What cannot be seen for now stays as it is, until another look. */
  look(): void {
    if (this.#isClosed) return
    this.#watchDirectories()
    this.#unlessShort(() => {
      this.#compare()
      this.#isShort = false
    })
  }

  #compare(): void {
    const found = listTtys(this.#options.root)
    const names = new Set(found.map(({ name }) => name))
    for (const [name, known] of this.#ttys) if (!names.has(name)) this.#forget(known)
    for (const tty of found.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))) this.#take(tty)
    this.#options.onLook()
  }

  close(): void {
    this.#isClosed = true
    this.#events?.close()
    this.#lookTimer?.()
    for (const cancel of this.#timers) cancel()
    for (const watcher of this.#watchers) watcher.close()
  }

  #unlessShort(look: () => void): void {
    try {
      look()
    } catch (error) {
      if (!isShortage(error)) throw error
      const { logger } = this.#options
      if (!this.#isShort)
        logger.warn(`Devices cannot be looked at now (${errorText(error)}): tried again until they can.`)
      this.#isShort = true
      this.#lookSoon(SHORTAGE_MS)
    }
  }

  #onEvent({ action, devpath, subsystem }: DeviceEvent): void {
    if (this.#isClosed) return
    const name = devpath.split('/').at(-1) ?? ''
    if (subsystem === 'usb' && (action === 'add' || action === 'remove'))
      this.#unlessShort(() => this.#options.onUsb(name.split(':')[0] ?? ''))
    if (subsystem !== 'tty' && subsystem !== 'wwan') return
    const known = this.#ttys.get(name)
    if (action === 'remove' && known) this.#forget(known)
    if (action === 'add') this.#unlessShort(() => this.#find(name, 0))
  }

  #find(name: string, tries: number): void {
    const tty = readTty(this.#options.root, name)
    if (tty) {
      this.#take(tty)
      return
    }
    const delayMs = RETRY_MS[tries]
    if (delayMs !== undefined) this.#later(delayMs, () => this.#unlessShort(() => this.#find(name, tries + 1)))
  }

  #take(tty: TtyFacts): void {
    const known = this.#ttys.get(tty.name)
    if (known && isSame(known, tty)) return
    if (known) this.#forget(known)
    this.#ttys.set(tty.name, tty)
    this.#options.onTty(tty)
  }

  #forget(tty: TtyFacts): void {
    this.#ttys.delete(tty.name)
    this.#options.onTtyGone(tty)
  }

  /**
   * Those that exist; a tree that comes later shows in the root itself. Anew each time, before the look: a folder that was removed
   * and made again has another watch, though not always another inode.
   */
  #watchDirectories(): void {
    if (!this.#watchesDirectories) return
    for (const watcher of this.#watchers.splice(0)) watcher.close()
    const { root } = this.#options
    const top = root === '' ? [] : [root, join(root, '/sys')]
    for (const path of [
      ...top,
      join(root, '/dev'),
      join(root, '/sys/class/tty'),
      join(root, '/sys/class/wwan'),
      join(root, '/sys/bus/usb/devices'),
    ]) {
      if (!existsSync(path)) continue
      try {
        // `change` would be every byte written to a tty.
        const watcher = watch(path, (what) => what === 'rename' && this.#lookSoon())
        watcher.on('error', () => watcher.close())
        this.#watchers.push(watcher)
      } catch (error) {
        this.#options.logger.warn(`Changes in ${path} cannot be watched: ${errorText(error)}.`)
      }
    }
  }

  #lookSoon(ms = DIRECTORY_QUIET_MS): void {
    const { clock } = this.#options
    this.#lookTimer?.()
    this.#lookTimer = clock.at(clock.nowMs() + ms, () => this.look())
  }

  #later(ms: number, fn: () => void): void {
    const { clock } = this.#options
    const cancel = clock.at(clock.nowMs() + ms, () => {
      this.#timers.delete(cancel)
      if (!this.#isClosed) fn()
    })
    this.#timers.add(cancel)
  }
}

/** The same port of the same plug: another device may have come to the same place under the same name, unseen. */
function isSame(a: TtyFacts, b: TtyFacts): boolean {
  const identity = ({ device, usb }: TtyFacts) =>
    [device, usb?.kernelDriver, usb?.vendor, usb?.product, usb?.serial, usb?.deviceNumber].join()
  return identity(a) === identity(b)
}
