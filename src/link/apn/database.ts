/**
 * The provider database's file, read when somebody needs a network's providers and let go of at once: what stays is the answer for
 * the networks that were asked for last. Used by `book.ts`.
 */

import { readFile, stat } from 'node:fs/promises'
import { errorText } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import type { SimOperator } from '../../modem/features/subscriber/snapshot.ts'
import { findProviders, type Provider } from './providers.ts'

/** Debian's has 360 kB. */
const LARGEST_BYTES = 16 * 1024 * 1024
const KEPT_NETWORKS = 16

export class ProviderDatabase {
  readonly #file: () => string
  readonly #logger: Logger
  /** By file and its date, and network: many modems of one operator are plugged in together. */
  readonly #kept = new Map<string, Promise<readonly Provider[]>>()

  /** Of the file that was told of. */
  #toldPath: string | undefined

  /** `file` is asked at each look-up, so that a reload of the configuration counts. */
  constructor(file: () => string, logger: Logger) {
    this.#file = file
    this.#logger = logger
  }

  /** None where the configuration names no file, or it cannot be read, which the log says once. */
  async providersOf(operator: SimOperator): Promise<readonly Provider[]> {
    const path = this.#file()
    if (path === '') return []
    try {
      const providers = await this.#look(path, operator)
      this.#toldPath = undefined
      return providers
    } catch (error) {
      if (this.#toldPath === path) return []
      this.#toldPath = path
      const advice = 'install mobile-broadband-provider-info, or name the APN in the profile'
      this.#logger.warn(`The provider database ${path} cannot be read (${errorText(error)}): ${advice}.`)
      return []
    }
  }

  async #look(path: string, operator: SimOperator): Promise<readonly Provider[]> {
    const { mtimeMs, size, isFile } = await facts(path)
    const key = [path, mtimeMs, size, operator.mcc, operator.mnc].join(' ')
    const kept = this.#kept.get(key)
    if (kept) return kept
    if (!isFile) throw new Error('it is no file')
    if (size > LARGEST_BYTES) throw new Error(`it has more than ${LARGEST_BYTES} bytes`)
    const found = readFile(path, 'utf8').then((xml) => detached(findProviders(xml, operator)))
    this.#keep(key, found)
    return found
  }

  #keep(key: string, found: Promise<readonly Provider[]>): void {
    this.#kept.set(key, found)
    found.catch(() => this.#kept.delete(key))
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > KEPT_NETWORKS && oldest !== undefined) this.#kept.delete(oldest)
  }
}

async function facts(path: string) {
  const found = await stat(path)
  return { mtimeMs: found.mtimeMs, size: found.size, isFile: found.isFile() }
}

/** A piece of a string keeps the whole string in memory: here, the file. */
function detached<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
