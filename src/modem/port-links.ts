/**
 * Tells udev which port of which modem is what, for `/dev/modem/ID/{at,data,gps}`: a file of settings a port below /run, which the rule
 * of systemd/70-modemd.rules reads, and a nudge to udev by the port's own uevent file. Where the rule is not installed nothing
 * comes of it. Used by the fleet.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import type { PortInfo } from './snapshot.ts'

const FOLDER = '/run/modemd/ports'

type Link = 'at' | 'data' | 'gps'

export class PortLinks {
  readonly #root: string
  readonly #logger: Logger
  /** What each tty's file says; by tty (`ttyUSB0`). */
  readonly #files = new Map<string, string>()
  #isOff = false

  constructor(root: string, logger: Logger) {
    this.#root = root
    this.#logger = logger
    this.#clearLeftOvers()
  }

  /** What the modem's ports are now; none: it is gone. */
  show(id: string, ports: readonly PortInfo[]): void {
    const wanted = filesOf(id, ports)
    for (const [tty, text] of this.#files) {
      if (idIn(text) === id && !wanted.has(tty)) this.#remove(tty)
    }
    for (const [tty, text] of wanted) if (this.#files.get(tty) !== text) this.#write(tty, text)
  }

  close(): void {
    for (const tty of [...this.#files.keys()]) this.#remove(tty)
  }

  /** A daemon that crashed: its modems are found anew. */
  #clearLeftOvers(): void {
    try {
      for (const tty of readdirSync(join(this.#root, FOLDER))) this.#remove(tty)
    } catch {
      // There is none.
    }
  }

  #write(tty: string, text: string): void {
    if (this.#isOff) return
    try {
      mkdirSync(join(this.#root, FOLDER), { recursive: true, mode: 0o755 })
      writeFileSync(join(this.#root, FOLDER, tty), text)
      this.#files.set(tty, text)
      this.#nudge(tty)
    } catch (error) {
      this.#isOff = true
      this.#logger.debug(`No links below /dev/modem: ${errorText(error)}.`)
    }
  }

  #remove(tty: string): void {
    this.#files.delete(tty)
    try {
      rmSync(join(this.#root, FOLDER, tty), { force: true })
    } catch (error) {
      this.#logger.debug(`${FOLDER}/${tty} stays: ${errorText(error)}.`)
    }
    this.#nudge(tty)
  }

  /** The kernel tells udev that the port has changed; a simulated tree has no kernel. */
  #nudge(tty: string): void {
    if (this.#root !== '') return
    try {
      writeFileSync(`/sys/class/tty/${tty}/uevent`, 'change')
    } catch {
      // It is unplugged, and its links with it.
    }
  }
}

/** By tty: `MODEMD_AT=imei_…`. A modem's only port is for commands and for data. */
function filesOf(id: string, ports: readonly PortInfo[]): ReadonlyMap<string, string> {
  const at = ports.find(({ role }) => role === 'at')
  const data = ports.find(({ role }) => role === 'data') ?? at
  const gps = ports.find(({ role }) => role === 'gps')
  const files = new Map<string, string>()
  const add = (link: Link, port: PortInfo | undefined) => {
    const tty = /^\/dev\/([A-Za-z0-9._-]+)$/.exec(port?.name ?? '')?.[1]
    if (tty !== undefined) files.set(tty, `${files.get(tty) ?? ''}MODEMD_${link.toUpperCase()}=${id}\n`)
  }
  add('at', at)
  add('data', data)
  add('gps', gps)
  return files
}

function idIn(text: string): string | undefined {
  return /=(.*)\n/.exec(text)?.[1]
}
