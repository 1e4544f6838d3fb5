/**
 * What features of a modem (`modem/features/`) show on the bus beside Modem1, Sim1 and Signal1. One entry in `MODEM_EXTENSIONS` a
 * feature: an interface on the modem's own object, and objects of the modem's below /org/modemd (a message is one), which come
 * with InterfacesAdded and go with InterfacesRemoved, at the latest with their modem. Used by `exporter.ts`.
 *
 * The interface itself is a file of `api/` and one of `dbus/`, as any other; the object's path has its function in
 * `path-escape.ts`. Its properties are read when `changed` was called; nobody else sends PropertiesChanged.
 */

import type { Cancel } from '../base/ports.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import type { BoundInterface, InterfaceShape } from './definition.ts'
import { locationExtension, timeExtension, ussdExtension } from './features.ts'
import { messagingExtension } from './messages.ts'

/** How an extension tells the bus. */
export interface ModemExports {
  /** The modem's own object. */
  readonly path: string
  /** A property of the modem's object may have changed, told once when this turn ends; or whether the interface is there at all. */
  changed(): void
  /** A signal on the modem's object. `shape` is the definition that has it, `body` its values. */
  signal(shape: InterfaceShape, member: string, body: readonly unknown[]): void
  /** An object of the modem's. False: the path is taken. */
  add(path: string, interfaces: readonly BoundInterface[]): boolean
  /** A property of one that was added may have changed. */
  objectChanged(path: string): void
  remove(path: string): void
}

export interface ModemExtension {
  /** On the modem's object; undefined: this modem has no such feature. */
  interfaceOf(modem: ModemHandle): BoundInterface | undefined
  /** Whether it is there now, asked anew at each change of the modem and each `changed`; where left out it always is. */
  isOn?(modem: ModemHandle): boolean
  /** Called once the modem is on the bus, where `interfaceOf` gave one; what it returns ends it. */
  follow?(modem: ModemHandle, exports: ModemExports): Cancel
}

export const MODEM_EXTENSIONS: readonly ModemExtension[] = [
  messagingExtension,
  ussdExtension,
  timeExtension,
  locationExtension,
]
