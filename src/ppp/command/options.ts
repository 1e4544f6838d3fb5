/**
 * What modem-ppp was told: pppd(8)'s options from the command line and the files, in pppd's order and with its priorities.
 * This is the interface; `options-*.ts` do the work. Called once by `command.ts`.
 */

import type { PppSettings } from '../settings.ts'
import { readAll } from './options-read.ts'
import type { OptionServices } from './options-services.ts'

/** Where the bytes come from. */
export type LineSource =
  /** A tty by its whole name. `isStandardInput`: it is the terminal on standard input (pppd then neither detaches nor logs to stdout). */
  | { readonly type: 'tty'; readonly path: string; readonly isStandardInput: boolean }
  /** `notty`: standard input and output. */
  | { readonly type: 'stdio' }
  /** `pty COMMAND`: the command's standard input and output. */
  | { readonly type: 'command'; readonly command: string }

/** Shell commands (`sh -c`), with stdin and stdout on the line. */
export interface LineScripts {
  readonly init: string | undefined
  readonly connect: string | undefined
  readonly disconnect: string | undefined
  readonly welcome: string | undefined
}

export type FlowControl = 'leave' | 'none' | 'rts-cts' | 'cdtr-cts' | 'xon-xoff'

/** May the program leave the terminal? `at-up`: once the first network protocol is (pppd's `updetach`). */
export type Detach = 'never' | 'at-start' | 'at-up'

/** Where log lines go besides syslog: pppd's `logfile`, `logfd`, `nolog`, or its default (stdout, unless that is the line). */
export type LogTarget =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'fd'; readonly fd: number }
  | { readonly type: 'none' }

export interface DefaultRoute {
  /** undefined: pppd's -1: only where there is no default route yet. */
  readonly metric: number | undefined
  /** `replacedefaultroute`: in place of the one that is there. */
  readonly replaces: boolean
}

export interface TrafficLimit {
  readonly bytes: number
  readonly counts: 'sum' | 'in' | 'out' | 'max'
  readonly checkMs: number
}

export interface PppOptions {
  /** Show `dumpLines` as information, then leave with 0 (`dryrun`). */
  readonly isDryRun: boolean
  /** `dump` and `dryrun`: what pppd would print, a line each. Empty: nothing asked for. */
  readonly dumpLines: readonly string[]
  /** For the log: options files that could not be opened, what root's options override. */
  readonly warnings: readonly string[]

  readonly line: LineSource
  /** Bits per second; undefined: the tty's speed is left. */
  readonly speedBaud: number | undefined
  readonly flowControl: FlowControl
  readonly stopBits: 1 | 2
  /** `modem` (true) or `local`: watch CD, drop DTR. */
  readonly usesModemLines: boolean
  /** `lock`: a UUCP lock file. */
  readonly locksTty: boolean
  readonly scripts: LineScripts
  /** How long to wait for the peer's first byte after the connect script. */
  readonly connectDelayMs: number
  /** On top of what the peer's ACCM asks for: characters (0 to 255) we always escape in what we send. */
  readonly escapes: readonly number[]

  /** Recording needs `builtin`. */
  readonly engine: 'auto' | 'builtin' | 'kernel'
  /** `ifname`, or `ppp` with `unit`'s number; undefined: the next free `pppN`. */
  readonly interfaceName: string | undefined
  /** Of both protocols. */
  readonly defaultRoute: DefaultRoute | undefined

  /**
   * The session's settings as of now: secrets files are read anew. Call it before each attempt. `notice`: warnings for the log
   * (a secrets file that others may read), without secrets.
   */
  readonly sessionSettings: (notice: (line: string) => void) => PppSettings

  /** `maxoctets`: ends the link with `data-limit`. */
  readonly trafficLimit: TrafficLimit | undefined

  readonly detach: Detach
  /** `up_sdnotify`: READY=1 once the link is up. */
  readonly notifiesSystemd: boolean
  readonly log: LogTarget
  /** 0: none; 1: `debug` (control packets are logged); more by `kdebug`. */
  readonly debugLevel: number
  readonly persists: boolean
  /** Consecutive failures that end `persist`; 0: no limit. */
  readonly maxFailures: number
  /** Pause before the next attempt. */
  readonly holdOffMs: number
  /** When leaving: how long children may take. */
  readonly childTimeoutMs: number
  /** For the log: who is calling. */
  readonly remoteNumber: string | undefined
  readonly linkName: string | undefined
  readonly ipParam: string | undefined
  /** Name servers asked for (`usepeerdns`): ip-up gets DNS1, DNS2 and resolv.conf is written. */
  readonly usesPeerDns: boolean
  /** The programs to run at each event (`ip-up-script` and so on; default /etc/ppp/ip-up …). */
  readonly eventScripts: EventScripts
  /** pppd's `set NAME=VALUE` and `unset NAME` for the scripts' environment; undefined: removed. */
  readonly scriptVariables: ReadonlyMap<string, string | undefined>
  /** `record FILE` (pppdump's format), `pcap FILE`. */
  readonly recordFile: string | undefined
  readonly pcapFile: string | undefined
}

export interface EventScripts {
  readonly ipPreUp: string
  readonly ipUp: string
  readonly ipDown: string
  readonly ipv6Up: string
  readonly ipv6Down: string
  readonly authUp: string
  readonly authDown: string
}

/** Nothing is to be run: the texts are written as they are, then the program leaves. */
export interface EarlyEnd {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** `argv` without program and script. Never throws. `stderr` of an EarlyEnd goes to syslog as well, as pppd's does. */
export function readOptions(argv: readonly string[], services: OptionServices): PppOptions | EarlyEnd {
  return readAll(argv, services)
}
