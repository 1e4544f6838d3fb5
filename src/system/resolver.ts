/**
 * Name servers of a link, by /etc/resolv.conf (resolv.conf(5)) itself. The supervisor applies them when a link is up.
 *
 * What was there before is kept in `<root>/run/modemd/resolv.conf.<interface>`: a copy with its mode and owner, a symbolic link
 * where it was one, `absent.resolv.conf.<interface>` where there was nothing. It comes back when the link ends, or after a crash
 * at the next start; unless somebody else has written the file since, then theirs stays. With several links each copy
 * is the file of the link before, so that they may end in any order.
 */

import { constants, type Stats } from 'node:fs'
import {
  chmod,
  chown,
  copyFile,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorText, ModemdError } from '../base/errors.ts'

export interface DnsSettings {
  /** '' or the directory that stands for `/`. */
  readonly root: string
  readonly interfaceName: string
  /** Addresses, the first one first. None: nothing is done. */
  readonly servers: readonly string[]
}

const MARK = /^# modemd: name servers of (\S+);/
const RUN_DIRECTORY = 'run/modemd'
const BACKUP = /^(?:absent\.)?resolv\.conf\.(.+)$/
/** Kept from what was there: they are not about which server to ask. */
const KEPT_LINES = /^(?:search|domain|options|sortlist)\s/
/** A mount point, another file system, or a directory that may not be written: then the file itself is written. */
const NOT_RENAMED_OVER = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS'])

/** The returned function puts back what was there; idempotent. Both reject with a ModemdError. */
export async function applyDns(settings: DnsSettings): Promise<() => Promise<void>> {
  const { root, interfaceName, servers } = settings
  if (!/^(?!\.)[A-Za-z0-9_.-]+$/.test(interfaceName))
    throw new ModemdError('InvalidArgs', `${JSON.stringify(interfaceName)} is no interface name`)
  for (const server of servers)
    if (!/^[0-9A-Fa-f.:]+$/.test(server))
      throw new ModemdError('InvalidArgs', `${JSON.stringify(server)} is no address of a name server`)
  if (servers.length === 0) return async () => {}
  const resolver = new ResolverFile(root)
  await inTurn('set the name servers', () => resolver.apply(interfaceName, servers))
  return () => inTurn('restore the name servers', () => resolver.restore(interfaceName))
}

/** At start, before any link is up. */
export function restoreDnsAfterCrash(root: string): Promise<void> {
  const resolver = new ResolverFile(root)
  return inTurn('restore the name servers', async () => {
    for (const interfaceName of await resolver.backups()) await resolver.restore(interfaceName)
  })
}

let turn: Promise<unknown> = Promise.resolve()

/** One change of the file at a time. */
function inTurn(what: string, change: () => Promise<void>): Promise<void> {
  const done = turn.then(change).catch((error: unknown) => {
    const code = errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM' ? 'NotAuthorized' : 'Internal'
    throw new ModemdError(code, `cannot ${what}: ${errorText(error)}`)
  })
  turn = done.catch(() => {})
  return done
}

class ResolverFile {
  readonly #path: string
  readonly #directory: string

  constructor(root: string) {
    this.#path = join('/', root, 'etc/resolv.conf')
    this.#directory = join('/', root, RUN_DIRECTORY)
  }

  async apply(interfaceName: string, servers: readonly string[]): Promise<void> {
    const before = await readIfThere(this.#path)
    // Ours already: a change of servers, or what a crash left. What was there before us is kept.
    const isOurs = ownerOf(before) === interfaceName
    const kept = (before?.toString('latin1') ?? '').split('\n').filter((line) => KEPT_LINES.test(line))
    const lines = [
      `# modemd: name servers of ${interfaceName}; what was here before comes back when the link ends`,
      ...servers.map((server) => `nameserver ${server}`),
      ...kept,
    ]
    try {
      if (!isOurs) await this.#backUp(interfaceName)
      await this.#write(Buffer.from(`${lines.join('\n')}\n`, 'latin1'), { mode: 0o644 })
    } catch (error) {
      if (!isOurs) await this.#dropBackups(interfaceName).catch(() => {})
      throw error
    }
  }

  async restore(interfaceName: string): Promise<void> {
    const backup = await this.#find(interfaceName)
    if (!backup) return
    const now = await readIfThere(this.#path)
    // An empty file is a write of ours that a crash cut short.
    const isOurs = ownerOf(now) === interfaceName || now?.length === 0
    if (isOurs) await this.#putBack(backup)
    else await this.#passOn(interfaceName, backup)
    await rm(backup, { force: true })
  }

  async backups(): Promise<string[]> {
    const names = await readdir(this.#directory).catch(ifThere([]))
    return names.flatMap((name) => BACKUP.exec(name)?.[1] ?? [])
  }

  async #backUp(interfaceName: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    await this.#dropBackups(interfaceName)
    const [copy, absent] = this.#backupPaths(interfaceName)
    const stats = await lstat(this.#path).catch(ifThere(undefined))
    if (!stats) await writeFile(absent, '')
    else if (stats.isSymbolicLink()) await symlink(await readlink(this.#path), copy)
    else await copyAll(this.#path, copy, stats)
  }

  async #dropBackups(interfaceName: string): Promise<void> {
    for (const path of this.#backupPaths(interfaceName)) await rm(path, { force: true })
  }

  /** Its path, or undefined. */
  async #find(interfaceName: string): Promise<string | undefined> {
    for (const path of this.#backupPaths(interfaceName)) if (await lstat(path).catch(ifThere(undefined))) return path
    return undefined
  }

  async #putBack(backup: string): Promise<void> {
    const stats = await lstat(backup)
    if (this.#isAbsence(backup)) await rm(this.#path)
    else if (!stats.isSymbolicLink()) await this.#write(await readFile(backup), stats)
    else {
      const fresh = `${this.#path}.modemd`
      await rm(fresh, { force: true })
      await symlink(await readlink(backup), fresh)
      await rename(fresh, this.#path)
    }
  }

  /** A later link keeps our file as what was before it: it gets what was before us instead. */
  async #passOn(interfaceName: string, backup: string): Promise<void> {
    for (const later of await this.backups()) {
      const [copy, absent] = this.#backupPaths(later)
      if (ownerOf(await readIfThere(copy)) !== interfaceName) continue
      await rm(copy)
      await rename(backup, this.#isAbsence(backup) ? absent : copy)
    }
  }

  /** By a new file renamed over the old where that can be done, so that no program reads half of it. */
  async #write(content: Uint8Array, like: Pick<Stats, 'mode'> & Partial<Pick<Stats, 'uid' | 'gid'>>): Promise<void> {
    const fresh = `${this.#path}.modemd`
    try {
      await mkdir(dirname(this.#path), { recursive: true })
      await writeFile(fresh, content)
      await own(fresh, like)
      await rename(fresh, this.#path)
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => {})
      const isLink = (await lstat(this.#path).catch(ifThere(undefined)))?.isSymbolicLink()
      if (isLink || !NOT_RENAMED_OVER.has(errorCode(error))) throw error
      await this.#overwrite(content)
      await own(this.#path, like)
    }
  }

  /** Never shorter than both before the new content is whole: on a full disk the blocks that are given up would be another's. */
  async #overwrite(content: Uint8Array): Promise<void> {
    const file = await open(this.#path, constants.O_RDWR | constants.O_CREAT, 0o644)
    try {
      const before = await file.readFile()
      try {
        await replaceContent(file, content)
      } catch (error) {
        await replaceContent(file, before)
        throw error
      }
    } finally {
      await file.close()
    }
  }

  #backupPaths(interfaceName: string): readonly [copy: string, absent: string] {
    return [
      join(this.#directory, `resolv.conf.${interfaceName}`),
      join(this.#directory, `absent.resolv.conf.${interfaceName}`),
    ]
  }

  #isAbsence(backup: string): boolean {
    return backup.startsWith(join(this.#directory, 'absent.'))
  }
}

/** The interface in our first line. */
function ownerOf(content: Buffer | undefined): string | undefined {
  return MARK.exec(content?.toString('latin1') ?? '')?.[1]
}

function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(ifThere(undefined))
}

async function replaceContent(file: FileHandle, content: Uint8Array): Promise<void> {
  for (let at = 0; at < content.length; ) at += (await file.write(content, at, content.length - at, at)).bytesWritten
  await file.truncate(content.length)
}

async function copyAll(from: string, to: string, stats: Stats): Promise<void> {
  await copyFile(from, to)
  await own(to, stats)
}

async function own(path: string, like: Pick<Stats, 'mode'> & Partial<Pick<Stats, 'uid' | 'gid'>>): Promise<void> {
  const { mode, uid, gid } = like
  // Who may not give files away owns the new one as he owned the old.
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid).catch(() => {})
  await chmod(path, mode & 0o7777)
}

/** For `catch`: what is not there is `instead`, any other error stays one. */
function ifThere<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (errorCode(error) === 'ENOENT') return instead
    throw error
  }
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
