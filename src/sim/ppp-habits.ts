/**
 * What GSM modems do to PPP on its way, which no honest server does: swallow LCP Echo-Requests or answer them with nothing in the
 * reply, Nak name servers with placeholders until the network is attached, keep their own address to themselves, say Ack
 * without a word; and faults of the same kind. Sits between the host's bytes and the operator's session: frames are taken
 * apart, changed, answered or dropped, and put together again.
 */

import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { HdlcDecoder } from '../ppp/wire/hdlc-decoder.ts'
import { HdlcEncoder } from '../ppp/wire/hdlc-encoder.ts'
import { IPCP, LCP, PAP } from '../ppp/wire/protocols.ts'

export interface Habits {
  echoReplies(): 'full' | 'bare' | 'none'
  readonly dnsPlaceholders: { readonly servers: readonly number[]; readonly naks: number }
  readonly naksLcpForever: boolean
  readonly hasNoAddress: boolean
  readonly namesItsAddress: boolean
  readonly papAckMessage: boolean
}

const CONFIGURE_REQUEST = 1
const CONFIGURE_ACK = 2
const CONFIGURE_NAK = 3
const CONFIGURE_REJECT = 4
const ECHO_REQUEST = 9
const ECHO_REPLY = 10
const PAP_ACK = 2
const HEADER_BYTES = 4
const MAGIC_BYTES = 4

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
  readonly #fromHost = new FrameFilter((protocol, info) => this.#onHostFrame(protocol, info))
  readonly #toHost = new FrameFilter((protocol, info) => this.#onOperatorFrame(protocol, info))
  readonly #answers = new HdlcEncoder()
  #placeholderNaks = 0
  #lcpNaks = 0
  /** The operator's own last IPCP request, as its session made it: the host acknowledges what is left of it. */
  #ipcpRequest: Uint8Array | undefined

  /** `answer` sends a whole frame to the host. */
  constructor(habits: Habits, answer: (bytes: Uint8Array) => void) {
    this.#habits = habits
    this.#answer = answer
  }

  /** Bytes of the host; what goes on to the session. */
  fromHost(bytes: Uint8Array): readonly Uint8Array[] {
    return this.#fromHost.filter(bytes)
  }

  /** Bytes of the session; what goes on to the host. */
  toHost(bytes: Uint8Array): readonly Uint8Array[] {
    return this.#toHost.filter(bytes)
  }

  /** What goes on; undefined: nothing. */
  #onHostFrame(protocol: number, info: Uint8Array): Uint8Array | undefined {
    if (protocol === LCP && info[0] === ECHO_REQUEST && this.#habits.echoReplies() === 'none') return undefined
    if (info[0] === CONFIGURE_REQUEST) {
      const answer = this.#answerTo(protocol, info)
      if (!answer) return info
      this.#answer(this.#answers.encode(protocol, answer))
      return undefined
    }
    if (protocol === IPCP && info[0] === CONFIGURE_ACK && !this.#habits.namesItsAddress) return this.#wholeAck(info)
    return info
  }

  #onOperatorFrame(protocol: number, info: Uint8Array): Uint8Array {
    const { namesItsAddress, papAckMessage } = this.#habits
    if (protocol === LCP && info[0] === ECHO_REPLY && this.#habits.echoReplies() === 'bare')
      return packet(ECHO_REPLY, info[1]!, new Uint8Array(MAGIC_BYTES))
    if (protocol === PAP && info[0] === PAP_ACK && !papAckMessage) return packet(PAP_ACK, info[1]!, new Uint8Array(0))
    if (protocol === IPCP && info[0] === CONFIGURE_REQUEST && !namesItsAddress) return this.#withoutAddress(info)
    return info
  }

  #withoutAddress(request: Uint8Array): Uint8Array {
    this.#ipcpRequest = request.slice()
    const options = parseOptions(request) ?? []
    return packet(CONFIGURE_REQUEST, request[1]!, optionBytes(options.filter(({ type }) => type !== IPCP_ADDRESS)))
  }

  #wholeAck(ack: Uint8Array): Uint8Array {
    if (ack[1] !== this.#ipcpRequest?.[1]) return ack
    return packet(CONFIGURE_ACK, ack[1]!, this.#ipcpRequest!.subarray(HEADER_BYTES))
  }

  #answerTo(protocol: number, request: Uint8Array): Uint8Array | undefined {
    const options = parseOptions(request)
    if (!options) return undefined
    if (protocol === LCP && this.#habits.naksLcpForever)
      return packet(CONFIGURE_NAK, request[1]!, optionBytes([{ type: LCP_MRU, value: this.#anotherMru() }]))
    if (protocol !== IPCP) return undefined
    const address = options.filter(({ type }) => type === IPCP_ADDRESS)
    if (this.#habits.hasNoAddress && address.length > 0)
      return packet(CONFIGURE_REJECT, request[1]!, optionBytes(address))
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
    return packet(CONFIGURE_NAK, identifier, optionBytes(values))
  }
}

/** A stream of frames, each looked at on its way. */
class FrameFilter {
  readonly #encoder = new HdlcEncoder()
  readonly #decoder: HdlcDecoder
  #passed: Uint8Array[] = []

  constructor(look: (protocol: number, info: Uint8Array) => Uint8Array | undefined) {
    this.#decoder = new HdlcDecoder(MAX_FRAME_BYTES, {
      frame: (protocol, info) => {
        const passed = look(protocol, info)
        if (passed) this.#passed.push(this.#encoder.encode(protocol, passed))
      },
      junk() {},
    })
    this.#decoder.accm = 0
  }

  filter(bytes: Uint8Array): readonly Uint8Array[] {
    this.#decoder.push(bytes)
    const passed = this.#passed
    this.#passed = []
    return passed
  }
}

/** undefined: malformed; the session says what it thinks of it. */
function parseOptions(request: Uint8Array): readonly Option[] | undefined {
  const reader = new ByteReader(request.subarray(HEADER_BYTES))
  const options: Option[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()!
    const value = reader.take((reader.u8() ?? 0) - 2)
    if (!value) return undefined
    options.push({ type, value })
  }
  return options
}

function optionBytes(options: readonly Option[]): Uint8Array {
  const body = new ByteWriter()
  for (const { type, value } of options)
    body
      .u8(type)
      .u8(value.length + 2)
      .bytes(value)
  return body.done()
}

function packet(code: number, identifier: number, body: Uint8Array): Uint8Array {
  return new ByteWriter()
    .u8(code)
    .u8(identifier)
    .u16(body.length + HEADER_BYTES)
    .bytes(body)
    .done()
}
