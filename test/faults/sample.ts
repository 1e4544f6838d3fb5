/** Cells of the fault matrix, chosen by seed, on the real programs one after the other. Called by `real-main.ts` and a test; in namespaces. */

import { randomFraction } from '../../src/base/ports.ts'
import { FAULT_TABLE } from '../../src/sim/fault-table.ts'
import { GOOD_SIM, PROFILE_FILE, profileText } from '../e2e/product.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { MATRIX_FAULTS, STATES } from './expectations.ts'
import { type Cell, cellsOf } from './matrix.ts'
import { bringUpAnew, runRealCell } from './real-cell.ts'
import { RealProduct } from './real-product.ts'

export interface SampleOptions {
  readonly cells: readonly Cell[]
  readonly seed: number
  /** Of the programs' time. */
  readonly speed: number
  onCell?(cell: Cell, wrong: readonly string[], seconds: number): void
}

/**
 * A device that fails in the middle of a PIN try leaves it in doubt, and then it is never made again (DESIGN §7.1), so that the
 * product is of no more use; `test/e2e/failures-unplug.test.ts` has that.
 */
export const REAL_CELLS: readonly Cell[] = cellsOf(MATRIX_FAULTS, STATES).filter(
  ({ fault, state }) => state !== 'sim' || FAULT_TABLE[fault].kind !== 'device',
)

/** Without repetition. */
export function sampleCells(count: number, seed: number): readonly Cell[] {
  const random = new SeededRandom(seed)
  const rest = [...REAL_CELLS]
  const take = () => rest.splice(Math.floor(randomFraction(random) * rest.length), 1)
  return Array.from({ length: Math.min(count, rest.length) }, take).flat()
}

/** What is wrong, a line a cell. */
export async function runSample({ cells, seed, speed, onCell }: SampleOptions): Promise<readonly string[]> {
  const sim = [...GOOD_SIM, '--register-after', '1s', '--seed', String(seed)]
  const product = new RealProduct({ sim, files: { [PROFILE_FILE]: profileText({ autoconnect: 'yes' }) } }, speed)
  const complaints: string[] = []
  try {
    await product.start()
    await product.follow()
    for (const cell of cells) {
      await bringUpAnew(product)
      const startedMs = performance.now()
      const wrong = await runRealCell(product, cell, { speed })
      onCell?.(cell, wrong, (performance.now() - startedMs) / 1000)
      if (wrong.length > 0) complaints.push(`${cell.fault} in ${cell.state}: ${wrong.join('; ')}`)
    }
    return complaints
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}${product.logs()}`, { cause: error })
  } finally {
    await product.stop().catch(() => {})
    product.remove()
  }
}
