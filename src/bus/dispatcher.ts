/** From an incoming call to its answer: object, interface, method, types, authorisation, then the method. Called by `service.ts`. */

import { errorText, ModemdError } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import type { Authorise } from './authorisation.ts'
import type { IncomingCall } from './connection.ts'
import type { BoundInterface, BoundMethod } from './definition.ts'
import { StandardError, toBusError } from './errors.ts'
import type { ObjectTree } from './object-tree.ts'
import { isKnownPath, standardInterfaces } from './standard.ts'

/** Nothing that modemd takes is as long: not even a name and a password together. */
const MAX_ARGUMENT_LENGTH = 4096
const STANDARD_PREFIX = 'org.freedesktop.DBus.'

export interface DispatcherOptions {
  readonly tree: ObjectTree
  readonly authorise: Authorise
  readonly logger: Logger
  /** Called before each answer: whoever has it has heard of all that changed until then. */
  readonly tellChanges: () => void
}

export class Dispatcher {
  readonly #tree: ObjectTree
  readonly #authorise: Authorise
  readonly #logger: Logger
  readonly #tellChanges: () => void

  constructor({ tree, authorise, logger, tellChanges }: DispatcherOptions) {
    this.#tree = tree
    this.#authorise = authorise
    this.#logger = logger
    this.#tellChanges = tellChanges
  }

  /** Always answers, never throws. What can be answered at once (all properties) is, in this very turn. */
  handle(call: IncomingCall): void {
    try {
      const method = this.#findMethod(call)
      const answer = this.#run(method, call)
      if (answer instanceof Promise) {
        answer.then((body) => this.#reply(call, method, body)).catch((error) => this.#fail(call, error))
      } else {
        this.#reply(call, method, answer)
      }
    } catch (error) {
      this.#fail(call, error)
    }
  }

  #reply(call: IncomingCall, { outSignature }: BoundMethod, body: readonly unknown[]): void {
    this.#tellChanges()
    call.reply(outSignature, body)
  }

  #run(method: BoundMethod, call: IncomingCall): readonly unknown[] | Promise<readonly unknown[]> {
    const access = method.access(call.body)
    if (access === 'anyone') return method.call(call.body, call)
    return this.#authorise(call.sender, access, call.mayInteract).then(() => method.call(call.body, call))
  }

  #findMethod(call: IncomingCall): BoundMethod {
    const candidates = this.#interfacesAt(call)
    for (const each of candidates) {
      const method = each.method(call.member)
      if (method) return checkArguments(method, each, call)
    }
    throw new StandardError('UnknownMethod', `There is no method ${call.member.slice(0, 100)} here.`)
  }

  /** Without an interface in the call, all of the object's are searched. */
  #interfacesAt(call: IncomingCall): readonly BoundInterface[] {
    const own = this.#tree.get(call.path)?.interfaces ?? []
    const wanted = own.filter(({ name }) => call.interface === undefined || name === call.interface)
    const found = [...wanted, ...standardInterfaces(this.#tree, call.path, call.interface)]
    if (found.length > 0) return found
    if (!isKnownPath(this.#tree, call.path)) {
      throw new StandardError('UnknownObject', 'There is no such object: `mmctl list` shows the modems that are here.')
    }
    throw new StandardError('UnknownInterface', 'There is no such interface here.')
  }

  #fail(call: IncomingCall, error: unknown): void {
    const { name, message, isUnexpected } = toBusError(error)
    if (isUnexpected) {
      const stack = error instanceof Error ? error.stack : undefined
      this.#logger.error(`${call.interface}.${call.member} failed: ${errorText(error)}.`, { stack })
    }
    this.#tellChanges()
    call.fail(name, message)
  }
}

function checkArguments(method: BoundMethod, owner: BoundInterface, call: IncomingCall): BoundMethod {
  if (call.signature !== method.inSignature) {
    const wanted = method.inSignature === '' ? 'no arguments' : `the types "${method.inSignature}"`
    throw invalid(owner, `${call.member} takes ${wanted}, not "${call.signature}".`)
  }
  if (call.body.some((argument) => typeof argument === 'string' && argument.length > MAX_ARGUMENT_LENGTH)) {
    throw invalid(owner, `An argument of ${call.member} is too long.`)
  }
  return method
}

function invalid(owner: BoundInterface, message: string): Error {
  return owner.name.startsWith(STANDARD_PREFIX)
    ? new StandardError('InvalidArgs', message)
    : new ModemdError('InvalidArgs', message)
}
