/** The program behind `npm run test:faults`. */

import { parseArgs } from 'node:util'
import type { Logger } from '../../src/base/ports.ts'
import { wrap } from '../../src/cli/output/text.ts'
import { MATRIX_FAULTS, type MatrixFault, STATES, type State, strikesLater } from './expectations.ts'
import { complaintsOf, runMatrix, tableOf } from './matrix.ts'

const USAGE = `usage: npm run test:faults [-- OPTION …]
  --seed N          repeat chance (default 1)
  --fault NAME      only this fault (again for more)
  --state NAME      only in this state (again for more)
  --personality P   the modem (default: generic)
  --verbose         what the daemon logs
  --sample N        so many cells on the real programs, too (default 8; 0 where
                    faults or states are chosen)
${wrap(`States: ${STATES.join(', ')}`, 72).join('\n        ')}
${wrap(`Faults: ${MATRIX_FAULTS.join(', ')}`, 72).join('\n        ')}`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    fault: { type: 'string', multiple: true },
    state: { type: 'string', multiple: true },
    personality: { type: 'string', default: 'generic' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}

const tell = (message: string) => console.log(`    ${message}`)
const logger: Logger = { error: tell, warn: tell, info: tell, debug: tell }
const startedMs = performance.now()
const outcomes = await runMatrix({
  seed: Number(values.seed),
  personality: values.personality,
  faults: known(values.fault, MATRIX_FAULTS) as readonly MatrixFault[],
  states: known(values.state, STATES) as readonly State[],
  logger: values.verbose ? logger : undefined,
  onOutcome: () => process.stderr.isTTY && process.stderr.write('.'),
})
if (process.stderr.isTTY) process.stderr.write('\n')
console.log(tableOf(outcomes))
const later = outcomes.filter(({ fault, state }) => strikesLater(fault, state)).length
if (later > 0) console.log(`(…): ${later} cells are armed in this state and strike in a later one, or the next call`)
const complaints = complaintsOf(outcomes)
for (const complaint of complaints) console.log(complaint)
console.log(
  `${outcomes.length} cells with ${values.personality}, seed ${values.seed}: ${complaints.length} wrong, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`,
)
process.exitCode = complaints.length > 0 ? 1 : 0

function known(given: readonly string[] | undefined, all: readonly string[]): readonly string[] {
  for (const name of given ?? []) {
    if (all.includes(name)) continue
    console.error(`test:faults: there is no ${name}\n${USAGE}`)
    process.exit(2)
  }
  return given ?? all
}
