/** Introspection data (D-Bus specification, "Introspection Data Format"), complete with argument names. Called by `standard.ts`. */

import type { Argument, InterfaceShape } from './definition.ts'

const HEADER = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`

const EMITS_CHANGE = 'org.freedesktop.DBus.Property.EmitsChangedSignal'

const printed = new WeakMap<InterfaceShape, string>()

/** Names are checked constants and escaped path elements: nothing in them needs XML escapes. */
export function introspectionXml(interfaces: readonly InterfaceShape[], childNames: readonly string[]): string {
  const children = childNames.map((name) => `  <node name="${name}"/>\n`)
  return `${HEADER}<node>\n${interfaces.map(interfaceXml).join('')}${children.join('')}</node>\n`
}

function interfaceXml(shape: InterfaceShape): string {
  const known = printed.get(shape)
  if (known !== undefined) return known
  const xml = printInterface(shape)
  printed.set(shape, xml)
  return xml
}

function printInterface(shape: InterfaceShape): string {
  const lines = [`  <interface name="${shape.name}">`]
  for (const method of shape.methods) {
    const args = [...method.in.map(argumentXml('in')), ...method.out.map(argumentXml('out'))]
    lines.push(...memberXml('method', method.name, args))
  }
  for (const signal of shape.signals) lines.push(...memberXml('signal', signal.name, signal.args.map(argumentXml())))
  for (const property of shape.properties) lines.push(...propertyXml(property))
  lines.push('  </interface>\n')
  return lines.join('\n')
}

function memberXml(kind: 'method' | 'signal', name: string, args: readonly string[]): readonly string[] {
  if (args.length === 0) return [`    <${kind} name="${name}"/>`]
  return [`    <${kind} name="${name}">`, ...args, `    </${kind}>`]
}

/** Without the annotation a property promises a signal for each change (D-Bus specification, "Annotations"). */
function propertyXml({ name, signature, emitsChange }: InterfaceShape['properties'][number]): readonly string[] {
  const open = `    <property name="${name}" type="${signature}" access="read"`
  if (emitsChange !== false) return [`${open}/>`]
  return [`${open}>`, `      <annotation name="${EMITS_CHANGE}" value="false"/>`, '    </property>']
}

function argumentXml(direction?: 'in' | 'out'): (argument: Argument) => string {
  const suffix = direction ? ` direction="${direction}"` : ''
  return ([name, signature]) => `      <arg name="${name}" type="${signature}"${suffix}/>`
}
