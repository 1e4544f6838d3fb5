/**
 * `record FILE` and `pcap FILE`: taps the wire and writes both, with the passwords of PAP blotted out. Only root or the
 * caller can read the files. Used by modem-ppp's run.
 */

import { closeSync, openSync, writeSync } from 'node:fs'
import type { Clock } from '../../base/ports.ts'
import { type Direction, TappedWire } from '../../serial/tap.ts'
import type { Wire } from '../../serial/wire.ts'
import { errnoText } from './options-errors.ts'
import { pcapHeader, pcapPacket } from './pcap.ts'
import { RecordFormat } from './record.ts'
import { FrameRedactor } from './record-redactor.ts'

export interface RecordingOptions {
  /** Appended to, as pppd does. */
  readonly recordFile: string | undefined
  /** Begun anew. */
  readonly pcapFile: string | undefined
}

/** One for the whole run of the program; `wrap` each new wire. A file that fails is given up with a notice, the line goes on. */
export class Recording {
  readonly #clock: Clock
  readonly #notice: (line: string) => void
  readonly #record: TraceFile | undefined
  readonly #pcap: TraceFile | undefined
  /** What the last wire has left to say. */
  #finish = () => {}

  constructor(options: RecordingOptions, clock: Clock, notice: (line: string) => void) {
    this.#clock = clock
    this.#notice = notice
    this.#record = this.#open(options.recordFile, 'a')
    this.#pcap = this.#open(options.pcapFile, 'w')
    this.#pcap?.write(pcapHeader())
  }

  get isOn(): boolean {
    return this.#record !== undefined || this.#pcap !== undefined
  }

  /** The wire itself, where nothing is recorded: a tapped one has no `fd`. */
  wrap(wire: Wire): Wire {
    if (!this.isOn) return wire
    this.#finish()
    const format = new RecordFormat(this.#clock.wallUs())
    this.#record?.write(format.start())
    const redactors: Readonly<Record<Direction, FrameRedactor>> = {
      sent: new FrameRedactor((frame) => this.#packet('sent', frame)),
      received: new FrameRedactor((frame) => this.#packet('received', frame)),
    }
    const record = (direction: Direction, bytes: Uint8Array, atUs: bigint) => {
      if (bytes.length > 0) this.#record?.write(format.piece(direction, bytes, atUs))
    }
    const tapped = new TappedWire(wire, {
      clock: this.#clock,
      redact: (direction, bytes) => redactors[direction].push(bytes),
      onRecord: ({ direction, bytes, atUs }) => record(direction, bytes, atUs),
    })
    this.#finish = () => {
      const atUs = this.#clock.wallUs()
      for (const direction of ['sent', 'received'] as const) {
        record(direction, redactors[direction].end(), atUs)
        this.#record?.write(format.end(direction, atUs))
      }
    }
    return tapped
  }

  close(): void {
    this.#finish()
    this.#finish = () => {}
    this.#record?.close()
    this.#pcap?.close()
  }

  #packet(direction: Direction, frame: Uint8Array): void {
    this.#pcap?.write(pcapPacket(direction, frame, this.#clock.wallUs()))
  }

  #open(path: string | undefined, flags: 'a' | 'w'): TraceFile | undefined {
    if (path === undefined) return undefined
    try {
      return new TraceFile(path, flags, this.#notice)
    } catch (error) {
      this.#notice(`Couldn't create record file ${path}: ${errnoText(error)}`)
      return undefined
    }
  }
}

const OWNER_ONLY = 0o600

class TraceFile {
  readonly #path: string
  readonly #notice: (line: string) => void
  #fd: number | undefined

  constructor(path: string, flags: 'a' | 'w', notice: (line: string) => void) {
    this.#path = path
    this.#notice = notice
    this.#fd = openSync(path, flags, OWNER_ONLY)
  }

  write(bytes: Uint8Array): void {
    if (this.#fd === undefined) return
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    } catch (error) {
      this.#notice(`recording to ${this.#path} ends: ${errnoText(error)}`)
      this.close()
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
