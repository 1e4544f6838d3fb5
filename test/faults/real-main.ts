/** The second half of `npm run test:faults`: a sample of cells on the real programs. In namespaces made by `scripts/test-faults.mjs`. */

import { parseArgs } from 'node:util'
import { runSample, sampleCells } from './sample.ts'

/** Of the programs' time: at five times the speed a busy machine's hiccups are still shorter than any time-out. */
const SPEED = 5

// The programs end with us.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1))
const { values } = parseArgs({ options: { sample: { type: 'string' }, seed: { type: 'string' } } })
const seed = Number(values.seed)
const cells = sampleCells(Number(values.sample), seed)
console.log(`${cells.length} cells on the real programs, seed ${seed}:`)
try {
  const complaints = await runSample({
    cells,
    seed,
    speed: SPEED,
    onCell: ({ fault, state }, wrong, seconds) => {
      const verdict = wrong.length === 0 ? 'right' : `WRONG: ${wrong.join('; ')}`
      console.log(`  ${`${fault} in ${state}`.padEnd(34)}${seconds.toFixed(1).padStart(6)} s  ${verdict}`)
    },
  })
  process.exitCode = complaints.length > 0 ? 1 : 0
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
