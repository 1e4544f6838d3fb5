/**
 * Does a port tell where it is, unasked? Its sentences (NMEA 0183: `$GPRMC,…*5A`) show it for a GPS port before it has answered
 * anything. A decorator under the AT side, while a port is asked (`port-probe.ts`).
 */

import { fromLatin1 } from '../base/bytes.ts'
import type { Wire, WireListener } from '../serial/wire.ts'
import { WireDecorator } from '../serial/wire-decorator.ts'

/** The standard's limit is 82; some makers take more. */
const MAX_SENTENCE_LENGTH = 120

export class NmeaEar extends WireDecorator {
  readonly #onSentence: () => void
  #line = ''
  /** Set back once it is known what the port is. */
  isListening = true

  constructor(wire: Wire, onSentence: () => void) {
    super(wire)
    this.#onSentence = onSentence
  }

  /** Nothing is hidden: it only looks on. */
  override get fd(): number | undefined {
    return this.wire.fd
  }

  override listen(listener: WireListener | undefined): void {
    const hear = (bytes: Uint8Array) => {
      if (this.isListening) this.#hear(fromLatin1(bytes))
      listener?.data(bytes)
    }
    super.listen(listener && { data: hear, drain: () => listener.drain(), closed: (reason) => listener.closed(reason) })
  }

  #hear(text: string): void {
    const lines = (this.#line + text).split(/[\r\n]+/)
    this.#line = (lines.pop() ?? '').slice(-MAX_SENTENCE_LENGTH)
    if (lines.some(isSentence)) this.#onSentence()
  }
}

/** With its checksum: a command's echo or a modem's own report is none. */
export function isSentence(line: string): boolean {
  const [, body, sum] = /\$((?:G[A-Z]|BD|P[A-Z]{3})[A-Z0-9]{1,4},[ -~]{0,110})\*([0-9A-Fa-f]{2})$/.exec(line) ?? []
  if (body === undefined || sum === undefined) return false
  let checksum = 0
  for (const char of body) checksum ^= char.charCodeAt(0)
  return checksum === Number.parseInt(sum, 16)
}
