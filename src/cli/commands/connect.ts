/** `mmctl connect`: brings a link up and shows how it comes up, phase by phase. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Cause } from '../../base/cause.ts'
import { errorText } from '../../base/errors.ts'
import type { Clock } from '../../base/ports.ts'
import {
  apnFault,
  credentialFault,
  ENGINE_CHOICES,
  IP_CHOICES,
  MANUAL,
  numberFault,
  type TextFault,
} from '../../base/values.ts'
import { CAUSE_TABLE } from '../../link/causes.ts'
import { asNamedLink, choose, chooseModem, isActive, isComing, noSuchProfile, severalOf } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import { type Daemon, type Link, type Modem, Properties, ROOT } from '../daemon.ts'
import { causeOf, type Delay, otherHolder, reasonOfDelay } from '../delay.ts'
import { CliError } from '../errors.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { Variant, type VariantDictionary } from '../marshal.ts'
import { formatDuration, formatSpeed } from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { type Pair, pairs } from '../output/table.ts'
import { clean } from '../output/text.ts'
import { PhaseView, phaseOfCause } from '../phase-view.ts'
import { mustTake } from '../profile-modem.ts'
import { checkPin, readSecretFile } from '../secrets.ts'
import type { Session } from '../session.ts'
import { sayIfSlow } from '../slow.ts'
import { addressesOf, cleanText, linkDocument, nameServersOf } from '../views.ts'

const LONGEST_TIMEOUT_S = 3600

export function addConnect(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'connect [profile]',
    'brings a link up, showing each phase with its time. Interrupted, it stops what it started',
    'mmctl connect internet --pin-file ~/.pin',
  )
    .option('--modem <modem>', 'through this modem: without a profile, or as a check of where the profile goes')
    .option('--apn <apn>', 'access point name')
    .option('--user <name>', 'user name')
    .option('--password-file <file>', 'its first line is the password (- for standard input)')
    .option('--pin-file <file>', "its first line is the SIM's PIN (- for standard input)")
    .option('--number <number>', 'what is dialled')
    .addOption(new Option('--ip <version>', 'IP version').choices(IP_CHOICES))
    .addOption(new Option('--engine <engine>', 'what runs PPP').choices(ENGINE_CHOICES))
    .option('--timeout <seconds>', 'give up after so long', timeoutSeconds)
    .option('--no-wait', 'start it and return')
    .action((profile: string | undefined, flags: ConnectFlags) =>
      run((session) => connectLink(session, profile, flags)),
    )
}

function timeoutSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= LONGEST_TIMEOUT_S) return seconds
  throw new InvalidArgumentError(`Give seconds, at most ${LONGEST_TIMEOUT_S}.`)
}

export interface ConnectFlags {
  readonly modem?: string
  readonly apn?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly pinFile?: string
  readonly number?: string
  readonly ip?: string
  readonly engine?: string
  /** Seconds. */
  readonly timeout?: number
  readonly wait: boolean
}

const MANUAL_PATH = `${ROOT}/link/${MANUAL}`

/** Of the option `timeout`: modemd takes no less. */
const LEAST_TIMEOUT_MS = 1000
/** modemd keeps the limit, too, and its link keeps the cause for `mmctl why`: it has the first word. */
const GRACE_MS = 1000
const DISCONNECT_TIMEOUT_MS = 10_000

/** The link that will come up, and the method that brings it up. */
interface Target {
  readonly linkId: string
  readonly linkPath: string
  /** What --modem means. */
  readonly modem: Modem | undefined
  readonly call: {
    readonly path: string
    readonly interfaceName: 'Manager1' | 'Modem1'
    /** Arguments before the options. */
    readonly leading: readonly string[]
  }
}

export async function connectLink(
  session: Session,
  wanted: string | undefined,
  flags: ConnectFlags,
): Promise<ExitCode | undefined> {
  const options = readOptions(session, flags)
  const daemon = await session.follow()
  const target = chooseTarget(daemon, wanted, flags)
  const link = daemon.links.find(({ path }) => path === target.linkPath)
  if (link?.properties.text('State') === 'up') {
    refuseUnused(link, target, flags)
    finish(session, link, `is up already on ${cleanText(link.properties, 'Interface') ?? '?'}`)
    return undefined
  }
  if (target.modem && target.linkId !== MANUAL) await mustTake(daemon, target.linkId, target.modem)
  if (!flags.wait) return start(session, daemon, target, options)
  await waitUntilUp(session, daemon, target, options, flags.timeout)
  return undefined
}

/** Checked before anything is asked of modemd. */
function readOptions(session: Session, flags: ConnectFlags): VariantDictionary {
  const warn = (message: string) => session.output.complain(message)
  const options: Record<string, Variant> = {}
  const text = (key: string, value: string | undefined, faultOf?: (text: string) => TextFault) => {
    if (value === undefined) return
    const fault = faultOf?.(value)
    if (fault) throw CliError.usage(`${key} ${fault}: nothing was connected`)
    options[key] = new Variant('s', value)
  }
  text('apn', flags.apn, apnFault)
  text('user', flags.user, credentialFault)
  text('number', flags.number, numberFault)
  text('ip', flags.ip)
  text('engine', flags.engine)
  if (flags.passwordFile !== undefined)
    text('password', readSecretFile(flags.passwordFile, 'password', warn), credentialFault)
  if (flags.pinFile !== undefined) text('pin', checkPin(readSecretFile(flags.pinFile, 'PIN', warn)))
  if (flags.timeout !== undefined)
    options.timeout = new Variant('u', Math.max(LEAST_TIMEOUT_MS, Math.round(flags.timeout * 1000)))
  if (flags.wait) options.wait = new Variant('b', true)
  return options
}

/** A link that is up stays as it is: who asks for it otherwise must know. */
function refuseUnused(link: Link, { modem }: Target, flags: ConnectFlags): void {
  const given: Readonly<Record<string, string | undefined>> = {
    '--modem': link.properties.text('Modem') === modem?.path ? undefined : flags.modem,
    '--apn': flags.apn,
    '--user': flags.user,
    '--password-file': flags.passwordFile,
    '--pin-file': flags.pinFile,
    '--number': flags.number,
    '--ip': flags.ip,
    '--engine': flags.engine,
  }
  const unused = Object.keys(given).filter((name) => given[name] !== undefined)
  if (unused.length === 0) return
  const where = cleanText(link.properties, 'Interface') ?? '?'
  throw new CliError(
    'org.modemd.Error.WrongState',
    `${link.id} is up already on ${where}, and ${unused.join(', ')} ${unused.length === 1 ? 'was' : 'were'} not used: ` +
      `run \`mmctl disconnect ${link.id}\` first`,
  )
}

function chooseTarget(daemon: Daemon, wanted: string | undefined, flags: ConnectFlags): Target {
  const modem = flags.modem === undefined ? undefined : chooseModem(daemon, flags.modem)
  if (modem && wanted === undefined) {
    const call = { path: modem.path, interfaceName: 'Modem1', leading: [] } as const
    return { linkId: MANUAL, linkPath: MANUAL_PATH, modem, call }
  }
  const link = chooseProfileLink(daemon, wanted)
  const call = { path: ROOT, interfaceName: 'Manager1', leading: [link?.id ?? ''] } as const
  return { linkId: link?.id ?? MANUAL, linkPath: link?.path ?? MANUAL_PATH, modem, call }
}

/** Every profile has a link from the start. undefined: there is no profile, and the link `manual` takes its place. */
function chooseProfileLink(daemon: Daemon, wanted: string | undefined): Link | undefined {
  const links = daemon.links.filter(({ id }) => id !== MANUAL)
  if (wanted === undefined) {
    if (links.length > 1) throw severalOf('profile', links)
    return links[0]
  }
  const found = choose(links.map(asNamedLink), wanted, 'profile')
  if (!found) throw noSuchProfile(wanted)
  return found.link
}

async function start(
  session: Session,
  daemon: Daemon,
  target: Target,
  options: VariantDictionary,
): Promise<ExitCode | undefined> {
  await callConnect(daemon, target, options)
  const link = await readLink(daemon, target)
  if (session.output.json) session.output.document(linkDocument(link))
  else session.output.print(`${clean(link.id)} is being connected: \`mmctl status\` shows how far it is.`)
  return undefined
}

async function waitUntilUp(
  session: Session,
  daemon: Daemon,
  target: Target,
  options: VariantDictionary,
  timeoutS: number | undefined,
): Promise<void> {
  const { output, clock, io } = session
  const startedMs = clock.nowMs()
  const before = daemon.links.find(({ path }) => path === target.linkPath)
  if (daemon.modems.length === 0 && !output.json)
    output.print(`Waiting for a modem: ${(await otherHolder(daemon)) ?? 'plug one in'}.`)
  const progress = output.json ? undefined : new Progress(output, clock)
  const view = new PhaseView(daemon, target.linkPath, progress, before !== undefined && isComing(before))
  const interruption = nextInterrupt(io)
  const lateness = after(clock, ownLimitMs(timeoutS))
  try {
    const connected = callConnect(daemon, target, options, Number.POSITIVE_INFINITY)
    // It may still fail because we stop it.
    connected.catch(() => {})
    const outcome = await Promise.race([connected.then(() => 'up' as const), interruption.came, lateness.came])
    if (outcome === 'up') {
      const link = await readLink(daemon, target)
      view.update()
      progress?.end(undefined)
      const place = cleanText(link.properties, 'Interface') ?? '?'
      finish(session, link, `is up on ${place} in ${formatDuration(clock.nowMs() - startedMs)}`)
      return
    }
    progress?.end(outcome === 'late' ? 'running' : undefined)
    const reason = await reasonOfDelay(daemon, view)
    const goesOn = before !== undefined && isActive(before)
    const state = goesOn ? 'goes on, as it did before' : await stop(session, daemon, target)
    if (outcome === 'interrupted') throw CliError.interrupted(`interrupted: ${target.linkId} ${state}`)
    throw timedOut(target, timeoutS!, reason, state)
  } catch (error) {
    const link = await readLink(daemon, target).catch(() => undefined)
    view.end()
    const cause = link && view.hasMoved ? causeOf(link) : undefined
    const place = phaseOfCause(cause) ?? 'running'
    progress?.end(view.hasMoved && place !== 'none' ? place : undefined)
    if (!link || !view.hasMoved || !isOfTheLink(error)) throw error
    if (timeoutS === undefined || clock.nowMs() - startedMs < timeoutS * 1000) throw withCause(error, link, cause)
    // modemd kept the limit, or failed for another reason when it was over.
    const isToStop = isActive(link) && !(before !== undefined && isActive(before))
    const state = isToStop ? await stop(session, daemon, target) : undefined
    throw timedOut(target, timeoutS, await reasonOfDelay(daemon, view), state)
  } finally {
    view.close()
    interruption.ignore()
    lateness.ignore()
  }
}

async function callConnect(
  daemon: Daemon,
  target: Target,
  options: VariantDictionary,
  timeoutMs?: number,
): Promise<void> {
  const { path, interfaceName, leading } = target.call
  await daemon.call(
    path,
    interfaceName,
    'Connect',
    leading.length > 0 ? 'sa{sv}' : 'a{sv}',
    [...leading, options],
    timeoutMs,
  )
}

/** Its properties now: the reply to Connect may overtake the last PropertiesChanged. */
async function readLink(daemon: Daemon, { linkId, linkPath }: Target): Promise<Link> {
  await daemon.load()
  const link = daemon.links.find(({ path }) => path === linkPath)
  return link ?? { path: linkPath, id: linkId, properties: new Properties({}) }
}

function finish({ output }: Session, link: Link, what: string): void {
  if (output.json) {
    output.document(linkDocument(link))
    return
  }
  const { properties, id } = link
  const speed = properties.number('ConnectSpeed')
  const rows: readonly Pair[] = [
    ['address', addressesOf(properties)],
    ['DNS', nameServersOf(properties)],
    ['speed', speed === undefined ? undefined : formatSpeed(speed)],
  ]
  output.print(`${output.colors.green(clean(id))} ${what}.`, ...pairs(rows, output.width))
}

/** Ends what we started, and says so. A second interrupt does not wait for modemd. */
async function stop(session: Session, daemon: Daemon, { linkId, linkPath }: Target): Promise<string> {
  const again = nextInterrupt(session.io)
  try {
    const stopped = daemon.manage('Disconnect', 'o', [linkPath], DISCONNECT_TIMEOUT_MS).then(() => 'was stopped')
    const left = again.came.then(() => 'is being stopped')
    return await sayIfSlow(session, `stopping ${linkId}; interrupt again to leave that to modemd …`, [stopped, left])
  } catch (error) {
    return `may go on (${errorText(error)})`
  } finally {
    again.ignore()
  }
}

/** Something that may come, and how to wait for it no longer. */
interface Waiting<T> {
  readonly came: Promise<T>
  readonly ignore: () => void
}

function nextInterrupt(io: Io): Waiting<'interrupted'> {
  let ignore = () => {}
  const came = new Promise<'interrupted'>((resolve) => {
    ignore = io.onInterrupt(() => resolve('interrupted'))
  })
  return { came, ignore }
}

function after(clock: Clock, limitMs: number | undefined): Waiting<'late'> {
  let ignore = () => {}
  const came = new Promise<'late'>((resolve) => {
    if (limitMs !== undefined) ignore = clock.at(clock.nowMs() + limitMs, () => resolve('late'))
  })
  return { came, ignore }
}

/** Where modemd keeps the same limit, later than it does. */
function ownLimitMs(timeoutS: number | undefined): number | undefined {
  if (timeoutS === undefined) return undefined
  const limitMs = timeoutS * 1000
  return limitMs < LEAST_TIMEOUT_MS ? limitMs : limitMs + GRACE_MS
}

/** `state`: what became of the link; undefined: it has ended by itself. */
function timedOut({ linkId }: Target, timeoutS: number, { text, cause }: Delay, state: string | undefined): CliError {
  const what = state === undefined ? '' : `it ${state}; `
  return new CliError(
    'org.modemd.Error.Timeout',
    `${linkId} is not up after ${timeoutS} s (${text}): ${what}\`mmctl connect --timeout\` gives it more time`,
    { cause },
  )
}

/** Failures about which the link's own cause says nothing. */
const NOT_OF_THE_LINK: readonly ExitCode[] = [EXIT.interrupted, EXIT.timedOut, EXIT.noDaemon]

function isOfTheLink(error: unknown): error is CliError {
  return error instanceof CliError && !NOT_OF_THE_LINK.includes(error.exitCode)
}

/** modemd's sentence already has evidence and advice; the link adds the cause, and what it means. */
function withCause(error: CliError, { id }: Link, cause: Cause | undefined): CliError {
  const what = phaseOfCause(cause) === 'none' ? 'was not started' : 'did not connect'
  const details = cause ? [`It means: ${CAUSE_TABLE[cause].meaning}`] : []
  return new CliError(error.errorName, `${id} ${what}: ${error.message}`, {
    exitCode: error.exitCode,
    cause,
    details,
  })
}
