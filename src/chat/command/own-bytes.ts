/** This process's arguments and variables as the bytes they are: Node has taken them for UTF-8. */

import { readFileSync } from 'node:fs'
import { argv, env } from 'node:process'

export interface Arguments {
  /** How we were called, for the usage. */
  readonly program: string
  readonly words: readonly string[]
}

export function ownArguments(): Arguments {
  const count = argv.length - 2
  const all = parts('/proc/self/cmdline') ?? argv.map((text) => Buffer.from(text).toString('latin1'))
  return { program: all[all.length - count - 1] ?? 'modem-chat', words: all.slice(all.length - count) }
}

/** For -E. */
export function ownVariables(): (name: string) => string | undefined {
  const all = parts('/proc/self/environ')
  if (!all) return (name) => (env[name] === undefined ? undefined : Buffer.from(env[name]).toString('latin1'))
  return (name) => all.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Each ends with a NUL. undefined: no /proc here. */
function parts(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'latin1').split('\0').slice(0, -1)
  } catch {
    return undefined
  }
}
