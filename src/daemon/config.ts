/**
 * The configuration of the daemon: modemd.conf, its drop-ins and the profiles, as typed values and a list of faults. main.ts opens it,
 * the supervisor takes profiles from it (ProfileSource). A file that is broken later never replaces its last good form.
 */

import { lstatSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ModemdError } from '../base/errors.ts'
import { MANUAL, profileNameFault } from '../base/values.ts'
import type { Profile, ProfileSource } from '../link/profile.ts'
import type { ProfileFields } from '../link/snapshot.ts'
import { layered } from './config-check.ts'
import {
  errnoOf,
  keepersOf,
  listDropIns,
  listProfiles,
  plainReason,
  readText,
  removeDurably,
  writeAtomically,
} from './config-files.ts'
import { checkProfile, fieldText, type ProfileFile, placeOfField, type ScriptReader } from './config-profile.ts'
import { type Fault, readIni } from './config-scanner.ts'
import { MAIN_SCHEMA } from './config-schema.ts'
import { checkSettings, type DaemonSettings } from './config-settings.ts'
import { changedIni, type IniChange } from './config-writer.ts'

export interface ConfigurationOptions {
  /** Put before /etc/modemd; '' is the machine's own. */
  readonly root: string
  /** Another modemd.conf, with conf.d and profiles beside it. Taken as it is, without the root. */
  readonly file?: string | undefined
}

const HOME = '/etc/modemd'
/** What is written: for nobody else's eyes. */
const OURS = { mode: 0o600, ownerUid: process.geteuid?.() ?? 0 }
/** Of a file that is not there. */
const NO_LINE = -1
/** What it repeats of a file may be of any length. */
const LONGEST_REASON = 600
/** Another disk error (it is full, say) is nobody's missing right. */
const FORBIDDEN: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS'])

export class Configuration implements ProfileSource {
  readonly manual: Profile
  /** After each further reading, whoever asked for it. */
  onRead: (() => void) | undefined
  /** After `onRead`, where somebody asked for the reading: not where it follows from a profile that is saved or removed. */
  onReload: (() => void) | undefined
  readonly #root: string
  readonly #file: string
  readonly #isNamed: boolean
  #daemon: DaemonSettings | undefined
  #profiles = new Map<string, Profile>()
  #faults: readonly Fault[] = []
  #warnings: readonly Fault[] = []
  #consequences: readonly string[] = []
  #isThere = false

  constructor({ root, file }: ConfigurationOptions) {
    this.#root = root.replace(/\/+$/, '')
    this.#isNamed = file !== undefined
    this.#file = file ?? `${this.#root}${HOME}/modemd.conf`
    // Its name is refused for files, and only for them.
    this.manual = checkProfile({ name: MANUAL, file: '', text: '', mode: 0o600, ownerUid: 0 }, refuseScript).profile
    this.#read()
  }

  /** undefined: modemd.conf has faults and there was no good one before. */
  get daemon(): DaemonSettings | undefined {
    return this.#daemon
  }

  get profiles(): readonly Profile[] {
    return [...this.#profiles.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Of the last reading, `file:line: reason`. */
  get faults(): readonly string[] {
    return this.#faults.map(faultText)
  }

  /** What becomes of each file with faults, in sentences. */
  get consequences(): readonly string[] {
    return this.#consequences
  }

  /** What is read but not done, by this version or with the rest of its profile. */
  get warnings(): readonly string[] {
    return this.#warnings.map(faultText)
  }

  /** Faults and warnings, in the order of files and lines. */
  get findings(): readonly string[] {
    return this.#inOrder([...this.#faults, ...this.#warnings]).map(faultText)
  }

  /** The file, as users know it. */
  get shownFile(): string {
    return this.#shown(this.#file)
  }

  /** Is it there? Without it all is as by default. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** All PINs and passwords, for the log's redactor. */
  get secrets(): readonly string[] {
    return [...this.#profiles.values()].flatMap(({ password, pin }) => [password, pin]).filter((text) => text !== '')
  }

  reload(): void {
    this.#read()
    this.onReload?.()
  }

  #read(): void {
    const main = this.#readMain()
    const profiles = this.#readProfiles()
    if (main.faults.length === 0) this.#daemon = main.settings
    const staying =
      'modemd.conf and its drop-ins have faults: what they said before stays in force until they are mended.'
    this.#consequences = [...(main.faults.length > 0 ? [staying] : []), ...profiles.consequences]
    this.#profiles = profiles.profiles
    this.#faults = [...this.#inOrder(main.faults), ...this.#inOrder(profiles.faults)]
    this.#warnings = [...this.#inOrder(main.warnings), ...this.#inOrder(profiles.warnings)]
    this.onRead?.()
  }

  async save(fields: ProfileFields): Promise<void> {
    const name = this.#nameIn(fields)
    const path = this.#profilePath(name)
    const before = readText(path)
    if ('refused' in before)
      throw new ModemdError('InvalidArgs', `${this.#shown(path)} ${before.refused}: mend the file first`)
    const oldText = 'text' in before ? before.text : ''
    this.#mustBeAsLoaded(name, oldText)
    // A file that everyone may read is mended by being written. What others may have written in it would stay.
    const { mode, ownerUid } = 'text' in before ? before : OURS
    if (this.#check(name, oldText, { ownerUid, mode: OURS.mode | (mode & 0o022) }).faults.length > 0)
      throw new ModemdError(
        'InvalidArgs',
        `${this.#shown(path)} has faults: mend them first (modemd --check lists them)`,
      )

    const text = changedIni(oldText, changesOf(fields))
    const { faults } = this.#check(name, text)
    if (faults[0]) throw new ModemdError('InvalidArgs', `the profile ${name} is not saved: ${faults[0].reason}`)
    await this.#written(() => writeAtomically(path, text), path)
    this.#read()
  }

  async remove(name: string): Promise<void> {
    if (profileNameFault(name)) throw new ModemdError('NotFound', 'there is no profile of that name')
    const path = this.#profilePath(name)
    const before = readText(path)
    if ('absent' in before) throw new ModemdError('NotFound', `there is no profile ${name}`)
    if ('refused' in before)
      throw new ModemdError('InvalidArgs', `${this.#shown(path)} ${before.refused}: remove the file by hand`)
    this.#mustBeAsLoaded(name, before.text)
    await this.#written(() => removeDurably(path), path)
    this.#read()
  }

  /** Who may change a profile is judged by what is loaded (Profile.needsAdministrator): a file that is the administrator's since then stays. */
  #mustBeAsLoaded(name: string, text: string): void {
    if (this.#profiles.get(name)?.needsAdministrator || !this.#check(name, text).profile.needsAdministrator) return
    const file = this.#shown(this.#profilePath(name))
    throw new ModemdError(
      'NotAuthorized',
      `${file} has options or a chat-script that are not loaded: reload the configuration first (SIGHUP)`,
    )
  }

  #nameIn(fields: ProfileFields): string {
    const { name } = fields
    if (typeof name !== 'string') throw new ModemdError('InvalidArgs', 'a profile needs a name: give the key name')
    const fault = profileNameFault(name)
    if (fault) throw new ModemdError('InvalidArgs', `the name of a profile ${fault}`)
    return name
  }

  #check(name: string, text: string, owned = OURS) {
    const path = this.#profilePath(name)
    const file = this.#shown(path)
    const keeperUids = keepersOf(dirname(path))
    return checkProfile({ name, file, text, ...owned, keeperUids }, (script) => this.#readScript(script))
  }

  async #written(write: () => Promise<void>, path: string): Promise<void> {
    try {
      await write()
    } catch (error) {
      const code = FORBIDDEN.has(errnoOf(error)) ? 'NotAuthorized' : 'Internal'
      throw new ModemdError(code, `cannot write ${this.#shown(path)}: ${plainReason(error)}`)
    }
  }

  #readMain(): { settings: DaemonSettings; faults: Fault[]; warnings: Fault[] } {
    const paths = [this.#file]
    const faults: Fault[] = []
    const folder = join(dirname(this.#file), 'conf.d')
    const dropIns = listDropIns(folder)
    if (dropIns.refused) faults.push({ file: this.#shown(folder), line: 0, reason: dropIns.refused })
    paths.push(...dropIns.names.map((name) => join(folder, name)))

    const files = paths.flatMap((path) => {
      const read = readText(path)
      if (path === this.#file) this.#isThere = !('absent' in read)
      const file = this.#shown(path)
      if ('text' in read) return [{ file, ...readIni(read.text, file) }]
      if ('refused' in read) faults.push({ file, line: 0, reason: read.refused })
      else if (path === this.#file && this.#isNamed) faults.push({ file, line: NO_LINE, reason: 'is not there' })
      return []
    })
    const { sections, faults: layerFaults } = layered(files, MAIN_SCHEMA)
    return checkSettings(sections, [...faults, ...layerFaults])
  }

  #readProfiles(): { profiles: Map<string, Profile>; faults: Fault[]; warnings: Fault[]; consequences: string[] } {
    const profiles = new Map<string, Profile>()
    const faults: Fault[] = []
    const warnings: Fault[] = []
    const consequences: string[] = []
    const folder = join(dirname(this.#file), 'profiles')
    const { names, refused } = listProfiles(folder)
    // A folder that cannot be read now has not lost its profiles.
    if (refused) {
      consequences.push(this.#profiles.size > 0 ? 'All profiles stay as they were.' : 'No profile can be read.')
      faults.push({ file: this.#shown(folder), line: 0, reason: refused })
      return { profiles: this.#profiles, faults, warnings, consequences }
    }

    const keeperUids = keepersOf(folder)
    for (const fileName of names) {
      const name = fileName.slice(0, -'.conf'.length)
      const file = this.#shown(join(folder, fileName))
      const read = readText(join(folder, fileName))
      if ('absent' in read) continue
      const checked = 'refused' in read ? undefined : this.#checkRead({ name, file, keeperUids, ...read })
      const itsFaults = 'refused' in read ? [{ file, line: 0, reason: read.refused }] : checked!.faults
      faults.push(...itsFaults)
      const lastGood = this.#profiles.get(name)
      if (itsFaults.length === 0) profiles.set(name, checked!.profile)
      else {
        if (lastGood) profiles.set(name, lastGood)
        const fate = lastGood ? 'stays as it was' : 'is left out'
        consequences.push(`The profile ${name} ${fate} until ${file} is mended.`)
      }
      warnings.push(...(checked?.ignored ?? []))
      for (const { line, reason } of checked?.unsupported ?? []) {
        const what = `this version does not support ${reason}: the profile cannot be connected`
        warnings.push({ file, line, reason: what })
      }
    }
    return { profiles, faults, warnings, consequences }
  }

  #checkRead(source: ProfileFile) {
    return checkProfile(source, (path) => this.#readScript(path))
  }

  /** Only a file of root's, in the configuration's own folder (DESIGN §7.6). */
  readonly #readScript: ScriptReader = (path) => {
    const home = resolve(dirname(this.#file))
    const isOfRoot = path.startsWith(`${HOME}/`) && !this.#isNamed
    const real = isOfRoot ? this.#root + path : resolve(home, path)
    if (!real.startsWith(`${home}/`)) return { refused: `is not under ${this.#shown(home)}` }
    if (hasSymbolicLink(real, home)) return { refused: 'is, or lies behind, a symbolic link: name the file itself' }
    const read = readText(real)
    if ('absent' in read) return { refused: 'is not there' }
    if ('refused' in read) return read
    if (read.ownerUid !== 0) return { refused: `does not belong to root: run chown root ${path}` }
    if (read.mode & 0o022) return { refused: `can be written by others: run chmod go-w ${path}` }
    return { text: read.text }
  }

  /** modemd.conf, its drop-ins, the profiles; a folder's own fault before those of its files. */
  #inOrder(findings: readonly Fault[]): Fault[] {
    const home = dirname(this.shownFile)
    const rank = (file: string) => (file === this.shownFile ? 0 : file.startsWith(join(home, 'conf.d')) ? 1 : 2)
    return [...findings].sort(
      (a, b) => rank(a.file) - rank(b.file) || (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1),
    )
  }

  #profilePath(name: string): string {
    return join(dirname(this.#file), 'profiles', `${name}.conf`)
  }

  /** Without the root, as users know it. */
  #shown(path: string): string {
    return this.#isNamed || this.#root === '' ? path : path.slice(this.#root.length)
  }
}

function refuseScript(): { refused: string } {
  return { refused: 'is not there' }
}

/** An empty value goes back to the default. */
function changesOf(fields: ProfileFields): IniChange[] {
  return Object.entries(fields)
    .filter(([field]) => field !== 'name')
    .map(([field, value]) => {
      const place = placeOfField(field)
      if (!place)
        throw new ModemdError('InvalidArgs', `a profile has no key ${JSON.stringify(field)}: see modemd.conf(5)`)
      const text = fieldText(value)
      if (/[\x00-\x1f\x7f]/.test(text)) throw new ModemdError('InvalidArgs', `${field} must have no control character`)
      return { ...place, value: text === '' ? undefined : text }
    })
}

/** Of the parts of `path` below `home`. */
function hasSymbolicLink(path: string, home: string): boolean {
  for (let part = path; part !== home && part !== '/'; part = dirname(part)) {
    try {
      if (lstatSync(part).isSymbolicLink()) return true
    } catch {
      // What is not there is no link; reading it says so.
    }
  }
  return false
}

function faultText({ file, line, reason }: Fault): string {
  const said = reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason
  if (line === NO_LINE) return `${file}: ${said}`
  return `${file}:${Math.max(1, line)}: ${said}`
}
