/**
 * The byte pipe to a modem: a tty, a pty, or in tests a virtual cable. `serialport-wire.ts` opens real ones,
 * `tap.ts` and `faults.ts` wrap any, `lease.ts` lends one out to one owner at a time.
 */

export interface WireListener {
  /** `bytes` belong to the listener. */
  data(bytes: Uint8Array): void
  /** The write queue is empty again after `write` answered false. */
  drain(): void
  /** Once, however the end came; nothing follows. `reason` is for people (`hung up`, `input/output error`). */
  closed(reason: string): void
}

export interface ModemLines {
  readonly dtr?: boolean
  readonly rts?: boolean
}

export interface Wire {
  /** The tty's name without the root, e.g. `/dev/ttyUSB0`. */
  readonly path: string
  readonly isClosed: boolean
  /** The tty's descriptor, for who takes the line discipline or hands the tty to a child (while nobody listens); undefined: this is no tty. */
  readonly fd: number | undefined
  /**
   * Reading starts with the first listener. Replaces the one before; a listener attached after the end is told at once (in a microtask).
   * undefined: nobody listens; bytes that come stay for the next listener.
   */
  listen(listener: WireListener | undefined): void
  /** Queues the bytes; false: the queue is over its high-water mark, wait for `drain`. After the end: does nothing, true. */
  write(bytes: Uint8Array): boolean
  /** Bits per second. Never fails where the device has no speed (a pty). */
  setBaud(baud: number): Promise<void>
  /** DTR and RTS; does nothing where the device has none (ENOTTY on a pty). */
  setLines(lines: ModemLines): Promise<void>
  /** At least 250 ms of break (TCSBRK). */
  sendBreak(): Promise<void>
  /** Drops unsent and unread bytes (TCFLSH). */
  flush(): Promise<void>
  /**
   * Set while the kernel is to hang the tty up when the carrier goes (setLocal): it is then opened again, and who listens goes on with
   * that. False: a hang-up is the end. undefined: this wire cannot.
   */
  outlivesHangUp?: boolean | undefined
  /** How many bytes one read may take; 1 before a hand-over to the kernel (DESIGN §3). */
  setReadSize(bytes: number): void
  /** Idempotent; the listener gets `closed`. */
  close(): Promise<void>
}

/** Opens a tty by its name without the root. Rejects with ModemdError: Busy (port-busy), NotAuthorized (permission), ModemGone (modem-gone). */
export type WireOpener = (path: string, options?: { readonly baud?: number }) => Promise<Wire>
