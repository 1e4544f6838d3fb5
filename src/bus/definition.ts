/**
 * A D-Bus interface as data: `api/` and `standard.ts` write these, the object tree serves them, introspection prints
 * them. A property that is not known is undefined, never a made-up value.
 */

import { type Variant, variant } from './signature.ts'

export type Argument = readonly [name: string, signature: string]

/**
 * Who may call: `authorisation.ts` decides. `administrator`: root. The others are polkit's actions: by default `connect` and `messaging` are
 * for users at an active console and the group modemd, `control` for the group, `at-console` for administrators.
 */
export type Access = 'anyone' | 'connect' | 'messaging' | 'control' | 'at-console' | 'administrator'

export interface Caller {
  /** Unique name, vouched for by the bus. */
  readonly sender: string
}

type Answer = readonly unknown[] | Promise<readonly unknown[]>

export interface PropertyDefinition<T> {
  readonly name: string
  readonly signature: string
  readonly get: (target: T) => unknown
  /** false: it may change without a signal, and is to be asked for. */
  readonly emitsChange?: false
}

export interface MethodDefinition<T> {
  readonly name: string
  readonly in: readonly Argument[]
  readonly out: readonly Argument[]
  readonly access: Access | ((target: T, args: readonly unknown[]) => Access)
  /** The values of `out`. `args` have the types of `in`; their values are unchecked. */
  readonly call: (target: T, args: readonly unknown[], caller: Caller) => Answer
}

export interface SignalDefinition {
  readonly name: string
  readonly args: readonly Argument[]
}

export interface InterfaceDefinition<T> {
  readonly name: string
  readonly properties: readonly PropertyDefinition<T>[]
  readonly methods: readonly MethodDefinition<T>[]
  readonly signals: readonly SignalDefinition[]
}

/** What introspection and the dispatcher need to know of a definition. */
export type InterfaceShape = InterfaceDefinition<never>

export interface BoundMethod {
  readonly inSignature: string
  readonly outSignature: string
  access(args: readonly unknown[]): Access
  call(args: readonly unknown[], caller: Caller): Answer
}

/** A definition with the thing that it is about. */
export interface BoundInterface {
  readonly name: string
  readonly shape: InterfaceShape
  hasProperty(name: string): boolean
  /** undefined: not known (or no such property). */
  get(name: string): Variant | undefined
  /** All that are known. */
  getAll(): Record<string, Variant>
  method(name: string): BoundMethod | undefined
}

export function bind<T>(definition: InterfaceDefinition<T>, target: T): BoundInterface {
  const { name, properties, methods } = definition
  const read = (property: PropertyDefinition<T>): Variant | undefined => {
    const value = property.get(target)
    return value === undefined ? undefined : variant(property.signature, value)
  }
  const find = (wanted: string) => properties.find((property) => property.name === wanted)
  return {
    name,
    shape: definition as unknown as InterfaceShape,
    hasProperty: (wanted) => find(wanted) !== undefined,
    get(wanted) {
      const property = find(wanted)
      return property && read(property)
    },
    getAll() {
      const known: Record<string, Variant> = {}
      for (const property of properties) {
        const value = read(property)
        if (value) known[property.name] = value
      }
      return known
    },
    method(wanted) {
      const method = methods.find((each) => each.name === wanted)
      return method && bindMethod(method, target)
    },
  }
}

function bindMethod<T>(method: MethodDefinition<T>, target: T): BoundMethod {
  const { access } = method
  return {
    inSignature: signatureOf(method.in),
    outSignature: signatureOf(method.out),
    access: (args) => (typeof access === 'function' ? access(target, args) : access),
    call: (args, caller) => method.call(target, args, caller),
  }
}

export function signatureOf(args: readonly Argument[]): string {
  return args.map(([, signature]) => signature).join('')
}
