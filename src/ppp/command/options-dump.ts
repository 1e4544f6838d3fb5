/** `dump` and `dryrun`: the options in effect in pppd's form, a line each. Used by `options-read.ts`. */

import { type Definition, takesArgument } from './options-definition.ts'
import type { OptionReader, Origin } from './options-reader.ts'
import { OPTION_LISTS } from './options-table.ts'
import type { OptionValues } from './options-values.ts'

export function dumpLines({ values, origins }: OptionReader): readonly string[] {
  const shown = OPTION_LISTS.flat().flatMap((first) => {
    const origin = origins.get(first)
    return origin?.given ? optionLines(origin.given, origin, values) : []
  })
  return ['pppd options in effect:', ...shown]
}

function optionLines(definition: Definition, { source }: Origin, values: OptionValues): readonly string[] {
  const { name } = definition
  const line = (text: string, from = source) => `${text}\t\t# (from ${from})`
  switch (definition.type) {
    case 'flag':
      return values[definition.key] === definition.value ? [line(name)] : []
    case 'counter':
      return [line(Array(values[definition.key]).fill(name).join(' '))]
    case 'integer':
      return [line(`${name} ${values[definition.key]}`)]
    case 'hex-mask':
      return [line(takesArgument(definition) ? `${name} ${values[definition.key].toString(16)}` : name)]
    case 'text':
      return [line(`${name} ${definition.isSecret ? '??????' : quoted(values[definition.key])}`)]
    case 'wild':
      return [line(definition.show(values))]
    case 'special': {
      const shown = definition.show?.(values)
      if (shown === undefined) return []
      if (typeof shown !== 'string') return shown.map((each) => line(`${name} ${quoted(each.value)}`, each.source))
      return [line(definition.hasArgument ? `${name} ${shown}` : name)]
    }
    case 'information':
      return []
  }
}

const NAMED: Readonly<Record<number, string>> = { 8: 'b', 9: 't', 10: 'n', 12: 'f' }

/** pppd's %q: quotes and backslashes escaped, control characters as C writes them. */
export function quoted(value: string): string {
  const bytes = [...Buffer.from(value)].flatMap((octet) => {
    if (octet === 0x22 || octet === 0x5c) return [0x5c, octet]
    if (octet >= 0x20 && (octet < 0x7f || octet >= 0xa0)) return [octet]
    return [...Buffer.from(`\\${NAMED[octet] ?? `x${octet.toString(16).padStart(2, '0')}`}`)]
  })
  return Buffer.from(bytes).toString('utf8')
}
