/** The fault matrix: which cells, one after the other, and the table for people. For `main.ts` and the test. */

import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../../src/base/ports.ts'
import { type Outcome, runCell } from './cell.ts'
import { MATRIX_FAULTS, type MatrixFault, STATES, type State, strikesLater } from './expectations.ts'

export interface MatrixOptions {
  readonly seed: number
  readonly personality: string
  readonly faults?: readonly MatrixFault[]
  readonly states?: readonly State[]
  readonly logger?: Logger | undefined
  onOutcome?(outcome: Outcome): void
}

export interface Cell {
  readonly fault: MatrixFault
  readonly state: State
}

export function cellsOf(faults: readonly MatrixFault[], states: readonly State[]): readonly Cell[] {
  return faults.flatMap((fault) => states.map((state) => ({ fault, state })))
}

/** Each cell has its own seed, the same whichever others run. */
export async function runMatrix(options: MatrixOptions): Promise<readonly Outcome[]> {
  const { seed, personality, faults = MATRIX_FAULTS, states = STATES, logger } = options
  const outcomes: Outcome[] = []
  const all = cellsOf(MATRIX_FAULTS, STATES)
  for (const cell of cellsOf(faults, states)) {
    const index = all.findIndex((each) => isDeepStrictEqual(each, cell))
    const outcome = await runCell({ ...cell, seed: seed * 1000 + index, personality, logger })
    outcomes.push(outcome)
    options.onOutcome?.(outcome)
  }
  return outcomes
}

const FAULT_WIDTH = 19
const CELL_WIDTH = 6
const HEADS: Readonly<Record<State, string>> = {
  detecting: 'detect',
  sim: 'SIM',
  registering: 'regist',
  dialling: 'dial',
  lcp: 'LCP',
  auth: 'auth',
  ipcp: 'IPCP',
  up: 'up',
  'hanging-up': 'hangup',
}

/** 80 columns: seconds until the link stood again; `-`: it was never down; in brackets: it struck later than in this state. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const states = STATES.filter((state) => outcomes.some((outcome) => outcome.state === state))
  const faults = MATRIX_FAULTS.filter((fault) => outcomes.some((outcome) => outcome.fault === fault))
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(FAULT_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join('')
  const cell = (fault: MatrixFault, state: State) => {
    const outcome = outcomes.find((each) => each.fault === fault && each.state === state)
    if (!outcome) return ''
    if (outcome.wrong.length > 0) return 'WRONG'
    const time = secondsText(outcome.upAfterS)
    return strikesLater(fault, state) ? `(${time})` : time
  }
  return [
    line(
      'fault in state',
      states.map((state) => HEADS[state]),
    ),
    ...faults.map((fault) =>
      line(
        fault,
        states.map((state) => cell(fault, state)),
      ),
    ),
  ].join('\n')
}

function secondsText(seconds = 0): string {
  if (seconds === 0) return '-'
  return seconds < 9.95 ? seconds.toFixed(1) : seconds.toFixed(0)
}

export function complaintsOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes
    .filter(({ wrong }) => wrong.length > 0)
    .map(({ fault, state, wrong, causes }) => {
      const seen = causes.length > 0 ? ` [seen: ${causes.join(', ')}]` : ''
      return `${fault} in ${state}: ${wrong.join('; ')}${seen}`
    })
}
