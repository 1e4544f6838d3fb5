/** Leaves out of a dialogue whatever its difference does not need. */

import { compare } from './compare.ts'
import { type Dialogue, toCase } from './generator.ts'

const LONGEST_MS = 30_000

export async function shrink(dialogue: Dialogue): Promise<Dialogue> {
  let smallest = dialogue
  const untilMs = performance.now() + LONGEST_MS
  for (let goesOn = true; goesOn; ) {
    goesOn = false
    for (const candidate of smaller(smallest)) {
      if (performance.now() > untilMs) return smallest
      const { isSame } = await compare(toCase('a smaller one', candidate))
      if (isSame) continue
      smallest = candidate
      goesOn = true
      break
    }
  }
  return smallest
}

function* smaller(dialogue: Dialogue): Generator<Dialogue> {
  const { words, modem, options } = dialogue
  // From the end: pairs keep the alternation of expects and sends.
  for (let at = words.length - (words.length % 2 || 2); at >= 0; at -= 2)
    yield { ...dialogue, words: words.toSpliced(at, 2) }
  for (let at = modem.length - 1; at >= 0; at--) yield { ...dialogue, modem: modem.toSpliced(at, 1) }
  for (const [at, option] of options.entries()) {
    if (option === '-t' || option.startsWith('-t') || !option.startsWith('-')) continue
    yield { ...dialogue, options: options.toSpliced(at, /^-[TUr]$/.test(option) ? 2 : 1) }
  }
  if (dialogue.isFile) yield { ...dialogue, isFile: false }
}
