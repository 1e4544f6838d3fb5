/**
 * Which PINs and PUKs were tried on which SIM and how that ended, so that a refused one is never sent again (DESIGN §7.1). A try
 * is on disk as `pending` before it is sent, and pending counts as refused after a crash, unless the SIM that asked for it is found open
 * then, or had taken this very PIN before and has lost no try (a gateway whose power goes while it starts). Secrets are kept only as HMAC-
 * SHA256 under a key of this machine. No readable ledger, no try. Tries are written by `pin.ts` alone.
 *
 * A SIM is known by its ICCID, and where that cannot be read while it is locked, by the modem's IMEI. Readings fail now and then,
 * so entries carry what was known of both, and an entry counts for a SIM unless it is surely another's.
 */

import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { ModemdError } from '../base/errors.ts'
import type { Random } from '../base/ports.ts'
import type { StateFiles } from './state-files.ts'

export const LEDGER_FILE = 'pin-ledger.json'
export const LEDGER_KEY_FILE = 'pin-ledger.key'

export interface SimIdentity {
  readonly iccid?: string | undefined
  readonly imei?: string | undefined
}

export interface Secret {
  readonly kind: 'pin' | 'puk'
  readonly digits: string
}

export interface TryHistory {
  /** This very secret was refused, or its try never ended. */
  readonly isRefused: boolean
  /** The last thing that happened on this SIM is a try of this secret that never ended, and the SIM had taken it before. */
  readonly isCutShort: boolean
  /** The last thing that happened on this SIM is that this secret was accepted. */
  readonly isLastAccepted: boolean
  /** Refused or unended tries of this kind, ever and since the last accepted one. */
  readonly failures: number
  readonly failuresSinceAccepted: number
}

interface Entry extends SimIdentity {
  readonly kind: Secret['kind']
  readonly hmac: string
  readonly state: 'pending' | 'refused' | 'accepted'
  /** Of a pending one: the SIM was locked and asked for it. */
  readonly isAsked?: true | undefined
  /** Of a pending one of these: the SIM had taken it before. */
  readonly wasAccepted?: true | undefined
}

export class PinLedger {
  readonly #files: StateFiles
  readonly #random: Random
  #entries: readonly Entry[] | undefined
  #key: string | undefined

  constructor(files: StateFiles, random: Random) {
    this.#files = files
    this.#random = random
  }

  /** Its whole path, for people. */
  get path(): string {
    return join(this.#files.directory, LEDGER_FILE)
  }

  /** Throws PinGuard where the ledger cannot be read or the SIM cannot be told. */
  history(sim: SimIdentity, secret: Secret): TryHistory {
    const all = this.#load()
    const hmac = this.#hmacOf(secret)
    const entries = all.filter((entry) => entry.kind === secret.kind && maybeSame(entry, sim))
    const failed = (entry: Entry) => entry.state !== 'accepted'
    const lastAccepted = entries.findLastIndex((entry) => entry.state === 'accepted')
    const last = entries.at(-1)
    const cutShort = last?.hmac === hmac && last.wasAccepted ? last : undefined
    return {
      isRefused: entries.some((entry) => entry.hmac === hmac && failed(entry) && entry !== cutShort),
      isCutShort: cutShort !== undefined,
      isLastAccepted: lastAccepted >= 0 && lastAccepted === entries.length - 1 && entries[lastAccepted]!.hmac === hmac,
      failures: entries.filter(failed).length,
      failuresSinceAccepted: entries.slice(lastAccepted + 1).filter(failed).length,
    }
  }

  /** On disk when it returns; throws PinGuard otherwise, and then nothing may be sent. `isAsked`: the SIM is locked and asks for it. */
  begin(sim: SimIdentity, secret: Secret, isAsked = false): void {
    if (sim.iccid === undefined && sim.imei === undefined)
      throw new ModemdError(
        'PinGuard',
        'Neither the SIM nor the modem tells its number, so PIN tries cannot be counted.',
      )
    const all = this.#load()
    const entry = this.#entryOf(sim, secret, 'pending')
    const before = all.find((other) => isSame(other, entry))
    const wasAccepted = isAsked && sim.iccid !== undefined && (before?.state === 'accepted' || before?.wasAccepted)
    const entries = withEntry(all, { ...entry, ...(isAsked && { isAsked }), ...(wasAccepted && { wasAccepted }) })
    this.#store(entries)
    this.#entries = entries
  }

  refused(sim: SimIdentity, secret: Secret): void {
    this.#end(sim, secret, 'refused')
  }

  /** The secret is right (again): what was held against it on this SIM is forgotten. */
  accepted(sim: SimIdentity, secret: Secret): void {
    this.#end(sim, secret, 'accepted')
  }

  /**
   * The SIM asks for nothing. It was locked when the last try on it was cut short (`kill -9`), and has not lost its power since: that
   * try has opened it. Without this the right PIN would be held for refused from the next power-on. Throws PinGuard as `history`.
   */
  foundOpen(sim: SimIdentity): void {
    const all = this.#load()
    const last = all.findLast((entry) => maybeSame(entry, sim))
    if (last?.state !== 'pending' || last.isAsked === undefined || sim.iccid === undefined || last.iccid !== sim.iccid)
      return
    this.#keep(withEntry(all, { ...last, state: 'accepted', isAsked: undefined, wasAccepted: undefined }))
  }

  #end(sim: SimIdentity, secret: Secret, state: Entry['state']): void {
    this.#keep(withEntry(this.#load(), this.#entryOf(sim, secret, state)))
  }

  /** Where the disk fails now it still says pending, which forbids as much as refused. */
  #keep(entries: readonly Entry[]): void {
    this.#entries = entries
    try {
      this.#store(entries)
    } catch {
      return
    }
  }

  #entryOf(sim: SimIdentity, secret: Secret, state: Entry['state']): Entry {
    return { iccid: sim.iccid, imei: sim.imei, kind: secret.kind, hmac: this.#hmacOf(secret), state }
  }

  #store(entries: readonly Entry[]): void {
    const seal = sealOf(this.#key ?? '', entries)
    this.#write(LEDGER_FILE, `${JSON.stringify({ version: 1, tries: entries, seal }, undefined, 1)}\n`)
  }

  #load(): readonly Entry[] {
    const text = this.#read(LEDGER_FILE)
    if (text === undefined) {
      // Also where a person has removed it, to begin anew: with its key, or with both gone.
      this.#entries = []
      this.#key = undefined
    }
    this.#entries ??= this.#parsed(text ?? '')
    return this.#entries
  }

  #parsed(text: string): readonly Entry[] {
    const { version, tries, seal } = contentOf(text)
    if (version !== 1 || !Array.isArray(tries) || !tries.every(isEntry)) throw this.#broken(`${LEDGER_FILE} is damaged`)
    // Earlier versions wrote none.
    if (seal === undefined) return tries
    this.#key = this.#readKey()
    if (this.#key === undefined) throw this.#keyMissing()
    if (seal !== sealOf(this.#key, tries))
      throw this.#broken(`${LEDGER_FILE} is damaged, or ${LEDGER_KEY_FILE} is not its own`)
    return tries
  }

  #hmacOf({ kind, digits }: Secret): string {
    this.#key ??= this.#readKey() ?? this.#makeKey()
    return createHmac('sha256', this.#key).update(`${kind}:${digits}`).digest('hex')
  }

  /** A damaged key would make every refused PIN a new one. */
  #readKey(): string | undefined {
    const key = this.#read(LEDGER_KEY_FILE)?.trim()
    if (key === undefined || /^[0-9a-f]{64}$/.test(key)) return key
    throw this.#broken(`${LEDGER_KEY_FILE} is damaged`)
  }

  #keyMissing(): ModemdError {
    return this.#broken(`${LEDGER_KEY_FILE} is missing, so what ${LEDGER_FILE} says cannot be compared`)
  }

  #makeKey(): string {
    if (this.#load().length > 0) throw this.#keyMissing()
    const key = Buffer.from(this.#random.bytes(32)).toString('hex')
    this.#write(LEDGER_KEY_FILE, `${key}\n`)
    return key
  }

  #read(name: string): string | undefined {
    try {
      return this.#files.read(name)
    } catch {
      throw this.#broken(`${name} cannot be read`)
    }
  }

  #write(name: string, text: string): void {
    try {
      this.#files.write(name, text)
    } catch {
      throw this.#broken(`${name} cannot be written`)
    }
  }

  #broken(what: string): ModemdError {
    const { directory } = this.#files
    const remedy = `Mend the disk, or remove ${join(directory, LEDGER_FILE)} and ${LEDGER_KEY_FILE} beside it.`
    return new ModemdError('PinGuard', `${what} in ${directory}; no PIN is tried without it. ${remedy}`)
  }
}

/** One entry a SIM and secret, the newest at the end. An entry that may be another SIM's stays. */
function withEntry(all: readonly Entry[], entry: Entry): readonly Entry[] {
  return [...all.filter((other) => !isSame(other, entry)), entry]
}

function isSame(a: Entry, b: Entry): boolean {
  return a.hmac === b.hmac && a.iccid === b.iccid && a.imei === b.imei && a.kind === b.kind
}

/** Two ICCIDs decide, else two IMEIs; where there is nothing to compare it may well be the same. */
function maybeSame(entry: SimIdentity, sim: SimIdentity): boolean {
  if (entry.iccid !== undefined && sim.iccid !== undefined) return entry.iccid === sim.iccid
  if (entry.imei !== undefined && sim.imei !== undefined) return entry.imei === sim.imei
  return true
}

/** What a damaged disk has changed in tries or key shows by it. */
function sealOf(key: string, tries: readonly Entry[]): string {
  return createHmac('sha256', key).update(JSON.stringify(tries)).digest('hex')
}

function contentOf(text: string): { readonly version?: unknown; readonly tries?: unknown; readonly seal?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | null
  return (
    typeof entry === 'object' &&
    entry !== null &&
    (entry.kind === 'pin' || entry.kind === 'puk') &&
    typeof entry.hmac === 'string' &&
    [entry.iccid, entry.imei].every((number) => number === undefined || typeof number === 'string') &&
    (entry.state === 'pending' || entry.state === 'refused' || entry.state === 'accepted') &&
    [entry.isAsked, entry.wasAccepted].every((mark) => mark === undefined || mark === true)
  )
}
