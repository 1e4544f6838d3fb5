/** What an option is to the reader: its name, its argument, what it sets, who may give it, how `dump` shows it. */

import type { OptionServices } from './options-services.ts'
import type { ListedValue, NumberKey, OptionValues, TextKey } from './options-values.ts'

interface Common {
  readonly name: string
  /**
   * `first` opens a group of options that set the same thing: the last one given with the highest priority holds, and `dump` shows
   * that one alone. The `later` ones follow it in the table. Neither: whatever comes last holds.
   */
  readonly group?: 'first' | 'later'
  /** Only root, /etc/ppp/options and /etc/ppp/peers may give it. */
  readonly isPrivileged?: boolean
  /** Nobody else can override what root has set. */
  readonly isFixedByRoot?: boolean
  /** It names the line, which is settled after the command line. */
  readonly namesLine?: boolean
  /** What else it sets. */
  readonly sets?: Partial<OptionValues>
  /** 0 there: the option was disabled by its opposite. */
  readonly enabledBy?: NumberKey
  /** Not supported where this says why, and what to do instead. */
  readonly refusal?: string
}

/** An option without argument. */
interface Flag extends Common {
  readonly type: 'flag'
  readonly key: NumberKey
  readonly value: number
}

/** `debug`: each one adds 1. */
interface Counter extends Common {
  readonly type: 'counter'
  readonly key: NumberKey
}

interface Integer extends Common {
  readonly type: 'integer'
  readonly key: NumberKey
  readonly least?: number
  readonly most?: number
  /** An unprivileged user may lower it only; 0 is no limit. */
  readonly isCeiling?: boolean
}

/** Several of them are ORed. */
interface HexMask extends Common {
  readonly type: 'hex-mask'
  readonly key: NumberKey
  /** No argument: this is it. */
  readonly mask?: number
}

interface Text extends Common {
  readonly type: 'text'
  readonly key: TextKey
  /** Cut to that many bytes. */
  readonly longestBytes?: number
  /** `dump` does not show it. */
  readonly isSecret?: boolean
}

export interface OptionContext {
  readonly values: OptionValues
  readonly services: OptionServices
  readonly isPrivileged: boolean
  readonly source: string
  /** Higher wins: a file's 1, the command line's 2. */
  readonly priority: number
  /** Gives the value of another option from here, where priorities allow it. */
  overrides(name: string): boolean
  /** Reads a file of options in this one's place; false: a fault was reported. */
  readFile(path: string, as: 'user' | 'peer'): boolean
  /** An error message that does not end the reading. */
  complain(text: string): void
  warn(text: string): void
  grantPrivileges(): void
}

/** undefined: done; otherwise the error message ('': it was reported already). */
export type Taking = string | undefined

interface Special extends Common {
  readonly type: 'special'
  readonly hasArgument: boolean
  take(word: string, context: OptionContext): Taking
  /** What `dump` shows after the name; undefined: the option is not shown. Several: a line each. */
  show?(values: OptionValues): string | readonly ListedValue[] | undefined
}

/** A word that no option is called: a tty, a speed, a pair of addresses. */
interface Wild extends Common {
  readonly type: 'wild'
  matches(word: string, context: OptionContext): boolean
  take(word: string, context: OptionContext): Taking
  show(values: OptionValues): string
}

/** `--help`, `--version`. */
interface Information extends Common {
  readonly type: 'information'
  readonly about: 'help' | 'version'
}

export type Definition = Flag | Counter | Integer | HexMask | Text | Special | Wild | Information

export function takesArgument(definition: Definition): boolean {
  switch (definition.type) {
    case 'integer':
    case 'text':
      return true
    case 'hex-mask':
      return definition.mask === undefined
    case 'special':
      return definition.hasArgument
    default:
      return false
  }
}

/** The same option under further names: each is its own line of the table, as in pppd. */
export function named(definition: Definition, ...names: readonly string[]): readonly Definition[] {
  const rest = definition.group === 'first' ? { ...definition, group: 'later' as const } : definition
  return names.map((name, index) => ({ ...(index === 0 ? definition : rest), name }))
}

export function flag(name: string, key: NumberKey, value: number, more: Partial<Common> = {}): Definition {
  return { type: 'flag', name, key, value, ...more }
}

export function integer(
  name: string,
  key: NumberKey,
  more: Partial<Omit<Integer, 'type' | 'name' | 'key'>> = {},
): Definition {
  return { type: 'integer', name, key, group: 'first', ...more }
}

export function text(name: string, key: TextKey, more: Partial<Omit<Text, 'type' | 'name' | 'key'>> = {}): Definition {
  return { type: 'text', name, key, group: 'first', ...more }
}

/** Understood and refused; the word after it is its own. */
export function refused(name: string, refusal: string, hasArgument = false): Definition {
  return { type: 'special', name, hasArgument, refusal, take: () => undefined }
}

/** Only its syntax matters: nothing of ours depends on it. */
export function listed(
  name: string,
  key: 'allowedAddresses' | 'allowedNumbers',
  more: Partial<Common> = {},
): Definition {
  return {
    type: 'special',
    name,
    hasArgument: true,
    take: (value, { values, source }) => {
      values[key].push({ value, source })
      return undefined
    },
    show: (values) => values[key],
    ...more,
  }
}
