/** `mmctl doctor`: is everything here that modemd needs, and is nothing in its way; each with how to mend it. */

import type { Command } from 'commander'
import type { Finding } from '../../base/finding.ts'
import type { CommandTools } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Output } from '../output/output.ts'
import { clean, pad, widthOf, wrap } from '../output/text.ts'
import type { Session } from '../session.ts'

export function addDoctor(program: Command, { command, run }: CommandTools): void {
  command(program, 'doctor', 'checks the machine and says how to mend what is wrong', 'mmctl doctor')
    .option('--root <dir>', 'look below it, as modemd does that was started with --root')
    .action(({ root }: { root?: string }) => run((session) => showDoctor(session, root)))
}

async function showDoctor(session: Session, root: string | undefined): Promise<ExitCode> {
  const { output } = session
  // Loaded here: other commands start without it.
  const { examine } = await import('../doctor/examine.ts')
  const { findings } = await examine(session, root)
  const [faults, warnings] = [countOf(findings, 'fault'), countOf(findings, 'warn')]
  if (output.json) output.document({ faults, warnings, checks: findings.map(checkDocument) })
  else output.print(...findingLines(findings, output), '', summary(faults, warnings))
  return faults > 0 ? EXIT.failed : EXIT.done
}

function checkDocument({ advice, ...rest }: Finding): object {
  return advice === '' ? rest : { ...rest, advice }
}

export function countOf(findings: readonly Finding[], state: Finding['state']): number {
  return findings.filter((each) => each.state === state).length
}

function summary(faults: number, warnings: number): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`
  if (faults + warnings === 0) return 'Everything is in order.'
  return `${count(faults, 'fault')}, ${count(warnings, 'warning')}.`
}

const STATE_WIDTH = 5
const LONGEST_NAME = 16
const MARK = '→ '

/** State, what was looked at, what was seen; below it what to do. */
export function findingLines(findings: readonly Finding[], { colors, width }: Output): string[] {
  const paint = { ok: colors.green, warn: colors.yellow, fault: colors.red }
  const nameWidth = Math.min(LONGEST_NAME, Math.max(...findings.map(({ check }) => widthOf(clean(check)))))
  const indent = STATE_WIDTH + nameWidth + 4
  const rest = Math.max(20, width - indent)
  return findings.flatMap(({ check, state, detail, advice }) => {
    const seen = wrap(clean(detail, 1000), rest)
    const todo = advice === '' ? [] : wrap(clean(advice, 1000), rest - MARK.length)
    const below = [...seen.slice(1), ...todo.map((line, index) => `${index === 0 ? MARK : '  '}${line}`)]
    const name = clean(check)
    // A long name has a line of its own.
    const isLong = widthOf(name) > nameWidth
    const head = `${paint[state](state)}${' '.repeat(STATE_WIDTH - state.length)}  ${pad(name, nameWidth)}`
    const first = isLong ? [head, `${' '.repeat(indent)}${seen[0]}`] : [`${head}  ${seen[0]}`.trimEnd()]
    return [...first, ...below.map((line) => ' '.repeat(indent) + line)]
  })
}
