/**
 * Which access point worked for which SIM, for the next time: its name alone, by ICCID. No user and no password is kept: those
 * are read from the database again. Used by `book.ts`.
 */

import { errorText } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import { apnFault } from '../../base/values.ts'
import type { StateFiles } from '../../modem/state-files.ts'

const FILE = 'apns.json'
/** The SIMs that were in last. */
const MAX_SIMS = 1000

export interface RememberedApn {
  readonly apn: string
  /** It came with a user or password of the database. */
  readonly hasLogIn: boolean
}

export class ApnMemory {
  readonly #files: StateFiles
  readonly #logger: Logger
  /** The latest last. */
  #apns: Map<string, RememberedApn> | undefined

  constructor(files: StateFiles, logger: Logger) {
    this.#files = files
    this.#logger = logger
  }

  get(iccid: string): RememberedApn | undefined {
    return this.#load().get(iccid)
  }

  /** Whole and on disk once it returns; where that cannot be had it is known until the daemon ends. */
  set(iccid: string, { apn, hasLogIn }: RememberedApn): void {
    const apns = this.#load()
    const known = apns.get(iccid)
    if (known?.apn === apn && known.hasLogIn === hasLogIn) return
    apns.delete(iccid)
    apns.set(iccid, { apn, hasLogIn })
    for (const oldest of [...apns.keys()].slice(0, Math.max(0, apns.size - MAX_SIMS))) apns.delete(oldest)
    try {
      this.#files.write(FILE, `${JSON.stringify({ version: 1, sims: Object.fromEntries(apns) }, undefined, 1)}\n`)
    } catch (error) {
      this.#logger.warn(`${FILE} cannot be written (${errorText(error)}): the APN is looked for again next time.`)
    }
  }

  #load(): Map<string, RememberedApn> {
    this.#apns ??= this.#read()
    return this.#apns
  }

  #read(): Map<string, RememberedApn> {
    try {
      const content: unknown = JSON.parse(this.#files.read(FILE) ?? '{}')
      const sims: object = (content as { sims?: object } | null)?.sims ?? {}
      return new Map(Object.entries(sims).flatMap(([iccid, entry]) => (isSound(iccid, entry) ? [[iccid, entry]] : [])))
    } catch (error) {
      this.#logger.warn(`${FILE} cannot be read (${errorText(error)}): it is begun anew.`)
      return new Map()
    }
  }
}

function isSound(iccid: string, entry: unknown): entry is RememberedApn {
  if (!/^\d{1,20}$/.test(iccid) || typeof entry !== 'object' || entry === null) return false
  const { apn, hasLogIn } = entry as { readonly apn?: unknown; readonly hasLogIn?: unknown }
  return typeof apn === 'string' && apnFault(apn) === undefined && typeof hasLogIn === 'boolean'
}
