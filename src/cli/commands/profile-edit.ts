/**
 * `mmctl profile edit`: a profile as a text in the user's editor. What was changed in it, and nothing else, goes to SaveProfile:
 * the secrets, which modemd does not tell, stay as they are. Called by `profile.ts`.
 */

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { errorText } from '../../base/errors.ts'
import type { PropertyValues } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { Variant } from '../marshal.ts'
import { clean } from '../output/text.ts'
import type { Session } from '../session.ts'
import { chooseProfile, fieldsToJson, readProfiles, valueText } from './profile.ts'

type Texts = Readonly<Record<string, string>>

export async function editProfile(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const { output, io } = session
  const before = await session.load()
  const { id, fields } = chooseProfile(await readProfiles(before), wanted)
  // An editor may be open for hours.
  before.close()
  const told = toldTexts(fields)
  const file = await privateFile(io, id, profileText(id, told))
  let changes: Texts
  try {
    await runEditor(io, file)
    changes = changesOf(told, await readFile(file, 'utf8'))
    if (Object.keys(changes).length > 0) await save(session, id, changes)
  } catch (error) {
    throw keptIn(file, error)
  }
  await rm(dirname(file), { recursive: true })
  const keys = Object.keys(changes).map((key) => clean(key))
  if (output.json) {
    const daemon = await session.load()
    output.document(fieldsToJson((await readProfiles(daemon)).find((each) => each.id === id)?.fields ?? { name: id }))
  } else if (keys.length === 0) output.print(`Profile ${clean(id)} is as it was.`)
  else output.print(`Profile ${clean(id)} is saved: ${keys.join(', ')}.`)
  return undefined
}

function toldTexts(fields: PropertyValues): Texts {
  const told = Object.entries(fields).filter(([key]) => key !== 'name')
  return Object.fromEntries(told.map(([key, value]) => [key, valueText(value)]))
}

function profileText(id: string, told: Texts): string {
  return `; The profile ${id}: its keys are explained in modemd.conf(5), those of [redial] have that before them here.
; A line that is taken away, or has nothing behind its =, goes back to the default.
; The secrets are not shown, and stay as they are unless you take away the ; before one and write the new one behind
; its = (or nothing, to have none).
;password =
;pin =

${Object.entries(told)
  .map(([key, value]) => `${key} = ${value}`.trimEnd())
  .join('\n')}
`
}

/** What is to be saved; '' stands for the default. */
function changesOf(told: Texts, text: string): Texts {
  const written = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([;#].*)?$/.test(line)) continue
    const [, key, value = ''] = /^\s*([^=\s]+)\s*=(.*)$/.exec(line) ?? []
    const place = `line ${index + 1}`
    if (key === undefined) throw CliError.usage(`${place} is no \`key = value\`, nor does it begin with ;: mend it`)
    if (key === 'name') throw CliError.usage(`${place}: a profile keeps its name; \`mmctl profile add\` makes another`)
    if (written.has(key)) throw CliError.usage(`${place}: ${key} is there twice: keep one`)
    written.set(key, value.trim())
  }
  const changes: Record<string, string> = {}
  for (const [key, value] of written) if (value !== told[key]?.trim()) changes[key] = value
  for (const [key, value] of Object.entries(told)) if (value !== '' && !written.has(key)) changes[key] = ''
  return changes
}

async function save(session: Session, id: string, changes: Texts): Promise<void> {
  const daemon = await session.load()
  if (!(await readProfiles(daemon)).some((each) => each.id === id))
    throw CliError.notFound(`the profile ${id} was removed meanwhile: make it again with \`mmctl profile add\``)
  const fields = Object.entries({ name: id, ...changes }).map(([key, value]) => [key, new Variant('s', value)])
  await daemon.manage('SaveProfile', 'a{sv}', [Object.fromEntries(fields)])
}

/** In a folder that only its owner may enter: what others put into /tmp is not in the way. */
async function privateFile({ env }: Io, id: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(env.TMPDIR || tmpdir(), 'mmctl-profile-'))
  const file = join(folder, `${id}.conf`)
  await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  return file
}

/** `VISUAL` and `EDITOR` may have arguments, as for other programs: the shell reads them. */
async function runEditor(io: Io, file: string): Promise<void> {
  const editor = io.env.VISUAL || io.env.EDITOR || '$(command -v editor || echo vi)'
  // Ctrl-C in the editor is the editor's.
  const stopIgnoring = io.onInterrupt(() => {})
  try {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'mmctl', file], { stdio: 'inherit', env: io.env })
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? signal))
    })
    if (status === 0) return
    const advice = status === 127 || status === 126 ? 'name one that is installed in EDITOR' : 'nothing was saved'
    throw new CliError('org.modemd.Error.Internal', `the editor ended with ${status}: ${advice}`)
  } finally {
    stopIgnoring()
  }
}

/** The file may have a new secret in it, and is its owner's to remove. */
function keptIn(file: string, error: unknown): CliError {
  const known = error instanceof CliError ? error : new CliError('org.modemd.Error.Internal', errorText(error))
  const { errorName, exitCode, failureCause: cause, details } = known
  return new CliError(errorName, known.message, {
    exitCode,
    cause,
    details: [...details, `Your text is kept in ${file}`],
  })
}
