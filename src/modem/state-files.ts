/** Small files in the state directory that are whole and on disk once `write` returns. For the PIN ledger and the remembered ids. */

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface StateFiles {
  /** Where they are, for people: without the root that tests put before it. */
  readonly directory: string
  /** undefined: there is none. Throws where it cannot be read. */
  read(name: string): string | undefined
  /** After it returns the new content survives a power cut; before, the old one does. Throws where that cannot be had. */
  write(name: string, text: string): void
}

export function stateFilesIn(directory: string, root = ''): StateFiles {
  return {
    directory: directory.startsWith(root) ? directory.slice(root.length) : directory,
    read(name) {
      try {
        return readFileSync(join(directory, name), 'utf8')
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
