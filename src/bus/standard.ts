/**
 * The interfaces of the D-Bus specification ("Standard Interfaces") for every object of the tree: Peer, Introspectable,
 * Properties, and ObjectManager at the root. All properties of modemd are read-only and readable by everyone.
 */

import { readFileSync } from 'node:fs'
import { ModemdError } from '../base/errors.ts'
import { type BoundInterface, bind, type InterfaceDefinition } from './definition.ts'
import { StandardError } from './errors.ts'
import { introspectionXml } from './introspection.ts'
import type { BusObject, ObjectTree } from './object-tree.ts'
import { ROOT_PATH } from './path-escape.ts'
import { isObjectPath, type Variant } from './signature.ts'

export const PROPERTIES = 'org.freedesktop.DBus.Properties'
export const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager'

/** A path that is an object or leads to one. */
interface Node {
  readonly path: string
  readonly tree: ObjectTree
  readonly object: BusObject | undefined
}

/** The standard interfaces at `path`, or the one of that name. Peer answers anywhere, also where nothing is. */
export function standardInterfaces(tree: ObjectTree, path: string, name?: string): readonly BoundInterface[] {
  const node: Node = { path, tree, object: tree.get(path) }
  return standardDefinitions(node)
    .filter((definition) => name === undefined || definition.name === name)
    .map((definition) => bind(definition, node))
}

function standardDefinitions(node: Node): readonly InterfaceDefinition<Node>[] {
  if (!node.object) return node.tree.isNode(node.path) ? [peer, introspectable] : [peer]
  return node.path === ROOT_PATH
    ? [peer, introspectable, properties, objectManager]
    : [peer, introspectable, properties]
}

const peer: InterfaceDefinition<Node> = {
  name: 'org.freedesktop.DBus.Peer',
  properties: [],
  methods: [
    { name: 'Ping', in: [], out: [], access: 'anyone', call: () => [] },
    {
      name: 'GetMachineId',
      in: [],
      out: [['machine_uuid', 's']],
      access: 'anyone',
      call: () => [machineId()],
    },
  ],
  signals: [],
}

const introspectable: InterfaceDefinition<Node> = {
  name: 'org.freedesktop.DBus.Introspectable',
  properties: [],
  methods: [
    {
      name: 'Introspect',
      in: [],
      out: [['xml_data', 's']],
      access: 'anyone',
      call: (node) => {
        const standard = standardDefinitions(node).map((definition) => bind(definition, node).shape)
        const own = node.object?.interfaces.map((each) => each.shape) ?? []
        return [introspectionXml([...standard, ...own], node.tree.childNames(node.path))]
      },
    },
  ],
  signals: [],
}

const properties: InterfaceDefinition<Node> = {
  name: PROPERTIES,
  properties: [],
  methods: [
    {
      name: 'Get',
      in: [
        ['interface_name', 's'],
        ['property_name', 's'],
      ],
      out: [['value', 'v']],
      access: 'anyone',
      call: (node, [interfaceName, name]) => [getProperty(node, interfaceName as string, name as string)],
    },
    {
      name: 'GetAll',
      in: [['interface_name', 's']],
      out: [['properties', 'a{sv}']],
      access: 'anyone',
      call: (node, [interfaceName]) => [getAllProperties(node, interfaceName as string)],
    },
    {
      name: 'Set',
      in: [
        ['interface_name', 's'],
        ['property_name', 's'],
        ['value', 'v'],
      ],
      out: [],
      access: 'anyone',
      call: (node, [interfaceName, name]) => {
        findProperty(node, interfaceName as string, name as string)
        throw new StandardError('PropertyReadOnly', `${name} cannot be written: use the methods instead.`)
      },
    },
  ],
  signals: [
    {
      name: 'PropertiesChanged',
      args: [
        ['interface_name', 's'],
        ['changed_properties', 'a{sv}'],
        ['invalidated_properties', 'as'],
      ],
    },
  ],
}

const objectManager: InterfaceDefinition<Node> = {
  name: OBJECT_MANAGER,
  properties: [],
  methods: [
    {
      name: 'GetManagedObjects',
      in: [],
      out: [['object_paths_interfaces_and_properties', 'a{oa{sa{sv}}}']],
      access: 'anyone',
      call: (node) => [managedObjects(node)],
    },
  ],
  signals: [
    {
      name: 'InterfacesAdded',
      args: [
        ['object_path', 'o'],
        ['interfaces_and_properties', 'a{sa{sv}}'],
      ],
    },
    {
      name: 'InterfacesRemoved',
      args: [
        ['object_path', 'o'],
        ['interfaces', 'as'],
      ],
    },
  ],
}

/** Each interface's known properties, as InterfacesAdded and GetManagedObjects give them. */
export function interfacesAndProperties(object: BusObject): Record<string, Record<string, Variant>> {
  return Object.fromEntries(object.interfaces.map((each) => [each.name, each.getAll()]))
}

function managedObjects(node: Node): Record<string, unknown> {
  const managed: Record<string, unknown> = {}
  for (const object of node.tree.objects) {
    if (object.path.startsWith(`${node.path}/`)) managed[object.path] = interfacesAndProperties(object)
  }
  return managed
}

function getProperty(node: Node, interfaceName: string, name: string): Variant {
  const value = findProperty(node, interfaceName, name).get(name)
  if (!value) throw new ModemdError('Unknown', `${name} is not known at present.`)
  return value
}

function findProperty(node: Node, interfaceName: string, name: string): BoundInterface {
  const found = interfacesNamed(node, interfaceName).find((each) => each.hasProperty(name))
  if (!found) throw new StandardError('UnknownProperty', 'There is no such property here.')
  return found
}

function getAllProperties(node: Node, interfaceName: string): Record<string, Variant> {
  return Object.assign({}, ...interfacesNamed(node, interfaceName).map((each) => each.getAll()))
}

/** '' means any (specification of Get). */
function interfacesNamed(node: Node, name: string): readonly BoundInterface[] {
  const own = node.object?.interfaces ?? []
  if (name === '') return own
  const found = own.filter((each) => each.name === name)
  if (found.length === 0 && !standardDefinitions(node).some((each) => each.name === name)) {
    throw new StandardError('UnknownInterface', 'There is no such interface here.')
  }
  return found
}

function machineId(): string {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      return readFileSync(file, 'utf8').trim()
    } catch {
      // The other one may be there.
    }
  }
  throw new ModemdError('Unsupported', 'This machine has no machine-id.')
}

/** For the dispatcher: does `path` exist at all? */
export function isKnownPath(tree: ObjectTree, path: string): boolean {
  return isObjectPath(path) && tree.isNode(path)
}
