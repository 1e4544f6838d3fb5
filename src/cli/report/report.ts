/** The text of a bug report from its parts: secrets and personal numbers go here, in one place, whatever part they are in. Pure. */

import { redacted } from '../../base/redactor.ts'
import { clean } from '../output/text.ts'
import { withoutPersonalNumbers } from './mask.ts'

export interface Part {
  readonly title: string
  readonly text: string
}

export interface ReportSources {
  readonly parts: readonly Part[]
  /** They stand nowhere in the report. */
  readonly secrets: readonly string[]
  /** What is not in it, and why. */
  readonly leftOut: readonly string[]
}

const LONGEST_LINE = 2000

export function reportText({ parts, secrets, leftOut }: ReportSources): string {
  const missing = leftOut.map((each) => `- ${each}`).join('\n')
  const all = [...parts, { title: 'What is left out', text: missing }]
  const text = all.map((part) => `== ${part.title}\n\n${part.text.trim() || '(nothing)'}\n`).join('\n')
  // Once more behind the masks: what is left when a part has gone must not make a secret.
  const masked = withoutPersonalNumbers(redacted(text, secrets))
  return redacted(masked, secrets)
    .split('\n')
    .map((line) => clean(line, LONGEST_LINE))
    .join('\n')
}

/** Strings of a D-Bus value, however deep, without what must not be seen: JSON would write some of them otherwise. */
export function withoutSecrets(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return withoutPersonalNumbers(redacted(value, secrets))
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      withoutPersonalNumbers(redacted(key, secrets)),
      withoutSecrets(each, secrets),
    ]),
  )
}
