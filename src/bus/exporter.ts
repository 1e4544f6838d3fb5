/** Follows the fleet and the links: each becomes an object with its interfaces, and its changes are handed to the publisher. */

import type { Cancel, Logger } from '../base/ports.ts'
import type { LinkHandle, SupervisorApi } from '../link/snapshot.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import { link1 } from './api/link1.ts'
import { type Manager1Target, manager1 } from './api/manager1.ts'
import { modem1 } from './api/modem1.ts'
import { signal1 } from './api/signal1.ts'
import { sim1 } from './api/sim1.ts'
import { type BoundInterface, bind, type InterfaceShape } from './definition.ts'
import { MODEM_EXTENSIONS, type ModemExports, type ModemExtension } from './modem-objects.ts'
import { linkPath, modemPath, ROOT_PATH } from './path-escape.ts'
import type { Publisher } from './publisher.ts'
import { causeOfLinkStep, causeOfModemStep } from './step-causes.ts'

const modemShape = modem1 as unknown as InterfaceShape
const linkShape = link1 as unknown as InterfaceShape

export interface ExporterOptions {
  readonly manager: Manager1Target
  readonly publisher: Publisher
  readonly logger: Logger
  /** Asked anew for each command. */
  readonly isConsoleOn: () => boolean
  readonly extensions?: readonly ModemExtension[]
}

export class Exporter {
  readonly #api: SupervisorApi
  readonly #publisher: Publisher
  readonly #logger: Logger
  readonly #isConsoleOn: () => boolean
  readonly #extensions: readonly ModemExtension[]
  readonly #modems = new Map<ModemHandle, Cancel>()
  readonly #links = new Map<LinkHandle, Cancel>()
  readonly #subscriptions: readonly Cancel[]

  constructor({ manager, publisher, logger, isConsoleOn, extensions = MODEM_EXTENSIONS }: ExporterOptions) {
    this.#api = manager.api
    this.#publisher = publisher
    this.#logger = logger
    this.#isConsoleOn = isConsoleOn
    this.#extensions = extensions
    publisher.add({ path: ROOT_PATH, interfaces: [bind(manager1, manager)] })
    const { fleet, links } = this.#api
    for (const modem of fleet.modems) this.#addModem(modem)
    for (const link of links) this.#addLink(link)
    this.#subscriptions = [
      fleet.onAdded((modem) => this.#addModem(modem)),
      fleet.onRemoved((modem) => this.#removeModem(modem)),
      this.#api.onLinkAdded((link) => this.#addLink(link)),
      this.#api.onLinkRemoved((link) => this.#removeLink(link)),
    ]
  }

  close(): void {
    for (const cancel of [...this.#subscriptions, ...this.#modems.values(), ...this.#links.values()]) cancel()
  }

  #addModem(modem: ModemHandle): void {
    if (this.#modems.has(modem)) return
    const path = modemPath(modem.snapshot.id)
    const extensions = this.#extensions.flatMap((extension) => {
      const bound = extension.interfaceOf(modem)
      return bound ? [{ extension, bound }] : []
    })
    const own = [
      bind(modem1, { modem, api: this.#api, isConsoleOn: this.#isConsoleOn }),
      bind(sim1, modem),
      bind(signal1, modem),
    ]
    const interfaces = () => [
      ...own,
      ...extensions.flatMap(({ extension, bound }) => (extension.isOn?.(modem) === false ? [] : [bound])),
    ]
    if (!this.#isAdded(path, interfaces())) return
    const changed = () => {
      this.#publisher.setInterfaces(path, interfaces())
      this.#publisher.changed(path)
    }
    const unfollow = modem.onChange((next, previous) => {
      changed()
      if (next.state === previous.state) return
      this.#publisher.stateChanged(path, modemShape, previous.state, next.state, causeOfModemStep(next))
    })
    const objects = new Set<string>()
    const exports = this.#exportsFor(path, objects, changed)
    const unfollows = extensions.map(({ extension }) => extension.follow?.(modem, exports))
    this.#modems.set(modem, () => {
      for (const cancel of [unfollow, ...unfollows]) cancel?.()
      for (const object of objects) exports.remove(object)
    })
    this.#modemsChanged(modem)
  }

  /** `objects` are those that must go with the modem. */
  #exportsFor(path: string, objects: Set<string>, changed: () => void): ModemExports {
    const publisher = this.#publisher
    return {
      path,
      changed,
      signal: (shape, member, body) => publisher.signal(path, shape, member, body),
      add: (objectPath, interfaces) => {
        if (!this.#isAdded(objectPath, interfaces)) return false
        objects.add(objectPath)
        return true
      },
      objectChanged: (objectPath) => {
        if (objects.has(objectPath)) publisher.changed(objectPath)
      },
      remove: (objectPath) => {
        if (objects.delete(objectPath)) publisher.remove(objectPath)
      },
    }
  }

  #removeModem(modem: ModemHandle): void {
    const unfollow = this.#modems.get(modem)
    if (!unfollow) return
    unfollow()
    this.#modems.delete(modem)
    this.#publisher.remove(modemPath(modem.snapshot.id))
    this.#modemsChanged(modem)
  }

  /** The manager's list, and the links that name the modem. */
  #modemsChanged({ snapshot: { id } }: ModemHandle): void {
    this.#publisher.changed(ROOT_PATH)
    for (const { snapshot } of this.#links.keys()) {
      if (snapshot.modem === id) this.#publisher.changed(linkPath(snapshot.id))
    }
  }

  #addLink(link: LinkHandle): void {
    if (this.#links.has(link)) return
    const path = linkPath(link.snapshot.id)
    const target = { link, api: this.#api, hasModem: (id: string) => this.#hasModem(id) }
    if (!this.#isAdded(path, [bind(link1, target)])) return
    this.#links.set(
      link,
      link.onChange((next, previous) => {
        this.#publisher.changed(path)
        if (next.modem !== previous.modem) this.#modemOfLinkChanged(previous.modem, next.modem)
        if (next.state === previous.state) return
        this.#publisher.stateChanged(path, linkShape, previous.state, next.state, causeOfLinkStep(next, previous))
      }),
    )
    this.#publisher.changed(ROOT_PATH)
    this.#modemOfLinkChanged(link.snapshot.modem)
  }

  #removeLink(link: LinkHandle): void {
    const unsubscribe = this.#links.get(link)
    if (!unsubscribe) return
    unsubscribe()
    this.#links.delete(link)
    this.#publisher.remove(linkPath(link.snapshot.id))
    this.#publisher.changed(ROOT_PATH)
    this.#modemOfLinkChanged(link.snapshot.modem)
  }

  #modemOfLinkChanged(...ids: readonly (string | undefined)[]): void {
    for (const id of ids) if (id !== undefined) this.#publisher.changed(modemPath(id))
  }

  #hasModem(id: string): boolean {
    return [...this.#modems.keys()].some(({ snapshot }) => snapshot.id === id)
  }

  #isAdded(path: string, interfaces: readonly BoundInterface[]): boolean {
    const isAdded = this.#publisher.add({ path, interfaces })
    if (!isAdded) this.#logger.error('Two things have the same id; the second is not on D-Bus.', { path })
    return isAdded
  }
}
