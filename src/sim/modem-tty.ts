/** The modem's end of one of its ttys: a pty of our own (`pty-wire.ts`), or a tty that is there already (`tty-wire.ts`). */

import type { Wire } from '../serial/wire.ts'

export interface ModemTty extends Wire {
  /** What the host opens, `/dev/pts/7`; of another tty its own name. */
  readonly slavePath: string
  /** The host's programs get a hang-up. */
  hangUp(): void
}
