/** All commands of a personality: its sets, less what it lacks, and its fixed replies. Used by `at-port.ts`. */

import { type Answer, type CommandContext, type Handler, info } from '../answer.ts'
import type { AtCommand } from '../at-line.ts'
import type { Personality } from '../personality.ts'
import { BASIC_COMMANDS } from './basic.ts'
import { HUAWEI_COMMANDS } from './huawei.ts'
import { NETWORK_COMMANDS } from './network.ts'
import { PACKET_COMMANDS } from './packet.ts'
import { SIM_COMMANDS } from './sim.ts'

const SETS: Readonly<Record<Personality['dialect']['sets'][number], Readonly<Record<string, Handler>>>> = {
  '3gpp': { ...BASIC_COMMANDS, ...SIM_COMMANDS, ...NETWORK_COMMANDS, ...PACKET_COMMANDS },
  huawei: HUAWEI_COMMANDS,
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
