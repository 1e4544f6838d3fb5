/** `mmctl disconnect`: takes a link down, or all of them; it stays down until it is asked for. */

import type { Command } from 'commander'
import { chooseLink, isActive, severalOf } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Link } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'
import { linkDocument } from '../views.ts'

export function addDisconnect(program: Command, { command, run }: CommandTools): void {
  command(program, 'disconnect [link]', 'takes a link down, until it is asked for again', 'mmctl disconnect --all')
    .option('--all', 'every link')
    .action((link: string | undefined, { all }: { all?: true }, self: Command) => {
      if (all && link !== undefined) self.error('error: give a LINK or --all, not both')
      return run((session) => disconnectLinks(session, link, all === true))
    })
}

/** PPP and the modem are given the time to end in order. */
const TIMEOUT_MS = 60_000

export async function disconnectLinks(
  session: Session,
  wanted: string | undefined,
  all: boolean,
): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const links = chooseLinks(daemon, wanted, all)
  const paths = all ? ['/'] : links.map(({ path }) => path)
  const down = Promise.all(paths.map((path) => daemon.manage('Disconnect', 'o', [path], TIMEOUT_MS)))
  await sayIfSlow(session, 'disconnecting …', [down])
  if (output.json) {
    await daemon.load()
    const wasChosen = ({ path }: Link) => links.some((link) => link.path === path)
    output.document({ links: daemon.links.filter(wasChosen).map(linkDocument) })
  } else if (links.length === 0) output.print('Nothing is connected.')
  else output.print(...links.map(({ id }) => `${clean(id)} is disconnected.`))
  return undefined
}

function chooseLinks(daemon: Daemon, wanted: string | undefined, all: boolean): readonly Link[] {
  if (wanted !== undefined) return [chooseLink(daemon.links, wanted)]
  const active = daemon.links.filter(isActive)
  if (!all && active.length > 1) throw severalOf('link', active)
  return active
}
