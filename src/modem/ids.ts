/**
 * A modem's id (D-Bus contract): `imei_…`, stable wherever it is plugged; where no IMEI can be read its place, `usb_1_2` or
 * `tty_ttyS1`. An id does not change while the modem is here, so an IMEI that shows only after the PIN is remembered for the next
 * time, with what the USB device says of itself. Used by the fleet.
 */

import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import type { StateFiles } from './state-files.ts'
import type { TtyFacts } from './sysfs.ts'

const FILE = 'modem-ids.json'

export class RememberedIds {
  readonly #files: StateFiles
  readonly #logger: Logger
  #imeis: Map<string, string> | undefined

  constructor(files: StateFiles, logger: Logger) {
    this.#files = files
    this.#logger = logger
  }

  /** Two modems with the same IMEI (there are such): the second goes by its place. */
  choose(tty: TtyFacts, imei: string | undefined, taken: ReadonlySet<string>): string {
    const known = imei ?? this.#load().get(keyOf(tty))
    const id = known === undefined ? undefined : `imei_${known}`
    return id === undefined || taken.has(id) ? placeId(tty) : id
  }

  learn(tty: TtyFacts, imei: string | undefined): void {
    const imeis = this.#load()
    if (imei === undefined || imeis.get(keyOf(tty)) === imei) return
    imeis.set(keyOf(tty), imei)
    try {
      this.#files.write(FILE, `${JSON.stringify({ version: 1, imeis: Object.fromEntries(imeis) }, undefined, 1)}\n`)
    } catch (error) {
      this.#logger.warn(`${FILE} cannot be written (${errorText(error)}): the modem's id may change after re-plugging.`)
    }
  }

  #load(): Map<string, string> {
    this.#imeis ??= new Map(Object.entries(this.#read()))
    return this.#imeis
  }

  #read(): Record<string, string> {
    try {
      const content: unknown = JSON.parse(this.#files.read(FILE) ?? '{}')
      const imeis = (content as { imeis?: unknown }).imeis ?? {}
      return Object.fromEntries(Object.entries(imeis as object).filter(([, imei]) => /^\d{15}$/.test(String(imei))))
    } catch (error) {
      this.#logger.warn(`${FILE} cannot be read (${errorText(error)}): it is begun anew.`)
      return {}
    }
  }
}

function placeId({ name, usb }: TtyFacts): string {
  const place = usb ? `usb_${usb.place}` : `tty_${name}`
  return place.replace(/[^A-Za-z0-9_]/g, '_')
}

/** The place, and what is plugged in there. */
function keyOf({ path, usb }: TtyFacts): string {
  return usb ? `${usb.place} ${usb.vendor}:${usb.product} ${usb.serial}` : path
}
