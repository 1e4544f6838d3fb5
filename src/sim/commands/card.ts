/** Files of the card: 3GPP TS 27.007 §8.18 (+CRSM) reads EF-ICCID, EF-AD and EF-SPN (3GPP TS 31.102 §4.2), and nothing is written. */

import { type Handler, info } from '../answer.ts'
import { HOME_PLMN } from '../identity.ts'
import { HOME_CELL } from '../network.ts'
import { iccid, simFault } from './sim.ts'

const READ_BINARY = '176'
const EF_ICCID = '12258'
const EF_SPN = '28486'
const EF_AD = '28589'

/** The status words of ETSI TS 102 221 §10.2 as two numbers: read, no such file, not allowed. */
const READ = '144,0'
const NO_FILE = '106,130'
const NOT_ALLOWED = '105,130'

const SPN_BYTES = 17

const readFile: Handler = (command, context) => {
  if (command.form !== 'set') return command.form === 'test' ? info() : undefined
  const [instruction, file = '', , , length] = command.args
  const fault = file === EF_ICCID && context.modem.sim.state !== 'absent' ? undefined : simFault(context)
  if (fault) return fault
  if (instruction !== READ_BINARY) return info(`+CRSM: ${NOT_ALLOWED}`)
  const bytes = {
    [EF_ICCID]: swapped(iccid(context) ?? ''),
    [EF_AD]: [0, 0, 0, HOME_PLMN.length - 3],
    [EF_SPN]: [0, ...new TextEncoder().encode(HOME_CELL.name), ...new Array(SPN_BYTES).fill(0xff)].slice(0, SPN_BYTES),
  }[file]
  if (!bytes) return info(`+CRSM: ${NO_FILE}`)
  return info(
    `+CRSM: ${READ},"${Buffer.from(bytes.slice(0, Number(length) || undefined))
      .toString('hex')
      .toUpperCase()}"`,
  )
}

/** Two digits a byte, the first in the low half (ITU-T E.118 as the card has it). */
function swapped(digits: string): number[] {
  return (digits.padEnd(20, 'F').match(/../g) ?? []).map((pair) => Number.parseInt(`${pair[1]}${pair[0]}`, 16))
}

export const CARD_COMMANDS: Readonly<Record<string, Handler>> = { '+CRSM': readFile }
