/**
 * Name servers by /etc/resolv.conf (resolv.conf(5)) itself: the last of the methods of `link/resolver-chain.ts`.
 *
 * What was there before is kept in our own file, as comments: whatever ends us, a crash, a power cut or the removal of modemd, file and
 * memory are never apart, and what is in the file says whose it is. It comes back when the last link ends, or after a crash at the
 * next start; unless somebody else has written the file since, then theirs stays.
 */

import { constants } from 'node:fs'
import {
  chmod,
  chown,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorText, ModemdError } from '../base/errors.ts'
import { areAskedOfResolved, type LinkNameServers, type NameServerMethod } from '../base/name-servers.ts'

type Former =
  | { readonly kind: 'absent' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file'; readonly owner: Owner; readonly content: Buffer }

interface Owner {
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
}

/**
 * `first`, before it is renamed: what comes back has no other copy then, and after a power cut the name must not lead to nothing.
 * `soon`: a link that comes up does not wait for a disk.
 */
type OnDisk = 'first' | 'soon'

const MARK = '# modemd: name servers of '
/** Before each line of what was there. */
const QUOTE = '#| '
const FORMER = /^# modemd: before: (?:(absent)|link (\S+)|file ([0-7]+) (\d+):(\d+))$/m
/** Kept from what was there: they are not about which server to ask. */
const KEPT_LINES = /^(?:search|domain|options|sortlist)\s/
/** A mount point, another file system, or a directory that may not be written: then the file itself is written. */
const NOT_RENAMED_OVER = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS'])

/** `root`: '' or the directory that stands for `/`. */
export function resolvConfFile(root: string): NameServerMethod {
  const file = new ResolvConf(root)
  return {
    name: '/etc/resolv.conf',
    reach: async () => 'all',
    show: (links) => explained(links.length > 0 ? 'set' : 'restore', () => file.show(links)),
    restoreAfterCrash: () => explained('restore', () => file.mend()),
  }
}

/** What programs that read /etc/resolv.conf find there, without what is ours: a text, and for a symbolic link where it leads. */
export async function foreignResolvConf(root: string): Promise<{ readonly text: string; readonly target: string }> {
  const path = join('/', root, 'etc/resolv.conf')
  const content = await readFile(path).catch(() => Buffer.alloc(0))
  const former = formerIn(content)
  if (former === undefined) return { text: content.toString('latin1'), target: await readlink(path).catch(() => '') }
  if (former.kind === 'file') return { text: former.content.toString('latin1'), target: '' }
  const target = former.kind === 'link' ? former.target : ''
  const text =
    target === ''
      ? ''
      : await readFile(join(target.startsWith('/') ? join('/', root) : dirname(path), target), 'latin1').catch(() => '')
  return { text, target }
}

export async function leadsToResolved(root: string): Promise<boolean> {
  const switches = await readFile(join('/', root, 'etc/nsswitch.conf'), 'latin1').catch(() => '')
  return areAskedOfResolved({ ...(await foreignResolvConf(root)), switches })
}

class ResolvConf {
  readonly #path: string

  constructor(root: string) {
    this.#path = join('/', root, 'etc/resolv.conf')
  }

  async show(links: readonly LinkNameServers[]): Promise<void> {
    const now = await readFile(this.#path).catch(ifThere(undefined))
    // Ours already: other servers, another link, or what a crash left.
    const kept = now && formerIn(now)
    if (links.length > 0)
      await this.#write(oursOver(kept ?? (await this.#describe(now)), links), { mode: 0o644 }, 'soon')
    else if (kept) await this.#putBack(kept)
  }

  async mend(): Promise<void> {
    await rm(this.#fresh, { force: true }).catch(() => {})
    await this.show([])
  }

  async #describe(content: Buffer | undefined): Promise<Former> {
    const stats = await lstat(this.#path).catch(ifThere(undefined))
    if (!stats) return { kind: 'absent' }
    if (stats.isSymbolicLink()) return { kind: 'link', target: await readlink(this.#path) }
    const { mode, uid, gid } = stats
    return { kind: 'file', owner: { mode: mode & 0o7777, uid, gid }, content: content ?? Buffer.alloc(0) }
  }

  async #putBack(former: Former): Promise<void> {
    if (former.kind === 'absent') await rm(this.#path)
    else if (former.kind === 'file') await this.#write(former.content, former.owner, 'first')
    else {
      await rm(this.#fresh, { force: true })
      await symlink(former.target, this.#fresh)
      await rename(this.#fresh, this.#path)
    }
  }

  get #fresh(): string {
    return `${this.#path}.modemd`
  }

  /** By a new file renamed over the old where that can be done, so that no program reads half of it. */
  async #write(content: Buffer, owner: Owner, onDisk: OnDisk): Promise<void> {
    const fresh = this.#fresh
    try {
      await mkdir(dirname(this.#path), { recursive: true })
      await rm(fresh, { force: true })
      const file = await open(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644)
      await whole(file, file.writeFile(content), onDisk)
      await own(fresh, owner)
      await rename(fresh, this.#path)
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => {})
      const isLink = (await lstat(this.#path).catch(ifThere(undefined)))?.isSymbolicLink()
      if (isLink || !NOT_RENAMED_OVER.has(errorCode(error))) throw error
      // Its mode and owner stay, which may not be ours to change.
      await this.#overwrite(content)
    }
  }

  /** Never shorter than both before the new content is whole: on a full disk the blocks that are given up would be another's. */
  async #overwrite(content: Buffer): Promise<void> {
    const file = await open(this.#path, constants.O_RDWR | constants.O_CREAT, 0o644)
    const write = async () => {
      const before = await file.readFile()
      try {
        await replaceContent(file, content, before.length)
      } catch (error) {
        await replaceContent(file, before, before.length)
        throw error
      }
    }
    // Nothing is renamed that could be on disk before it.
    await whole(file, write(), 'soon')
  }
}

function oursOver(former: Former, links: readonly LinkNameServers[]): Buffer {
  const before = former.kind === 'file' ? former.content.toString('latin1').split('\n') : []
  const servers = new Set(links.flatMap((link) => link.servers))
  const lines = [
    `${MARK}${links.map(({ interfaceName }) => interfaceName).join(' ')}; what was here before comes back when the link ends`,
    `# modemd: before: ${described(former)}`,
    ...before.map((line) => QUOTE + quoted(line)),
    ...[...servers].map((server) => `nameserver ${server}`),
    ...before.filter((line) => KEPT_LINES.test(line)),
  ]
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1')
}

function described(former: Former): string {
  if (former.kind === 'absent') return 'absent'
  if (former.kind === 'link') return `link ${encodeURIComponent(former.target)}`
  const { mode, uid = 0, gid = 0 } = former.owner
  return `file ${mode.toString(8)} ${uid}:${gid}`
}

/** undefined: the file is not ours. */
function formerIn(content: Buffer): Former | undefined {
  const text = content.toString('latin1')
  if (!text.startsWith(MARK)) return undefined
  const [, absent, link, mode, uid, gid] = FORMER.exec(text) ?? []
  if (absent) return { kind: 'absent' }
  if (link !== undefined) return linkTo(link)
  if (mode === undefined) return undefined
  const lines = text.split('\n').filter((line) => line.startsWith(QUOTE))
  const before = lines.map((line) => unquoted(line.slice(QUOTE.length))).join('\n')
  const owner = { mode: Number.parseInt(mode, 8), uid: Number(uid), gid: Number(gid) }
  return { kind: 'file', owner, content: Buffer.from(before, 'latin1') }
}

/** undefined: somebody has changed it, and nobody knows to what it led. */
function linkTo(escaped: string): Former | undefined {
  try {
    return { kind: 'link', target: decodeURIComponent(escaped) }
  } catch {
    return undefined
  }
}

/** Bytes that are not printable, and the sign of the escapes itself, as %XX. */
function quoted(line: string): string {
  return line.replace(/[^\x20-\x24\x26-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function unquoted(line: string): string {
  return line.replace(/%([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** A crash before the end leaves empty lines behind the content, none of what was there before. */
async function replaceContent(file: FileHandle, content: Buffer, formerLength: number): Promise<void> {
  const padded = Buffer.alloc(Math.max(content.length, formerLength), '\n')
  content.copy(padded)
  for (let at = 0; at < padded.length; ) at += (await file.write(padded, at, padded.length - at, at)).bytesWritten
  await file.truncate(content.length)
}

/** Closes the file once it is written, and on disk where that is to be first. */
async function whole(file: FileHandle, written: Promise<void>, onDisk: OnDisk): Promise<void> {
  try {
    await written
    if (onDisk === 'first') await file.sync()
  } catch (error) {
    await file.close()
    throw error
  }
  if (onDisk === 'first') return file.close()
  void file
    .sync()
    .catch(() => {})
    .finally(() => file.close())
    .catch(() => {})
}

async function own(path: string, { mode, uid, gid }: Owner): Promise<void> {
  // Who may not give files away owns the new one as he owned the old.
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid).catch(() => {})
  // Who may only write it (by an access control list) leaves its mode.
  await chmod(path, mode).catch((error) => {
    if (errorCode(error) !== 'EPERM') throw error
  })
}

async function explained(what: 'set' | 'restore', change: () => Promise<void>): Promise<void> {
  try {
    await change()
  } catch (error) {
    const code = errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM' ? 'NotAuthorized' : 'Internal'
    throw new ModemdError(code, `cannot ${what} the name servers: ${errorText(error)}`)
  }
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
