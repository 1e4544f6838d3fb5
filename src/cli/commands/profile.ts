/** `mmctl profile`: the profiles that modemd keeps. Keys are those of the profile files, modemd.conf(5). */

import { type Command, Option } from 'commander'
import { CAUSES } from '../../base/cause.ts'
import { ENGINE_CHOICES, IP_CHOICES } from '../../base/values.ts'
import { choose, noSuchProfile, severalOf } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, PropertyValues } from '../daemon.ts'
import { CliError } from '../errors.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Variant } from '../marshal.ts'
import type { JsonObject } from '../output/json.ts'
import { type Pair, pairs, table } from '../output/table.ts'
import { clean } from '../output/text.ts'
import { checkPin, readSecretFile } from '../secrets.ts'
import type { Session } from '../session.ts'

export function addProfileCommands(program: Command, { command, run }: CommandTools): void {
  const profile = command(program, 'profile', 'how links are made', 'mmctl profile add internet --apn web.example')
  command(profile, 'list', 'a line a profile', 'mmctl profile list').action(() => run(listProfiles))
  command(
    profile,
    'show [profile]',
    'what a profile says, and the defaults of what it leaves out; no secrets',
    'mmctl profile show internet',
  )
    .option('--all', 'the redial rules, too')
    .action((name: string | undefined, { all }: { all?: true }) =>
      run((session) => showProfile(session, name, all === true)),
    )
  command(profile, 'add <name>', 'makes a profile', 'mmctl profile add internet --apn web.example --autoconnect')
    .option('--apn <apn>', 'access point name')
    .option('--user <name>', 'user name')
    .option('--password-file <file>', 'its first line is the password (- for standard input)')
    .option('--pin-file <file>', "its first line is the SIM's PIN (- for standard input)")
    .option('--number <number>', 'what is dialled')
    .option('--modem <modem>', 'any, an id, imei:…, usb:1-2 or tty:…')
    .addOption(new Option('--ip <version>', 'IP version').choices(IP_CHOICES))
    .addOption(new Option('--engine <engine>', 'what runs PPP').choices(ENGINE_CHOICES))
    .option('--autoconnect', 'bring it up whenever its modem is there')
    .option('--no-autoconnect', 'bring it up when asked')
    .option('--roaming', "use foreign operators' networks too")
    .option(
      '--set <key=value>',
      'any other key of modemd.conf(5), those of [redial] as redial.busy; may be repeated',
      collect,
    )
    .action((name: string, flags: ProfileFlags) => run((session) => addProfile(session, name, flags)))
  command(
    profile,
    'edit [profile]',
    'a profile in your editor ($VISUAL, $EDITOR); secrets are not shown, and stay as they are unless written anew',
    'mmctl profile edit internet',
  ).action((name?: string) =>
    run(async (session) => {
      // Loaded here: other commands start without it.
      const { editProfile } = await import('./profile-edit.ts')
      return editProfile(session, name)
    }),
  )
  command(profile, 'remove <profile>', 'removes a profile', 'mmctl profile remove internet').action((name: string) =>
    run((session) => removeProfile(session, name)),
  )
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

export interface ProfileFlags {
  readonly apn?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly pinFile?: string
  readonly number?: string
  readonly modem?: string
  readonly ip?: string
  readonly engine?: string
  readonly autoconnect?: boolean
  readonly roaming?: boolean
  /** `KEY=VALUE` each. */
  readonly set?: readonly string[]
}

interface Profile {
  readonly id: string
  readonly names: readonly string[]
  readonly parts: readonly string[]
  readonly fields: PropertyValues
}

export async function listProfiles(session: Session): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { output } = session
  const profiles = await readProfiles(daemon)
  if (output.json) output.document(profiles.map(({ fields }) => fieldsToJson(fields)))
  else if (profiles.length === 0)
    output.print('There is no profile; `mmctl connect` works without one. `mmctl profile add NAME` makes one.')
  else {
    const columns = [{ title: '#' }, { title: 'NAME' }, { title: 'APN', minWidth: 8 }, { title: 'MODEM', minWidth: 8 }]
    const rows = profiles.map(({ id, fields }, index) => {
      const state = daemon.links.find((link) => link.id === id)?.properties.text('State')
      const cells = [index, id, fields.apn, fields.modem, fields.autoconnect, state]
      return cells.map((value) => ({ text: valueText(value) || '-' }))
    })
    output.print(...table([...columns, { title: 'AUTOCONNECT' }, { title: 'LINK' }], rows, output.width))
  }
  return undefined
}

export async function showProfile(
  session: Session,
  wanted: string | undefined,
  all: boolean,
): Promise<ExitCode | undefined> {
  const { fields } = chooseProfile(await readProfiles(await session.load()), wanted)
  const { output } = session
  if (output.json) {
    output.document(fieldsToJson(fields))
    return undefined
  }
  const shown = Object.entries(fields).filter(([key]) => all || !key.startsWith(REDIAL_PREFIX))
  output.print(
    ...pairs(
      shown.map(([key, value]): Pair => [clean(key), valueText(value)]),
      output.width,
      '',
    ),
  )
  return undefined
}

export async function addProfile(session: Session, name: string, flags: ProfileFlags): Promise<ExitCode | undefined> {
  const fields = readFields(session, name, flags)
  const daemon = await session.load()
  if ((await readProfiles(daemon)).some(({ id }) => id === name))
    throw CliError.usage(
      `there is a profile "${name}" already: change it with \`mmctl profile edit ${name}\`, remove it first, or give another name`,
    )
  await daemon.manage('SaveProfile', 'a{sv}', [fields]).catch((error) => {
    throw aboutRedialKey(error, Object.keys(fields))
  })
  if (session.output.json) {
    const saved = (await readProfiles(daemon)).find(({ id }) => id === name)
    session.output.document(fieldsToJson(saved?.fields ?? { name }))
  } else session.output.print(`Profile ${clean(name)} is saved: \`mmctl connect ${clean(name)}\` uses it.`)
  return undefined
}

export async function removeProfile(session: Session, wanted: string): Promise<ExitCode | undefined> {
  const daemon = await session.load()
  const { id, fields } = chooseProfile(await readProfiles(daemon), wanted)
  await daemon.manage('RemoveProfile', 's', [id])
  if (session.output.json) session.output.document(fieldsToJson(fields))
  else session.output.print(`Profile ${clean(id)} is removed.`)
  return undefined
}

export async function readProfiles(daemon: Daemon): Promise<readonly Profile[]> {
  const [list] = await daemon.manage('ListProfiles')
  return (list as readonly PropertyValues[]).map((fields) => {
    const id = String(fields.name ?? '')
    return { id, names: [], parts: [id], fields }
  })
}

export function chooseProfile(profiles: readonly Profile[], wanted: string | undefined): Profile {
  if (wanted === undefined && profiles.length > 1) throw severalOf('profile', profiles)
  const found = wanted === undefined ? profiles[0] : choose(profiles, wanted, 'profile')
  if (found) return found
  throw wanted === undefined
    ? CliError.notFound('there is no profile: make one with `mmctl profile add NAME`')
    : noSuchProfile(wanted)
}

/** Which keys and values there are modemd knows; here only what must not come by argument is refused. */
function readFields(session: Session, name: string, flags: ProfileFlags): Record<string, Variant> {
  const warn = (message: string) => session.output.complain(message)
  const texts: Record<string, string | undefined> = {
    name,
    apn: flags.apn,
    username: flags.user,
    password: flags.passwordFile && readSecretFile(flags.passwordFile, 'password', warn),
    pin: flags.pinFile && checkPin(readSecretFile(flags.pinFile, 'PIN', warn)),
    number: flags.number,
    modem: flags.modem,
    ip: flags.ip,
    engine: flags.engine,
    ...Object.fromEntries((flags.set ?? []).map(splitSetting)),
  }
  const flagsOn = { autoconnect: flags.autoconnect, roaming: flags.roaming }
  const fields: Record<string, Variant> = {}
  for (const [key, value] of Object.entries(texts)) if (value !== undefined) fields[key] = new Variant('s', value)
  for (const [key, value] of Object.entries(flagsOn)) if (value !== undefined) fields[key] = new Variant('b', value)
  return fields
}

function splitSetting(setting: string): [string, string] {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(setting) ?? []
  if (key === '') throw CliError.usage(`--set ${setting} has no "=": write --set KEY=VALUE`)
  if (key === 'name') throw CliError.usage('a profile has one name: give it as the argument NAME')
  if (key === 'password' || key === 'pin')
    throw CliError.usage(`a ${key} must not be an argument, where others can see it: use --${key}-file FILE`)
  return [key, value]
}

/** Of the keys of `[redial]`, as ListProfiles names them. */
const REDIAL_PREFIX = 'redial.'

/** modemd.conf(5) has `busy` under [redial]; here it is `redial.busy`. */
function aboutRedialKey(error: unknown, keys: readonly string[]): unknown {
  if (!(error instanceof CliError) || error.exitCode !== EXIT.usage) return error
  const key = keys.find((each) => CAUSES.some((cause) => cause === each) && error.message.includes(`"${each}"`))
  return key === undefined
    ? error
    : CliError.usage(`${key} is a key of [redial]: write --set ${REDIAL_PREFIX}${key}=VALUE`)
}

/** `dial-timeout` → `dialTimeout`, `redial.no-carrier` → `redial: { noCarrier }`; what is empty is absent. */
export function fieldsToJson(fields: PropertyValues): JsonObject {
  const redial: JsonObject = {}
  const document: JsonObject = {}
  for (const [field, value] of Object.entries(fields)) {
    if (value === '' || value === undefined) continue
    if (field.startsWith(REDIAL_PREFIX)) redial[camelCase(field.slice(REDIAL_PREFIX.length))] = value
    else document[camelCase(field)] = value
  }
  return Object.keys(redial).length > 0 ? { ...document, redial } : document
}

function camelCase(key: string): string {
  return key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

export function valueText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return value === undefined ? '' : clean(String(value))
}
