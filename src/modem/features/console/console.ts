/**
 * The AT console: a person's commands between the daemon's own, in the same queue of the same port, so that neither reads the
 * other's answer. What would break the daemon's work is refused with what to use instead (`refusals.ts`). Called over D-Bus.
 */

import { printable } from '../../../base/bytes.ts'
import { ModemdError } from '../../../base/errors.ts'
import { commandName } from '../../at/session.ts'
import type { FeatureContext } from '../feature.ts'
import { splitLine } from './command-line.ts'
import { refusalOf } from './refusals.ts'
import type { ConsoleCommands, ConsoleRequest } from './snapshot.ts'

/** A modem's command line buffer: none takes more. */
const LONGEST_LINE = 1024
const DEFAULT_TIMEOUT_MS = 10_000
/** A scan of the networks takes three. */
const LONGEST_TIMEOUT_MS = 300_000

/** Commands that have a password among their values. */
const WITH_PASSWORD = /AUTH|PASS|PWD|ICSGP|PDPP|CSTT|UPSD/

export class AtConsole implements ConsoleCommands {
  readonly #modem: FeatureContext

  constructor(modem: FeatureContext) {
    this.#modem = modem
  }

  async command({ line, timeoutMs, isForced }: ConsoleRequest): Promise<string> {
    const text = line.trim()
    if (!/^[\x20-\x7e]+$/.test(text) || text.length > LONGEST_LINE)
      throw new ModemdError('InvalidArgs', 'An AT command is one line of plain ASCII characters, 1024 at most.')
    if (!/^(AT|A\/|\+\+\+)/i.test(text)) throw new ModemdError('InvalidArgs', 'An AT command begins with AT.')
    if (timeoutMs > LONGEST_TIMEOUT_MS)
      throw new ModemdError('InvalidArgs', `timeoutMs must be at most ${LONGEST_TIMEOUT_MS}.`)
    const refusal = refusalOf(text)
    if (refusal !== undefined && !isForced) throw new ModemdError('WrongState', refusal)
    return this.#send(text, timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : timeoutMs)
  }

  async #send(text: string, timeoutMs: number): Promise<string> {
    const { logger, snapshot } = this.#modem
    logger.info(`Console: ${withoutSecrets(text)}`, { modem: snapshot.id })
    const { lines, final } = await this.#modem.attempt(text, { timeoutMs, cancelsPrompt: true })
    logger.info(`Console: answered ${printable(final, 100)}`, { modem: snapshot.id })
    return [...lines, final].join('\n')
  }
}

/** As it may stand in the log. */
function withoutSecrets(line: string): string {
  const isSecret = splitLine(line).some(({ name, rest }) => WITH_PASSWORD.test(name) && /^=(?!\?$)/.test(rest))
  return isSecret ? `${line.split('=')[0]}=…` : commandName(line)
}
