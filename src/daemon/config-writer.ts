/** Changes single values in the text of an INI file and leaves every other line, comments among them, as it was. For SaveProfile. */

import { iniText, readIni, splitLines } from './config-scanner.ts'

export interface IniChange {
  /** A section without an argument. */
  readonly section: string
  readonly key: string
  /** undefined: the line is removed. */
  readonly value: string | undefined
}

/** `text` has no faults; the values have no control characters. */
export function changedIni(text: string, changes: readonly IniChange[]): string {
  return changes.reduce(changeOne, text)
}

function changeOne(text: string, { section: kind, key, value }: IniChange): string {
  const lines = splitLines(text)
  const section = readIni(text, '').sections.find((each) => each.kind === kind)
  const present = section?.values.get(key)

  if (present && value === undefined) return lines.toSpliced(present.line - 1, 1).join('\n')
  if (value === undefined) return text
  if (present) {
    const line = lines[present.line - 1]!
    // After a bare `key =` the value needs a blank of its own.
    const before = line.slice(0, present.start).replace(/=$/, '= ')
    return lines.with(present.line - 1, before + iniText(value) + line.slice(present.end)).join('\n')
  }

  const added = `${key} = ${iniText(value)}`
  if (!section) return `${text === '' ? '' : `${text.replace(/\n*$/, '\n')}\n`}[${kind}]\n${added}\n`
  const lastLine = Math.max(section.line, ...[...section.values.values()].map((each) => each.line))
  return lines.toSpliced(lastLine, 0, added).join('\n')
}
