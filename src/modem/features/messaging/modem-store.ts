/**
 * The message service of a modem as procedures: format, memories, list, read, delete, news (3GPP TS 27.005 §3 and §4). Every command
 * is optional: a modem that refuses one gets the next way. Used by `messaging.ts`, one procedure at a time.
 */

import type { AtReply } from '../../at/channel.ts'
import { parseCmgl, parseCmgr, type StoredMessage } from '../../at/replies/cmgl.ts'
import { parseCmgs } from '../../at/replies/cmti.ts'
import { parseCpms, parseCpmsTest, type StorageUse } from '../../at/replies/cpms.ts'
import { bodiesOf } from '../../at/replies/fields.ts'
import type { CommandOptions } from '../../at/session.ts'
import type { Place } from '../../sms/assembly.ts'
import type { emitSubmit } from '../../sms/pdu.ts'
import { failureOfReply, isEmptyPlace } from './failures.ts'
import type { MessageMemory } from './snapshot.ts'

export type Attempt = (text: string, options?: CommandOptions) => Promise<AtReply>

/** A full SIM behind a slow reader. */
const LIST_TIMEOUT_MS = 30_000
const TIMEOUT_MS = 10_000
/** The network's time (TS 24.011: up to 42 s), and some modems try again. */
const SEND_TIMEOUT_MS = 90_000

/**
 * How news shall come, the best first: into the memory with +CMTI, delivery reports by +CDS or +CDSI; straight to us only where a
 * modem has nothing else. Buffered while the port has a call.
 */
const NEWS = [
  'AT+CNMI=2,1,0,1,0',
  'AT+CNMI=2,1,0,2,0',
  'AT+CNMI=1,1,0,1,0',
  'AT+CNMI=2,1',
  'AT+CNMI=1,1',
  'AT+CNMI=3,1',
  'AT+CNMI=2,2,0,1,0',
  'AT+CNMI=1,2',
] as const

/** Those that are the modem's whole store; MT is both of them again, SR and BM are for reports and broadcasts. */
const MEMORIES = ['SM', 'ME'] as const

export class ModemStore {
  /** undefined: not opened yet. */
  format: 'pdu' | 'text' | undefined
  /** +CSMS=1: what came straight to us must be acknowledged. */
  mustAcknowledge = false
  /** The modem tells of new messages. */
  hasNews = false
  /** +CSCS of a modem without PDU mode. */
  isUcs2Text = false
  #memories: readonly string[] = []
  #receiving: string | undefined
  #writing: string | undefined

  get memories(): readonly string[] {
    return this.#memories
  }

  /** Rejects where there is no message service at all. */
  async open(attempt: Attempt): Promise<void> {
    await this.#chooseFormat(attempt)
    const test = parseCpmsTest((await attempt('AT+CPMS=?', { timeoutMs: TIMEOUT_MS })).lines)
    const now = parseCpms((await attempt('AT+CPMS?', { timeoutMs: TIMEOUT_MS })).lines)
    const current = now?.read?.name
    this.#receiving = now?.receive?.name ?? current
    this.#writing = now?.write?.name ?? current
    const known = MEMORIES.filter((name) => test?.read.includes(name))
    this.#memories = known.length > 0 ? known : current === undefined ? [] : [current]
    this.mustAcknowledge = /^\s*1/.test(bodiesOf((await attempt('AT+CSMS?')).lines, '+CSMS')[0] ?? '')
    this.hasNews = await this.#askForNews(attempt)
  }

  async #chooseFormat(attempt: Attempt): Promise<void> {
    this.format = 'pdu'
    const reply = await attempt('AT+CMGF=0', { timeoutMs: TIMEOUT_MS })
    if (reply.isOk) return
    const text = await attempt('AT+CMGF=1', { timeoutMs: TIMEOUT_MS })
    if (!text.isOk) {
      this.format = undefined
      throw failureOfReply('AT+CMGF=0', reply)
    }
    this.format = 'text'
    this.isUcs2Text = /UCS2/i.test((await attempt('AT+CSCS?')).lines.join(' '))
  }

  async #askForNews(attempt: Attempt): Promise<boolean> {
    for (const command of NEWS) if ((await attempt(command)).isOk) return true
    return false
  }

  /** All that is in it; undefined: it cannot be read. */
  async list(attempt: Attempt, memory: string): Promise<readonly StoredMessage[] | undefined> {
    const use = await this.#select(attempt, memory)
    if (use === 'refused') return undefined
    if (use?.used === 0) return []
    const all = this.format === 'text' ? 'AT+CMGL="ALL"' : 'AT+CMGL=4'
    const reply = await attempt(all, { timeoutMs: LIST_TIMEOUT_MS })
    return reply.isOk ? parseCmgl(reply.lines).messages : undefined
  }

  /** undefined: there is nothing. Rejects where the modem refuses. */
  async read(attempt: Attempt, { memory, index }: Place): Promise<StoredMessage | undefined> {
    await this.#select(attempt, memory)
    const command = `AT+CMGR=${index}`
    const reply = await attempt(command, { timeoutMs: TIMEOUT_MS })
    if (reply.isOk) return parseCmgr(reply.lines)
    if (isEmptyPlace(reply)) return undefined
    throw failureOfReply(command, reply)
  }

  /** Rejects where the modem refuses. */
  async delete(attempt: Attempt, { memory, index }: Place): Promise<void> {
    await this.#select(attempt, memory)
    const command = `AT+CMGD=${index}`
    const reply = await attempt(command, { timeoutMs: TIMEOUT_MS })
    if (!reply.isOk) throw failureOfReply(command, reply)
  }

  /** A message that came straight to us goes where it is kept; undefined: the modem does not take it. */
  async keep(attempt: Attempt, pdu: string, tpduBytes: number): Promise<Place | undefined> {
    const reply = await attempt(`AT+CMGW=${tpduBytes},1`, { afterPrompt: pdu, timeoutMs: TIMEOUT_MS })
    const index = reply.isOk ? parseCmgs(reply.lines) : undefined
    return index === undefined || this.#writing === undefined ? undefined : { memory: this.#writing, index }
  }

  async acknowledge(attempt: Attempt): Promise<void> {
    if (this.mustAcknowledge && !(await attempt('AT+CNMA')).isOk) await attempt('AT+CNMA=0')
  }

  /** How full the memory for new messages is; undefined where the modem does not say. */
  async use(attempt: Attempt): Promise<MessageMemory | undefined> {
    const receive = parseCpms((await attempt('AT+CPMS?', { timeoutMs: TIMEOUT_MS })).lines)?.receive
    if (receive?.total === undefined) return undefined
    const name = receive.name ?? this.#receiving
    return name === undefined ? undefined : { name, used: receive.used, total: receive.total }
  }

  /** The reply to the last command; the port may have been another's, so the format is said again. */
  async sendPdu(attempt: Attempt, submit: ReturnType<typeof emitSubmit>): Promise<AtReply> {
    await attempt('AT+CMGF=0')
    return attempt(`AT+CMGS=${submit.tpduBytes}`, { afterPrompt: submit.hex, timeoutMs: SEND_TIMEOUT_MS })
  }

  async sendText(attempt: Attempt, to: string, text: string): Promise<AtReply> {
    await attempt('AT+CMGF=1')
    const coded = (plain: string) => (this.isUcs2Text ? ucs2Hex(plain) : plain)
    const type = to.startsWith('+') ? ',145' : ''
    return attempt(`AT+CMGS="${coded(to)}"${type}`, { afterPrompt: coded(text), timeoutMs: SEND_TIMEOUT_MS })
  }

  /** For reading and deleting. Some modems want all three named. */
  async #select(attempt: Attempt, memory: string): Promise<StorageUse | 'refused' | undefined> {
    if (this.#memories.length === 0) return undefined
    const reply = await attempt(`AT+CPMS="${memory}"`, { timeoutMs: TIMEOUT_MS })
    if (reply.isOk) return parseCpms(reply.lines)?.read
    const [write = memory, receive = memory] = [this.#writing, this.#receiving]
    const whole = await attempt(`AT+CPMS="${memory}","${write}","${receive}"`, { timeoutMs: TIMEOUT_MS })
    return whole.isOk ? parseCpms(whole.lines)?.read : 'refused'
  }
}

function ucs2Hex(text: string): string {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index).toString(16).padStart(4, '0'))
    .join('')
    .toUpperCase()
}
