/** modem-ppp: pppd as a program, with our engines. docs/man/modem-ppp.8 says what it does; `command/` does it. */

import { systemClock, systemRandom } from '../system/clock.ts'
import { Parent, startDetached } from './command/detach.ts'
import { EngineRoom } from './command/engine-room.ts'
import { EXIT } from './command/exit-codes.ts'
import { leave } from './command/leave.ts'
import { Messages, toStderr, toStdout } from './command/messages.ts'
import { type PppOptions, readOptions } from './command/options.ts'
import { errnoText } from './command/options-errors.ts'
import { systemServices } from './command/options-system.ts'
import { PppRun } from './command/run.ts'

const PROGRAM = 'modem-ppp'

const options = readOptions(process.argv.slice(2), systemServices(PROGRAM, systemClock))
if ('exitCode' in options) {
  const isWritten = toStdout(options.stdout)
  toStderr(options.stderr)
  leave(isWritten ? options.exitCode : options.exitCode || EXIT.fatal)
} else void carryOut(options)

async function carryOut(options: PppOptions): Promise<void> {
  const messages = openMessages(options)
  const isFirst = !Parent.isThere
  if (isFirst) for (const line of options.dumpLines) messages.info(line)
  // They are what was asked for.
  if (options.isDryRun) leave(messages.hasLostLines ? EXIT.fatal : EXIT.ok)
  const refusal = new EngineRoom(options, messages, systemClock, systemRandom).refusal()
  if (refusal) {
    toStderr(`${PROGRAM}: ${refusal.why}\n`)
    messages.toSyslog('error', refusal.why)
    leave(refusal.exitCode)
  }
  if (isFirst && options.detach !== 'never') {
    startDetached(options)
    return
  }
  const parent = Parent.find(options)
  const run = new PppRun(options, {
    messages,
    clock: systemClock,
    random: systemRandom,
    onUp: () => {
      if (options.detach !== 'at-up' || !parent) return
      messages.debug('updetach is set. Now detaching.')
      messages.leaveTerminal()
      parent.up()
    },
  })
  parent?.onGone(() => process.kill(process.pid, 'SIGTERM'))
  leave(await run.run())
}

function openMessages({ log, debugLevel }: PppOptions): Messages {
  try {
    return new Messages(log, debugLevel > 0, systemClock)
  } catch (error) {
    const name = log.type === 'file' ? ` ${log.path}` : ''
    toStderr(`${PROGRAM}: Can't open log file${name}: ${errnoText(error)}\n`)
    return leave(EXIT.options)
  }
}
