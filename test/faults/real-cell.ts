/** A cell of the fault matrix on the running real programs; the product goes on afterwards. For fault samples and the soak. */

import { EXPECTATIONS, type Expected, type Remedy, STAGE_OF } from './expectations.ts'
import type { Cell } from './matrix.ts'
import type { RealProduct } from './real-product.ts'

export interface RealCellOptions {
  /** Of the programs' own time. */
  readonly speed: number
}

/** On top of what the expectation allows: the machine's own time, which the speed does not shorten. */
const SLACK_MS = 8000
const POLL_MS = 10
const NEXT_CALL_LIMIT_MS = 40_000
/** Of the programs' time: what must wait for somebody is not dialled again meanwhile. */
const STILL_MS = 5000

/** What is wrong; empty: all is as it must be. The link is up again afterwards, or this rejects. */
export async function runRealCell(
  product: RealProduct,
  { fault, state }: Cell,
  { speed }: RealCellOptions,
): Promise<readonly string[]> {
  const { words, cells } = EXPECTATIONS[fault]
  const expected = cells[state]
  const wrong: string[] = []
  const limitMs = (expected.withinS * 1000) / speed + SLACK_MS
  const struckBefore = await struck(product)
  product.steps = []
  await product.ctl('fault', ...words.split(' '), `at=${STAGE_OF[state]}`)
  const provoked = await provoke(product, { fault, state }, expected)
  if (!(await product.waitFor(async () => (await struck(product)) > struckBefore, limitMs, POLL_MS))) {
    await product.ctl('fault', 'clear')
    wrong.push('it never struck')
  }
  // The causes of what was done to make it strike are seen, too.
  const seen = () => {
    const causes = product.steps.filter(({ state: step }) => /^(waiting|failed)$/.test(step)).map(({ cause }) => cause)
    for (const cause of provoked) if (causes.includes(cause)) causes.splice(causes.indexOf(cause), 1)
    return causes
  }
  const isSeen = () => expected.causes.length === 0 || expected.causes.some((cause) => seen().includes(cause))
  if (wrong.length === 0 && !(await product.waitFor(isSeen, limitMs)))
    wrong.push(`${expected.causes.join(' or ')} was not seen, but ${seen().join(', ') || 'no failure'}`)
  if (expected.remedy) {
    if (wrong.length === 0 && (await dials(product, STILL_MS / speed))) wrong.push('it was dialled in vain')
    await act(product, expected.remedy)
  }
  if (fault === 'bit-errors') {
    // Up, and too bad for TCP: the next call is clean again.
    await product.waitFor(async () => (await product.linkState()) === 'up', limitMs, POLL_MS)
    provoked.push('hung-up')
    await hangUp(product)
  }
  if (!(await product.waitFor(() => carries(product), limitMs, POLL_MS)))
    throw new Error(
      `${fault} in ${state}: not up again: ${await product.linkState()}${wrong.map((each) => `; ${each}`)}`,
    )
  const allowed: readonly string[] = [...expected.causes, ...(expected.also ?? []), ...provoked, 'user-request', '']
  const strange = [...new Set(seen())].filter((cause) => !allowed.includes(cause))
  if (strange.length > 0) wrong.push(`${strange.join(', ')} has no reason`)
  return wrong
}

/** Down and up by a person: a run's failures in a row are its own, and the policy slows down a link that fails all the time. */
export async function bringUpAnew(product: RealProduct): Promise<void> {
  await product.linkDown()
  await product.linkUp()
  const isUp = await product.waitFor(() => carries(product), 20_000, POLL_MS)
  if (!isUp) throw new Error(`not up after a connect: ${await product.linkState()}`)
}

async function dials(product: RealProduct, limitMs: number): Promise<boolean> {
  const from = product.steps.length
  return product.waitFor(() => product.steps.slice(from).some(({ state }) => state === 'dialling'), limitMs)
}

async function carries(product: RealProduct): Promise<boolean> {
  return (await product.linkState()) === 'up' && (await product.fetches())
}

async function struck(product: RealProduct): Promise<number> {
  const { faults } = await product.statistics()
  return Object.values(faults).reduce((sum, each) => sum + each, 0)
}

/** Brings the link through the state in which the fault waits; answers the causes which that alone gives. */
async function provoke(product: RealProduct, { state }: Cell, { isNext }: Expected): Promise<string[]> {
  switch (state) {
    case 'detecting':
    case 'sim':
    case 'registering':
      await product.ctl('unplug')
      await product.ctl('plug')
      return ['modem-gone']
    case 'hanging-up':
      await product.linkDown()
      await product.linkUp()
      return []
    default: {
      const calls = async () => (await product.statistics()).calls
      const before = await calls()
      await hangUp(product)
      if (!isNext) return ['hung-up']
      const isNew = async () => (await calls()) > before && (await carries(product))
      if (!(await product.waitFor(isNew, NEXT_CALL_LIMIT_MS, POLL_MS))) throw new Error(`${state}: no new call`)
      await hangUp(product)
      return ['hung-up', 'hung-up']
    }
  }
}

/** The call may have fallen by itself a moment before. */
async function hangUp(product: RealProduct): Promise<void> {
  try {
    await product.ctl('hangup')
  } catch (error) {
    if (!String(error).includes('no call stands')) throw error
  }
}

async function act(product: RealProduct, remedy: Remedy): Promise<void> {
  switch (remedy) {
    case 'plug in':
      await product.ctl('plug')
      return
    case 'plug in anew':
      await product.ctl('unplug')
      await product.ctl('plug')
      return
    case 'put the SIM in':
      await product.ctl('sim', 'insert')
      return
    case 'connect':
      await product.linkUp()
  }
}
