/**
 * Which PPP engine: `auto` takes the kernel's data path where the kernel has one, else the builtin engine; pppd only where it is
 * named, because its options and plugins need root. The daemon and modem-ppp ask, and show the reasons.
 */

import { ModemdError } from '../../base/errors.ts'
import type { EngineName } from './engine.ts'

export type Usable = { readonly ok: true } | { readonly ok: false; readonly why: string }

export interface EngineReport {
  readonly name: EngineName
  readonly isUsable: boolean
  /** For people: what `auto` makes of it, or what is missing. */
  readonly why: string
}

export interface EngineChoice {
  readonly name: EngineName
  readonly why: string
}

const AUTO_ORDER: readonly EngineName[] = ['kernel', 'builtin']

/** Of each engine, the best first; what is not checked is left out. */
export function engineReports(checks: Partial<Readonly<Record<EngineName, Usable>>>): readonly EngineReport[] {
  const auto = AUTO_ORDER.find((name) => checks[name]?.ok)
  return [...AUTO_ORDER, 'pppd' as const].flatMap((name) => {
    const check = checks[name]
    if (!check) return []
    return [{ name, isUsable: check.ok, why: check.ok ? usableText(name, auto) : `cannot be used: ${check.why}` }]
  })
}

function usableText(name: EngineName, auto: EngineName | undefined): string {
  if (name === auto) return 'usable; auto takes it'
  if (name === 'pppd') return 'usable; taken where it is named'
  return `usable; auto takes ${auto}, which is quicker`
}

/**
 * `hasDescriptor`: the line is a tty of this machine that can be given away; only the builtin engine runs on anything else
 * (a simulated line, standard input and output). Throws ModemdError with cause engine-missing.
 */
export function chooseEngine(
  reports: readonly EngineReport[],
  wanted: 'auto' | EngineName,
  hasDescriptor: boolean,
): EngineChoice {
  const candidates = wanted === 'auto' ? AUTO_ORDER : [wanted]
  const refusals: string[] = []
  for (const name of candidates) {
    const report = reports.find((each) => each.name === name)
    if (!report) refusals.push(`${name}: is not here`)
    else if (!report.isUsable) refusals.push(`${name}: ${report.why}`)
    else if (!hasDescriptor && name !== 'builtin')
      refusals.push(`${name}: needs a tty that it can take, and this line is none`)
    else return { name, why: reasonOf(wanted, refusals) }
  }
  const what = wanted === 'auto' ? 'no PPP engine works here' : `the engine ${wanted} does not work here`
  throw new ModemdError('Unsupported', `${what} (${refusals.join('; ')})`, 'engine-missing')
}

function reasonOf(wanted: 'auto' | EngineName, refusals: readonly string[]): string {
  if (wanted !== 'auto') return 'asked for'
  return refusals.length === 0 ? 'the best one here' : refusals.join('; ')
}
