/**
 * What GSM modems do to PPP on its way, which no honest server does: swallow LCP Echo-Requests, Nak name servers with
 * placeholders until the network is attached; and faults of the same kind. Sits between the host's bytes and the operator's
 * session: frames are taken apart, answered or dropped, and put together again.
 */

import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { HdlcDecoder } from '../ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../ppp/wire/hdlc-encoder.ts'
import { IPCP, LCP } from '../ppp/wire/protocols.ts'

export interface Habits {
  answersEcho(): boolean
  readonly dnsPlaceholders: { readonly servers: readonly number[]; readonly naks: number }
  readonly naksLcpForever: boolean
  readonly hasNoAddress: boolean
}

const CONFIGURE_REQUEST = 1
const CONFIGURE_NAK = 3
const CONFIGURE_REJECT = 4
const ECHO_REQUEST = 9

const LCP_MRU = 1
const IPCP_ADDRESS = 3
/** RFC 1877. */
const IPCP_DNS = [129, 131]

/** Any MRU of a peer, its escapes undone. */
const MAX_FRAME_BYTES = 16_384

interface Option {
  readonly type: number
  readonly value: Uint8Array
}

export class PppHabits {
  readonly #habits: Habits
  readonly #answer: (bytes: Uint8Array) => void
  readonly #encoder = new HdlcEncoder()
  readonly #decoder: HdlcDecoder
  #placeholderNaks = 0
  #lcpNaks = 0
  #passed: Uint8Array[] = []

  /** `answer` sends a whole frame to the host. */
  constructor(habits: Habits, answer: (bytes: Uint8Array) => void) {
    this.#habits = habits
    this.#answer = answer
    this.#decoder = new HdlcDecoder(MAX_FRAME_BYTES, {
      frame: (protocol, info) => this.#onFrame(protocol, info),
      junk() {},
    })
    this.#decoder.accm = 0
  }

  /** Bytes of the host; what goes on to the session. */
  filter(bytes: Uint8Array): readonly Uint8Array[] {
    this.#decoder.push(bytes)
    const passed = this.#passed
    this.#passed = []
    return passed
  }

  #onFrame(protocol: number, info: Uint8Array): void {
    if (protocol === LCP && info[0] === ECHO_REQUEST && !this.#habits.answersEcho()) return
    if (info[0] === CONFIGURE_REQUEST) {
      const answer = this.#answerTo(protocol, info)
      if (answer) {
        this.#answer(this.#encoder.encode(protocol, answer))
        return
      }
    }
    this.#passed.push(this.#encoder.encode(protocol, info))
  }

  #answerTo(protocol: number, request: Uint8Array): Uint8Array | undefined {
    const options = parseOptions(request)
    if (!options) return undefined
    if (protocol === LCP && this.#habits.naksLcpForever)
      return packet(CONFIGURE_NAK, request[1]!, [{ type: LCP_MRU, value: this.#anotherMru() }])
    if (protocol !== IPCP) return undefined
    const address = options.filter(({ type }) => type === IPCP_ADDRESS)
    if (this.#habits.hasNoAddress && address.length > 0) return packet(CONFIGURE_REJECT, request[1]!, address)
    return this.#placeholders(request[1]!, options)
  }

  /** Never the same twice running: the peer cannot please it. */
  #anotherMru(): Uint8Array {
    this.#lcpNaks++
    return new ByteWriter().u16(1492 - (this.#lcpNaks % 2)).done()
  }

  #placeholders(identifier: number, options: readonly Option[]): Uint8Array | undefined {
    const { servers, naks } = this.#habits.dnsPlaceholders
    const asked = options.filter(({ type }) => IPCP_DNS.includes(type))
    if (asked.length === 0 || this.#placeholderNaks >= naks) return undefined
    this.#placeholderNaks++
    const values = asked.map(({ type }) => ({
      type,
      value: new ByteWriter().u32(servers[IPCP_DNS.indexOf(type)] ?? servers[0] ?? 0).done(),
    }))
    return packet(CONFIGURE_NAK, identifier, values)
  }
}

/** undefined: malformed; the session says what it thinks of it. */
function parseOptions(request: Uint8Array): readonly Option[] | undefined {
  const reader = new ByteReader(request.subarray(4))
  const options: Option[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()!
    const value = reader.take((reader.u8() ?? 0) - 2)
    if (!value) return undefined
    options.push({ type, value })
  }
  return options
}

function packet(code: number, identifier: number, options: readonly Option[]): Uint8Array {
  const body = new ByteWriter()
  for (const { type, value } of options)
    body
      .u8(type)
      .u8(value.length + 2)
      .bytes(value)
  return new ByteWriter()
    .u8(code)
    .u8(identifier)
    .u16(body.length + 4)
    .bytes(body.done())
    .done()
}
