/**
 * The state transition table of RFC 1661 §4.1, cell by cell as it is printed there: actions, then the next state. `-` is an
 * event that cannot happen in that state. The marks r, p and x (restart option, passive option, crossed connection) are the
 * RFC's footnotes; none changes a transition: p leaves out the tlf of its cells, r is `Automaton.restart`. Read by `automaton.ts`.
 */

export const STATES = [
  'Initial',
  'Starting',
  'Closed',
  'Stopped',
  'Closing',
  'Stopping',
  'Req-Sent',
  'Ack-Rcvd',
  'Ack-Sent',
  'Opened',
] as const

export type State = (typeof STATES)[number]

export type Action =
  | 'tlu'
  | 'tld'
  | 'tls'
  | 'tlf'
  | 'irc'
  | 'zrc'
  | 'scr'
  | 'sca'
  | 'scn'
  | 'str'
  | 'sta'
  | 'scj'
  | 'ser'

export interface Cell {
  readonly actions: readonly Action[]
  readonly next: State
}

// biome-ignore format: the columns are the RFC's
const ROWS = {
  //       Initial  Starting     Closed       Stopped          Closing  Stopping  Req-Sent       Ack-Rcvd       Ack-Sent       Opened
  'Up':    ['2',     'irc,scr/6', '-',         '-',             '-',     '-',      '-',           '-',           '-',           '-'],
  'Down':  ['-',     '-',         '0',         'tls/1',         '0',     '1',      '1',           '1',           '1',           'tld/1'],
  'Open':  ['tls/1', '1',         'irc,scr/6', '3r',            '5r',    '5r',     '6',           '7',           '8',           '9r'],
  'Close': ['0',     'tlf/0',     '2',         '2',             '4',     '4',      'irc,str/4',   'irc,str/4',   'irc,str/4',   'tld,irc,str/4'],
  'TO+':   ['-',     '-',         '-',         '-',             'str/4', 'str/5',  'scr/6',       'scr/6',       'scr/8',       '-'],
  'TO-':   ['-',     '-',         '-',         '-',             'tlf/2', 'tlf/3',  'tlf/3p',      'tlf/3p',      'tlf/3p',      '-'],
  'RCR+':  ['-',     '-',         'sta/2',     'irc,scr,sca/8', '4',     '5',      'sca/8',       'sca,tlu/9',   'sca/8',       'tld,scr,sca/8'],
  'RCR-':  ['-',     '-',         'sta/2',     'irc,scr,scn/6', '4',     '5',      'scn/6',       'scn/7',       'scn/6',       'tld,scr,scn/6'],
  'RCA':   ['-',     '-',         'sta/2',     'sta/3',         '4',     '5',      'irc/7',       'scr/6x',      'irc,tlu/9',   'tld,scr/6x'],
  'RCN':   ['-',     '-',         'sta/2',     'sta/3',         '4',     '5',      'irc,scr/6',   'scr/6x',      'irc,scr/8',   'tld,scr/6x'],
  'RTR':   ['-',     '-',         'sta/2',     'sta/3',         'sta/4', 'sta/5',  'sta/6',       'sta/6',       'sta/6',       'tld,zrc,sta/5'],
  'RTA':   ['-',     '-',         '2',         '3',             'tlf/2', 'tlf/3',  '6',           '6',           '8',           'tld,scr/6'],
  'RUC':   ['-',     '-',         'scj/2',     'scj/3',         'scj/4', 'scj/5',  'scj/6',       'scj/7',       'scj/8',       'scj/9'],
  'RXJ+':  ['-',     '-',         '2',         '3',             '4',     '5',      '6',           '6',           '8',           '9'],
  'RXJ-':  ['-',     '-',         'tlf/2',     'tlf/3',         'tlf/2', 'tlf/3',  'tlf/3',       'tlf/3',       'tlf/3',       'tld,irc,str/5'],
  'RXR':   ['-',     '-',         '2',         '3',             '4',     '5',      '6',           '7',           '8',           'ser/9'],
} as const

export type AutomatonEvent = keyof typeof ROWS

export const EVENTS = Object.keys(ROWS) as AutomatonEvent[]

function parseCell(text: string): Cell | undefined {
  if (text === '-') return undefined
  const [, actions = '', next] = /^(?:(.*)\/)?(\d)[rpx]?$/.exec(text)!
  return { actions: actions === '' ? [] : (actions.split(',') as Action[]), next: STATES[Number(next)]! }
}

const TABLE = new Map<string, Cell | undefined>(
  EVENTS.flatMap((event) => ROWS[event].map((text, index) => [`${event} ${STATES[index]}`, parseCell(text)] as const)),
)

/** Undefined: nothing happens. */
export function transition(event: AutomatonEvent, state: State): Cell | undefined {
  return TABLE.get(`${event} ${state}`)
}

export function isNegotiating(state: State): boolean {
  return state === 'Req-Sent' || state === 'Ack-Rcvd' || state === 'Ack-Sent'
}

/** No restart timer runs. */
export function isAtRest(state: State): boolean {
  return state === 'Initial' || state === 'Starting' || state === 'Closed' || state === 'Stopped'
}
