/** What modem-chat says about itself. */

import { VERSION } from '../../base/version.ts'

/** The original's, word for word: it is the answer to a wrong option. */
export function usage(program: string): string {
  return `Usage: ${program} [-e] [-E] [-v] [-V] [-t timeout] [-r report-file]
     [-T phone-number] [-U phone-number2] {-f chat-file | chat-script}
`
}

export const VERSION_TEXT = `modem-chat ${VERSION}\n`

export const HELP_TEXT = `modem-chat [OPTION ...] {-f FILE | WORD ...}
Talks to a modem on standard input and output by a script of chat(8): expect,
send, expect, send ...

  -f FILE      the script is in FILE
  -t SECONDS   limit for each expect and each send (45; 0: none)
  -r FILE      reports are appended to FILE, not written to standard error
  -T TEXT      what \\T stands for, the number to be dialled
  -U TEXT      what \\U stands for
  -E           $NAME stands for a variable of the environment
  -e           received bytes are shown on standard error (ECHO ON)
  -V           the same
  -v           the dialogue is logged
  -s           messages go to standard error too
  -S           messages do not go to syslog
  -l FILE      UUCP lock file: made at the start, removed if the script fails
  --pace MS    a pause before each byte sent (chat has 10 ms)
  --json       a last line on standard error: exit code, abort string, reports
  --check      only look for faults in the script (a single word that names a
               file: that file)
  --dry-run    only say what the script would do
  --help, --version

Exit codes:
  0  done
  1  usage, script or send failed
  2  signal, terminal, too many strings
  3  nothing expected came in time
  4  and up: the first, second ... ABORT string came

Example:
  modem-chat ABORT BUSY ABORT 'NO CARRIER' '' ATZ OK 'ATD*99#' CONNECT '\\c' \\
    </dev/ttyUSB0 >/dev/ttyUSB0
`
