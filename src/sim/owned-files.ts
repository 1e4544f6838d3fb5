/**
 * Files, links and directories that we made, so that exactly these go at the end, and at the next start what a killed
 * simulator left (DESIGN §7.5). Used by `usb-tree.ts`, the control socket and `--link`.
 */

import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ModemdError } from '../base/errors.ts'

export class OwnedFiles {
  /** In the order they were made. */
  readonly #paths = new Set<string>()
  readonly #ledger: string | undefined
  #isSavedLater = false

  /** `ledgerFolder` holds a list for each running simulator; undefined: none is kept. */
  constructor(ledgerFolder?: string) {
    if (!ledgerFolder) return
    removeLeftovers(ledgerFolder)
    this.makeFolder(ledgerFolder)
    this.#ledger = join(ledgerFolder, `${process.pid}.json`)
    this.save()
  }

  makeFolder(path: string): void {
    if (exists(path)) return
    this.makeFolder(dirname(path))
    mkdirSync(path)
    this.#paths.add(path)
  }

  write(path: string, text: string): void {
    this.makeFolder(dirname(path))
    writeFileSync(path, text)
    this.#paths.add(path)
  }

  /** `target` absolute; `isRelative` links as sysfs does. A link to a tty that is gone is replaced; anything else in the way is not ours. */
  link(path: string, target: string, isRelative = false): void {
    this.makeFolder(dirname(path))
    if (exists(path)) {
      if (!isLinkToTty(path))
        throw new ModemdError('Busy', `${path} is in the way and not a tty link: remove it, or name another`)
      unlinkSync(path)
    }
    symlinkSync(isRelative ? relative(dirname(path), target) : target, path)
    this.#paths.add(path)
  }

  /** Something else made it, we remove it. */
  adopt(path: string): void {
    this.#paths.add(path)
    this.save()
  }

  /** What was made at or under `path`. */
  remove(path: string): void {
    const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    const isGone = (each: string) => each === path || each.startsWith(`${path}/`)
    // Nothing is under a file, and looking for it among thousands takes its time.
    const gone = !isFolder && this.#paths.has(path) ? [path] : [...this.#paths].filter(isGone)
    removeAll(gone)
    for (const each of gone) this.#paths.delete(each)
    this.save()
  }

  close(): void {
    if (this.#ledger) rmSync(this.#ledger, { force: true })
    removeAll([...this.#paths])
    this.#paths.clear()
  }

  /** One save for all that `run` does: with hundreds of modems each would write a list of thousands. */
  together<T>(run: () => T): T {
    this.#isSavedLater = true
    try {
      return run()
    } finally {
      this.#isSavedLater = false
      this.save()
    }
  }

  /** After a group of changes. */
  save(): void {
    if (this.#ledger && !this.#isSavedLater) writeFileSync(this.#ledger, JSON.stringify([...this.#paths]))
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function isLinkToTty(path: string): boolean {
  return lstatSync(path).isSymbolicLink() && readlinkSync(path).startsWith('/dev/pts/')
}

/** The last made first; a folder that somebody else uses stays. */
function removeAll(paths: readonly string[]): void {
  for (const path of [...paths].reverse()) {
    const what = lstatSync(path, { throwIfNoEntry: false })
    if (!what?.isDirectory()) rmSync(path, { force: true })
    else if (readdirSync(path).length === 0) rmdirSync(path)
  }
}

function removeLeftovers(ledgerFolder: string): void {
  if (!exists(ledgerFolder)) return
  for (const name of readdirSync(ledgerFolder)) {
    const pid = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(pid) || isAlive(pid)) continue
    const paths = readLedger(join(ledgerFolder, name))
    // First, so that its own folder can go too.
    rmSync(join(ledgerFolder, name), { force: true })
    removeAll(paths)
  }
}

/** Empty where it died while writing: what it made is found by the user. */
function readLedger(path: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as string[]
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
