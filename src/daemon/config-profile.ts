/** One profile file: from its text to a checked profile, and to what D-Bus shows of it. `config.ts` reads and writes the files. */

import { CAUSES } from '../base/cause.ts'
import { parseIpv4 } from '../base/ipv4.ts'
import { parseIpv6 } from '../base/ipv6.ts'
import { profileNameFault } from '../base/values.ts'
import type { Profile } from '../link/profile.ts'
import type { RedialRule } from '../link/redial.ts'
import type { ProfileFields } from '../link/snapshot.ts'
import { type CheckedSection, checkSection, layered } from './config-check.ts'
import { type Fault, readIni } from './config-scanner.ts'
import { type Keys, PPP_KEYS, PROFILE_KEYS, PROFILE_SCHEMA, REDIAL_KEYS, type Values } from './config-schema.ts'

export interface ProfileFile {
  readonly name: string
  /** As faults name it. */
  readonly file: string
  readonly text: string
  /** The permission bits. */
  readonly mode: number
  readonly ownerUid: number
  /** Whose files are taken, beside root's; the daemon's user is the first. */
  readonly keeperUids?: readonly number[]
}

/** The text of a chat script, or why it is not taken. */
export type ScriptReader = (path: string) => { readonly text: string } | { readonly refused: string }

export interface CheckedProfile {
  readonly profile: Profile
  /** With any, `profile` must not be used. */
  readonly faults: readonly Fault[]
  /** Values that this version does not do, with their lines. */
  readonly unsupported: readonly Fault[]
  /** What counts for nothing, though it is right by itself. */
  readonly ignored: readonly Fault[]
}

export function checkProfile(source: ProfileFile, readScript: ScriptReader): CheckedProfile {
  const { name, file } = source
  const { sections, faults } = layered([{ file, ...readIni(source.text, file) }], PROFILE_SCHEMA)
  const sectionOf = (kind: string) => sections.find((section) => section.kind === kind)
  const profile = checkSection(PROFILE_KEYS, sectionOf('profile'), PROFILE_SCHEMA)
  const ppp = checkSection(PPP_KEYS, sectionOf('ppp'), PROFILE_SCHEMA)
  const redial = checkSection(REDIAL_KEYS, sectionOf('redial'), PROFILE_SCHEMA)

  const nameFault = profileNameFault(name)
  const script = profile.values['chat-script'] === '' ? undefined : readScript(profile.values['chat-script'])
  const scriptLine = sectionOf('profile')?.values.get('chat-script')?.line ?? 0

  const unsupported = [...profile.unsupported, ...ppp.unsupported].sort((a, b) => a.line - b.line)
  return {
    unsupported,
    ignored: ignoredOptions(sectionOf('ppp'), ppp.values.engine),
    profile: {
      ...fromValues(name, profile.values, ppp.values, redial.values),
      chatScript: script && 'text' in script ? script.text : undefined,
      unsupported: unsupported.map(({ reason }) => reason),
    },
    faults: [
      ...faults,
      ...profile.faults,
      ...ppp.faults,
      ...redial.faults,
      ...(nameFault ? [{ file, line: 0, reason: `the name of a profile ${nameFault}` }] : []),
      ...(script && 'refused' in script
        ? [{ file, line: scriptLine, reason: `chat-script = ${profile.values['chat-script']} ${script.refused}` }]
        : []),
      ...checkFaults(file, sectionOf('profile'), ppp.values.dns),
      ...permissionFaults(source, sectionOf('profile'), sectionOf('ppp')),
    ],
  }
}

function checkFaults(file: string, profile: CheckedSection | undefined, dns: PppValues['dns']): Fault[] {
  const check = profile?.values.get('check')
  const target = check && checkTarget(check.text)
  if (!target || dns !== 'none' || (parseIpv4(target.host) ?? parseIpv6(target.host)) !== undefined) return []
  const reason = `check = ${check.text} has a name, and dns = none leaves nobody to ask for its address: take an address`
  return [{ file, line: check.line, reason }]
}

/** A call may name pppd as its engine. */
function ignoredOptions(ppp: CheckedSection | undefined, engine: PppValues['engine']): Fault[] {
  const options = ppp?.values.get('options')
  if (!options?.text || engine === 'pppd') return []
  const reason = `options is for engine = pppd only, and this profile has engine = ${engine}: it is ignored unless a call names pppd`
  return [{ file: options.file, line: options.line, reason }]
}

const READABLE_BY_ALL = 0o004
const WRITABLE_BY_OTHERS = 0o022

function permissionFaults(
  source: ProfileFile,
  profile: CheckedSection | undefined,
  ppp: CheckedSection | undefined,
): Fault[] {
  const { file, mode, ownerUid } = source
  const faults: Fault[] = []
  const secret = ['password', 'pin'].map((key) => profile?.values.get(key)).find((value) => value?.text)
  const isOpenSecret = secret !== undefined && (mode & READABLE_BY_ALL) !== 0
  if (isOpenSecret) {
    faults.push({ file, line: secret.line, reason: `has a secret and everyone can read it: run chmod 600 ${file}` })
  }
  const powerful = [profile?.values.get('chat-script'), ppp?.values.get('options')].find((value) => value?.text)
  if (powerful && (ownerUid !== 0 || mode & WRITABLE_BY_OTHERS)) {
    const reason = `chat-script and options are only taken from a file of root that nobody else can write: run chown root ${file} and chmod go-w,o-r ${file}`
    faults.push({ file, line: powerful.line, reason })
    return faults
  }
  const reason = strangersFault(source, !isOpenSecret)
  return reason === undefined ? faults : [...faults, { file, line: secret?.line ?? 0, reason }]
}

/** Also without a secret: who writes a profile says what is dialled, at whose cost, and which PIN is tried. */
function strangersFault(
  { file, mode, ownerUid, keeperUids = [] }: ProfileFile,
  looksAtMode: boolean,
): string | undefined {
  const rightUid = keeperUids.find((uid) => uid !== 0) ?? 0
  const chmod = `${ownerUid === rightUid ? '' : `chown ${userText(rightUid)} ${file} && `}chmod 600 ${file}`
  if (ownerUid !== 0 && !keeperUids.includes(ownerUid))
    return `belongs to the user number ${ownerUid}, who may change it: run ${chmod}`
  return looksAtMode && mode & WRITABLE_BY_OTHERS ? `can be written by others than its owner: run ${chmod}` : undefined
}

function userText(uid: number): string {
  return uid === 0 ? 'root' : String(uid)
}

type ProfileValues = Values<typeof PROFILE_KEYS>
type PppValues = Values<typeof PPP_KEYS>
type RedialValues = Values<typeof REDIAL_KEYS>

function fromValues(name: string, profile: ProfileValues, ppp: PppValues, redial: RedialValues): Profile {
  return {
    name,
    type: profile.type,
    apn: profile.apn,
    number: profile.number,
    username: profile.username,
    password: profile.password,
    pin: profile.pin,
    modem: profile.modem,
    sim: profile.sim,
    autoconnect: profile.autoconnect,
    dialTimeoutMs: profile['dial-timeout'],
    roaming: profile.roaming,
    ip: profile.ip,
    priority: profile.priority,
    check: checkTarget(profile.check),
    dataLimitBytes: profile['data-limit'],
    cid: profile.cid,
    engine: ppp.engine,
    auth: ppp.auth,
    mtuBytes: ppp.mtu,
    lcpRestartMs: ppp['lcp-restart'],
    lcpMaxConfigure: ppp['lcp-max-configure'],
    lcpEchoIntervalMs: ppp['lcp-echo-interval'],
    lcpEchoFailure: ppp['lcp-echo-failure'],
    pppdOptions: ppp.options,
    defaultRoute: ppp['default-route'],
    routeMetric: ppp['route-metric'],
    dns: ppp.dns === 'auto',
    redial: redialRules(redial),
    resetAfter: redial['reset-after'],
    needsAdministrator: ppp.options !== '' || profile['chat-script'] !== '',
    unsupported: [],
    fields: {
      name,
      ...shown(PROFILE_KEYS, profile, ''),
      ...shown(PPP_KEYS, ppp, ''),
      ...shown(REDIAL_KEYS, redial, REDIAL_PREFIX),
    },
  }
}

/** `host:port`, an IPv6 address in brackets. */
function checkTarget(text: string): Profile['check'] {
  if (text === '') return undefined
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

function redialRules(redial: RedialValues): Profile['redial'] {
  const rules: Partial<Record<(typeof CAUSES)[number], RedialRule>> = {}
  for (const cause of CAUSES) if (cause !== 'user-request') rules[cause] = redial[cause]
  return rules
}

/** Before the keys of `[redial]` in D-Bus fields: `idle` and `data-limit` are names of both kinds. */
const REDIAL_PREFIX = 'redial.'

/** Yes and no as booleans, whole numbers as numbers, everything else as it stands in the file. */
function shown(keys: Keys, values: Readonly<Record<string, unknown>>, prefix: string): ProfileFields {
  const fields: Record<string, string | number | boolean> = {}
  for (const [name, key] of Object.entries(keys)) {
    if (key.isSecret) continue
    const text = key.type.format(values[name])
    const value = values[name]
    const isNumber = typeof value === 'number' && text === String(value)
    fields[prefix + name] = typeof value === 'boolean' || isNumber ? (value as boolean | number) : text
  }
  return fields
}

/** Where a field of SaveProfile belongs in the file; undefined: there is no such key. */
export function placeOfField(field: string): { readonly section: string; readonly key: string } | undefined {
  if (field.startsWith(REDIAL_PREFIX)) {
    const key = field.slice(REDIAL_PREFIX.length)
    return Object.hasOwn(REDIAL_KEYS, key) ? { section: 'redial', key } : undefined
  }
  if (Object.hasOwn(PROFILE_KEYS, field)) return { section: 'profile', key: field }
  if (Object.hasOwn(PPP_KEYS, field)) return { section: 'ppp', key: field }
  return undefined
}

/** A field as it stands in a file. */
export function fieldText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value)
}
