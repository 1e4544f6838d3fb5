// Keeps the import rules: which folder of src may import which, and which file alone may import a package that the
// house keeps behind one door. Run by `npm run check`.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Folder (or file) of src → what it may import besides itself; the longest match decides. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  serial: ['base'],
  'serial/cured-port.ts': ['base', 'system/poll.ts'],
  system: ['base'],
  chat: ['base'],
  'chat/command.ts': ['base', 'chat', 'system', 'serial'],
  'chat/command': ['base', 'chat', 'system', 'serial'],
  ppp: ['base'],
  'ppp/engines': ['base', 'ppp', 'system', 'serial'],
  'ppp/command.ts': ['base', 'ppp', 'system', 'serial'],
  'ppp/command': ['base', 'ppp', 'system', 'serial'],
  pppoe: ['base', 'ppp/wire'],
  modem: ['base', 'serial', 'chat'],
  link: ['base', 'modem', 'ppp', 'pppoe', 'system', 'serial/wire.ts'],
  bus: ['base', 'modem/snapshot.ts', 'link/snapshot.ts', 'link/causes.ts'],
  sim: ['base', 'serial/wire.ts', 'serial/pump.ts', 'modem/sms', 'ppp', 'system'],
  cli: ['base', 'link/causes.ts', 'serial/regular-file.ts'],
  daemon: ['base', 'serial', 'chat', 'modem', 'ppp', 'pppoe', 'system', 'link', 'bus'],
}

/** Package → the only places of src that may import it. */
const DOORS: Record<string, readonly string[]> = {
  'dbus-next': ['bus/connection.ts'],
  winston: ['daemon/logging.ts'],
  'prom-client': ['daemon/metrics-registry.ts'],
  ini: ['daemon/config'],
  koffi: ['system'],
  '@serialport/stream': ['serial/serialport-wire.ts'],
  '@serialport/bindings-cpp': ['serial/serialport-wire.ts', 'serial/cured-port.ts', 'system/poll.ts'],
  '@serialport/parser-readline': ['sim', 'modem'],
  commander: ['cli', 'sim', 'daemon', 'chat/command.ts', 'ppp/command.ts', 'pppoe/command.ts'],
  picocolors: ['cli'],
}

/** Pure folders own no timer, clock or chance. */
const PURE = ['base', 'chat', 'ppp', 'pppoe', 'modem/at', 'modem/sms']
const IMPURE_CALL = /\b(setTimeout|setInterval|setImmediate|Date\.now|performance\.now|Math\.random|randomBytes)\b/

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*'([^']+)'|import\s*\(\s*'([^']+)'\s*\)|(?:^|\n)import\s*'([^']+)'/g

const faults = sources('src').flatMap(faultsOf)
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)

function faultsOf(file: string): string[] {
  const name = file.slice('src/'.length)
  const text = readFileSync(file, 'utf8')
  const imported = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
  return [...imported.flatMap((target) => importFault(name, target)), ...purityFaults(name, text)]
}

function importFault(name: string, target: string): string[] {
  if (target.startsWith('node:')) return []
  if (!target.startsWith('.')) return doorFault(name, target)
  const path = normalize(join(dirname(name), target))
  if (path.startsWith('..'))
    return path === '../package.json' ? [] : [`src/${name}: imports ${target} from outside src`]
  const allowed = [ownFolder(name), ...rulesOf(name)]
  // A feature's face is part of the modem's.
  const seen = path.replace(/^modem\/features\/[\w-]+\/snapshot\.ts$/, 'modem/snapshot.ts')
  return allowed.some((place) => isWithin(seen, place))
    ? []
    : [`src/${name}: may not import ${path} (see "Who may import whom" in docs/architecture.md)`]
}

function doorFault(name: string, target: string): string[] {
  const packageName = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0]!
  const doors = DOORS[packageName]
  if (!doors) return [`src/${name}: imports the package ${packageName}, which no rule knows`]
  return doors.some((door) => name.startsWith(door))
    ? []
    : [`src/${name}: ${packageName} is imported only in ${doors.join(', ')}`]
}

function purityFaults(name: string, text: string): string[] {
  const isPure = PURE.some((place) => isWithin(name, place)) && !/command\.ts$|\/engines\//.test(name)
  if (!isPure) return []
  return text.split('\n').flatMap((line, index) => {
    const call = IMPURE_CALL.exec(line.replace(/\/\/.*|^\s*\*.*/, ''))
    return call ? [`src/${name}:${index + 1}: ${call[1]} in a pure part: time comes as nowMs, chance as Random`] : []
  })
}

function rulesOf(name: string): readonly string[] {
  const best = Object.keys(MAY_IMPORT)
    .filter((place) => isWithin(name, place))
    .sort((a, b) => b.length - a.length)[0]
  return best === undefined ? [] : MAY_IMPORT[best]!
}

function ownFolder(name: string): string {
  return name.split('/')[0]!
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}
