/**
 * mmctl's exit codes: what each D-Bus error ends a command with. Which error a cause becomes is in the daemon's table of
 * causes (`link/causes.ts`). Documented in mmctl(1).
 */

import type { ErrorCode } from '../base/errors.ts'

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noDaemon: 3,
  notFound: 4,
  notAuthorized: 5,
  timedOut: 6,
  sim: 7,
  network: 8,
  dial: 9,
  ppp: 10,
  /** 128 + SIGINT: the user stopped it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODE_HELP = `Exit codes:
  0  done                           6  timed out
  1  failed                         7  SIM absent, or needs a PIN or PUK
  2  wrong usage                    8  no network, denied, or roaming forbidden
  3  modemd does not answer         9  dial failed
  4  no such modem, profile, link  10  PPP or authentication failed
  5  not authorised               130  interrupted`

/** `org.modemd.Error.X`. */
const BY_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  InvalidArgs: EXIT.usage,
  NotFound: EXIT.notFound,
  NotAuthorized: EXIT.notAuthorized,
  Busy: EXIT.failed,
  WrongState: EXIT.failed,
  SimPin: EXIT.sim,
  SimPuk: EXIT.sim,
  SimAbsent: EXIT.sim,
  PinGuard: EXIT.sim,
  NoNetwork: EXIT.network,
  Roaming: EXIT.network,
  DialFailed: EXIT.dial,
  AuthFailed: EXIT.ppp,
  PppFailed: EXIT.ppp,
  Timeout: EXIT.timedOut,
  ModemGone: EXIT.notFound,
  Unsupported: EXIT.failed,
  Internal: EXIT.failed,
  Unknown: EXIT.failed,
}

/** The bus's own errors, `org.freedesktop.DBus.Error.X`. */
const BY_BUS_ERROR: Readonly<Record<string, ExitCode>> = {
  NoServer: EXIT.noDaemon,
  Disconnected: EXIT.noDaemon,
  ServiceUnknown: EXIT.noDaemon,
  NameHasNoOwner: EXIT.noDaemon,
  NoReply: EXIT.noDaemon,
  'Spawn.ChildExited': EXIT.noDaemon,
  'Spawn.ChildSignaled': EXIT.noDaemon,
  'Spawn.ExecFailed': EXIT.noDaemon,
  'Spawn.ForkFailed': EXIT.noDaemon,
  'Spawn.ServiceNotFound': EXIT.noDaemon,
  TimedOut: EXIT.noDaemon,
  AccessDenied: EXIT.notAuthorized,
  AuthFailed: EXIT.notAuthorized,
  UnknownObject: EXIT.notFound,
  Timeout: EXIT.timedOut,
}

/** What systemd answers the bus with where it does not start modemd: disabled, masked, broken. */
export const SYSTEMD_ERROR = 'org.freedesktop.systemd1.'

export function exitCodeOf(errorName: string): ExitCode {
  if (errorName.startsWith(SYSTEMD_ERROR)) return EXIT.noDaemon
  const [, ours, buses] = /^org\.(?:modemd\.Error\.(\w+)|freedesktop\.DBus\.Error\.([\w.]+))$/.exec(errorName) ?? []
  if (ours !== undefined && Object.hasOwn(BY_ERROR, ours)) return BY_ERROR[ours as ErrorCode]
  if (buses !== undefined && Object.hasOwn(BY_BUS_ERROR, buses)) return BY_BUS_ERROR[buses]!
  return EXIT.failed
}
