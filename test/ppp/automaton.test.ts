/** The automaton against the table of RFC 1661 §4.1, cell by cell. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Alarms } from '../../src/ppp/control/alarms.ts'
import { Automaton } from '../../src/ppp/control/automaton.ts'
import type { AutomatonHost, AutomatonLimits, ControlRules } from '../../src/ppp/control/rules.ts'
import { type AutomatonEvent, EVENTS, STATES, type State, transition } from '../../src/ppp/control/table.ts'
import { CODE, controlBytes, parseControl } from '../../src/ppp/wire/packets.ts'

/** RFC 1661 §4.1 as it is printed, states 0 to 5 and then 6 to 9. */
const PRINTED = `
 Up   |    2     irc,scr/6     -         -         -         -
 Down |    -         -         0       tls/1       0         1
 Open |  tls/1       1     irc,scr/6     3r        5r        5r
 Close|    0       tlf/0       2         2         4         4
  TO+ |    -         -         -         -       str/4     str/5
  TO- |    -         -         -         -       tlf/2     tlf/3
 RCR+ |    -         -       sta/2 irc,scr,sca/8   4         5
 RCR- |    -         -       sta/2 irc,scr,scn/6   4         5
 RCA  |    -         -       sta/2     sta/3       4         5
 RCN  |    -         -       sta/2     sta/3       4         5
 RTR  |    -         -       sta/2     sta/3     sta/4     sta/5
 RTA  |    -         -         2         3       tlf/2     tlf/3
 RUC  |    -         -       scj/2     scj/3     scj/4     scj/5
 RXJ+ |    -         -         2         3         4         5
 RXJ- |    -         -       tlf/2     tlf/3     tlf/2     tlf/3
 RXR  |    -         -         2         3         4         5
======
 Up   |    -         -         -           -
 Down |    1         1         1         tld/1
 Open |    6         7         8           9r
 Close|irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
  TO+ |  scr/6     scr/6     scr/8         -
  TO- | tlf/3p    tlf/3p    tlf/3p         -
 RCR+ |  sca/8   sca,tlu/9   sca/8   tld,scr,sca/8
 RCR- |  scn/6     scn/7     scn/6   tld,scr,scn/6
 RCA  |  irc/7     scr/6x  irc,tlu/9   tld,scr/6x
 RCN  |irc,scr/6   scr/6x  irc,scr/8   tld,scr/6x
 RTR  |  sta/6     sta/6     sta/6   tld,zrc,sta/5
 RTA  |    6         6         8       tld,scr/6
 RUC  |  scj/6     scj/7     scj/8       scj/9
 RXJ+ |    6         6         8           9
 RXJ- | tlf/3     tlf/3     tlf/3   tld,irc,str/5
 RXR  |    6         7         8         ser/9
`

function printedCells(): Map<string, string> {
  const cells = new Map<string, string>()
  for (const [part, firstState] of PRINTED.split('======').map((half, index) => [half, index * 6] as const)) {
    for (const line of part.trim().split('\n')) {
      const [event = '', columns = ''] = line.split('|')
      columns
        .trim()
        .split(/\s+/)
        .forEach((cell, index) => {
          cells.set(`${event.trim()} ${STATES[firstState + index]}`, cell.replace(/[rpx]$/, ''))
        })
    }
  }
  return cells
}

const CELLS = printedCells()

test('the table is the printed one, all 160 cells', () => {
  assert.equal(CELLS.size, 160)
  for (const event of EVENTS) {
    for (const state of STATES) {
      const cell = transition(event, state)
      const actions = cell?.actions.join(',')
      const text = cell ? `${actions && `${actions}/`}${STATES.indexOf(cell.next)}` : '-'
      assert.equal(text, CELLS.get(`${event} ${state}`), `${event} in ${state}`)
    }
  }
})

const GOOD = Uint8Array.of(1, 2)
const BAD = Uint8Array.of(2, 2)

/** Takes option 1, naks option 2 to 1, knows code 9. */
const RULES: ControlRules = {
  name: 'TEST',
  protocol: 0x8099,
  cause: 'ipcp-failed',
  maxNaksTaken: 100,
  objection: undefined,
  begin() {},
  request: () => [{ type: 7, data: new Uint8Array(0) }],
  acked() {},
  naked() {},
  rejected() {},
  judge: ({ type }) => (type === 1 ? 'ack' : { type: 1, data: new Uint8Array(0) }),
  missing: () => [],
  insistsOn: () => false,
  accepted() {},
  extraCode: ({ code }) =>
    code === CODE.echoRequest ? { replyCode: CODE.echoReply, data: new Uint8Array(0) } : 'unknown',
  codeRejected() {},
}

const ACTION_OF_CODE: Readonly<Record<number, string>> = {
  [CODE.configureRequest]: 'scr',
  [CODE.configureAck]: 'sca',
  [CODE.configureNak]: 'scn',
  [CODE.terminateRequest]: 'str',
  [CODE.terminateAck]: 'sta',
  [CODE.codeReject]: 'scj',
  [CODE.echoReply]: 'ser',
}

class Bench {
  readonly seen: string[] = []
  readonly alarms = new Alarms()
  readonly automaton: Automaton
  lastRequestId = 0

  constructor(limits: AutomatonLimits) {
    const host: AutomatonHost = {
      peerMruBytes: () => 1500,
      send: (_protocol, info) => this.#sent(info),
      layerUp: () => this.seen.push('tlu'),
      layerDown: () => this.seen.push('tld'),
      layerFinished: () => this.seen.push('tlf'),
      terminateRequested() {},
      gaveUp: () => assert.fail('gave up'),
      dropped: (reason) => assert.notEqual(reason, 'malformed'),
    }
    this.automaton = new Automaton(RULES, limits, this.alarms, host)
  }

  #sent(info: Uint8Array): void {
    const packet = parseControl(info)!
    if (packet.code === CODE.configureRequest) this.lastRequestId = packet.id
    this.seen.push(ACTION_OF_CODE[packet.code]!)
  }

  receive(code: number, data = new Uint8Array(0), id = 1): void {
    this.automaton.receive(controlBytes(code, id, data))
  }

  happen(event: AutomatonEvent): void {
    switch (event) {
      case 'Up':
        this.automaton.up()
        break
      case 'Down':
        this.automaton.down()
        break
      case 'Open':
        this.automaton.open()
        break
      case 'Close':
        this.automaton.close('')
        break
      case 'TO+':
      case 'TO-':
        this.alarms.nowMs = this.alarms.next?.atMs ?? this.alarms.nowMs
        this.alarms.fireDue()
        break
      case 'RCR+':
        this.receive(CODE.configureRequest, GOOD)
        break
      case 'RCR-':
        this.receive(CODE.configureRequest, BAD)
        break
      case 'RCA':
        this.receive(CODE.configureAck, Uint8Array.of(7, 2), this.lastRequestId)
        break
      case 'RCN':
        this.receive(CODE.configureNak, Uint8Array.of(9, 2), this.lastRequestId)
        break
      case 'RTR':
        this.receive(CODE.terminateRequest)
        break
      case 'RTA':
        this.receive(CODE.terminateAck)
        break
      case 'RUC':
        this.receive(99)
        break
      case 'RXJ+':
        this.receive(CODE.codeReject, Uint8Array.of(9, 0, 0, 4))
        break
      case 'RXJ-':
        this.receive(CODE.codeReject, Uint8Array.of(1, 0, 0, 4))
        break
      case 'RXR':
        this.receive(CODE.echoRequest)
    }
  }
}

const WAYS: Readonly<Record<State, readonly AutomatonEvent[]>> = {
  Initial: [],
  Starting: ['Open'],
  Closed: ['Open', 'Up', 'Close', 'RTA'],
  Stopped: ['Open', 'Up', 'RXJ-'],
  Closing: ['Open', 'Up', 'Close'],
  Stopping: ['Open', 'Up', 'RCA', 'RCR+', 'RXJ-'],
  'Req-Sent': ['Open', 'Up'],
  'Ack-Rcvd': ['Open', 'Up', 'RCA'],
  'Ack-Sent': ['Open', 'Up', 'RCR+'],
  Opened: ['Open', 'Up', 'RCA', 'RCR+'],
}

/** An answer counts once: there is nothing left that it could answer to. */
const ANSWERED: ReadonlySet<State> = new Set<State>(['Ack-Rcvd', 'Opened', 'Stopping'])

for (const state of STATES) {
  test(`the automaton does what each cell of ${state} says`, () => {
    for (const event of EVENTS) {
      if ((event === 'RCA' || event === 'RCN') && ANSWERED.has(state)) continue
      const count = event === 'TO-' ? 0 : 5
      const bench = new Bench({ restartMs: 3000, maxConfigure: count, maxTerminate: count, maxFailure: 5 })
      for (const step of WAYS[state]) bench.happen(step)
      assert.equal(bench.automaton.state, state, `the way to ${state}`)
      bench.seen.length = 0
      bench.happen(event)
      const cell = transition(event, state)
      const visible = (cell?.actions ?? []).filter((action) => !['irc', 'zrc', 'tls'].includes(action))
      assert.deepEqual(bench.seen, visible, `${event} in ${state}`)
      assert.equal(bench.automaton.state, cell?.next ?? state, `${event} in ${state}`)
      const hasRestartTimer = bench.alarms.next !== undefined
      const needsTimer = ['Closing', 'Stopping', 'Req-Sent', 'Ack-Rcvd', 'Ack-Sent'].includes(bench.automaton.state)
      assert.equal(hasRestartTimer, needsTimer, `timer after ${event} in ${state}`)
    }
  })
}

test('an answer that comes twice is dropped', () => {
  for (const state of ANSWERED) {
    for (const event of ['RCA', 'RCN'] as const) {
      const bench = new Bench({ restartMs: 3000, maxConfigure: 5, maxTerminate: 5, maxFailure: 5 })
      for (const step of WAYS[state]) bench.happen(step)
      bench.seen.length = 0
      bench.happen(event)
      assert.deepEqual(bench.seen, [])
      assert.equal(bench.automaton.state, state)
    }
  }
})

test('Max-Configure and Max-Terminate count transmissions, the first one too', () => {
  const bench = new Bench({ restartMs: 3000, maxConfigure: 4, maxTerminate: 3, maxFailure: 5 })
  bench.happen('Open')
  bench.happen('Up')
  while (bench.alarms.next) bench.happen('TO+')
  assert.deepEqual(bench.seen, ['scr', 'scr', 'scr', 'scr', 'tlf'])
  assert.equal(bench.alarms.nowMs, 12_000)
  bench.seen.length = 0
  bench.happen('RCR+')
  bench.happen('RCA')
  bench.happen('Close')
  while (bench.alarms.next) bench.happen('TO+')
  assert.deepEqual(bench.seen, ['scr', 'sca', 'tlu', 'tld', 'str', 'str', 'str', 'tlf'])
})
