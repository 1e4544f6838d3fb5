/**
 * Small files in folders where others may have put what they like (/run/lock is everybody's): read whole, without waiting, and only
 * where it is a file. A FIFO would hold up the daemon, a device never end, a symbolic link lead elsewhere. For lock files and state files, and for what mmctl reads as root.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** Something else than a file of ours lies there. */
export class IrregularFile extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'IrregularFile'
  }
}

export interface RegularFile {
  readonly content: Buffer
  readonly inode: number
}

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** Throws an IrregularFile, or the file system's error. `follows`: also through a symbolic link. */
export function readRegularFile(path: string, largestBytes: number, follows = false): RegularFile {
  const fd = opened(path, follows ? FLAGS : FLAGS | constants.O_NOFOLLOW)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new IrregularFile('it is no regular file')
    if (stats.size > largestBytes) throw new IrregularFile(`it is longer than ${largestBytes} bytes`)
    return { content: readFileSync(fd), inode: stats.ino }
  } finally {
    closeSync(fd)
  }
}

function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP') throw new IrregularFile('it is a symbolic link')
    if (code === 'ENXIO') throw new IrregularFile('it is no regular file')
    throw error
  }
}
