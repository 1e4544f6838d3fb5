/** Small files in the state directory that are whole and on disk once `write` returns. For the PIN ledger, the remembered ids and ports, and the counters. */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRegularFile } from '../serial/regular-file.ts'

export interface StateFiles {
  /** Where they are, for people: without the root that tests put before it. */
  readonly directory: string
  /** undefined: there is none. Throws where it cannot be read. */
  read(name: string): string | undefined
  /** After it returns the new content survives a power cut; before, the old one does. Throws where that cannot be had. */
  write(name: string, text: string): void
}

export interface KeptStateFiles extends StateFiles {
  /** Out of the way under a name of its own, which it answers; for a file that cannot be read. Throws where that cannot be had. */
  setAside(name: string): string
}

/** Each is kept; beyond them the last one goes. */
const MOST_SET_ASIDE = 9
/** Far above what any of them grows to. */
const LARGEST_BYTES = 4 * 1024 * 1024

export function stateFilesIn(directory: string, root = ''): KeptStateFiles {
  return {
    directory: directory.startsWith(root) ? directory.slice(root.length) : directory,
    read(name) {
      try {
        return readRegularFile(join(directory, name), LARGEST_BYTES).content.toString('utf8')
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    },
    write(name, text) {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const file = join(directory, name)
      const fresh = `${file}.new`
      // What a crash left has any mode and content.
      rmSync(fresh, { force: true })
      const fd = openSync(fresh, 'wx', 0o600)
      try {
        // Not writeSync: on a nearly full disk that writes a part and does not say so.
        writeFileSync(fd, text)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(fresh, file)
      syncDirectory(directory)
    },
    setAside(name) {
      const names = Array.from({ length: MOST_SET_ASIDE }, (_, index) => `${name}.broken-${index + 1}`)
      const aside = names.find((each) => !existsSync(join(directory, each))) ?? names.at(-1)!
      renameSync(join(directory, name), join(directory, aside))
      syncDirectory(directory)
      return aside
    },
  }
}

/** The rename itself is on disk only with its directory. */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
