// The soak on virtual time (npm run soak -- --virtual): progress, a table, and exit 1 where something leaks or goes wrong.

import { parseArgs } from 'node:util'
import { complaintsOfVirtualSoak, virtualSoak } from '../test/faults/virtual-soak.ts'

const { values } = parseArgs({
  options: {
    virtual: { type: 'boolean' },
    cycles: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
})
const cycles = Number(values.cycles)
const line = (cells: readonly (string | number)[]) => cells.map((cell) => String(cell).padStart(10)).join('')
const startedMs = performance.now()

console.log(line(['cycles', 'heap MiB', 'timers', 'listeners', 'calls', 'seconds']))
try {
  const looks = await virtualSoak({
    cycles,
    seed: Number(values.seed),
    // The first look is what the others are compared with; before it caches fill.
    lookEvery: Math.max(100, Math.min(500, Math.floor(cycles / 4))),
    onLook: ({ cycle, heapKiB, timers, listeners, calls }) => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
      console.log(line([cycle, (heapKiB / 1024).toFixed(2), timers, listeners, calls, seconds]))
    },
  })
  const complaints = complaintsOfVirtualSoak(looks)
  for (const complaint of complaints) console.log(complaint)
  console.log(`${cycles} cycles: ${complaints.length === 0 ? 'good' : `${complaints.length} complaints`}`)
  process.exitCode = complaints.length > 0 ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
