/** `mmctl sms`: reading, sending and deleting short messages. What a message says comes from anybody: it is cleaned for the terminal. */

import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { errorText } from '../../base/errors.ts'
import { recipientFault } from '../../base/recipient.ts'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Modem, Properties } from '../daemon.ts'
import { CliError } from '../errors.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Variant } from '../marshal.ts'
import { idOfPath, type JsonObject, propertiesToJson } from '../output/json.ts'
import { type Column, pairs, table } from '../output/table.ts'
import { clean, wrap } from '../output/text.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'

/** The network's time for a part, with the modem's own. */
const TIMEOUT_PER_PART_MS = 100_000
/** modemd takes no more in one argument. */
const LONGEST_TEXT = 4096
const LONGEST_FILE_BYTES = 64 * 1024
const MOST_VALIDITY_HOURS = 63 * 7 * 24

const COLUMNS: readonly Column[] = [
  { title: '#' },
  { title: 'TIME' },
  { title: 'STATE' },
  { title: 'NUMBER', minWidth: 8 },
  { title: 'TEXT', minWidth: 12, isCutLast: true },
]

interface Message {
  readonly path: string
  readonly id: string
  readonly properties: Properties
}

interface Content {
  readonly number: string
  readonly text: string
}

interface SendFlags {
  readonly file?: string
  readonly modem?: string
  readonly report?: true
  readonly flash?: true
  readonly validity?: number
}

export function addSmsCommands(program: Command, { command, run }: CommandTools): void {
  const sms = command(program, 'sms', 'short messages', 'mmctl sms send +358401234567 "I am late"')
  command(sms, 'list [modem]', 'a line a message, and whether the memory is full', 'mmctl sms list').action(
    (modem?: string) => run((session) => listMessages(session, modem)),
  )
  command(sms, 'show <id>', 'a whole message; ID is its number in `sms list`', 'mmctl sms show 3').action(
    (id: string) => run((session) => showMessage(session, id)),
  )
  command(
    sms,
    'send <number> [text]',
    'sends a text (- for standard input)',
    'mmctl sms send +358401234567 "I am late"',
  )
    .option('--file <file>', 'the text is in this file')
    .option('--modem <modem>', 'through this modem')
    .option('--report', 'ask for a delivery report: the state becomes delivered')
    .option('--validity <hours>', 'how long the operator tries', validityHours)
    .option('--flash', 'to be shown at once and not kept')
    .action((number: string, text: string | undefined, flags: SendFlags) =>
      run((session) => sendMessage(session, number, text, flags)),
    )
  command(sms, 'delete <id...>', 'deletes messages, from the modem, too', 'mmctl sms delete 3 4').action(
    (ids: readonly string[]) => run((session) => deleteMessages(session, ids)),
  )
}

async function listMessages(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const modem = wanted === undefined ? undefined : chooseModem(daemon, wanted)
  const messages = messagesOf(daemon).filter(({ properties }) => !modem || properties.text('Modem') === modem.path)
  const contents = await Promise.all(messages.map((message) => readContent(daemon, message)))
  const { output } = session
  if (output.json) {
    output.document(messages.map((message, index) => documentOf(message, contents[index]!)))
    return undefined
  }
  if (messages.length === 0) output.print(...whyNone(modem ? [modem] : daemon.modems, output.width))
  else {
    const rows = messages.map((message, index) =>
      rowOf(message, contents[index]!).map((text) => ({ text: clean(text) })),
    )
    output.print(...table(COLUMNS, rows, output.width))
  }
  for (const each of modem ? [modem] : daemon.modems) tellFull(session, each)
  return undefined
}

/** Of a SIM that is locked nobody can know. */
function whyNone(modems: readonly Modem[], width: number): readonly string[] {
  const locked = modems.flatMap(({ id, sim }) => {
    const status = sim?.text('Status')
    if (status !== 'pin' && status !== 'puk') return []
    const remedy = status === 'pin' ? 'mmctl sim unlock' : 'mmctl sim puk'
    return wrap(`The SIM in ${clean(id)} is locked, so its messages are not known: run \`${remedy}\` first.`, width)
  })
  return locked.length > 0 ? locked : ['There is no message.']
}

async function showMessage(session: Session, id: string): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const message = chooseMessage(daemon, id)
  const content = await readContent(daemon, message)
  const { output } = session
  if (output.json) {
    output.document(documentOf(message, content))
    return undefined
  }
  const { properties } = message
  const parts = properties.number('Parts') ?? 1
  const here = properties.number('PartsHere') ?? parts
  const state = properties.text('State') ?? ''
  const isReceived = /^(receiv|incomplete)/.test(state)
  const rows: [string, string | undefined][] = [
    [isReceived ? 'from' : 'to', clean(content.number)],
    ['time', clean(properties.text('Timestamp') ?? '')],
    ['state', state === 'incomplete' ? `incomplete: ${here} of ${parts} parts came` : clean(state)],
    ['parts', parts > 1 ? String(parts) : undefined],
    ['modem', clean(idOfPath(properties.text('Modem')))],
  ]
  output.print(...pairs(rows, output.width, ''), '')
  for (const line of content.text.split(/\r\n|\n|\r/)) output.print(clean(line, LONGEST_FILE_BYTES))
  return undefined
}

async function sendMessage(
  session: Session,
  number: string,
  text: string | undefined,
  flags: SendFlags,
): Promise<ExitCode | undefined> {
  // As people write them.
  const to = number.replace(/[\s()./-]/g, '')
  const fault = recipientFault(to)
  if (fault !== undefined) throw CliError.usage(`"${clean(number)}" ${fault}`)
  const whole = textToSend(text, flags.file)
  if (whole.length > LONGEST_TEXT)
    throw CliError.usage(`the text has ${whole.length} characters: send at most ${LONGEST_TEXT} at a time`)
  const daemon = await session.load()
  const modem = chooseModem(daemon, flags.modem)
  const [parts] = (await daemon.call(modem.path, 'Messaging1', 'CountParts', 's', [whole])) as [number]
  const body = [to, whole, optionsOf(flags)]
  const timeoutMs = parts * TIMEOUT_PER_PART_MS
  const sending = daemon.call(modem.path, 'Messaging1', 'SendWithOptions', 'ssa{sv}', body, timeoutMs)
  const [path] = await sayIfSlow(session, `Sending ${partsText(parts)} to ${to} …`, [sending])
  const id = idOfPath(path)
  if (session.output.json) session.output.document({ id, modem: modem.id, number: to, parts, state: 'sent' })
  else session.output.print(`Sent to ${to} in ${partsText(parts)} (message ${id}).`)
  return undefined
}

async function deleteMessages(session: Session, ids: readonly string[]): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  // All or none: a wrong number among them is told before anything is gone.
  const messages = ids.map((id) => chooseMessage(daemon, id))
  for (const { path, properties } of messages)
    await daemon.call(properties.text('Modem') ?? '/', 'Messaging1', 'Delete', 'o', [path])
  const { output } = session
  if (output.json) output.document({ deleted: messages.map(({ id }) => id) })
  else
    output.print(
      messages.length === 1 ? `Message ${messages[0]!.id} is deleted.` : `${messages.length} messages are deleted.`,
    )
  return undefined
}

/** Oldest first, as modemd numbers them. */
function messagesOf(daemon: Daemon): readonly Message[] {
  return [...daemon.objects('Sms1')].sort((a, b) => Number(a.id) - Number(b.id))
}

function chooseMessage(daemon: Daemon, id: string): Message {
  const found = messagesOf(daemon).find((message) => message.id === id)
  if (!found) throw CliError.notFound(`there is no message "${id}": \`mmctl sms list\` shows those that are there`)
  return found
}

async function readContent(daemon: Daemon, { path }: Message): Promise<Content> {
  const [number, text] = (await daemon.call(path, 'Sms1', 'Read')) as [string, string]
  return { number, text }
}

function rowOf({ id, properties }: Message, { number, text }: Content): readonly string[] {
  const time = localTime(properties.text('Timestamp') ?? '-')
  const state = properties.text('State') ?? '-'
  const parts = properties.number('Parts') ?? 1
  const here = properties.number('PartsHere') ?? parts
  return [id, time, here < parts ? `${state} ${here}/${parts}` : state, number || '-', text.replace(/[\r\n]+/g, ' ')]
}

function documentOf({ id, properties }: Message, content: Content): JsonObject {
  return { id, ...propertiesToJson(properties.values), ...content }
}

function tellFull({ output }: Session, modem: Modem): void {
  const messaging = modem.interface('Messaging1')
  if (messaging?.values.StorageFull !== true) return
  const name = clean(messaging.text('Storage') ?? 'memory')
  const total = messaging.number('StorageTotal') ?? 0
  output.complain(
    `${name} of ${modem.id} is full (${total} of ${total}): new messages wait at the operator until you delete some (\`mmctl sms delete\`)`,
  )
}

function textToSend(text: string | undefined, file: string | undefined): string {
  if ((text === undefined) === (file === undefined))
    throw CliError.usage('give a text, - for standard input, or --file')
  if (text !== undefined && text !== '-') return text
  const whole = readText(file ?? '-')
  if (whole === '') throw CliError.usage('the text is empty')
  return whole
}

/** Without the line end at its end, which editors put there. */
function readText(file: string): string {
  let fd: number | undefined
  try {
    fd = file === '-' ? 0 : openSync(file, 'r')
    const bytes = readFileSync(fd)
    if (bytes.length > LONGEST_FILE_BYTES) throw CliError.usage(`${file} is too long for a message`)
    return bytes.toString('utf8').replace(/\r?\n$/, '')
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('org.modemd.Error.InvalidArgs', `${file} cannot be read (${errorText(error)}): give another`, {
      exitCode: EXIT.usage,
    })
  } finally {
    if (fd !== undefined && fd !== 0) closeSync(fd)
  }
}

function optionsOf({ report, flash, validity }: SendFlags): Readonly<Record<string, Variant>> {
  return {
    ...(report ? { report: new Variant('b', true) } : {}),
    ...(flash ? { flash: new Variant('b', true) } : {}),
    ...(validity === undefined ? {} : { validity: new Variant('u', validity * 60) }),
  }
}

function partsText(parts: number): string {
  return parts === 1 ? '1 part' : `${parts} parts`
}

function validityHours(text: string): number {
  const hours = Number(text)
  if (Number.isInteger(hours) && hours >= 1 && hours <= MOST_VALIDITY_HOURS) return hours
  throw new InvalidArgumentError(`Give whole hours, 1 to ${MOST_VALIDITY_HOURS}.`)
}

/** `2026-11-22 17:42` by the reader's clock: the networks' own zones are not comparable. */
function localTime(timestamp: string): string {
  const atMs = Date.parse(timestamp)
  if (Number.isNaN(atMs)) return timestamp
  const offsetMs = new Date(atMs).getTimezoneOffset() * 60_000
  return new Date(atMs - offsetMs).toISOString().replace('T', ' ').slice(0, 16)
}
