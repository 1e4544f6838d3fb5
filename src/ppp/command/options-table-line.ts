/** The options of pppd's tty channel, in its order. */

import { type Definition, flag, integer, named, refused, text } from './options-definition.ts'
import { deviceWord, speedWord, takeEscapes, takeXonXoff } from './options-special.ts'

export const LINE_OPTIONS: readonly Definition[] = [
  deviceWord,
  speedWord,
  flag('lock', 'locks', 1, { group: 'first' }),
  flag('nolock', 'locks', 0, { group: 'later', isPrivileged: true }),
  text('init', 'init', { isFixedByRoot: true }),
  text('connect', 'connect', { isFixedByRoot: true }),
  text('disconnect', 'disconnect', { isFixedByRoot: true }),
  text('welcome', 'welcome', { isFixedByRoot: true }),
  text('pty', 'ptyCommand', { isFixedByRoot: true, namesLine: true }),
  flag('notty', 'noTty', 1, { namesLine: true }),
  refused('socket', 'lines over the network: use pty "socat - TCP:HOST:PORT"', true),
  text('record', 'recordFile'),
  flag('crtscts', 'flowControl', 1, { group: 'first' }),
  flag('cdtrcts', 'flowControl', 2, { group: 'later' }),
  ...named(flag('', 'flowControl', -1, { group: 'later' }), 'nocrtscts', '-crtscts', 'nocdtrcts'),
  { type: 'special', name: 'xonxoff', hasArgument: false, group: 'later', take: takeXonXoff, show: () => '' },
  integer('stop-bits', 'stopBits', { isFixedByRoot: true, least: 1, most: 2 }),
  flag('modem', 'usesModemLines', 1, { group: 'first' }),
  flag('local', 'usesModemLines', 0, { group: 'later' }),
  refused('sync', 'synchronous lines are not supported: use pppd itself'),
  refused('datarate', 'the line is not slowed down: use trickle or tc on the other side of the pty', true),
  {
    type: 'special',
    name: 'escape',
    hasArgument: true,
    take: takeEscapes,
    show: ({ escapes }) => shownEscapes(escapes),
  },
]

function shownEscapes(escapes: ReadonlySet<number>): string {
  const shown = [...escapes].filter((octet) => octet !== 0x7d && octet !== 0x7e).sort((a, b) => a - b)
  return shown.length === 0 ? 'oops # nothing escaped' : shown.map((octet) => octet.toString(16)).join(',')
}
