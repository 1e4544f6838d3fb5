/** `mmctl inhibit`: modemd lets go of a modem's ports until the command ends, so that another program can have them. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Modem } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { untilInterrupted } from '../watch.ts'

/** A call that stands is ended first. */
const TIMEOUT_MS = 60_000

export function addInhibit(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'inhibit [modem]',
    "modemd lets go of the modem's ports until this command ends",
    'mmctl inhibit 0',
  ).action((modem?: string) => run((session) => inhibitModem(session, modem)))
}

async function inhibitModem(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.follow()
  const { output } = session
  const { device, name, ports } = chooseDevice(daemon, wanted)
  const [cookie] = await daemon.manage('Inhibit', 's', [device], TIMEOUT_MS)
  if (output.json) output.document({ modem: name, ports, cookie })
  else {
    output.print(`modemd has let go of ${[clean(name), ...ports.map((port) => clean(port))].join(', ')}.`)
    output.print('Interrupt this command (Ctrl-C) to give it back.')
  }
  await untilInterrupted(session, daemon, (change) => {
    if (change.type === 'gone')
      throw new CliError(
        'org.freedesktop.DBus.Error.ServiceUnknown',
        'modemd has left the bus, and with it goes what it let go of: run this again when it is back',
      )
  })
  await daemon.manage('Release', 'u', [cookie], TIMEOUT_MS)
  if (!output.json) output.print(`modemd takes ${clean(name)} back.`)
  return undefined
}

interface Device {
  /** What modemd is told. */
  readonly device: string
  readonly name: string
  readonly ports: readonly string[]
}

/** A tty or a device path may also be one that another program's inhibition keeps from being a modem. */
function chooseDevice(daemon: Daemon, wanted: string | undefined): Device {
  try {
    return ofModem(chooseModem(daemon, wanted))
  } catch (error) {
    if (wanted?.startsWith('/') && error instanceof CliError && error.errorName === 'org.modemd.Error.NotFound')
      return { device: wanted, name: wanted, ports: [] }
    throw error
  }
}

function ofModem({ id, properties }: Modem): Device {
  const ports = properties.list('Ports').map((port) => String(Array.isArray(port) ? port[0] : port))
  return { device: id, name: id, ports }
}
