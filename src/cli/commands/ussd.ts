/** `mmctl ussd`: codes to the network and what it answers; in a session it is asked again for as long as the network wants. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Modem } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'

/** modemd's own limit is a minute behind the command, which may be late itself. */
const TIMEOUT_MS = 150_000
const LONGEST_LINE = 1000
const LONGEST_TYPED = 1000

interface UssdFlags {
  readonly respond?: string
  readonly cancel?: true
}

export function addUssd(program: Command, { command, run }: CommandTools): void {
  command(program, 'ussd [code] [modem]', "a code to the network, and the network's answer", 'mmctl ussd "*100#"')
    .option('--respond <text>', 'answers the network, where a session waits')
    .option('--cancel', 'ends the session')
    .action((code: string | undefined, modem: string | undefined, flags: UssdFlags) =>
      run((session) => ussd(session, code, modem, flags)),
    )
}

async function ussd(
  session: Session,
  first: string | undefined,
  second: string | undefined,
  { respond, cancel }: UssdFlags,
): Promise<ExitCode | undefined> {
  if (cancel && respond !== undefined) throw CliError.usage('--respond goes on and --cancel ends: take one of them')
  const takesCode = respond === undefined && !cancel
  if (!takesCode && second !== undefined)
    throw CliError.usage('a code begins a session: leave it out with --respond and --cancel')
  const [code, wanted] = takesCode ? [first, second] : [undefined, first]
  const daemon = await session.load()
  const modem = chooseModem(daemon, wanted)
  if (!modem.interface('Ussd1')) throw new CliError('org.modemd.Error.Unsupported', `${modem.id} has no USSD`)
  if (cancel) return endSession(session, daemon, modem)
  if (respond !== undefined) return converse(session, daemon, modem, 'Respond', respond)
  return code === undefined ? show(session, daemon, modem) : converse(session, daemon, modem, 'Initiate', code)
}

/** Until the network wants nothing more, or nobody is there to answer it. */
async function converse(
  session: Session,
  daemon: Daemon,
  modem: Modem,
  member: 'Initiate' | 'Respond',
  text: string,
): Promise<ExitCode | undefined> {
  const { output, io } = session
  for (let next: readonly ['Initiate' | 'Respond', string] = [member, text]; ; ) {
    const [method, sent] = next
    const pending = daemon.call(modem.path, 'Ussd1', method, 's', [sent], TIMEOUT_MS)
    const [answer] = await sayIfSlow(session, 'waiting for the network …', [pending])
    const state = await stateOf(daemon, modem)
    if (output.json) {
      output.document({ modem: modem.id, state, answer: String(answer) })
      return undefined
    }
    printText(session, String(answer))
    if (state !== 'user-response') return undefined
    if (!output.isTerminal || io.stdin.isTTY !== true) {
      output.print('The network waits: `mmctl ussd --respond TEXT` answers, `mmctl ussd --cancel` ends.')
      return undefined
    }
    const typed = await askLine(io, 'Answer (nothing ends the session)').catch(async (error) => {
      await daemon.call(modem.path, 'Ussd1', 'Cancel')
      throw error
    })
    if (typed === '') return endSession(session, daemon, modem)
    next = ['Respond', typed]
  }
}

/** Without a code: how it stands, and what the network said last. */
async function show(session: Session, daemon: Daemon, modem: Modem): Promise<ExitCode | undefined> {
  const { output } = session
  const state = modem.interface('Ussd1')?.text('State') ?? 'idle'
  const answer = await lastText(daemon, modem)
  if (output.json) {
    output.document({ modem: modem.id, state, answer })
    return undefined
  }
  if (answer !== undefined) printText(session, answer)
  output.print(
    state === 'user-response'
      ? 'The network waits: `mmctl ussd --respond TEXT` answers, `mmctl ussd --cancel` ends.'
      : state === 'active'
        ? 'The network is being asked.'
        : 'No session is open.',
  )
  return undefined
}

async function endSession(session: Session, daemon: Daemon, modem: Modem): Promise<ExitCode | undefined> {
  await daemon.call(modem.path, 'Ussd1', 'Cancel')
  if (session.output.json) session.output.document({ modem: modem.id, state: await stateOf(daemon, modem) })
  else session.output.print('The session is over.')
  return undefined
}

async function stateOf(daemon: Daemon, modem: Modem): Promise<string> {
  await daemon.load()
  const now = daemon.modems.find(({ path }) => path === modem.path)
  return now?.interface('Ussd1')?.text('State') ?? 'idle'
}

/** undefined: nothing was said yet. */
async function lastText(daemon: Daemon, modem: Modem): Promise<string | undefined> {
  try {
    const [text] = await daemon.call(modem.path, 'Ussd1', 'LastText')
    return String(text)
  } catch (error) {
    if (error instanceof CliError && error.errorName === 'org.modemd.Error.Unknown') return undefined
    throw error
  }
}

function printText({ output }: Session, text: string): void {
  output.print(...text.split('\n').map((line) => clean(line, LONGEST_LINE)))
}

/** A line as the terminal gives it, echo and editing its own. */
async function askLine(io: Io, question: string): Promise<string> {
  const { stdin, stderr } = io
  stderr.write(`${question}: `)
  stdin.resume()
  let stop = () => {}
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = ''
      const onData = (bytes: Buffer) => {
        typed += bytes.toString('utf8')
        const isOver = bytes.length === 0 || typed.length > LONGEST_TYPED || /[\r\n\x04]/.test(typed)
        if (isOver) resolve(typed.split(/[\r\n\x04]/, 1)[0]!.trim())
      }
      stdin.on('data', onData)
      const cancel = io.onInterrupt(() => {
        stderr.write('\n')
        reject(CliError.interrupted('interrupted: the session was ended'))
      })
      stop = () => {
        stdin.off('data', onData)
        cancel()
      }
    })
  } finally {
    stop()
    stdin.pause()
  }
}
