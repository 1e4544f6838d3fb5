/** Short messages: 3GPP TS 27.005 §3 and §4. PDU mode whole; text mode for Latin text, as a host without a codec uses it. */

import { emitSubmit, parsePdu } from '../../modem/sms/pdu.ts'
import { segment } from '../../modem/sms/segment.ts'
import { timestampText } from '../../modem/sms/timestamp.ts'
import { emitUserData } from '../../modem/sms/user-data.ts'
import { type Answer, type CommandContext, cms, ERROR, type Handler, info, OK, whole } from '../answer.ts'
import type { MemoryName, StoredPdu, StoredStatus } from '../sms-store.ts'

const STATUS_WORDS = ['REC UNREAD', 'REC READ', 'STO UNSENT', 'STO SENT', 'ALL'] as const
const ALL = 4
/** What a delivery report takes. */
const REPORT_AFTER_MS = 500
const MEMORY_TEST = '("SM","ME")'

/** +CMS ERROR (§3.2.5). */
const NOT_ALLOWED = 302
const NOT_SUPPORTED = 303
const INVALID_PDU = 304
const INVALID_TEXT = 305
const SIM_ABSENT = 310
const SIM_PIN = 311
const SIM_PUK = 316
const SIM_BUSY = 314
const INVALID_INDEX = 321
const FULL = 322
const NO_NETWORK = 331
/** What many modems say to whatever they did not expect. */
const UNKNOWN_ERROR = 500
const NO_ACKNOWLEDGEMENT_EXPECTED = 340

function simFault({ modem, nowMs }: CommandContext): Answer | undefined {
  const { state } = modem.sim
  if (state === 'absent') return cms(SIM_ABSENT)
  if (state === 'pin') return cms(SIM_PIN)
  if (state === 'puk' || state === 'blocked') return cms(SIM_PUK)
  return modem.isSimBusy(nowMs) ? cms(SIM_BUSY) : undefined
}

const format: Handler = (command, { modem }) => {
  if (command.form === 'test') return info('+CMGF: (0,1)')
  if (command.form === 'read') return info(`+CMGF: ${modem.messages.format}`)
  const value = whole(command.args[0] ?? '0')
  if (command.form !== 'set' || (value !== 0 && value !== 1)) return ERROR
  modem.messages.format = value
  return OK
}

const memories: Handler = (command, context) => {
  const { messages } = context.modem
  const { store } = messages
  if (command.form === 'test') return info(`+CPMS: ${MEMORY_TEST},${MEMORY_TEST},${MEMORY_TEST}`)
  const fault = simFault(context)
  if (fault) return fault
  const use = (name: MemoryName) => `${store.used(name)},${store.capacity(name)}`
  const { read, write, receive } = messages.memories
  if (command.form === 'read')
    return info(`+CPMS: ${[read, write, receive].map((name) => `"${name}",${use(name)}`).join(',')}`)
  const names = command.args.filter((name) => name !== '')
  if (command.form !== 'set' || names.length === 0 || !names.every(isMemory)) return cms(NOT_ALLOWED)
  const [first, second = write, third = receive] = names
  messages.memories = { read: first!, write: second, receive: third }
  return info(`+CPMS: ${[first!, second, third].map(use).join(',')}`)
}

function isMemory(name: string): name is MemoryName {
  return name === 'SM' || name === 'ME'
}

const newMessages: Handler = (command, { modem, port, nowMs }) => {
  if (command.form === 'test') return info('+CNMI: (0-2),(0-2),(0),(0-2),(0,1)')
  if (command.form === 'read') return info(`+CNMI: 2,${port.messages.mt},0,${port.messages.ds},0`)
  const [mode = 0, mt = 0, bm = 0, ds = 0] = command.args.map((arg) => (arg === '' ? 0 : whole(arg)))
  if (command.form !== 'set' || !(mode <= 2) || !(mt <= 2) || bm !== 0 || !(ds <= 2)) return cms(NOT_SUPPORTED)
  port.messages = { mt, ds }
  modem.messages.routing = { mt, ds }
  modem.messages.fetch(nowMs)
  return OK
}

const serviceCentre: Handler = (command, context) => {
  const { store } = context.modem.messages
  if (command.form === 'test') return OK
  if (command.form === 'read') return simFault(context) ?? info(`+CSCA: "${store.serviceCentre}",145`)
  if (command.form !== 'set' || !/^(\+?\d{1,20})?$/.test(command.args[0] ?? '')) return ERROR
  store.serviceCentre = command.args[0]!
  return OK
}

const service: Handler = (command, { modem }) => {
  if (command.form === 'test') return info('+CSMS: (0,1)')
  if (command.form === 'read') return info(`+CSMS: ${modem.messages.service},1,1,1`)
  if (command.form !== 'set' || !['0', '1'].includes(command.args[0] ?? '')) return ERROR
  modem.messages.service = command.args[0] === '1' ? 1 : 0
  return info('+CSMS: 1,1,1')
}

const acknowledge: Handler = (command, { modem, nowMs }) => {
  if (command.form === 'test') return info('+CNMA: (0-2)')
  if (command.form !== 'execute' && command.form !== 'set') return ERROR
  return modem.messages.acknowledge(nowMs) ? OK : cms(NO_ACKNOWLEDGEMENT_EXPECTED)
}

const list: Handler = (command, context) => {
  const fault = simFault(context)
  if (fault) return fault
  const { messages } = context.modem
  if (command.form === 'test') return info(messages.format === 0 ? '+CMGL: (0-4)' : '+CMGL: ("REC UNREAD","ALL")')
  const [given] = command.args
  const word = STATUS_WORDS.indexOf((given ?? 'REC UNREAD') as (typeof STATUS_WORDS)[number])
  const wanted = messages.format === 1 ? word : given === undefined ? 0 : whole(given)
  if (!(wanted >= 0 && wanted <= ALL)) return cms(messages.format === 0 ? INVALID_PDU : INVALID_TEXT)
  const { read } = messages.memories
  const lines = messages.store
    .entries(read)
    .filter(([, { status }]) => wanted === ALL || status === wanted)
    .flatMap(([index, entry]) => {
      messages.store.markRead(read, index)
      return linesOf(`+CMGL: ${index},`, entry, messages.format)
    })
  return info(...lines)
}

const read: Handler = (command, context) => {
  const fault = simFault(context)
  if (fault) return fault
  if (command.form === 'test') return OK
  const { messages } = context.modem
  const index = whole(command.args[0])
  const entry = messages.store.get(messages.memories.read, index)
  if (command.form !== 'set' || !entry) return cms(INVALID_INDEX)
  messages.store.markRead(messages.memories.read, index)
  return info(...linesOf('+CMGR: ', entry, messages.format))
}

function linesOf(head: string, { status, hex, tpduBytes }: StoredPdu, textFormat: 0 | 1): readonly string[] {
  const pdu = textFormat === 1 ? parsePdu(hex, tpduBytes) : undefined
  if (!pdu || pdu.type === 'status-report') return [`${head}${status},,${tpduBytes}`, hex]
  const number = pdu.type === 'deliver' ? pdu.from.text : pdu.to.text
  const at = pdu.type === 'deliver' && pdu.at ? `,"${textTime(timestampText(pdu.at), pdu.at.zoneMinutes)}"` : ''
  return [`${head}"${STATUS_WORDS[status]}","${number}",${at}`, ...(pdu.data.text ?? '').split('\n')]
}

/** `26/11/22,17:42:30+08`. */
function textTime(iso: string, zoneMinutes: number): string {
  const quarters = String(Math.abs(zoneMinutes) / 15).padStart(2, '0')
  return `${iso.slice(2, 10).replaceAll('-', '/')},${iso.slice(11, 19)}${zoneMinutes < 0 ? '-' : '+'}${quarters}`
}

const send: Handler = (command, context) => {
  if (command.form === 'test') return OK
  if (command.form !== 'set') return ERROR
  const fault = simFault(context) ?? (context.modem.isRegistered ? undefined : cms(NO_NETWORK))
  if (fault) return fault
  const { messages } = context.modem
  return prompting(command.args, messages.format, (hex, tpduBytes, { nowMs }) => {
    if (messages.store.serviceCentre === '') return cms(UNKNOWN_ERROR)
    const reference = messages.store.submit(hex, tpduBytes)
    if (reference === undefined) return cms(INVALID_PDU)
    messages.fetchAtMs = nowMs + REPORT_AFTER_MS
    return info(`+CMGS: ${reference}`)
  })
}

const write: Handler = (command, context) => {
  if (command.form === 'test') return OK
  if (command.form !== 'set') return ERROR
  const fault = simFault(context)
  if (fault) return fault
  const { messages } = context.modem
  const status = whole(command.args[1] ?? '2')
  return prompting(command.args, messages.format, (hex, tpduBytes) => {
    const index = messages.store.put(messages.memories.write, { status: status as StoredStatus, hex, tpduBytes })
    return index === undefined ? cms(FULL) : info(`+CMGW: ${index}`)
  })
}

type Take = (hex: string, tpduBytes: number, context: CommandContext) => Answer

/** The prompt, then a PDU of the length that was said, or a text for the number. */
function prompting(args: readonly string[], textFormat: 0 | 1, take: Take): Answer {
  const [first = ''] = args
  if (textFormat === 0) {
    const tpduBytes = whole(first)
    if (!(tpduBytes >= 8 && tpduBytes <= 164)) return cms(INVALID_PDU)
    return {
      final: 'OK',
      prompt: (text, context) => {
        const hex = text.replace(/\s/g, '').toUpperCase()
        const centreBytes = Number.parseInt(hex.slice(0, 2), 16)
        const isWhole = /^(?:[0-9A-F]{2})+$/.test(hex) && hex.length / 2 === tpduBytes + 1 + centreBytes
        return isWhole ? take(hex, tpduBytes, context) : cms(INVALID_PDU)
      },
    }
  }
  if (!/^\+?[0-9*#]{1,20}$/.test(first)) return cms(INVALID_TEXT)
  return {
    final: 'OK',
    prompt: (text, context) => {
      const { encoding, languages, parts } = segment(text.replaceAll('\r', '\n'))!
      if (parts.length > 1 || encoding !== 'gsm7') return cms(INVALID_TEXT)
      const data = emitUserData(encoding, parts[0]!, { languages })
      const { hex, tpduBytes } = emitSubmit({ to: first, encoding, data })
      return take(hex, tpduBytes, context)
    },
  }
}

/** §3.5.4: one, or by flag all read, sent, unsent, or all. */
const remove: Handler = (command, context) => {
  const fault = simFault(context)
  if (fault) return fault
  const { messages } = context.modem
  const { read: memory } = messages.memories
  if (command.form === 'test') return info(`+CMGD: (0-${messages.store.capacity(memory) - 1}),(0-4)`)
  const index = whole(command.args[0])
  const flag = whole(command.args[1] ?? '0')
  if (command.form !== 'set' || !(index >= 0) || !(flag >= 0 && flag <= 4)) return cms(INVALID_INDEX)
  if (flag === 0) {
    if (index >= messages.store.capacity(memory)) return cms(INVALID_INDEX)
    messages.store.delete(memory, index)
  } else {
    const statuses = ([[1], [1, 3], [1, 2, 3], [0, 1, 2, 3]] as const)[flag - 1]! as readonly number[]
    for (const [place, { status }] of messages.store.entries(memory))
      if (statuses.includes(status)) messages.store.delete(memory, place)
  }
  messages.fetch(context.nowMs)
  return OK
}

const accepted: Handler = (command) => (command.form === 'set' ? OK : command.form === 'test' ? OK : undefined)

export const SMS_COMMANDS: Readonly<Record<string, Handler>> = {
  '+CMGF': format,
  '+CPMS': memories,
  '+CNMI': newMessages,
  '+CSCA': serviceCentre,
  '+CSMS': service,
  '+CNMA': acknowledge,
  '+CMGL': list,
  '+CMGR': read,
  '+CMGS': send,
  '+CMGW': write,
  '+CMGD': remove,
  '+CMMS': accepted,
  '+CSMP': accepted,
  '+CSDH': accepted,
}
