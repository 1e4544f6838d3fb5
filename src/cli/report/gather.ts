/** What goes into a bug report, each part read by itself: what cannot be read is told, and the rest goes on. Called by `commands/bug-report.ts`. */

import { spawnSync } from 'node:child_process'
import { arch } from 'node:process'
import { errorText } from '../../base/errors.ts'
import { VERSION } from '../../base/version.ts'
import { findingLines } from '../commands/doctor.ts'
import { portDocument } from '../commands/ports.ts'
import { type Daemon, type PropertyValues, ROOT } from '../daemon.ts'
import { examine } from '../doctor/examine.ts'
import { configurationFiles, configurationFolders } from '../doctor/files.ts'
import type { Machine } from '../doctor/machine.ts'
import { formatBytes, formatDuration, formatSpeed } from '../output/format.ts'
import { idOfPath, propertiesToJson } from '../output/json.ts'
import { listPorts } from '../port-holders.ts'
import type { Session } from '../session.ts'
import { shownConfiguration } from './configuration.ts'
import { type Part, type ReportSources, withoutSecrets } from './report.ts'
import { usbDevices } from './usb.ts'

const ALWAYS_LEFT_OUT = [
  'passwords, PINs, PUKs, user names, pppd options, init commands, comments of the configuration',
  'chat scripts, the PIN ledger',
  'texts and numbers of messages, answers to USSD codes, the position',
  'the ends of IMEI, IMSI, ICCID, telephone and serial numbers (***)',
]

const JOURNAL_LINES = 500
const KERNEL_LINES = 150
const LISTED_STATE = ['ports.json']

/** `root` as of `examine`. Never rejects. */
export async function gather(session: Session, root: string | undefined): Promise<ReportSources> {
  const leftOut = [...ALWAYS_LEFT_OUT]
  const { findings, machine, isConfigurationKnown } = await examine(session, root)
  if (!isConfigurationKnown)
    leftOut.push(`modemd's own configuration, if it is not ${machine.configuration}: how it was started is not seen`)
  const configuration = configurationParts(machine, leftOut)
  const { secrets } = configuration
  const bus = await busParts(session, secrets, leftOut)
  const parts: readonly Part[] = [
    { title: 'modemd bug report', text: systemLines(session, machine).join('\n') },
    { title: 'mmctl doctor', text: findingLines(findings, session.plainOutput).join('\n') },
    ...bus,
    { title: 'USB devices', text: usbDevices(machine).join('\n') },
    ...configuration.parts,
    { title: 'State files', text: stateLines(machine).join('\n') },
    journalPart(machine, leftOut),
    kernelPart(machine, leftOut),
  ]
  return { parts, secrets, leftOut }
}

function systemLines(session: Session, machine: Machine): readonly string[] {
  const [, system = 'unknown'] = /^PRETTY_NAME="?([^"\n]*)/m.exec(machine.text('/etc/os-release') ?? '') ?? []
  const [uptime = '0'] = (machine.text('/proc/uptime') ?? '').split(' ')
  const container = ['/run/systemd/container', '/.dockerenv', '/run/.containerenv'].find((file) => machine.has(file))
  return [
    `time: ${new Date(Number(session.clock.wallUs() / 1000n)).toISOString()}`,
    `mmctl: ${VERSION}, Node.js ${process.version}, ${arch}`,
    `system: ${system}, Linux ${machine.kernel}, up for ${formatDuration(Number(uptime) * 1000)}`,
    ...(container ? ['in a container'] : []),
    `asked by: uid ${machine.uid}`,
  ]
}

/** The interfaces whose properties are for all eyes; of the others only that they are there. */
const SHOWN_INTERFACES = ['Manager1', 'Modem1', 'Sim1', 'Signal1', 'Link1', 'Time1']

async function busParts(session: Session, secrets: readonly string[], leftOut: string[]): Promise<readonly Part[]> {
  try {
    const daemon = await session.connect()
    if (!(await daemon.process())) throw new Error('modemd does not run')
    await daemon.load()
    const ports = await listPorts(daemon)
    const lines = (list: readonly unknown[]) =>
      list.map((each) => JSON.stringify(withoutSecrets(each, secrets), bigintAsText, 1)).join('\n')
    return [
      { title: 'mmctl ports', text: lines(ports.map(portDocument)) },
      { title: 'D-Bus', text: lines(await busObjects(daemon)) },
    ]
  } catch (error) {
    leftOut.push(`ports and D-Bus state: ${errorText(error)}`)
    return []
  }
}

async function busObjects(daemon: Daemon): Promise<readonly unknown[]> {
  const [objects] = await daemon.call(ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
  const shown = Object.entries(objects as Record<string, Record<string, PropertyValues>>).map(([path, interfaces]) => {
    const names = Object.keys(interfaces).map((name) => name.split('.').at(-1) ?? name)
    const known = Object.entries(interfaces).flatMap(([name, values]) => {
      const short = name.split('.').at(-1) ?? name
      return SHOWN_INTERFACES.includes(short) ? [[short, readable(values)] as const] : []
    })
    const [, , , kind] = path.split('/')
    return { [kind ?? 'object']: idOfPath(path), interfaces: names, ...Object.fromEntries(known) }
  })
  return [{ Manager1: readable(daemon.manager.values) }, ...shown]
}

/** Times and sizes for people: as long numbers they would be masked. */
function readable(values: PropertyValues) {
  const shown = Object.entries(values).map(([name, value]) => {
    if (/^(?:At|CauseAt|UpSince|NextAttemptAt|NetworkTime)$/.test(name)) return [name, timeText(Number(value))]
    if (/Bytes$|^Data(?:Used|Limit)$/.test(name)) return [name, formatBytes(Number(value))]
    return [name, name === 'ConnectSpeed' ? formatSpeed(Number(value)) : value]
  })
  return propertiesToJson(Object.fromEntries(shown))
}

function timeText(us: number): string {
  return us === 0 ? '' : new Date(us / 1000).toISOString()
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function configurationParts(machine: Machine, leftOut: string[]): { parts: readonly Part[]; secrets: string[] } {
  for (const folder of configurationFolders(machine))
    if (machine.ownStat(folder) && !machine.isOwnReadable(folder))
      leftOut.push(`${folder}: it cannot be read${machine.asRoot}`)
  const secrets: string[] = []
  const parts = configurationFiles(machine).flatMap((file): readonly Part[] => {
    const read = machine.ownFile(file)
    if (!read) return []
    if ('refused' in read) {
      leftOut.push(`${file}: ${read.refused}`)
      return []
    }
    const shown = shownConfiguration(read.content.toString('utf8'))
    secrets.push(...shown.secrets)
    return [{ title: file, text: shown.text }]
  })
  return { parts, secrets }
}

const STATE = '/var/lib/modemd'

function stateLines(machine: Machine): readonly string[] {
  return machine.ownNames(STATE).flatMap((name) => {
    const file = `${STATE}/${name}`
    if (machine.ownLink(file) !== '') return [`${name}: a symbolic link`]
    const size = `${name}: ${machine.ownStat(file)?.size ?? '?'} bytes`
    const read = LISTED_STATE.includes(name) ? machine.ownFile(file) : undefined
    if (!read) return [size]
    return [size, 'refused' in read ? read.refused : read.content.toString('utf8').trimEnd()]
  })
}

function journalPart(machine: Machine, leftOut: string[]): Part {
  const args = ['--unit=modemd', `--lines=${JOURNAL_LINES}`, ...JOURNAL_FORM]
  return { title: 'Journal of modemd', text: linesOf(machine, 'journalctl', args, leftOut).join('\n') }
}

const JOURNAL_FORM = ['--no-pager', '--no-hostname', '--quiet', '--output=short-iso']
const ABOUT_MODEMS = /usb|tty|ppp|wwan|cdc_|option|qcserial|sierra|qmi|mbim|modem|tun:/i

function kernelPart(machine: Machine, leftOut: string[]): Part {
  const lines = linesOf(machine, 'journalctl', ['--dmesg', '--lines=3000', ...JOURNAL_FORM], leftOut)
  return {
    title: 'Kernel log',
    text: lines
      .filter((line) => ABOUT_MODEMS.test(line))
      .slice(-KERNEL_LINES)
      .join('\n'),
  }
}

function linesOf(machine: Machine, program: string, args: readonly string[], leftOut: string[]): readonly string[] {
  const { stdout, stderr, status, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 15_000,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  })
  const lines = (stdout ?? '').split('\n').filter((line) => line !== '')
  const nothing = lines.length === 0 ? nothingThere(machine) : ''
  const complaint = error ? errorText(error) : status === 0 ? nothing : stderr.trim().split('\n')[0]
  if (complaint) leftOut.push(`${program} ${args[0]}: ${complaint}`)
  return lines
}

function nothingThere({ uid, asRoot }: Machine): string {
  return uid === 0 ? 'it has nothing' : `it has nothing, or nothing for this user${asRoot}`
}
