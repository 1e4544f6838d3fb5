/**
 * polkit's word on a caller (org.freedesktop.PolicyKit1.Authority, polkit(8)): may it do what an action of dbus/org.modemd.policy names?
 * `authorisation.ts` asks it for who is not root. The subject is the caller's name on the bus, so that nobody can end and leave its
 * process number to another.
 */

import type { Logger } from '../base/ports.ts'
import { type OutgoingCall, RemoteError } from './connection.ts'
import { variant } from './signature.ts'

const NAME = 'org.freedesktop.PolicyKit1'
const PATH = '/org/freedesktop/PolicyKit1/Authority'
const INTERFACE = 'org.freedesktop.PolicyKit1.Authority'
const ALLOW_USER_INTERACTION = 1
/** A person reads a dialogue and types a password. */
const INTERACTION_LIMIT_MS = 5 * 60_000
const ANSWER_LIMIT_MS = 10_000

export type PolkitAction =
  | 'org.modemd.connect'
  | 'org.modemd.messaging'
  | 'org.modemd.control'
  | 'org.modemd.at-console'

/** `challenge`: yes, once the caller has proven who they are, for which there was no way or no leave. */
export type PolkitVerdict = 'yes' | 'no' | 'challenge'

/** undefined: there is no polkit on this bus, or it does not know the action. One that is there and fails, or is silent, lets nobody. */
export type AskPolkit = (
  sender: string,
  action: PolkitAction,
  mayInteract: boolean,
) => Promise<PolkitVerdict | undefined>

export interface PolkitOptions {
  /** Of the bus daemon itself. */
  readonly callBus: (member: string, signature: string, body: readonly unknown[]) => Promise<readonly unknown[]>
  readonly call: (call: OutgoingCall, timeoutMs: number) => Promise<readonly unknown[]>
  readonly logger: Logger
}

export function createPolkit({ callBus, call, logger }: PolkitOptions): AskPolkit {
  /** Its unique name, for which no other program can answer. It is started where it is installed. */
  const owner = async (): Promise<string> => {
    const nameOwner = () => callBus('GetNameOwner', 's', [NAME])
    const [name] = await nameOwner().catch(async () => {
      await callBus('StartServiceByName', 'su', [NAME, 0])
      return nameOwner()
    })
    return name as string
  }
  const ask = async (destination: string, sender: string, action: PolkitAction, mayInteract: boolean) => {
    const subject = ['system-bus-name', { name: variant('s', sender) }]
    const flags = mayInteract ? ALLOW_USER_INTERACTION : 0
    const [result] = await call(
      {
        destination,
        path: PATH,
        interface: INTERFACE,
        member: 'CheckAuthorization',
        signature: '(sa{sv})sa{ss}us',
        body: [subject, action, {}, flags, ''],
      },
      mayInteract ? INTERACTION_LIMIT_MS : ANSWER_LIMIT_MS,
    )
    return verdictOf(result)
  }
  /** Said once, not for each call of somebody who tries again and again. */
  let isFaultTold = false
  return async (sender, action, mayInteract) => {
    const destination = await owner().catch(() => undefined)
    if (destination === undefined) return undefined
    try {
      const verdict = await ask(destination, sender, action, mayInteract)
      isFaultTold = false
      return verdict
    } catch (error) {
      const isGroups = hasNoWord(error)
      const outcome = isGroups ? 'the group decides' : 'nobody may'
      if (!isFaultTold)
        logger.warn(`polkit did not say whether a caller may do ${action}; ${outcome}.`, { error: String(error) })
      isFaultTold = true
      if (isGroups) return undefined
      return mayInteract ? 'challenge' : 'no'
    }
  }
}

/** It left before it answered, as the bus tells (NoReply, where it had the question already), or does not know the action. */
function hasNoWord(error: unknown): boolean {
  if (!(error instanceof RemoteError)) return false
  if (error.errorName === `${NAME}.Error.Failed`) return /is not registered/.test(error.message)
  return /^org\.freedesktop\.DBus\.Error\.(?:NoReply|ServiceUnknown|NameHasNoOwner)$/.test(error.errorName)
}

/** Of `(bba{ss})`: is authorised, is challenge, details. */
function verdictOf(result: unknown): PolkitVerdict {
  const [isAuthorized, isChallenge] = Array.isArray(result) ? result : []
  if (isAuthorized === true) return 'yes'
  return isChallenge === true ? 'challenge' : 'no'
}
