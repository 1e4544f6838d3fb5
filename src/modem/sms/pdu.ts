/**
 * Short messages as a modem gives and takes them in PDU mode: service centre and TPDU in hexadecimal (3GPP TS 27.005 §3.1, TS
 * 23.040 §9.2.2). Pure; parse and emit. Nothing that comes from the air makes it throw: what cannot be read is undefined or has a
 * word in `faults`.
 */

import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import {
  readAddress,
  readServiceCentre,
  type SmsAddress,
  toAddress,
  writeAddress,
  writeServiceCentre,
} from './address.ts'
import { readTimestamp, type Timestamp, timestampBytes } from './timestamp.ts'
import { codingSchemeByte, type EmittedUserData, readUserData, type UserData } from './user-data.ts'

interface Common {
  /** '' where none is given. */
  readonly serviceCentre: string
  /** What is wrong with it, a word each; what could be read is there. */
  readonly faults: readonly string[]
}

/** From somebody (§9.2.2.1). */
export interface Deliver extends Common {
  readonly type: 'deliver'
  readonly from: SmsAddress
  readonly protocolId: number
  readonly at: Timestamp | undefined
  readonly data: UserData
}

/** To somebody (§9.2.2.2): a draft or a sent message in the store. */
export interface Submit extends Common {
  readonly type: 'submit'
  readonly to: SmsAddress
  readonly reference: number
  readonly protocolId: number
  /** Relative, in minutes (§9.2.3.12.1). */
  readonly validityMinutes: number | undefined
  readonly wantsReport: boolean
  readonly data: UserData
}

/** What became of a message that was sent (§9.2.2.3). */
export interface StatusReport extends Common {
  readonly type: 'status-report'
  /** TP-MR of that message. */
  readonly reference: number
  readonly to: SmsAddress
  readonly sentAt: Timestamp | undefined
  readonly doneAt: Timestamp | undefined
  readonly status: number
}

export type Pdu = Deliver | Submit | StatusReport

const TYPE = 0x03
const SUBMIT = 0x01
const STATUS_REPORT = 0x02
const HAS_MORE_OR_REJECT_DUPLICATES = 0x04
const VALIDITY = 0x18
const VALIDITY_RELATIVE = 0x10
const STATUS_REPORT_WANTED = 0x20
const HAS_HEADER = 0x40

/**
 * `tpduBytes` is the length that the line before it names: it does not count the service centre, which some modems leave out.
 * undefined: no hexadecimal, or it ends before anything can be said of it.
 */
export function parsePdu(hex: string, tpduBytes?: number): Pdu | undefined {
  const bytes = bytesOfHex(hex)
  if (!bytes) return undefined
  const reader = new ByteReader(bytes)
  const hasServiceCentre = tpduBytes === undefined || tpduBytes <= 0 || bytes.length !== tpduBytes
  const serviceCentre = hasServiceCentre ? readServiceCentre(reader)?.text : ''
  if (serviceCentre === undefined) return undefined
  const first = reader.u8()
  if (first === undefined) return undefined
  const type = first & TYPE
  if (type === SUBMIT) return parseSubmit(reader, first, serviceCentre)
  if (type === STATUS_REPORT) return parseStatusReport(reader, serviceCentre)
  return parseDeliver(reader, first, serviceCentre)
}

function parseDeliver(reader: ByteReader, first: number, serviceCentre: string): Deliver | undefined {
  const from = readAddress(reader)
  const protocolId = reader.u8()
  const dcs = reader.u8()
  if (!from || protocolId === undefined || dcs === undefined) return undefined
  const faults: string[] = []
  const time = readTimestamp(reader)
  if (!time?.at) faults.push('no time')
  const data = readRest(reader, dcs, first, faults)
  return { type: 'deliver', serviceCentre, from, protocolId, at: time?.at, data, faults }
}

function parseSubmit(reader: ByteReader, first: number, serviceCentre: string): Submit | undefined {
  const reference = reader.u8()
  const to = readAddress(reader)
  const protocolId = reader.u8()
  const dcs = reader.u8()
  if (reference === undefined || !to || protocolId === undefined || dcs === undefined) return undefined
  const faults: string[] = []
  const validityMinutes = readValidity(reader, first & VALIDITY)
  const data = readRest(reader, dcs, first, faults)
  const wantsReport = (first & STATUS_REPORT_WANTED) !== 0
  return { type: 'submit', serviceCentre, to, reference, protocolId, validityMinutes, wantsReport, data, faults }
}

function parseStatusReport(reader: ByteReader, serviceCentre: string): StatusReport | undefined {
  const reference = reader.u8()
  const to = readAddress(reader)
  if (reference === undefined || !to) return undefined
  const sentAt = readTimestamp(reader)?.at
  const doneAt = readTimestamp(reader)?.at
  const status = reader.u8()
  if (status === undefined) return undefined
  return { type: 'status-report', serviceCentre, reference, to, sentAt, doneAt, status, faults: [] }
}

function readRest(reader: ByteReader, dcs: number, first: number, faults: string[]): UserData {
  const length = reader.u8()
  if (length === undefined) faults.push('it breaks off')
  return readUserData(dcs, length ?? 0, reader.rest(), (first & HAS_HEADER) !== 0, faults)
}

/** §9.2.3.12: one octet relative; the other forms have seven and are passed over. */
function readValidity(reader: ByteReader, form: number): number | undefined {
  if (form === 0) return undefined
  if (form !== VALIDITY_RELATIVE) {
    reader.take(7)
    return undefined
  }
  const value = reader.u8()
  if (value === undefined) return undefined
  if (value <= 143) return (value + 1) * 5
  if (value <= 167) return 12 * 60 + (value - 143) * 30
  if (value <= 196) return (value - 166) * 24 * 60
  return (value - 192) * 7 * 24 * 60
}

/** The shortest that is not shorter than asked for. */
function validityByte(minutes: number): number {
  if (minutes <= 12 * 60) return Math.max(0, Math.ceil(minutes / 5) - 1)
  if (minutes <= 24 * 60) return 143 + Math.ceil((minutes - 12 * 60) / 30)
  if (minutes <= 30 * 24 * 60) return 166 + Math.ceil(minutes / (24 * 60))
  return Math.min(255, 192 + Math.ceil(minutes / (7 * 24 * 60)))
}

export interface EmittedPdu {
  readonly hex: string
  /** What +CMGS and its like are told: without the service centre. */
  readonly tpduBytes: number
}

export interface SubmitFields {
  /** '' = the one that the modem has set. */
  readonly serviceCentre?: string
  readonly to: string
  readonly reference?: number
  readonly validityMinutes?: number | undefined
  readonly wantsReport?: boolean
  readonly encoding: 'gsm7' | 'ucs2' | '8bit'
  readonly messageClass?: number | undefined
  readonly data: EmittedUserData
}

export function emitSubmit(fields: SubmitFields): EmittedPdu {
  const { to, reference = 0, validityMinutes, wantsReport, encoding, messageClass, data } = fields
  const first =
    SUBMIT |
    (validityMinutes === undefined ? 0 : VALIDITY_RELATIVE) |
    (wantsReport ? STATUS_REPORT_WANTED : 0) |
    (data.hasHeader ? HAS_HEADER : 0)
  const tpdu = new ByteWriter().u8(first).u8(reference)
  writeAddress(tpdu, toAddress(to))
  tpdu.u8(0).u8(codingSchemeByte({ encoding, messageClass }))
  if (validityMinutes !== undefined) tpdu.u8(validityByte(validityMinutes))
  tpdu.u8(data.length).bytes(data.bytes)
  return withServiceCentre(fields.serviceCentre ?? '', tpdu)
}

export interface DeliverFields {
  readonly serviceCentre?: string
  readonly from: string
  readonly at: Timestamp
  readonly encoding: 'gsm7' | 'ucs2' | '8bit'
  readonly messageClass?: number | undefined
  readonly data: EmittedUserData
}

/** For the simulator's operator. */
export function emitDeliver({ serviceCentre = '', from, at, encoding, messageClass, data }: DeliverFields): EmittedPdu {
  const tpdu = new ByteWriter().u8(HAS_MORE_OR_REJECT_DUPLICATES | (data.hasHeader ? HAS_HEADER : 0))
  writeAddress(tpdu, toAddress(from))
  tpdu.u8(0).u8(codingSchemeByte({ encoding, messageClass })).bytes(timestampBytes(at))
  tpdu.u8(data.length).bytes(data.bytes)
  return withServiceCentre(serviceCentre, tpdu)
}

export interface StatusReportFields {
  readonly serviceCentre?: string
  readonly reference: number
  readonly to: string
  readonly sentAt: Timestamp
  readonly doneAt: Timestamp
  readonly status: number
}

export function emitStatusReport(fields: StatusReportFields): EmittedPdu {
  const tpdu = new ByteWriter().u8(STATUS_REPORT | HAS_MORE_OR_REJECT_DUPLICATES).u8(fields.reference)
  writeAddress(tpdu, toAddress(fields.to))
  tpdu.bytes(timestampBytes(fields.sentAt)).bytes(timestampBytes(fields.doneAt)).u8(fields.status)
  return withServiceCentre(fields.serviceCentre ?? '', tpdu)
}

function withServiceCentre(serviceCentre: string, tpdu: ByteWriter): EmittedPdu {
  const whole = new ByteWriter()
  writeServiceCentre(whole, toAddress(serviceCentre))
  whole.bytes(tpdu.done())
  return { hex: hexOf(whole.done()), tpduBytes: tpdu.length }
}

/** TP-Status (§9.2.3.15). `pending`: the service centre still tries. */
export function deliveryOf(status: number): 'delivered' | 'pending' | 'failed' {
  if (status <= 0x1f) return 'delivered'
  return status <= 0x3f ? 'pending' : 'failed'
}

/** undefined: no hexadecimal. Blanks do no harm, and half an octet at the end is left out. */
function bytesOfHex(hex: string): Uint8Array | undefined {
  const digits = hex.replace(/\s/g, '')
  if (digits.length < 2 || !/^[0-9a-f]+$/i.test(digits)) return undefined
  return new Uint8Array(Buffer.from(digits.slice(0, digits.length & ~1), 'hex'))
}

export function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const value of bytes) hex += value.toString(16).padStart(2, '0')
  return hex.toUpperCase()
}
