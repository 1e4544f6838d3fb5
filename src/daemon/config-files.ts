/** Configuration files on the disk: read with what their owner and mode allow, written so that a crash leaves the old or the new one. */

import { randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorText } from '../base/errors.ts'

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
    if (errnoOf(error) === 'ENOENT') return { absent: true }
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

/** Names of the `.conf` files of a folder, in the order of their bytes. No folder is an empty one. */
export function listConf(folder: string): { readonly names: readonly string[]; readonly refused?: string } {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    return { names: names.sort() }
  } catch (error) {
    const code = errnoOf(error)
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
