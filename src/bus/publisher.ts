/**
 * Puts objects on the bus and tells it what changed: compares what was said last with what the snapshots say now, and
 * sends one PropertiesChanged per interface and turn of the event loop. Nobody else sends signals.
 */

import { isDeepStrictEqual } from 'node:util'
import type { BusSignal } from './connection.ts'
import { type BoundInterface, type InterfaceShape, signatureOf } from './definition.ts'
import type { BusObject, ObjectTree } from './object-tree.ts'
import { ROOT_PATH } from './path-escape.ts'
import type { Variant } from './signature.ts'
import { interfacesAndProperties, OBJECT_MANAGER, PROPERTIES } from './standard.ts'

type Values = Readonly<Record<string, Variant>>

export class Publisher {
  readonly #tree: ObjectTree
  readonly #emit: (signal: BusSignal) => void
  /** What the bus was told last, by path and interface. */
  readonly #published = new Map<string, Map<string, Values>>()
  readonly #changed = new Set<string>()
  #flushHandle: NodeJS.Immediate | undefined

  /** `emit` does not throw; while there is no bus it drops. */
  constructor(tree: ObjectTree, emit: (signal: BusSignal) => void) {
    this.#tree = tree
    this.#emit = emit
  }

  /** False: the path is taken. */
  add(object: BusObject): boolean {
    if (!this.#tree.add(object)) return false
    const values = interfacesAndProperties(object)
    this.#published.set(object.path, new Map(Object.entries(values)))
    if (object.path !== ROOT_PATH) {
      this.#emitManager('InterfacesAdded', 'oa{sa{sv}}', [object.path, values])
    }
    return true
  }

  /** What changed last is still told: a modem's last state says why it went. */
  remove(path: string): void {
    this.#publish(path)
    const object = this.#tree.remove(path)
    this.#published.delete(path)
    if (object) this.#emitManager('InterfacesRemoved', 'oas', [path, object.interfaces.map(({ name }) => name)])
  }

  /** Something about the object may have changed; it is looked at when this turn ends. */
  changed(path: string): void {
    this.#changed.add(path)
    this.#flushHandle ??= setImmediate(() => this.flush())
  }

  /** Tells all that changed, now. */
  flush(): void {
    clearImmediate(this.#flushHandle)
    this.#flushHandle = undefined
    for (const path of [...this.#changed]) this.#publish(path)
  }

  signal(path: string, shape: InterfaceShape, member: string, body: readonly unknown[]): void {
    const definition = shape.signals.find(({ name }) => name === member)!
    this.#emit({ path, interface: shape.name, member, signature: signatureOf(definition.args), body })
  }

  close(): void {
    clearImmediate(this.#flushHandle)
    this.#changed.clear()
  }

  #publish(path: string): void {
    if (!this.#changed.delete(path)) return
    for (const each of this.#tree.get(path)?.interfaces ?? []) this.#publishInterface(path, each)
  }

  #publishInterface(path: string, { name, getAll }: BoundInterface): void {
    const published = this.#published.get(path)!
    const before = published.get(name) ?? {}
    const now = getAll()
    published.set(name, now)
    const changed = Object.entries(now).filter(([property, value]) => !isSame(value, before[property]))
    const invalidated = Object.keys(before).filter((property) => !(property in now))
    if (changed.length === 0 && invalidated.length === 0) return
    this.#emit({
      path,
      interface: PROPERTIES,
      member: 'PropertiesChanged',
      signature: 'sa{sv}as',
      body: [name, Object.fromEntries(changed), invalidated],
    })
  }

  #emitManager(member: string, signature: string, body: readonly unknown[]): void {
    this.#emit({ path: ROOT_PATH, interface: OBJECT_MANAGER, member, signature, body })
  }
}

function isSame(a: Variant, b: Variant | undefined): boolean {
  return b !== undefined && (Object.is(a.value, b.value) || isDeepStrictEqual(a.value, b.value))
}
