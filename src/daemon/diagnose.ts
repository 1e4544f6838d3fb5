/** What only the daemon knows of the machine's health: Manager1.Diagnose, which `mmctl doctor` puts before its own checks. Nothing is changed, no modem asked. */

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorText } from '../base/errors.ts'
import { type Finding, fault, ok, warn } from '../base/finding.ts'
import { CAUSE_TABLE } from '../link/causes.ts'
import { isReleased } from '../link/modem-pool.ts'
import type { LinkHandle, LinkSnapshot, SupervisorApi } from '../link/snapshot.ts'
import type { ModemSnapshot, PortReport } from '../modem/snapshot.ts'
import type { Configuration } from './config.ts'
import { privilegeFindings } from './privileges.ts'

export interface DiagnosisSources {
  readonly supervisor: Pick<SupervisorApi, 'engines' | 'engineReasons' | 'fleet' | 'links'>
  /** As its files are now, which need not be what runs. */
  readonly readConfiguration: () => Pick<Configuration, 'faults' | 'warnings' | 'profiles'>
  readonly root: string
  /** Without the root. */
  readonly stateDirectory: string
  /** Why what the configuration wants of the metrics endpoint is not so. */
  readonly metricsFault: () => string | undefined
}

export function diagnose(sources: DiagnosisSources): readonly Finding[] {
  const { supervisor, readConfiguration, metricsFault } = sources
  const { fleet, links } = supervisor
  const configuration = readConfiguration()
  const metrics = metricsFault()
  return [
    ...configurationFindings(configuration),
    ...unreadFindings(configuration.profiles, links),
    ...engineFindings(supervisor, configuration.profiles),
    stateFinding(sources),
    ...privilegeFindings(sources.root),
    ...(fleet.modems.length === 0
      ? [noModem(fleet.ports())]
      : fleet.modems.map(({ snapshot }) => modemFinding(snapshot))),
    ...fleet.ports().flatMap(portFindings),
    ...links.flatMap(({ snapshot }) => linkFindings(snapshot)),
    ...(metrics === undefined ? [] : [fault('metrics', metrics, 'free the port, then send modemd SIGHUP')]),
  ]
}

function configurationFindings({
  faults,
  warnings,
  profiles,
}: Pick<Configuration, 'faults' | 'warnings' | 'profiles'>): readonly Finding[] {
  const check = 'configuration'
  const count = `${profiles.length} profile${profiles.length === 1 ? '' : 's'}`
  if (faults.length + warnings.length === 0) return [ok(check, `${count}, no fault`)]
  return [
    ...faults.map((text) => fault(check, text, 'do what it says, or correct the file; then `systemctl reload modemd`')),
    ...warnings.map((text) => warn(check, text, 'change the key, or take it out')),
  ]
}

function engineFindings(
  { engines, engineReasons }: Pick<SupervisorApi, 'engines' | 'engineReasons'>,
  profiles: Configuration['profiles'],
): readonly Finding[] {
  const missing = profiles.filter(({ engine }) => engine !== 'auto' && !engines.includes(engine))
  return [
    ...(engines.length === 0
      ? [
          fault(
            'PPP',
            'no engine works here',
            '`modprobe tun ppp_async`, and start modemd as its service does (CAP_NET_ADMIN)',
          ),
        ]
      : []),
    ...Object.entries(engineReasons).map(([name, why]) => ok(`engine ${name}`, spared(why, engines.length > 0))),
    ...missing.map(({ name, engine }) =>
      fault(`profile ${name}`, `its engine ${engine} cannot be used here`, CAUSE_TABLE['engine-missing'].advice),
    ),
  ]
}

/** What cannot be used is no fault where another does its work. */
function spared(why: string, isSpared: boolean): string {
  return isSpared ? why.replace(/^cannot be used: /, 'not needed, and not here: ') : why
}

/** Written or changed by hand, and not read again. */
function unreadFindings(profiles: Configuration['profiles'], links: readonly LinkHandle[]): readonly Finding[] {
  const read = new Set(links.map(({ snapshot }) => snapshot.profile))
  return profiles
    .filter(({ name }) => !read.has(name))
    .map(({ name }) => warn(`profile ${name}`, 'modemd has not read it yet', '`systemctl reload modemd`'))
}

/** Without it no PIN is tried, and counters are lost. */
function stateFinding({ root, stateDirectory }: DiagnosisSources): Finding {
  const check = 'state'
  let place = join(root, stateDirectory)
  while (!existsSync(place)) place = dirname(place)
  try {
    if (!statSync(place).isDirectory())
      return fault(check, `${stateDirectory} is no directory`, 'move what is there away')
    accessSync(place, constants.W_OK)
    return ok(check, `modemd may write in ${stateDirectory}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const how = code === 'EROFS' ? 'mount its file system for writing' : `\`chown\` it to the user that modemd runs as`
    return fault(check, `modemd may not write in ${stateDirectory} (${code ?? errorText(error)})`, how)
  }
}

function modemFinding({ id, state, stateReason, failure }: ModemSnapshot): Finding {
  const check = `modem ${id}`
  const seen = [state, stateReason].filter((text) => text !== '').join(': ')
  const needsSomebody = state === 'failed' || state === 'locked' || state === 'absent-sim'
  if (needsSomebody || failure) {
    const advice = failure ? CAUSE_TABLE[failure.cause].advice : `\`mmctl why ${id}\` tells more`
    return needsSomebody ? fault(check, seen, advice) : warn(check, `${seen} (${failure?.cause})`, advice)
  }
  return state === 'searching' ? warn(check, seen, CAUSE_TABLE['no-network'].advice) : ok(check, seen)
}

function noModem(ports: readonly PortReport[]): Finding {
  const check = 'modems'
  const released = ports.find(isReleased)
  return released
    ? warn(
        check,
        `none is here for modemd: ${released.name} is let go of for another program`,
        'end that program, or interrupt its `mmctl inhibit`: modemd takes the modem back by itself',
      )
    : warn(
        check,
        'none is here',
        'plug one in; `lsusb` must show it, and `mmctl ports --explain` says what became of it',
      )
}

/** A modem's port that another program has, or that cannot be opened. */
function portFindings({ name, reason }: PortReport): readonly Finding[] {
  const check = `port ${name}`
  const busy = /(port-busy.*)/.exec(reason)?.[1]
  if (busy !== undefined) return [warn(check, busy, CAUSE_TABLE['port-busy'].advice)]
  const fault = /it (cannot be used: .*)/.exec(reason)?.[1]
  return fault === undefined ? [] : [warn(check, fault, UNUSABLE_ADVICE)]
}

const UNUSABLE_ADVICE =
  'mend what it says, or name the right port in modemd.conf (`[device]`, `allow`) and run `systemctl reload modemd`'

function linkFindings({ id, state, interface: name, cause, causeDetail, advice }: LinkSnapshot): readonly Finding[] {
  if (state === 'up') return [ok(`link ${id}`, `up on ${name}`)]
  if (cause === undefined || cause === 'user-request') return []
  const seen = causeDetail ? `${cause}: ${causeDetail}` : cause
  const todo = advice ?? CAUSE_TABLE[cause].advice
  if (state === 'failed') return [fault(`link ${id}`, seen, todo)]
  return state === 'waiting' ? [warn(`link ${id}`, `it is tried again; ${seen}`, todo)] : []
}
