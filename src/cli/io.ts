/** What mmctl touches of its process. `main.ts` gives the real one, tests their own. */

import type { Cancel } from '../base/ports.ts'

export interface OutputStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface InputStream {
  readonly isTTY?: boolean | undefined
  setRawMode?(on: boolean): unknown
  on(event: 'data', listener: (bytes: Buffer) => void): unknown
  off(event: 'data', listener: (bytes: Buffer) => void): unknown
  resume(): unknown
  pause(): unknown
}

export interface Io {
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Calls `listener` on SIGINT and SIGTERM instead of ending the process. */
  onInterrupt(listener: () => void): Cancel
}
