/** Configuration files on the disk: read with what their owner and mode allow, written so that a crash leaves the old or the new one. */

import { randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorText } from '../base/errors.ts'
import { isProfileName } from '../base/values.ts'

/** Nobody writes more than this by hand. */
const LARGEST_BYTES = 256 * 1024

export interface ReadText {
  readonly text: string
  readonly mode: number
  readonly ownerUid: number
}

export type ReadAnswer = ReadText | { readonly absent: true } | { readonly refused: string }

/**
 * Only regular files: a FIFO in a folder of profiles would hold up the daemon. Through a symbolic link only in a folder of root's or
 * the daemon's: where root is the daemon (the pppd engine), the folder of profiles may be that of the user it otherwise runs as.
 */
export function readText(path: string): ReadAnswer {
  let file: number
  try {
    const follow = isOfOthers(dirname(path)) ? constants.O_NOFOLLOW : 0
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | follow)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return isLink(path) ? { refused: LEADS_NOWHERE } : { absent: true }
    if (errnoOf(error) === 'ELOOP')
      return { refused: 'is a symbolic link in a folder of another user: put the file itself there' }
    return { refused: `cannot be read: ${plainReason(error)}${ownerAdvice(path, error)}` }
  }
  try {
    const { mode, uid, size } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) return { refused: 'is not a regular file' }
    if (size > LARGEST_BYTES) return { refused: `is longer than ${LARGEST_BYTES / 1024} KiB` }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
    return { text, mode: mode & 0o7777, ownerUid: uid }
  } catch (error) {
    if (error instanceof TypeError) return { refused: 'is not valid UTF-8; save it as plain text' }
    return { refused: `cannot be read: ${plainReason(error)}` }
  } finally {
    closeSync(file)
  }
}

function isOfOthers(folder: string): boolean {
  const { uid } = statSync(folder)
  return uid !== 0 && uid !== process.geteuid?.()
}

/**
 * Whose files in a folder of profiles are taken, beside root's. Its owner's, too: who may put files there can change all of them, and
 * modemd.tmpfiles gives it to the daemon's user, whose profiles count where root is the daemon for once (systemd/root.conf).
 */
export function keepersOf(folder: string): readonly number[] {
  const own = process.geteuid?.() ?? 0
  try {
    return [own, statSync(folder).uid]
  } catch {
    // It goes just now, or is not there yet: then it is the daemon that makes it.
    return [own]
  }
}

const LEADS_NOWHERE = 'is a symbolic link to what is not there: remove it, or put there what it names'

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

type Listed = { readonly names: readonly string[]; readonly refused?: string }

/** Drop-ins are `*.conf` as a shell means it: what begins with a dot is hidden. */
export function listDropIns(folder: string): Listed {
  return listConf(folder, (name) => !name.startsWith('.'))
}

/** A profile's name may begin with a dot. What could not be one is an editor's lock (`.#a.conf`) or the like. */
export function listProfiles(folder: string): Listed {
  return listConf(folder, (name) => !name.startsWith('.') || isProfileName(name.slice(0, -'.conf'.length)))
}

/** Names of the `.conf` files of a folder, in the order of their bytes. No folder is an empty one. */
function listConf(folder: string, isOurs: (name: string) => boolean): Listed {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.conf') && isOurs(name))
    return { names: names.sort() }
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' && isLink(folder)) return { names: [], refused: LEADS_NOWHERE }
    if (code === 'ENOENT' || code === 'ENOTDIR') return { names: [] }
    return { names: [], refused: `cannot be read: ${plainReason(error)}` }
  }
}

/** Readable for the daemon's user only. The folder is made where it is missing. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

export async function removeDurably(path: string): Promise<void> {
  await rm(path)
  await syncFolder(dirname(path))
}

/** The new name itself must outlive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What root has written for itself, while the daemon is a user of its own. */
function ownerAdvice(path: string, error: unknown): string {
  if (errnoOf(error) !== 'EACCES') return ''
  return ` (modemd runs as the user number ${process.geteuid?.()}: give it the file with chown, or chgrp and chmod 640 ${path})`
}

/** `EACCES: permission denied, open '/x'` → `permission denied`. */
export function plainReason(error: unknown): string {
  return /^[A-Z0-9]+: ([^,]+)/.exec(errorText(error))?.[1] ?? errorText(error)
}
