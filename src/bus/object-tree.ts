/** Which objects are on the bus now, with their interfaces. It lives longer than any connection: after the bus died and came back, the same tree is served. */

import type { BoundInterface } from './definition.ts'

export interface BusObject {
  readonly path: string
  readonly interfaces: readonly BoundInterface[]
}

export class ObjectTree {
  readonly #objects = new Map<string, BusObject>()

  get objects(): Iterable<BusObject> {
    return this.#objects.values()
  }

  get(path: string): BusObject | undefined {
    return this.#objects.get(path)
  }

  /** False: the path is taken. */
  add(object: BusObject): boolean {
    if (this.#objects.has(object.path)) return false
    this.#objects.set(object.path, object)
    return true
  }

  /** In the place of the one that has its path. */
  replace(object: BusObject): void {
    this.#objects.set(object.path, object)
  }

  remove(path: string): BusObject | undefined {
    const object = this.#objects.get(path)
    this.#objects.delete(path)
    return object
  }

  /** The names one level below `path`, of objects and of the way to them: `/org` → `modemd`. */
  childNames(path: string): readonly string[] {
    const prefix = path === '/' ? '/' : `${path}/`
    const names = new Set<string>()
    for (const other of this.#objects.keys()) {
      if (other.startsWith(prefix)) names.add(other.slice(prefix.length).split('/', 1)[0]!)
    }
    return [...names]
  }

  /** Is there an object, or one below? */
  isNode(path: string): boolean {
    return this.#objects.has(path) || this.childNames(path).length > 0
  }
}
