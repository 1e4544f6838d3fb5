/** Section 10 again, for what goes to syslog: facility, level, ident, text, and what is held back. */

import { type ChatCase, hangUp, hear, pause, say, signal, talk } from './case.ts'

const TALK = ['SAY', 'hi\\c', 'ABORT', 'NO\\tW', 'REPORT', 'CON', '', 'A\\sB', 'OK', 'C\\q', 'CONNECT', '\\p\\c']
const ANSWERS = talk('A B\r', '\r\nOK\r\n', 'C\r', 'C\r\r\nCONNECT 9600\r\n')
const OPTIONS = ['-t1', '-v', '-s', '-S', '-vs', '-vS', '-sS', '-vsS', '-ve', '-vV', '-veV']

const logged = (name: string, args: readonly string[], more: Partial<ChatCase> = {}): ChatCase => ({
  name,
  args,
  ...more,
})

export const LOGGED: readonly ChatCase[] = [
  ...OPTIONS.flatMap((option) => [
    logged(`a dial with ${option}`, [option, ...TALK], { modem: ANSWERS }),
    logged(`an abort with ${option}`, [option, ...TALK], { modem: talk('A B\r', 'abc\x01NO\tW') }),
    logged(`a timeout with ${option}`, [option, 'TIMEOUT', '1', '', 'A', 'OK', 'B'], { modem: talk('A\r', 'abc') }),
    logged(`a signal with ${option}`, [option, 'TIMEOUT', '9', '', 'A', 'OK', 'B'], {
      modem: [hear('A\r'), pause(200), signal('SIGTERM')],
    }),
    logged(`a file that is not there with ${option}`, [option, '', '@DIR/none']),
    logged(`a quote that is open with ${option}`, [option], { script: `'' A\n"B` }),
    logged(`no terminal with ${option}`, [option, '', 'A'], { shell: 'exec "$@" </dev/null' }),
    logged(`a hang-up with ${option}`, [option, 'TIMEOUT', '9', '', 'A', 'OK', 'B'], {
      modem: [hear('A\r'), pause(100), hangUp],
    }),
    logged(`too many with ${option}`, [option, ...Array.from({ length: 51 }, () => ['ABORT', 'x']).flat()]),
    logged(`too long with ${option}`, [option, 'ABORT', 'x\\t\x01'.repeat(30)]),
    logged(`an expect too long with ${option}`, [option, 'x'.repeat(1025)]),
  ]),
  logged('usage', ['-v', '-x']),
  logged('-f with words', ['-v', '-f', 'DIR/x', 'A']),
  logged('an empty message and long lines', ['-v', '', 'A', 'end', ''], {
    modem: talk('A\r', `\n\n${'x'.repeat(80)}\n${'y'.repeat(300)}\t\x7f\xe9\nend`),
  }),
  logged('a message of over 1023 bytes', ['-v', '\x01'.repeat(700), 'B'], { modem: [say('\x01'.repeat(700))] }),
  logged('many messages at once', ['-v', '', 'A', 'end', ''], { modem: talk('A\r', `${'line\r\n'.repeat(300)}end`) }),
  logged('per cent signs', ['-v', 'ABORT', '%s%n%d', '', '100%\\c', 'OK', ''], { modem: talk('%', '%sOK') }),
  logged('bytes above 127', ['-v', 'ABORT', '\xe9', '', '\xff\\c']),
]
