/** +CMGL and +CMGR: messages of a storage, in PDU and text mode (3GPP TS 27.005 §3.4.2, §3.4.3, §4.1, §4.2). Used by messaging. */

import { decodeText } from '../text.ts'
import { bodiesOf, type Field, fieldsOf, numberOf } from './fields.ts'
import { isTextMode, type MessageHeader, pduHeaderOf, statusOf, textHeaderOf } from './message-header.ts'

export interface StoredMessage extends MessageHeader {
  /** Place in the storage; +CMGR has none. */
  readonly index?: number | undefined
  /** PDU mode: hexadecimal, upper case, with the service centre before it; undefined in text mode and for an empty place. */
  readonly pdu?: string | undefined
  /** Text mode. */
  readonly text?: string | undefined
}

export interface MessageList {
  readonly messages: readonly StoredMessage[]
  /** Lines that belong to no message that could be read. */
  readonly unread: readonly string[]
}

const HEADED = /^[+^*#$%_][A-Z0-9]+\s*:/i

/** A head a message, the message on the lines behind it; reports of the modem between them are passed over. */
export function parseCmgl(lines: readonly string[]): MessageList {
  return collect(lines, '+CMGL')
}

/** One message; undefined where there is none. */
export function parseCmgr(lines: readonly string[]): StoredMessage | undefined {
  return collect(lines, '+CMGR').messages[0]
}

/** `<index>,<stat>,[<alpha>],<length>` or text mode's; undefined where no place can be read. */
export function parseCmglHeader(line: string): (MessageHeader & { readonly index: number }) | undefined {
  const fields = fieldsOf(bodiesOf([line], '+CMGL')[0] ?? '')
  const index = numberOf(fields[0])
  return index === undefined || index < 0 ? undefined : { index, ...headerOf(fields.slice(1)) }
}

/** `<stat>,[<alpha>],<length>` or text mode's. */
export function parseCmgrHeader(line: string): MessageHeader | undefined {
  const body = bodiesOf([line], '+CMGR')[0]
  return body === undefined || body === '' ? undefined : headerOf(fieldsOf(body))
}

function headerOf([stat, ...rest]: readonly Field[]): MessageHeader {
  const status = statusOf(stat)
  const header = isTextMode(stat) || hasReport(rest) ? textHeaderOf(rest) : pduHeaderOf(rest)
  return status === undefined ? header : { status, ...header }
}

/** Delivery reports have numbers and dates behind a status that may be a number as well. */
function hasReport(fields: readonly Field[]): boolean {
  return fields.length >= 5
}

function collect(lines: readonly string[], prefix: '+CMGL' | '+CMGR'): MessageList {
  const messages: StoredMessage[] = []
  const unread: string[] = []
  let header: (MessageHeader & { readonly index?: number }) | undefined
  let head = ''
  let bodies: string[] = []
  const finish = () => {
    if (header) messages.push({ ...header, ...bodyOf(header, head, bodies) })
    header = undefined
    bodies = []
  }
  for (const line of lines) {
    const isHead = bodiesOf([line], prefix).length > 0
    if (isHead) {
      finish()
      header = prefix === '+CMGL' ? parseCmglHeader(line) : parseCmgrHeader(line)
      head = line
      if (!header) unread.push(line)
    } else if (!header) unread.push(line)
    else if (header.length !== undefined && (HEADED.test(line) || !isHex(line))) unread.push(line)
    else bodies.push(line)
  }
  finish()
  return { messages, unread }
}

function bodyOf(
  header: MessageHeader,
  head: string,
  bodies: readonly string[],
): { readonly pdu?: string; readonly text?: string } {
  // A PDU that stands behind its head in the same line.
  const glued = header.length === undefined ? undefined : /,\s*\d{1,3}\s+"?([0-9A-Fa-f]{14,})"?$/.exec(head)?.[1]
  const joined = bodies.map((body) => body.trim().replace(/^"|"$/g, '')).join('')
  const hex = glued ?? joined
  const isText = header.number !== undefined || header.timestamp !== undefined
  if (header.length !== undefined || (!isText && isHex(hex) && hex.length >= 14)) {
    const pdu = hex.toUpperCase()
    return pdu === '' ? {} : { pdu }
  }
  return bodies.length === 0 ? {} : { text: decodeText(bodies.join('\n')) }
}

function isHex(text: string): boolean {
  return /^\s*"?[0-9A-Fa-f\s]*"?\s*$/.test(text)
}
