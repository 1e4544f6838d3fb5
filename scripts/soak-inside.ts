// The soak proper, inside namespaces made by soak.mjs: progress, a table, and exit 1 where something leaks or goes wrong.

import { parseArgs } from 'node:util'
import type { Holdings } from '../test/faults/real-product.ts'
import { complaintsOfSoak, soak } from '../test/faults/soak.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    speed: { type: 'string', default: '10' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('usage: npm run soak [-- --cycles N] [--seed N] [--speed N] [--verbose]')
  process.exit(0)
}
// The programs end with us.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(1))
const cycles = Number(values.cycles)
const warmUp = Math.min(500, Math.ceil(cycles / 2))

const COLUMNS: readonly (readonly [string, (holdings: Holdings) => number | string])[] = [
  ['RSS MiB', ({ rssKiB }) => (rssKiB / 1024).toFixed(1)],
  ['heap MiB', ({ heapKiB }) => (heapKiB / 1024).toFixed(2)],
  ['data MiB', ({ dataKiB }) => (dataKiB / 1024).toFixed(2)],
  ['files', ({ descriptors }) => descriptors],
  ['timers', ({ timers }) => timers],
  ['listeners', ({ listeners }) => listeners],
  ['objects', ({ busObjects }) => busObjects],
]
const line = (cells: readonly (string | number)[]) => cells.map((cell) => String(cell).padStart(10)).join('')

console.log(line(['cycles', ...COLUMNS.map(([name]) => name), 'seconds']))
try {
  const result = await soak({
    cycles,
    seed: Number(values.seed),
    speed: Number(values.speed),
    warmUp,
    lookEvery: Math.max(1, Math.min(100, Math.ceil(cycles / 10))),
    onLook: (cycle, holdings, startedMs) => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
      console.log(line([cycle, ...COLUMNS.map(([, of]) => of(holdings)), seconds]))
    },
  })
  const complaints = complaintsOfSoak(result)
  for (const complaint of complaints) console.log(complaint)
  const { calls, faultsStruck, pinTriesSpent, strangeCells } = result
  if (values.verbose) for (const cell of strangeCells) console.log(cell)
  console.log(
    `${cycles} cycles, ${faultsStruck} faults, ${calls} calls, ${strangeCells.length} strange cells, ${pinTriesSpent} PIN tries spent: ${complaints.length === 0 ? 'good' : `${complaints.length} complaints`}`,
  )
  process.exitCode = complaints.length > 0 ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
