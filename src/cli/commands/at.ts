/** `mmctl at`: the AT console. What may be sent is modemd's to say; the answer is shown as the modem gave it, made harmless. */

import { type Command, InvalidArgumentError } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Modem } from '../daemon.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'

const LONGEST_TIMEOUT_S = 300
/** The daemon's own commands may be on the line before ours, a scan of the networks among them. */
const QUEUE_MS = 200_000
const LONGEST_LINE = 8192

export interface AtFlags {
  readonly timeout?: number
  readonly force?: true
}

interface Answer {
  readonly command: string
  /** Without the final result. */
  readonly lines: readonly string[]
  readonly final: string
}

export function addAt(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'at <modem> <command...>',
    "sends AT commands between modemd's own (at-console = yes in modemd.conf, administrator)",
    "mmctl at 0 AT+CSQ 'AT+COPS=?' --timeout 180",
  )
    .option('--timeout <seconds>', 'wait for each answer so long (default: 10)', timeoutSeconds)
    .option('--force', "also what breaks modemd's work; never a PIN")
    .action((modem: string, lines: readonly string[], flags: AtFlags) =>
      run((session) => sendCommands(session, modem, lines, flags)),
    )
}

function timeoutSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= LONGEST_TIMEOUT_S) return seconds
  throw new InvalidArgumentError(`Give seconds, at most ${LONGEST_TIMEOUT_S}.`)
}

/** One after another, up to the first that the modem answers with an error: 1 then. */
async function sendCommands(
  session: Session,
  wanted: string,
  commands: readonly string[],
  flags: AtFlags,
): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const modem = chooseModem(daemon, wanted)
  const { output } = session
  const answers: Answer[] = []
  for (const command of commands) {
    const pending = send(daemon, modem, command, flags)
    const answer = await sayIfSlow(session, `waiting for the answer to ${command} …`, [pending])
    answers.push(answer)
    if (!output.json) output.print(...[...answer.lines, answer.final].map((line) => clean(line, LONGEST_LINE)))
    if (answer.final !== 'OK') break
  }
  const last = answers.at(-1)!
  const unsent = commands.slice(answers.length)
  const isRefused = last.final !== 'OK'
  const rest = unsent.length === 0 ? '' : `: ${unsent.join(', ')} ${wasOrWere(unsent)} not sent`
  const message = `the modem refused ${last.command}${rest}`
  const error = { name: 'org.modemd.Error.Unknown', message, cause: 'modem-error' }
  if (output.json) output.document({ modem: modem.id, answers, ...(isRefused ? { error } : {}) })
  else if (unsent.length > 0) output.complain(message)
  return isRefused ? EXIT.failed : undefined
}

function wasOrWere(list: readonly string[]): string {
  return list.length === 1 ? 'was' : 'were'
}

async function send(daemon: Daemon, modem: Modem, command: string, { timeout, force }: AtFlags): Promise<Answer> {
  const timeoutMs = Math.round((timeout ?? 0) * 1000)
  const member = force ? 'ForceCommand' : 'Command'
  const [response] = await daemon.call(modem.path, 'Modem1', member, 'su', [command, timeoutMs], timeoutMs + QUEUE_MS)
  const lines = String(response).split('\n')
  return { command, lines: lines.slice(0, -1), final: lines.at(-1)! }
}
