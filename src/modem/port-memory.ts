/**
 * What asking has taught of a kind of device's ports, for the next time (`ports.json` in the state directory): which answer AT, which
 * are deaf, which tell where they are. Keyed by vendor, product and revision, and interface number: a port that another modem
 * of the same kind showed to be deaf is not asked again, until a rescan asks to learn anew. Used by `candidate.ts`.
 */

import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import type { StateFiles } from './state-files.ts'
import type { TtyFacts } from './sysfs.ts'

export type Learned = 'at' | 'deaf' | 'gps'

type Ports = Record<string, Learned>

const FILE = 'ports.json'
/** Kinds of devices; the one that was not learnt of for longest goes. */
const MAX_KINDS = 256
const MAX_FILE_CHARACTERS = 256 * 1024
const KINDS: readonly string[] = ['at', 'deaf', 'gps'] satisfies Learned[]

export class PortMemory {
  readonly #files: StateFiles
  readonly #logger: Logger
  #kinds: Map<string, Ports> | undefined

  constructor(files: StateFiles, logger: Logger) {
    this.#files = files
    this.#logger = logger
  }

  /** undefined: nothing is known, or it is no USB device. */
  recall({ usb }: TtyFacts): Learned | undefined {
    const kind = kindOf(usb)
    return kind === undefined ? undefined : this.#load().get(kind)?.[usb!.interfaceNumber]
  }

  /** What all ports of one device showed, at once. An answer counts more than silence. */
  learn(findings: readonly (readonly [tty: TtyFacts, learned: Learned])[]): void {
    let isNews = false
    for (const [{ usb }, learned] of findings) {
      const kind = kindOf(usb)
      if (kind === undefined) continue
      const ports = this.#load().get(kind) ?? {}
      const before = ports[usb!.interfaceNumber]
      if (before === learned || (before === 'at' && learned === 'deaf')) continue
      isNews = true
      // Anew, so that the kind is the youngest.
      this.#load().delete(kind)
      this.#load().set(kind, { ...ports, [usb!.interfaceNumber]: learned })
    }
    if (isNews) this.#save()
  }

  /** All of this kind is asked again. */
  forget({ usb }: TtyFacts): void {
    const kind = kindOf(usb)
    if (kind !== undefined && this.#load().delete(kind)) this.#save()
  }

  #save(): void {
    const kinds = this.#load()
    for (const kind of kinds.keys()) {
      if (kinds.size <= MAX_KINDS) break
      kinds.delete(kind)
    }
    try {
      const content = { version: 1, devices: Object.fromEntries(kinds) }
      this.#files.write(FILE, `${JSON.stringify(content, undefined, 1)}\n`)
    } catch (error) {
      this.#logger.warn(`${FILE} cannot be written (${errorText(error)}): ports are learnt anew at the next start.`)
    }
  }

  #load(): Map<string, Ports> {
    this.#kinds ??= new Map(Object.entries(this.#read()).slice(-MAX_KINDS))
    return this.#kinds
  }

  #read(): Record<string, Ports> {
    try {
      const text = this.#files.read(FILE) ?? '{}'
      if (text.length > MAX_FILE_CHARACTERS) throw new Error(`it has ${text.length} characters`)
      const content: unknown = JSON.parse(text)
      const devices = (content as { devices?: unknown }).devices ?? {}
      return Object.fromEntries(Object.entries(devices as object).flatMap(([kind, ports]) => readKind(kind, ports)))
    } catch (error) {
      const { directory } = this.#files
      this.#logger.warn(`${directory}/${FILE} cannot be read (${errorText(error)}): it is begun anew.`)
      return {}
    }
  }
}

function readKind(kind: string, ports: unknown): [string, Ports][] {
  if (!/^[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{0,4}$/.test(kind) || typeof ports !== 'object' || ports === null) return []
  const known = Object.entries(ports).filter(([number, learned]) => /^\d{1,3}$/.test(number) && KINDS.includes(learned))
  return [[kind, Object.fromEntries(known)]]
}

function kindOf(usb: TtyFacts['usb']): string | undefined {
  return usb && `${usb.vendor}:${usb.product}:${usb.revision ?? ''}`
}
