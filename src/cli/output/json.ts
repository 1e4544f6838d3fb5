/** `--json`: D-Bus properties as one document. Keys in lowerCamelCase; what is not known is absent. */

import { isUnseen } from './text.ts'

/** JSON.stringify leaves DEL, the C1 control characters and what hides text as they are; terminals act on those. */
export function jsonText(document: unknown): string {
  const text = JSON.stringify(document, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
  return /^[\x20-\x7e]*$/.test(text) ? text : Array.from(text, escapeUnseen).join('')
}

function escapeUnseen(char: string): string {
  const code = char.codePointAt(0)!
  if (!isUnseen(code) && (code < 0x7f || code > 0x9f)) return char
  return char.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export type JsonObject = Record<string, unknown>

/** `SignalQuality` → `signalQuality`, `Ip4` → `ip4`; object paths become ids, a port a name, a role and an owner. */
export function propertiesToJson(properties: Readonly<Record<string, unknown>>): JsonObject {
  const document: JsonObject = {}
  for (const [name, value] of Object.entries(properties)) {
    const known = SHAPES[name]?.(value) ?? value
    if (isKnown(known)) document[lowerCamelCase(name)] = known
  }
  return document
}

/** Properties whose D-Bus form would be a riddle in JSON. */
const SHAPES: Readonly<Record<string, (value: unknown) => unknown>> = {
  Modem: idOfPath,
  Modems: (value) => asArray(value).map(idOfPath),
  Links: (value) => asArray(value).map(idOfPath),
  Messages: (value) => asArray(value).map(idOfPath),
  Ports: (value) =>
    asArray(value).map((port) => {
      const [name, role, owner] = asArray(port)
      return { name, role, owner }
    }),
}

/** `/org/modemd/link/my_2dlink` → `my-link`; `/` stands for none. As sd_bus_path_decode(3) does it. */
export function idOfPath(path: unknown): string {
  const element = String(path).split('/').at(-1) ?? ''
  if (element === '_') return ''
  const bytes: number[] = []
  for (let at = 0; at < element.length; at++) {
    const escaped = element[at] === '_' ? /^[0-9a-f]{2}/.exec(element.slice(at + 1))?.[0] : undefined
    bytes.push(escaped === undefined ? element.charCodeAt(at) : Number.parseInt(escaped, 16))
    if (escaped !== undefined) at += 2
  }
  return Buffer.from(bytes).toString('utf8')
}

/** A property's name as a key. */
export function lowerCamelCase(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1)
}

function isKnown(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value !== undefined && value !== ''
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
