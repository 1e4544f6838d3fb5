/** All commands of a personality: its sets, less what it lacks, and its fixed replies. Used by `at-port.ts`. */

import { type Answer, type CommandContext, type Handler, info } from '../answer.ts'
import type { AtCommand } from '../at-line.ts'
import type { Personality } from '../personality.ts'
import { BASIC_COMMANDS } from './basic.ts'
import { CARD_COMMANDS } from './card.ts'
import { HUAWEI_COMMANDS } from './huawei.ts'
import { NETWORK_COMMANDS } from './network.ts'
import { PACKET_COMMANDS } from './packet.ts'
import { QUECTEL_COMMANDS } from './quectel.ts'
import { SIERRA_COMMANDS } from './sierra.ts'
import { SIM_COMMANDS } from './sim.ts'
import { SIMCOM_COMMANDS } from './simcom.ts'
import { SMS_COMMANDS } from './sms.ts'
import { TELIT_COMMANDS } from './telit.ts'
import { UBLOX_COMMANDS } from './ublox.ts'
import { USSD_COMMANDS } from './ussd.ts'
import { ZTE_COMMANDS } from './zte.ts'

const SETS: Readonly<Record<Personality['dialect']['sets'][number], Readonly<Record<string, Handler>>>> = {
  '3gpp': {
    ...BASIC_COMMANDS,
    ...SIM_COMMANDS,
    ...CARD_COMMANDS,
    ...NETWORK_COMMANDS,
    ...PACKET_COMMANDS,
    ...SMS_COMMANDS,
    ...USSD_COMMANDS,
  },
  huawei: HUAWEI_COMMANDS,
  zte: ZTE_COMMANDS,
  quectel: QUECTEL_COMMANDS,
  simcom: SIMCOM_COMMANDS,
  sierra: SIERRA_COMMANDS,
  telit: TELIT_COMMANDS,
  ublox: UBLOX_COMMANDS,
}

/** undefined: this modem does not know the command. */
export type CommandTable = (command: AtCommand, context: CommandContext) => Answer | undefined

export function commandTable(personality: Personality): CommandTable {
  const { sets, absent, replies } = personality.dialect
  const handlers = new Map(sets.flatMap((set) => Object.entries(SETS[set])))
  for (const name of absent) handlers.delete(name)
  return (command, context) => {
    const fixed = Object.hasOwn(replies, command.text) ? replies[command.text] : undefined
    if (fixed) return info(...fixed)
    const name = /^S\d+$/.test(command.name) ? 'S' : command.name
    return handlers.get(name)?.(command, context)
  }
}
