/** pppd's record format, which pppdump(8) reads: tagged pieces of what was sent and received, times in tenths of a second. */

import { ByteWriter } from '../../base/bytes.ts'
import type { Direction } from '../../serial/tap.ts'

const START = 7
const LONG_PAUSE = 5
const SHORT_PAUSE = 6
const DATA: Readonly<Record<Direction, number>> = { sent: 1, received: 2 }
const END: Readonly<Record<Direction, number>> = { sent: 3, received: 4 }
const LONGEST_PIECE = 0xffff
const US_PER_TENTH = 100_000n

/** Pure: what is to be appended to the file. */
export class RecordFormat {
  #tenths: bigint

  constructor(startUs: bigint) {
    // The start is in whole seconds: what is left of the first one counts as a pause.
    this.#tenths = (startUs / 1_000_000n) * 10n
  }

  start(): Uint8Array {
    return new ByteWriter()
      .u8(START)
      .u32(Number(BigInt.asUintN(32, this.#tenths / 10n)))
      .done()
  }

  piece(direction: Direction, bytes: Uint8Array, atUs: bigint): Uint8Array {
    const writer = new ByteWriter()
    this.#pause(writer, atUs)
    for (let from = 0; from < bytes.length; from += LONGEST_PIECE) {
      const part = bytes.subarray(from, from + LONGEST_PIECE)
      writer.u8(DATA[direction]).u16(part.length).bytes(part)
    }
    return writer.done()
  }

  end(direction: Direction, atUs: bigint): Uint8Array {
    const writer = new ByteWriter()
    this.#pause(writer, atUs)
    return writer.u8(END[direction]).done()
  }

  #pause(writer: ByteWriter, atUs: bigint): void {
    const tenths = atUs / US_PER_TENTH
    const pause = Number(tenths - this.#tenths)
    if (pause <= 0) return
    this.#tenths = tenths
    if (pause > 255) writer.u8(LONG_PAUSE).u32(pause)
    else writer.u8(SHORT_PAUSE).u8(pause)
  }
}
