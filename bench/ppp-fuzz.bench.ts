// A million mutated frames (or as many as the environment's FUZZ_FRAMES says) into PPP sessions of every role and log-in. It
// ends with an error at the first exception, at a session that hangs, or where memory grows.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fuzz } from '../test/support/ppp-fuzz.ts'
import { printTable, type Row } from './table.ts'

const FRAMES = Number(process.env.FUZZ_FRAMES ?? 1_000_000)
const ROUNDS = 10
const MAX_GROWTH_MIB = 4

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const heapsMiB: number[] = []
const rates: number[] = []
let [cameUp, ended, answers] = [0, 0, 0]
for (let round = 0; round < ROUNDS; round++) {
  const fromMs = performance.now()
  const result = fuzz(FRAMES / ROUNDS, 1000 + round)
  rates.push(FRAMES / ROUNDS / (performance.now() - fromMs))
  cameUp += result.cameUp
  ended += result.ended
  answers += result.sentFrames
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  heapsMiB.push((heapUsed + arrayBuffers) / 2 ** 20)
}
// The first round compiles.
const growthMiB = heapsMiB.at(-1)! - heapsMiB[1]!
const rows: Row[] = [
  { what: `mutated frames, of ${FRAMES}`, samples: rates, unit: '1000/s', against: 'no exception' },
  { what: 'sessions that came up afterwards with an honest peer', samples: [cameUp], unit: '', against: '' },
  { what: 'sessions that ended, with a cause', samples: [ended], unit: '', against: 'none hangs' },
  { what: 'frames sent for a frame received', samples: [answers / FRAMES], unit: '', against: '< 1' },
  {
    what: 'memory from the second round to the last',
    samples: [growthMiB],
    unit: 'MiB',
    against: `≤ ${MAX_GROWTH_MIB} MiB`,
  },
]
printTable('PPP under mutated frames', rows)
if (growthMiB > MAX_GROWTH_MIB) throw new Error(`memory grew by ${growthMiB.toFixed(1)} MiB`)
