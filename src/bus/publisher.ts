/**
 * Puts objects on the bus and tells it what changed: compares what was said last with what the snapshots say now, and
 * sends one PropertiesChanged per interface and turn of the event loop. Nobody else sends signals.
 *
 * A modem whose reports flap at the speed of its line must not flood the bus: what an object has to say beyond its measure waits
 * for the end of the second, and then only the outcome is told.
 */

import { isDeepStrictEqual } from 'node:util'
import type { Cancel, Clock } from '../base/ports.ts'
import type { BusSignal } from './connection.ts'
import { type BoundInterface, type InterfaceShape, signatureOf } from './definition.ts'
import type { BusObject, ObjectTree } from './object-tree.ts'
import { ROOT_PATH } from './path-escape.ts'
import type { Variant } from './signature.ts'
import { interfacesAndProperties, OBJECT_MANAGER, PROPERTIES } from './standard.ts'

type Values = Readonly<Record<string, Variant>>

/** Of one object; connecting and disconnecting as fast as it goes makes half as many. */
const MOST_TELLINGS = 200
const PACE_MS = 1000

interface Pace {
  readonly endMs: number
  left: number
}

interface StateChange {
  readonly shape: InterfaceShape
  readonly from: string
  readonly to: string
  readonly cause: string
}

export class Publisher {
  readonly #tree: ObjectTree
  readonly #emit: (signal: BusSignal) => void
  /** What the bus was told last, by path and interface. */
  readonly #published = new Map<string, Map<string, Values>>()
  readonly #changed = new Set<string>()
  readonly #paces = new Map<string, Pace>()
  /** Not told yet, by path. */
  readonly #states = new Map<string, StateChange>()
  readonly #clock: Clock
  #flushHandle: NodeJS.Immediate | undefined
  #cancelTimer: Cancel | undefined

  /** `emit` does not throw; while there is no bus it drops. */
  constructor(tree: ObjectTree, emit: (signal: BusSignal) => void, clock: Clock) {
    this.#tree = tree
    this.#emit = emit
    this.#clock = clock
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

  /** The interfaces of an object that is there, of which some come and go. Nothing of one that goes is told any more. */
  setInterfaces(path: string, interfaces: readonly BoundInterface[]): void {
    const before = this.#tree.get(path)?.interfaces
    const published = this.#published.get(path)
    if (!before || !published) return
    const isMissingIn = (others: readonly BoundInterface[]) => (each: BoundInterface) =>
      !others.some(({ name }) => name === each.name)
    const gone = before.filter(isMissingIn(interfaces)).map(({ name }) => name)
    const added = interfaces.filter(isMissingIn(before))
    if (gone.length === 0 && added.length === 0) return
    this.#tree.replace({ path, interfaces })
    for (const name of gone) published.delete(name)
    if (gone.length > 0) this.#emitManager('InterfacesRemoved', 'oas', [path, gone])
    if (added.length === 0) return
    const values = interfacesAndProperties({ path, interfaces: added })
    for (const [name, known] of Object.entries(values)) published.set(name, known)
    this.#emitManager('InterfacesAdded', 'oa{sa{sv}}', [path, values])
  }

  /** What changed last is still told: a modem's last state says why it went. */
  remove(path: string): void {
    this.#publish(path)
    const object = this.#tree.remove(path)
    this.#published.delete(path)
    this.#paces.delete(path)
    if (object) this.#emitManager('InterfacesRemoved', 'oas', [path, object.interfaces.map(({ name }) => name)])
  }

  /** Something about the object may have changed; it is looked at when this turn ends. */
  changed(path: string): void {
    this.#changed.add(path)
    this.#flushHandle ??= setImmediate(() => this.#flushPaced())
  }

  /** StateChanged of the interface, at once where the object has not told too much. */
  stateChanged(path: string, shape: InterfaceShape, from: string, to: string, cause: string): void {
    this.#states.set(path, { shape, from: this.#states.get(path)?.from ?? from, to, cause })
    if (this.#mayTell(path)) this.#tellState(path)
  }

  /** Any other signal, at once. From an object that has told too much this second it is dropped: its properties say the outcome. */
  signal(path: string, shape: InterfaceShape, member: string, body: readonly unknown[]): void {
    const definition = shape.signals.find(({ name }) => name === member)
    if (!definition || !this.#mayTell(path)) return
    this.#emit({ path, interface: shape.name, member, signature: signatureOf(definition.args), body })
  }

  /** Tells what changed now and not when this turn ends; what an object has too much of waits all the same. */
  tellNow(): void {
    if (this.#flushHandle === undefined) return
    clearImmediate(this.#flushHandle)
    this.#flushPaced()
  }

  /** Tells all that changed, now. */
  flush(): void {
    clearImmediate(this.#flushHandle)
    this.#flushHandle = undefined
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    for (const path of [...this.#changed]) this.#publish(path)
  }

  #flushPaced(): void {
    this.#flushHandle = undefined
    for (const path of [...this.#changed]) {
      if (this.#mayTell(path)) this.#publish(path)
      else this.#cancelTimer ??= this.#clock.at(this.#paces.get(path)!.endMs, () => this.#paceEnded())
    }
  }

  #paceEnded(): void {
    this.#cancelTimer = undefined
    this.#flushPaced()
  }

  #mayTell(path: string): boolean {
    const nowMs = this.#clock.nowMs()
    let pace = this.#paces.get(path)
    if (!pace || nowMs >= pace.endMs) {
      pace = { endMs: nowMs + PACE_MS, left: MOST_TELLINGS }
      this.#paces.set(path, pace)
    }
    if (pace.left === 0) return false
    pace.left--
    return true
  }

  #tellState(path: string): void {
    const change = this.#states.get(path)
    this.#states.delete(path)
    if (!change || change.from === change.to) return
    const { shape, from, to, cause } = change
    const { args } = shape.signals.find(({ name }) => name === 'StateChanged')!
    const body = [from, to, cause]
    this.#emit({ path, interface: shape.name, member: 'StateChanged', signature: signatureOf(args), body })
  }

  #publish(path: string): void {
    if (!this.#changed.delete(path)) return
    this.#tellState(path)
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
