/**
 * The soak: cycle after cycle a random cell of the fault matrix on the real programs, then whether modemd holds more than before.
 * Called by `scripts/soak-inside.ts` and, shortly, by a test. In namespaces.
 */

import type { Cause } from '../../src/base/cause.ts'
import { randomFraction } from '../../src/base/ports.ts'
import { GOOD_SIM, PROFILE_FILE, profileText } from '../e2e/product.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { bringUpAnew, runRealCell } from './real-cell.ts'
import { type Holdings, RealProduct } from './real-product.ts'
import { REAL_CELLS } from './sample.ts'

export interface SoakOptions {
  readonly cycles: number
  readonly seed: number
  /** Of the programs' time. */
  readonly speed: number
  /** What is held after so many cycles is what later looks are compared with. */
  readonly warmUp: number
  /** Between two looks. */
  readonly lookEvery: number
  onLook?(cycles: number, holdings: Holdings, startedMs: number): void
}

export interface SoakResult {
  readonly cycles: number
  readonly warmUp: number
  readonly looks: readonly (readonly [cycles: number, Holdings])[]
  /** Cells that went otherwise than the matrix expects: on a busy machine with sped up time a few are no fault by themselves. */
  readonly strangeCells: readonly string[]
  readonly faultsStruck: number
  readonly calls: number
  readonly pinTriesSpent: number
}

/** Of what 10,000 cycles allow. */
export const MOST_RSS_KIB = 80 * 1024
const MOST_GROWTH = 0.05
/** One timer or descriptor more may be what the moment needs. */
const ALLOWED_MORE = { descriptors: 2, timers: 4, listeners: 0, busObjects: 0 } as const

/** Of the cells: mostly there are none. */
const MOST_STRANGE = 0.05

const QUICK: readonly Cause[] = [
  ...(['no-carrier', 'no-dialtone', 'no-answer', 'dial-timeout', 'lcp-timeout', 'loopback', 'ipcp-failed'] as const),
  ...(['no-address', 'no-network', 'modem-error', 'modem-silent'] as const),
]

/** Quick redials and echoes: what takes long are the waits, and those leak nothing. */
const PROFILE = profileText(
  { autoconnect: 'yes' },
  `[ppp]
lcp-restart = 1s
lcp-max-configure = 5
lcp-echo-interval = 2s
lcp-echo-failure = 2
[redial]
${QUICK.map((cause) => `${cause} = 1s*1..1s`).join('\n')}
`,
)

/** Rejects where a link does not come back. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { cycles, seed, speed, warmUp, lookEvery } = options
  const random = new SeededRandom(seed)
  const pick = <T>(all: readonly T[]): T => all[Math.floor(randomFraction(random) * all.length)]!
  const product = new RealProduct(
    { sim: [...GOOD_SIM, '--register-after', '1s', '--seed', String(seed)], files: { [PROFILE_FILE]: PROFILE } },
    speed,
  )
  const startedMs = performance.now()
  const looks: [number, Holdings][] = []
  const strangeCells: string[] = []
  const look = async (cycle: number) => {
    const holdings = await product.holdings()
    looks.push([cycle, holdings])
    options.onLook?.(cycle, holdings, startedMs)
  }
  try {
    await product.start()
    await product.follow()
    if (!(await product.waitFor(() => product.fetches(), 20_000))) throw new Error('the link never came up')
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const cell = pick(REAL_CELLS)
      const wrong = await runRealCell(product, cell, { speed })
      if (wrong.length > 0) strangeCells.push(`cycle ${cycle}: ${cell.fault} in ${cell.state}: ${wrong.join('; ')}`)
      // A run's failures in a row are its own: the policy would slow down a link that fails every minute.
      if (cycle % 2 === 0) await bringUpAnew(product)
      if (cycle === warmUp || cycle % lookEvery === 0 || cycle === cycles) await look(cycle)
    }
    const { sim, faults, calls } = await product.statistics()
    return {
      cycles,
      warmUp,
      looks,
      strangeCells,
      faultsStruck: Object.values(faults).reduce((sum, each) => sum + each, 0),
      calls,
      pinTriesSpent: 3 - sim.pinTries + sim.refused,
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}${product.logs()}`, { cause: error })
  } finally {
    await product.stop().catch(() => {})
    product.remove()
  }
}

/** What is wrong with the end of a soak; pure. */
export function complaintsOfSoak(result: SoakResult): readonly string[] {
  const { cycles, looks, warmUp, strangeCells, pinTriesSpent } = result
  const complaints: string[] = []
  if (strangeCells.length > cycles * MOST_STRANGE)
    complaints.push(`${strangeCells.length} of ${cycles} cells went wrong: ${strangeCells.slice(0, 3).join('; ')}`)
  if (pinTriesSpent > 0) complaints.push(`${pinTriesSpent} PIN tries were spent`)
  const settled = looks.filter(([cycle]) => cycle >= warmUp).map(([, holdings]) => holdings)
  const [first, last] = [settled[0], settled.at(-1)]
  if (!first || !last) return complaints
  // A single look is some 2 % off, by what happens to be on its way.
  const span = Math.max(1, Math.min(5, Math.floor(settled.length / 2)))
  for (const what of ['rssKiB', 'dataKiB'] as const) {
    const growth = median(settled.slice(-span), what) / median(settled.slice(0, span), what) - 1
    if (growth > MOST_GROWTH) complaints.push(`${what} grew by ${(growth * 100).toFixed(1)} %`)
  }
  for (const [what, allowed] of Object.entries(ALLOWED_MORE)) {
    const key = what as keyof typeof ALLOWED_MORE
    if (last[key] > first[key] + allowed) complaints.push(`${what}: ${first[key]} became ${last[key]}`)
  }
  if (last.rssKiB > MOST_RSS_KIB) complaints.push(`RSS is ${Math.round(last.rssKiB / 1024)} MiB`)
  return complaints
}

function median(looks: readonly Holdings[], what: 'rssKiB' | 'dataKiB'): number {
  const sorted = looks.map((holdings) => holdings[what]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
