/** One dialogue for the comparison of Debian's chat with modem-chat: how the program is started and what the modem does. Strings are byte strings. */

export type Step =
  /** Goes on when the program has sent these bytes since what was heard last. */
  | { readonly do: 'hear'; readonly bytes: string }
  | { readonly do: 'say'; readonly bytes: string }
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'hang-up' }
  | { readonly do: 'signal'; readonly name: NodeJS.Signals }
  /** Appends to a file of the folder while the program runs: a FIFO, or a script that grows. It stays open until `close-files`. */
  | { readonly do: 'write'; readonly file: string; readonly bytes: string }
  | { readonly do: 'close-files' }

export interface ChatCase {
  readonly name: string
  /** Options and words; `DIR/` in them (as everywhere here) is the folder of the case's files, where it runs. */
  readonly args: readonly string[]
  /** Without it the words are in `args`; with it `-f DIR/script` is put between the options and nothing. */
  readonly script?: string
  readonly files?: Readonly<Record<string, string>>
  readonly fifos?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Starts when the program has set the terminal up. */
  readonly modem?: readonly Step[]
  /** Said before the program starts. */
  readonly before?: string
  /** The line is the program's controlling terminal. */
  readonly isControlling?: boolean
  /** How a shell starts it: `exec "$@"` by default. */
  readonly shell?: string
  /** The terminal before the start; raw without. Bits are set and cleared on the raw settings. */
  readonly settings?: SettingsChange
  /** What arrives after the end may come before or after the settings are put back: bit 7 of the rest is not compared. */
  readonly ignoresBit7?: boolean
}

export interface SettingsChange {
  readonly input?: number
  readonly output?: number
  readonly control?: number
  readonly local?: number
  /** By index in c_cc. */
  readonly characters?: Readonly<Record<number, number>>
}

/** What both programs must agree on. */
export interface Outcome {
  readonly sent: string
  /** Exit code, or the signal's name. */
  readonly exit: number | string
  readonly stderr: string
  /** Files of the folder that the program made or changed. */
  readonly files: Readonly<Record<string, string>>
  readonly unread: string
  /** The 36 bytes of struct termios as hexadecimal digits: while it ran (if it got so far) and after its end. */
  readonly during: string
  readonly after: string
  /** `<priority>ident[pid]: text`, where a log socket listens. */
  readonly syslog?: readonly string[]
}

export const hear = (bytes: string): Step => ({ do: 'hear', bytes })
export const say = (bytes: string): Step => ({ do: 'say', bytes })
export const pause = (ms: number): Step => ({ do: 'pause', ms })
export const hangUp: Step = { do: 'hang-up' }
export const signal = (name: NodeJS.Signals): Step => ({ do: 'signal', name })
export const write = (file: string, bytes: string): Step => ({ do: 'write', file, bytes })
export const closeFiles: Step = { do: 'close-files' }

/** Heard and said in turn; nothing is waited for where '' is heard. */
export function talk(...turns: readonly string[]): Step[] {
  return turns.flatMap((bytes, index) => (bytes === '' ? [] : [index % 2 === 0 ? hear(bytes) : say(bytes)]))
}

/** Everything told on stderr, nothing to syslog. */
export const TOLD = ['-v', '-s', '-S'] as const

/** The common case: words on the command line, all messages, and a modem's turns. */
export function words(
  name: string,
  script: readonly string[],
  modem: readonly Step[] = [],
  more: Partial<ChatCase> = {},
) {
  return { name, args: [...TOLD, '-t', '1', '--', ...script], modem, ...more } satisfies ChatCase
}

/** The same with a script file. */
export function file(name: string, script: string, modem: readonly Step[] = [], more: Partial<ChatCase> = {}) {
  return { name, args: [...TOLD, '-t', '1'], script, modem, ...more } satisfies ChatCase
}
