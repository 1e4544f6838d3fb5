/** What a UUCP lock file says of its owner (FHS 5.9). Read by `serial/lock-file.ts` and by `mmctl doctor`. */

export interface LockOwner {
  /** undefined: the file does not say whose it is. */
  readonly pid: number | undefined
  /** As minicom and modemd write it behind the number. */
  readonly program: string | undefined
}

/** Ten places of text, with or without words behind them, or the four bytes of older programs. */
export function readLockOwner(content: Buffer): LockOwner {
  const [, pid, program] = /^\s*(\d{1,10})(?:[ \t]+(\S+).*)?\s*$/.exec(content.toString('latin1')) ?? []
  if (pid !== undefined) return { pid: Number(pid), program }
  const isBinary = content.length === 4 && content.readInt32LE() > 0
  return { pid: isBinary ? content.readInt32LE() : undefined, program: undefined }
}
