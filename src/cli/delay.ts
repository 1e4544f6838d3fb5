/** Why a link is not up yet, as far as modemd shows it. Called by `commands/connect.ts`. */

import { CAUSES, type Cause } from '../base/cause.ts'
import type { Daemon, Link, Modem } from './daemon.ts'
import { clean } from './output/text.ts'
import type { PhaseView } from './phase-view.ts'
import { holderOf, listPorts } from './port-holders.ts'
import { cleanText } from './views.ts'

export interface Delay {
  readonly text: string
  readonly cause?: Cause
}

export function causeOf({ properties }: Link | Modem): Cause | undefined {
  return CAUSES.find((each) => each === (properties.text('Cause') ?? properties.text('FailedCause')))
}

/** Without a modem: another program that has its ports; undefined: none has, or modemd does not say. */
export async function otherHolder(daemon: Daemon): Promise<string | undefined> {
  return daemon.modems.length > 0 ? undefined : holderOf(await listPorts(daemon).catch(() => []))
}

export async function reasonOfDelay(daemon: Daemon, view: PhaseView): Promise<Delay> {
  const { link, modem } = view
  const cause = link && causeOf(link)
  if (cause && cause !== 'user-request')
    return { text: [cause, cleanText(link.properties, 'CauseDetail')].filter(Boolean).join(': '), cause }
  const state = link?.properties.text('State')
  if (state !== undefined && state !== 'waiting') return { text: clean(state) }
  if (daemon.modems.length === 0) {
    const holder = await otherHolder(daemon)
    return holder === undefined
      ? { text: 'no modem is there', cause: 'modem-gone' }
      : { text: holder, cause: 'port-busy' }
  }
  if (!modem) return { text: 'waiting' }
  const { properties } = modem
  const modemState = cleanText(properties, 'State') ?? 'not known'
  const reason = cleanText(properties, 'StateReason')
  const modemCause = causeOf(modem) ?? causeOfState(modemState)
  return {
    text: `the modem is ${reason ? `${modemState}: ${reason}` : modemState}`,
    ...(modemCause && { cause: modemCause }),
  }
}

/** Of a modem that works, and that no link can use. */
const CAUSE_OF_STATE: Readonly<Record<string, Cause>> = {
  locked: 'sim-pin',
  disabled: 'radio-off',
  searching: 'no-network',
}

export function causeOfState(state: string): Cause | undefined {
  return Object.hasOwn(CAUSE_OF_STATE, state) ? CAUSE_OF_STATE[state] : undefined
}
