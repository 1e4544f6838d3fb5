/**
 * UUCP lock files in HDB form (FHS 5.9): `LCK..ttyUSB0` holds its owner's process id in ten places; behind it, as minicom
 * does, the program's name, by which the next start knows what a crash left, and when the process began: its id may be another's by
 * then. pppd, minicom, cu and others honour them.
 * `serialport-wire.ts` takes one before it opens a port.
 */

import { readFileSync } from 'node:fs'
import { link, lstat, mkdir, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type LockOwner, readLockOwner } from '../base/uucp-lock.ts'
import { PortBusyError } from './port-busy.ts'
import { IrregularFile, readRegularFile } from './regular-file.ts'

/** Locks of this process: one with our own id that is not here is a dead namesake's (process 1 of a container, say). */
const heldHere = new Set<string>()

let temporaryNames = 0

const PROGRAM = 'modemd'
/** A number and a name. */
const LARGEST_BYTES = 4096

export interface LockFile {
  /** Removes the file if it is still ours. Idempotent, never rejects. */
  release(): Promise<void>
}

/** `LCK..ttyUSB0` for `/dev/ttyUSB0`, `LCK..pts_3` for `/dev/pts/3`. */
function lockFileName(path: string): string {
  return `LCK..${lockedName(path)}`
}

/** `pts_3` for `/dev/pts/3`: what pppd calls the device that is locked. */
export function lockedName(path: string): string {
  return path.replace(/^\/?dev\//, '').replaceAll('/', '_')
}

/**
 * Rejects with Busy (port-busy) when a living process holds it, and with the file system's error when the folder does
 * not let us. A dead process's lock is taken over.
 */
export async function takeLock(folder: string, path: string): Promise<LockFile> {
  const file = join(folder, lockFileName(path))
  await mkdir(folder, { recursive: true })
  for (let round = 0; round < 4; round++) {
    if (await createLock(file)) {
      heldHere.add(file)
      return { release: () => release(file) }
    }
    const holder = readHolder(file)
    if (!holder) continue
    if (isHeld(file, holder)) throw busy(path, file, holder.pid, await programOf(holder.pid))
    await removeStale(file, holder.inode)
  }
  const sentence = `${path} is in use: its lock file ${file} changes hands again and again.`
  throw new PortBusyError(path, 'another program', sentence)
}

/** At start: what a modemd that crashed left of its own. Never rejects; other programs' files stay, also where they are stale. */
export async function removeLocksAfterCrash(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/^(?:LCK\.\.|LTMP\.)/.test(name)) continue
    const file = join(folder, name)
    const holder = readableHolder(file)
    if (holder?.program === PROGRAM && !isHeld(file, holder)) await removeStale(file, holder.inode).catch(() => {})
  }
}

/** The name of a running program; undefined when it cannot be seen. */
export async function programOf(pid: number | undefined): Promise<string | undefined> {
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
  return name.trim() || undefined
}

/** Written beside its place and linked there, so that nobody ever sees a lock without its owner. */
async function createLock(file: string): Promise<boolean> {
  const temporary = temporaryName(file)
  const words = [String(process.pid).padStart(10), PROGRAM, startOf(process.pid) ?? '']
  try {
    await writeFile(temporary, `${words.join(' ').trimEnd()}\n`, { flag: 'wx', mode: 0o644 })
    await link(temporary, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** undefined: the file has just gone. A pid of undefined: somebody's file that does not say whose. */
function readHolder(file: string): Holder | undefined {
  try {
    const { content, inode } = readRegularFile(file, LARGEST_BYTES)
    return { ...readLockOwner(content), start: startIn(content), inode }
  } catch (error) {
    if (error instanceof IrregularFile) return { pid: undefined, program: undefined, start: undefined, inode: 0 }
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readableHolder(file: string): Holder | undefined {
  try {
    return readHolder(file)
  } catch {
    return undefined
  }
}

interface Holder extends LockOwner {
  /** undefined: the file does not tell. */
  readonly start: string | undefined
  readonly inode: number
}

/** Behind other programs' names it is something else, with minicom the user. */
function startIn(content: Buffer): string | undefined {
  return new RegExp(`^ *\\d+ ${PROGRAM} (\\d+)\n$`).exec(content.toString('latin1'))?.[1]
}

/** In the clock ticks of proc(5), from when the machine began: no clock that is set changes it. undefined: it cannot be seen. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name, in brackets, may have anything in it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function isHeld(file: string, { pid, start }: Holder): boolean {
  if (pid === undefined) return true
  if (pid === process.pid) return heldHere.has(file)
  try {
    process.kill(pid, 0)
    const present = start && startOf(pid)
    return !present || present === start
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function busy(path: string, file: string, pid: number | undefined, program: string | undefined): PortBusyError {
  if (pid !== undefined)
    return new PortBusyError(path, `${program ?? 'another program'} (process ${pid})`, undefined, pid)
  const sentence = `${path} is in use: its lock file ${file} names no process; remove the file if nothing uses the port.`
  return new PortBusyError(path, 'another program', sentence)
}

/** Moved away first: if another took the stale lock over in this very moment, it is its new lock that moved, and goes back. */
async function removeStale(file: string, staleInode: number): Promise<void> {
  const aside = temporaryName(file)
  try {
    await rename(file, aside)
    if ((await lstat(aside)).ino !== staleInode) await link(aside, file)
    await unlink(aside)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error
  }
}

async function release(file: string): Promise<void> {
  if (!heldHere.delete(file)) return
  const holder = readableHolder(file)
  if (holder?.pid === process.pid) await unlink(file).catch(() => {})
}

function temporaryName(file: string): string {
  return join(dirname(file), `LTMP.${process.pid}.${++temporaryNames}`)
}
