/** Who keeps a modem from modemd: other programs that have its ports, as ListPorts tells. Called by `connect` and `ports`. */

import { type Daemon, Properties, type PropertyValues } from './daemon.ts'
import { clean } from './output/text.ts'
import { cleanText } from './views.ts'

export async function listPorts(daemon: Daemon): Promise<readonly Properties[]> {
  const [list] = (await daemon.manage('ListPorts')) as [readonly PropertyValues[]]
  return list.map((values) => new Properties(values))
}

/** modemd would take it, and another program has it. */
export function isHeldByAnother(port: Properties): boolean {
  const owner = port.text('owner') ?? ''
  return port.values.taken === true && port.text('modem') === undefined && owner !== '' && !owner.startsWith('modemd')
}

/** Roles of ports that no call would use. */
const HELPERS: readonly (string | undefined)[] = ['diag', 'gps', 'net']

const INHIBITED = /\(`mmctl inhibit`\)/
const LEFT_TO_MANAGER = /port-busy \(([^)]+)\)/

/** `sleep (process 812) has /dev/ttyUSB0`; undefined: nobody has one. */
export function holderOf(ports: readonly Properties[]): string | undefined {
  const said = ports.flatMap((port) => {
    const [name, owner, reason] = [cleanText(port, 'name') ?? '?', cleanText(port, 'owner'), port.text('reason') ?? '']
    if (isHeldByAnother(port)) return HELPERS.includes(port.text('role')) ? [] : [`${owner} has ${name}`]
    if (port.values.taken === true || port.text('modem') !== undefined) return []
    const [, manager] = LEFT_TO_MANAGER.exec(reason) ?? []
    if (manager !== undefined) return [`${clean(manager)} has ${name}`]
    return INHIBITED.test(reason) ? [`${name} is let go of for another program (\`mmctl inhibit\`)`] : []
  })
  return said[0]
}
