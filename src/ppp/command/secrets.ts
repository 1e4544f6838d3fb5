/**
 * pap-secrets and chap-secrets (pppd(8) "AUTHENTICATION"): CLIENT SERVER SECRET [ADDRESS ...] a line, the best match wins. Read
 * anew for each log-in, never written. Used by `options-settings.ts`.
 */

import { errnoText } from './options-errors.ts'
import type { FileText } from './options-services.ts'
import { wordsOf } from './options-words.ts'

export interface SecretsHost {
  readFile(path: string): FileText
  /** Warnings; no secret is in them. */
  notice(line: string): void
}

export interface FoundSecret {
  readonly secret: string
  /** Which addresses the client may have: `*`, `-`, `!…`, names, nets (`secrets-addresses.ts`). */
  readonly addresses: readonly string[]
}

interface Line {
  readonly client: string
  readonly server: string
  readonly secret: string
  readonly addresses: readonly string[]
}

/** A named server outweighs a wildcard, a named client outweighs a named server. */
const NAMED_SERVER = 1
const NAMED_CLIENT = 2

export class SecretsFile {
  readonly #path: string
  readonly #host: SecretsHost

  constructor(path: string, host: SecretsHost) {
    this.#path = path
    this.#host = host
  }

  /** Is there a line for them? undefined: whoever it is. Looks into no `@/file` and warns of nothing. */
  addressesFor(client: string | undefined, server: string | undefined): readonly string[] | undefined {
    try {
      return this.#best(client, server, this.#lines())?.addresses
    } catch {
      return undefined
    }
  }

  /** `what`: the file's name in messages (`PAP password file`). */
  find(client: string, server: string | undefined, what: string): FoundSecret | undefined {
    try {
      const file = this.#read(this.#path)
      return this.#best(client, server, linesOf(file), (line) => this.#secretOf(line))
    } catch (error) {
      this.#host.notice(`Can't open ${what} ${this.#path}: ${errnoText(error)}`)
      return undefined
    }
  }

  #best(
    client: string | undefined,
    server: string | undefined,
    lines: readonly Line[],
    secretOf = (line: Line): string | undefined => line.secret,
  ): FoundSecret | undefined {
    let best: FoundSecret | undefined
    let bestWeight = -1
    for (const line of lines) {
      const weight = weightOf(line, client, server)
      if (weight <= bestWeight) continue
      const secret = secretOf(line)
      if (secret === undefined) continue
      best = { secret, addresses: line.addresses }
      bestWeight = weight
    }
    return best
  }

  #lines(): readonly Line[] {
    return linesOf(this.#host.readFile(this.#path))
  }

  /** `@/path`: the first word of that file. */
  #secretOf({ secret }: Line): string | undefined {
    if (!secret.startsWith('@/')) return secret
    const path = secret.slice(1)
    try {
      const [word] = wordsOf(this.#read(path).bytes.toString('latin1'))
      if (word) return word.text
      this.#host.notice(`no secret in indirect secret file ${path}`)
    } catch {
      this.#host.notice(`can't open indirect secret file ${path}`)
    }
    return undefined
  }

  #read(path: string): FileText {
    const file = this.#host.readFile(path)
    if (file.isOpenToOthers) this.#host.notice(`Warning - secret file ${path} has world and/or group access`)
    return file
  }
}

/** -1: not for them. */
function weightOf(line: Line, client: string | undefined, server: string | undefined): number {
  if (line.client !== '*' && client !== undefined && line.client !== client) return -1
  if (line.server !== '*' && server !== undefined && line.server !== server) return -1
  return (line.client === '*' ? 0 : NAMED_CLIENT) + (line.server === '*' ? 0 : NAMED_SERVER)
}

/** What follows `--` are options for that peer alone: not supported, and no addresses. */
function linesOf({ bytes }: FileText): readonly Line[] {
  const lines: string[][] = []
  for (const { text, startsLine } of wordsOf(bytes.toString('latin1'))) {
    if (startsLine) lines.push([])
    lines.at(-1)!.push(text)
  }
  return lines.flatMap(([client, server, secret, ...rest]) => {
    if (client === undefined || server === undefined || secret === undefined) return []
    const optionsAt = rest.indexOf('--')
    return [{ client, server, secret, addresses: optionsAt < 0 ? rest : rest.slice(0, optionsAt) }]
  })
}
