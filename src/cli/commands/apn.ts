/** `mmctl apn`: the access points that the provider database proposes, for a network or for a modem's SIM. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import { type Daemon, Properties, type PropertyValues } from '../daemon.ts'
import type { ExitCode } from '../exit-codes.ts'
import { propertiesToJson } from '../output/json.ts'
import { type Column, table } from '../output/table.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { cleanText } from '../views.ts'

const COLUMNS: readonly Column[] = [
  { title: '' },
  // What a person copies from here.
  { title: 'APN', minWidth: 24, isCutLast: true },
  { title: 'PROVIDER', minWidth: 10 },
  { title: 'PLAN', minWidth: 8 },
  { title: 'USE' },
  { title: 'USER', minWidth: 6, isCutLast: true },
]

/** A SIM may be asked first. */
const TIMEOUT_MS = 30_000

export function addApn(program: Command, { command, run }: CommandTools): void {
  command(program, 'apn [plmn|modem]', 'access points that the provider database knows', 'mmctl apn 26201').action(
    (wanted?: string) => run((session) => showApns(session, wanted)),
  )
}

async function showApns(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const whose = networkOrModem(daemon, wanted)
  const [list] = (await daemon.manage('ListApns', 's', [whose], TIMEOUT_MS)) as [readonly PropertyValues[]]
  if (output.json) output.document(list.map(propertiesToJson))
  else if (list.length === 0)
    output.print(
      `No access point is known for ${clean(whose)}: your operator names it, \`mmctl connect --apn\` uses it.`,
    )
  else {
    const rows = list.map((values) => row(new Properties(values)))
    output.print(...table(COLUMNS, rows, output.width))
    if (list.some(({ worked }) => worked === true)) output.print('* worked for this SIM last')
  }
  return undefined
}

/** Five or six digits are a network: a modem's number in the list has four at most. */
function networkOrModem(daemon: Daemon, wanted: string | undefined): string {
  return wanted !== undefined && /^\d{5,6}$/.test(wanted) ? wanted : chooseModem(daemon, wanted).id
}

function row(offer: Properties) {
  const plan = [cleanText(offer, 'name'), ...offer.texts('plans').map(clean)].filter((text) => text !== undefined)
  const country = cleanText(offer, 'country')
  const provider = [cleanText(offer, 'provider'), country && `(${country})`].filter((text) => text !== undefined)
  const cells = [
    offer.values.worked === true ? '*' : '',
    cleanText(offer, 'apn') ?? "the network's",
    provider.join(' '),
    plan.join(', '),
    cleanText(offer, 'usage'),
    cleanText(offer, 'user'),
  ]
  return cells.map((text, index) => ({ text: text || (index === 0 ? '' : '-') }))
}
