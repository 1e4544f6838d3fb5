/**
 * Who may do what: asked on every call of a method that is not open to all, by the credentials that the bus vouches
 * for. Properties are readable by everyone and never come here.
 * Today: root and the members of the group `modemd` control; root administers. The daemon's own user counts as root,
 * for a private bus in a user namespace. polkit (with its rule for users at an active console) comes later; until then
 * an active console alone gives no right.
 */

import { readFileSync } from 'node:fs'
import { ModemdError } from '../base/errors.ts'
import type { Access } from './definition.ts'
import type { Variant } from './signature.ts'

const CONTROL_GROUP = 'modemd'

/** Resolves where the caller may; rejects with NotAuthorized. */
export type Authorise = (sender: string, access: Exclude<Access, 'anyone'>) => Promise<void>

type Credentials = Readonly<Record<string, Variant>>

export interface AuthorisationOptions {
  /** GetConnectionCredentials of the bus daemon. */
  readonly credentialsOf: (sender: string) => Promise<Credentials>
  readonly ownUid: number
  /** Where `group` and `passwd` are. */
  readonly etcDirectory: string
}

export function createAuthoriser({ credentialsOf, ownUid, etcDirectory }: AuthorisationOptions): Authorise {
  /** The bus is asked once for all the calls of a sender that wait: ten thousand answers at once would come too late. */
  const asked = new Map<string, Promise<Credentials>>()
  const ask = (sender: string) => {
    const answer = credentialsOf(sender)
      .catch((): Credentials => ({}))
      .finally(() => asked.delete(sender))
    asked.set(sender, answer)
    return answer
  }
  return async (sender, access) => {
    const credentials = await (asked.get(sender) ?? ask(sender))
    const uid = credentials.UnixUserID?.value
    if (typeof uid !== 'number') throw new ModemdError('NotAuthorized', 'The bus does not say who you are.')
    if (uid === 0 || uid === ownUid) return
    if (access === 'administrator') throw new ModemdError('NotAuthorized', 'Only root may do this: try it with sudo.')
    if (isInControlGroup(uid, credentials.UnixGroupIDs?.value, etcDirectory)) return
    throw new ModemdError(
      'NotAuthorized',
      `Only root and members of the group ${CONTROL_GROUP} may do this: run "adduser NAME ${CONTROL_GROUP}" as root and log in again.`,
    )
  }
}

/** The bus tells the caller's groups where it can (dbus-daemon 1.15, dbus-broker 32); else the system's files do. */
function isInControlGroup(uid: number, groupIds: unknown, etcDirectory: string): boolean {
  const group = records(`${etcDirectory}/group`).find(([name]) => name === CONTROL_GROUP)
  if (!group) return false
  const groupId = Number(group[2])
  if (Array.isArray(groupIds)) return groupIds.includes(groupId)
  const members = group[3]?.split(',') ?? []
  return records(`${etcDirectory}/passwd`).some(
    ([name = '', , userId, primaryGroup]) =>
      Number(userId) === uid && (members.includes(name) || Number(primaryGroup) === groupId),
  )
}

/** The fields of group(5) or passwd(5), read anew each time: who was put out of the group is out. */
function records(file: string): readonly (readonly string[])[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
