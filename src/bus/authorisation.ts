/**
 * Who may do what: asked on every call of a method that is not open to all, by the credentials that the bus vouches
 * for. Properties are readable by everyone and never come here.
 * Root may do all; `administrator` is root's alone. Of the rest polkit decides where it is on the bus (dbus/org.modemd.policy: a
 * user at an active console connects, reads and sends messages; a rule for the group `modemd`); where it is not, or does not know the
 * action, the members of the group may do all but the AT console; one that is silent or fails lets nobody. docs/privileges.md has the table of methods.
 */

import { readFileSync } from 'node:fs'
import { ModemdError } from '../base/errors.ts'
import type { Access } from './definition.ts'
import type { AskPolkit, PolkitAction, PolkitVerdict } from './polkit.ts'
import type { Variant } from './signature.ts'

const CONTROL_GROUP = 'modemd'
/** login.defs(5), UID_MIN: below it are the accounts of services; systemd's own ranges and `nobody` are above. */
const FIRST_PERSON = 1000
const LAST_PERSON = 60_000

const ACTIONS: Readonly<Record<Exclude<Access, 'anyone' | 'administrator'>, PolkitAction>> = {
  connect: 'org.modemd.connect',
  messaging: 'org.modemd.messaging',
  control: 'org.modemd.control',
  'at-console': 'org.modemd.at-console',
}

/** Resolves where the caller may; rejects with NotAuthorized. `mayInteract`: the caller would wait for a person to prove who they are. */
export type Authorise = (sender: string, access: Exclude<Access, 'anyone'>, mayInteract?: boolean) => Promise<void>

type Credentials = Readonly<Record<string, Variant>>

export interface AuthorisationOptions {
  /** GetConnectionCredentials of the bus daemon. */
  readonly credentialsOf: (sender: string) => Promise<Credentials>
  readonly askPolkit?: AskPolkit
  /** The daemon's. A person's counts as root (a daemon on one's own session bus); a service's account, modemd's included, has what its groups give it. */
  readonly ownUid: number
  /** Where `group` and `passwd` are. */
  readonly etcDirectory: string
}

export function createAuthoriser({
  credentialsOf,
  askPolkit = async () => undefined,
  ownUid,
  etcDirectory,
}: AuthorisationOptions): Authorise {
  const isOwnRoot = ownUid >= FIRST_PERSON && ownUid <= LAST_PERSON
  const credentials = shared((sender) => credentialsOf(sender).catch((): Credentials => ({})))
  const verdict = shared((question) => {
    const [sender, action, mayInteract] = JSON.parse(question) as [string, PolkitAction, boolean]
    return askPolkit(sender, action, mayInteract).catch(() => 'no' as const)
  })
  return async (sender, access, mayInteract = false) => {
    const { UnixUserID, UnixGroupIDs } = await credentials(sender)
    const uid = UnixUserID?.value
    if (typeof uid !== 'number') throw new ModemdError('NotAuthorized', 'The bus does not say who you are.')
    if (uid === 0 || (isOwnRoot && uid === ownUid)) return
    if (access === 'administrator') throw onlyRoot()
    const answer = await verdict(JSON.stringify([sender, ACTIONS[access], mayInteract]))
    if (answer === 'yes') return
    if (answer !== undefined) throw refusedByPolkit(answer, ACTIONS[access])
    if (access === 'at-console') throw onlyRoot()
    if (isInControlGroup(uid, UnixGroupIDs?.value, etcDirectory)) return
    throw new ModemdError(
      'NotAuthorized',
      `Only root and members of the group ${CONTROL_GROUP} may do this: run "adduser NAME ${CONTROL_GROUP}" as root and log in again.`,
    )
  }
}

/** Asked once for all the calls that wait for the same answer: ten thousand answers at once would come too late. */
function shared<T>(ask: (question: string) => Promise<T>): (question: string) => Promise<T> {
  const asked = new Map<string, Promise<T>>()
  return (question) => {
    const answer = asked.get(question) ?? ask(question).finally(() => asked.delete(question))
    asked.set(question, answer)
    return answer
  }
}

function onlyRoot(): ModemdError {
  return new ModemdError('NotAuthorized', 'Only root may do this: try it with sudo.')
}

function refusedByPolkit(verdict: Exclude<PolkitVerdict, 'yes'>, action: PolkitAction): ModemdError {
  const why =
    verdict === 'challenge'
      ? `polkit wants an administrator's password for ${action}, and nobody could be asked`
      : `polkit does not let you do this (${action})`
  return new ModemdError(
    'NotAuthorized',
    `${why}: try it with sudo, or run "adduser NAME ${CONTROL_GROUP}" as root and log in again.`,
  )
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
