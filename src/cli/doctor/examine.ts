/** All checks of `mmctl doctor` in the order in which they are shown: what modemd itself finds, then what the machine shows. Also for `bug-report`. */

import { readlinkSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { FINDING_STATES, type Finding, fault, ok, warn } from '../../base/finding.ts'
import { VERSION } from '../../base/version.ts'
import { SYSTEM_BUS } from '../bus-address.ts'
import { type Daemon, type DaemonProcess, Properties, type PropertyValues, ROOT } from '../daemon.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { daemonCredentials } from './daemon-user.ts'
import { disk, lockFiles, nameServers, ports, shutConfiguration, udevRules } from './files.ts'
import { kernelPpp, pppd, radioSwitch, tun, wallClock } from './kernel.ts'
import { Machine } from './machine.ts'
import { gettys, networkManager, otherPppd, rivals } from './programs.ts'
import { bootService, busPolicy, rights } from './service.ts'

const DIAGNOSE_LIMIT_MS = 15_000

interface Asked {
  readonly findings: readonly Finding[]
  /** modemd's, where it runs. */
  readonly process: DaemonProcess | undefined
}

export interface Examination {
  readonly findings: readonly Finding[]
  readonly machine: Machine
  /** false: modemd runs, and how it was started cannot be seen. */
  readonly isConfigurationKnown: boolean
}

/** `root` is modemd's own --root; undefined: that of the modemd that runs. Never rejects. */
export async function examine(session: Session, root: string | undefined): Promise<Examination> {
  const asked = await askDaemon(session)
  const start = startOf(asked.process)
  const machine = new Machine({ root: root ?? start?.root ?? '', configuration: start?.configuration })
  const findings = [
    ...asked.findings,
    ...(asked.process ? [] : await checkConfiguration(machine, root)),
    ...localChecks(machine, asked.process, session.busAddress === SYSTEM_BUS),
  ]
  return { findings, machine, isConfigurationKnown: start !== undefined }
}

interface Start {
  readonly root: string
  readonly configuration: string | undefined
}

/** With which --root and --config it was started; undefined: it runs, and that cannot be seen. */
function startOf(daemon: DaemonProcess | undefined): Start | undefined {
  if (!daemon) return { root: '', configuration: undefined }
  const words = new Machine().text(`/proc/${daemon.pid}/cmdline`)?.split('\0')
  if (!words) return undefined
  const option = (name: string) => {
    const at = words.indexOf(name)
    return at < 0 ? words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) : words[at + 1]
  }
  const [root = '', configuration] = [option('--root'), option('--config')]
  if (configuration === undefined || isAbsolute(configuration)) return { root, configuration }
  try {
    return { root, configuration: join(readlinkSync(`/proc/${daemon.pid}/cwd`), configuration) }
  } catch {
    return undefined
  }
}

/** What needs no daemon. */
export function localChecks(
  machine: Machine,
  daemon: DaemonProcess | undefined,
  isSystemBus: boolean,
): readonly Finding[] {
  const user = daemonCredentials(machine, daemon?.pid)
  return [
    ...busPolicy(machine, { isSystem: isSystemBus }),
    ...bootService(machine),
    ...rights(machine, daemon?.uid),
    ...kernelPpp(machine),
    ...tun(machine, user),
    ...pppd(machine),
    ...radioSwitch(machine),
    ...ports(machine, user),
    ...lockFiles(machine, user, daemon?.pid),
    ...rivals(machine),
    ...networkManager(machine),
    ...otherPppd(machine, daemon?.pid),
    ...gettys(machine),
    ...nameServers(machine, user, daemon !== undefined),
    ...udevRules(machine),
    ...disk(machine),
    ...wallClock(machine),
  ]
}

/** Not started for this: a modemd that does not run is a finding. */
async function askDaemon(session: Session): Promise<Asked> {
  const check = 'modemd'
  let process: DaemonProcess | undefined
  try {
    const daemon = await session.connect()
    process = await daemon.process()
    if (!process) return { findings: [fault(check, 'it does not run', START)], process }
    const [version, found] = await Promise.all([versionOf(daemon), diagnose(daemon)])
    return { findings: [running(process.pid, version), ...found], process }
  } catch (error) {
    return { findings: [whatWentWrong(check, error)], process }
  }
}

const START = '`systemctl start modemd`, or name the bus that it is on with --bus'

async function versionOf(daemon: Daemon): Promise<string> {
  const [version] = await daemon.call(ROOT, 'org.freedesktop.DBus.Properties', 'Get', 'ss', [
    'org.modemd.Manager1',
    'Version',
  ])
  return String(version)
}

function running(pid: number | undefined, version: string): Finding {
  const what = `${version} runs${pid === undefined ? '' : ` (process ${pid})`}`
  if (version === VERSION) return ok('modemd', what)
  return warn('modemd', `${what}, mmctl is ${VERSION}`, '`systemctl restart modemd` after an upgrade')
}

async function diagnose(daemon: Daemon): Promise<readonly Finding[]> {
  const [list] = (await daemon.manage('Diagnose', '', [], DIAGNOSE_LIMIT_MS)) as [readonly PropertyValues[]]
  return list.map((values) => {
    const found = new Properties(values)
    const state = FINDING_STATES.find((each) => each === found.text('state')) ?? 'warn'
    return {
      check: found.text('check') ?? 'modemd',
      state,
      detail: found.text('detail') ?? '',
      advice: found.text('advice') ?? '',
    }
  })
}

/** `what happened: what to do`. */
function whatWentWrong(check: string, error: unknown): Finding {
  const sentence = error instanceof CliError ? error.message : `mmctl failed: ${error}`
  const at = sentence.lastIndexOf(': ')
  return at < 0 ? fault(check, sentence, START) : fault(check, sentence.slice(0, at), sentence.slice(at + 2))
}

/** Where no daemon says what is wrong with it: `modemd --check`, of the modemd that is beside this mmctl or on the path. */
async function checkConfiguration(machine: Machine, root: string | undefined): Promise<readonly Finding[]> {
  const check = 'configuration'
  const { spawnSync } = await import('node:child_process')
  const [program, ...words] = modemdProgram()
  const args = [...words, '--check', ...(root === undefined ? [] : ['--root', root])]
  const { status, stderr, error } = spawnSync(program!, args, { encoding: 'utf8', timeout: 10_000 })
  if (error || status === null)
    return [warn(check, 'not looked at: modemd is not found', 'install modemd, or put it on the PATH')]
  const shut = shutConfiguration(machine, daemonCredentials(machine, undefined))
  const lines = stderr.split('\n').filter((line) => /^\S+: /.test(line))
  const found = lines.map((line) => {
    if (status === 0) return warn(check, line, MEND)
    return machine.uid !== 0 && /permission denied/i.test(line)
      ? warn(check, line, 'look again as root: `sudo mmctl doctor`')
      : fault(check, line, MEND)
  })
  const all = [...shut, ...found]
  return all.length === 0 && status === 0 ? [ok(check, 'no fault')] : all
}

const MEND = 'correct the file (modemd.conf(5)); `modemd --check` looks again'

function modemdProgram(): readonly string[] {
  try {
    const beside = join(dirname(realpathSync(process.argv[1] ?? '')), 'modemd.cjs')
    return [process.execPath, realpathSync(beside)]
  } catch {
    return ['modemd']
  }
}
