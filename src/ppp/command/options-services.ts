/** What the option reader wants of the machine; `options-system.ts` is the real one, tests bring their own. */

export interface FileStatus {
  readonly isCharacterDevice: boolean
  /** Equal for two names of one device; undefined: no device. */
  readonly deviceNumber: number | undefined
}

export interface FileText {
  readonly bytes: Buffer
  /** Group or others may read it. */
  readonly isOpenToOthers: boolean
}

export interface OptionServices {
  /** As called, for messages: `modem-ppp`, or `/usr/sbin/pppd` where it stands in for that. */
  readonly programName: string
  /** The real user is root: privileged options are taken from anywhere. */
  readonly isRoot: boolean
  /** For ~/.ppprc; undefined: there is none. */
  readonly homeDirectory: string | undefined
  readonly hostName: string
  /** Throws Node's error with its `code`. */
  readFile(path: string): FileText
  /** Of a file or an open descriptor. Throws Node's error. */
  status(file: string | number): FileStatus
  /** The name of the terminal on standard input; undefined: none. */
  standardInputTty(): string | undefined
  /** IPv4 by name, from the system's resolver; undefined: not found. */
  lookUpHost(name: string): number | undefined
  /** undefined: no such group. */
  isInGroup(name: string): boolean | undefined
  hasDefaultRoute(): boolean
  /** Six bytes, of the first Ethernet interface; undefined: there is none. */
  hardwareAddress(): Uint8Array | undefined
  /** crypt(3); undefined: there is no libcrypt here, or it does not know the method. */
  crypt(password: string, setting: string): string | undefined
  /** Is that the password of that user of the system? undefined: cannot be told here (no libcrypt, no rights). */
  checkSystemPassword(user: string, password: string): boolean | undefined
}
