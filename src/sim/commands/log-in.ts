/**
 * User and password of a packet context, which the network asks for where PPP does not (`--auth none` beside `--apn NAME:USER:PASSWORD`):
 * +CGAUTH (3GPP TS 27.007 §10.1.31) and what each maker has in its place. Used by the makers' sets.
 */

import { cme, ERROR, type Handler, info, OK, whole } from '../answer.ts'

interface Order {
  /** Where they stand among the values. */
  readonly user: number
  readonly password: number
  /** Of the way to log in: 0 is none. */
  readonly kind: number
  /** +QICSGP defines the context with it: type and APN before the user. */
  readonly definesContext?: boolean
}

const QICSGP_TYPES = ['IP', 'IPV6', 'IPV4V6']

export function logInCommand(name: string, { user, password, kind, definesContext = false }: Order): Handler {
  return (command, { modem }) => {
    if (command.form === 'test') return info(`${name}: (1-16),(0-2)`)
    if (command.form !== 'set') return ERROR
    const { args } = command
    const cid = whole(args[0])
    if (definesContext && Number.isInteger(cid)) {
      const type = QICSGP_TYPES[whole(args[1]) - 1]
      if (type === undefined) return cme(50)
      modem.contexts.set(cid, { cid, type, apn: args[2] ?? '' })
    }
    if (!modem.contexts.has(cid) || !/^[0-3]$/.test(args[kind] ?? '')) return cme(50)
    if (args[kind] === '0') modem.logIns.delete(cid)
    else modem.logIns.set(cid, { user: args[user] ?? '', password: args[password] ?? '' })
    return OK
  }
}
