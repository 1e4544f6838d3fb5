/**
 * modem-chat against Debian's chat on random dialogues. MODEMD_CHAT_CASES: how many (2000 unless given, or as many as fit
 * in MODEMD_CHAT_SECONDS, 110 unless given); MODEMD_CHAT_SEED: the first seed. A difference is told with its seed and made small.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { needs } from '../support/needs.ts'
import { compare, compareSteadily, unsteady } from './differential/compare.ts'
import { Dice } from './differential/dice.ts'
import { generate, toCase } from './differential/generator.ts'
import { shrink } from './differential/shrink.ts'

const CASES = Number(process.env.MODEMD_CHAT_CASES ?? 2000)
const BUDGET_MS = Number(process.env.MODEMD_CHAT_SECONDS ?? 110) * 1000
const FIRST_SEED = Number(process.env.MODEMD_CHAT_SEED ?? 1)
const AT_ONCE = 64
/** Enough to see what is wrong. */
const MOST_DIFFERENCES = 8

test("modem-chat does what Debian's chat does, on random dialogues", needs('chat'), async (context) => {
  const untilMs = performance.now() + BUDGET_MS
  const different: number[] = []
  let next = 0
  const work = async () => {
    while (next < CASES && performance.now() < untilMs && different.length < MOST_DIFFERENCES) {
      const seed = FIRST_SEED + next++
      const { isSame } = await compareSteadily(toCase(`seed ${seed}`, generate(new Dice(seed))))
      if (isSame) continue
      different.push(seed)
      context.diagnostic(`seed ${seed} differs`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  context.diagnostic(`${next} dialogues from seed ${FIRST_SEED}`)
  assert.ok(unsteady.length <= 1 + next / 200, `differ now and then: ${unsteady.join(', ')}`)
  assert.equal(different.length, 0, await differences(different))
})

async function differences(seeds: readonly number[]): Promise<string> {
  const texts = seeds.map(async (seed) => {
    const small = await shrink(generate(new Dice(seed)))
    const { ours, theirs } = await compare(toCase(`seed ${seed}`, small))
    return `seed ${seed}: ${inspect(small, { depth: 5, breakLength: 120 })}\nDebian's: ${inspect(theirs)}\nours: ${inspect(ours)}`
  })
  return (await Promise.all(texts)).join('\n\n')
}
