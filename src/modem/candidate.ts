/**
 * One device that is known to be a modem: its ttys as they appear, each asked in parallel, until there is a modem; then what
 * comes late. Made by `fleet.ts`, a device each.
 */

import type { Cancel, Clock, Logger } from '../base/ports.ts'
import type { WireOpener } from '../serial/wire.ts'
import { driverForManufacturer } from './drivers/choose.ts'
import { ask, type ModemDriver } from './drivers/driver.ts'
import { generic } from './drivers/generic.ts'
import { type DetectSettings, settingsFor } from './known-devices.ts'
import type { Modem } from './modem.ts'
import { carriesPin } from './pin-guard.ts'
import type { ModemPort } from './port.ts'
import { type Entry, infoOf, newEntry, ROUNDS_TO_BE_DEAF, reasonOf } from './port-entry.ts'
import type { Learned, PortMemory } from './port-memory.ts'
import { type ProbeResult, probePort } from './port-probe.ts'
import { knownAtPorts } from './port-roles.ts'
import type { PortInfo } from './snapshot.ts'
import type { TtyFacts } from './sysfs.ts'

export interface FoundModem {
  readonly driver: ModemDriver
  /** Where it was asked for, to choose the driver. */
  readonly manufacturer: string | undefined
  readonly imei: string | undefined
  readonly ports: readonly ModemPort[]
}

export interface CandidateOptions {
  /** Of log lines: `1-2` or `/dev/ttyS1`. */
  readonly name: string
  /** undefined: the modem's own word decides. */
  readonly driver: ModemDriver | undefined
  /** A plain port is tried each minute for ever, a USB device ever more rarely. */
  readonly triesForEver: boolean
  readonly settings: DetectSettings
  readonly memory: PortMemory
  /** Who else has a port open, for people. */
  holderOf(path: string): string | undefined
  readonly openWire: WireOpener
  readonly clock: Clock
  readonly logger: Logger
  /** Makes the modem of what was found. */
  onFound(found: FoundModem): Modem
}

/** The ports of one device appear one after another; this long after the last one it is taken to be complete. */
const QUIET_MS = 40
/** Once one port answers, the others get this long before the modem is shown without them. */
const LATE_ANSWER_MS = 100
const RETRY_PAUSES_MS = [1000, 5000, 10_000, 20_000, 40_000, 60_000]
/** So many rounds a USB device gets at these pauses, a quarter of an hour; one that is stuck may come back by itself much later. */
const FREQUENT_ROUNDS = 18
const RARE_RETRY_MS = 300_000
/** Another program ends at any time, and nobody tells. */
const BUSY_RETRY_MS = 5000

export class Candidate {
  readonly #options: CandidateOptions
  readonly #entries = new Map<string, Entry>()
  #modem: Modem | undefined
  #isIdentifying = false
  #isClosed = false
  #lastAddedMs = 0
  #firstAnswerMs = 0
  #timer: Cancel | undefined
  readonly #closing = new AbortController()
  readonly #probes = new Set<Promise<void>>()

  constructor(options: CandidateOptions) {
    this.#options = options
  }

  get modem(): Modem | undefined {
    return this.#modem
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  owns(path: string): boolean {
    return this.#entries.has(path)
  }

  /** How a port of it stands; undefined: it has no such port. */
  portNamed(path: string): PortInfo | undefined {
    const entry = this.#entries.get(path)
    if (!entry) return undefined
    const own = this.#modem?.snapshot.ports.find(({ name }) => name === path)
    return own ?? infoOf(entry)
  }

  /** It could not even be opened: nobody knows whether it is a modem's. */
  isUnusable(path: string): boolean {
    return (this.#entries.get(path)?.problem ?? '') !== ''
  }

  /** How it came to its role, for people; '': it has no such port. */
  reasonFor(path: string): string {
    const entry = this.#entries.get(path)
    return entry ? reasonOf(entry) : ''
  }

  addTty(tty: TtyFacts): void {
    const { memory, settings } = this.#options
    const entry = newEntry(tty, memory, settings)
    this.#entries.set(tty.path, entry)
    this.#lastAddedMs = this.#options.clock.nowMs()
    if (entry.state === 'probing') this.#probe(entry)
    this.#consider()
  }

  removeTty(path: string): void {
    const entry = this.#entries.get(path)
    this.#entries.delete(path)
    if (!entry?.port) return
    if (this.#modem) void this.#modem.vanish(`${path}: unplugged`)
    else void entry.port.close()
  }

  /** Somebody asked to look again: what was given up is tried anew. */
  retry(): void {
    if (this.#modem || this.#isClosed) return
    const isUnderWay = [...this.#entries.values()].some(({ state }) => state === 'probing' || state === 'answers')
    if (!isUnderWay) this.#startRound()
  }

  /** As `retry`, and what was learnt of its ports is learnt anew. */
  relearn(): void {
    if (this.#isClosed) return
    const entries = [...this.#entries.values()]
    if (entries[0]) this.#options.memory.forget(entries[0].tty)
    for (const entry of entries) {
      if (entry.state !== 'remembered' && entry.state !== 'deaf' && entry.state !== 'busy') continue
      entry.rounds = 0
      if (this.#modem) this.#probe(entry)
    }
    this.retry()
  }

  /** Resolves when every port is let go of, also those that are just being asked. */
  async close(reason: string): Promise<void> {
    this.#isClosed = true
    this.#closing.abort()
    this.#timer?.()
    const ports = [...this.#entries.values()].map(({ port }) => port?.close())
    await Promise.all([this.#modem?.vanish(reason), ...ports, ...this.#probes])
  }

  /** The modem's end, seen from its ports. What is still plugged in is asked again after a pause. */
  modemGone(): void {
    this.#modem = undefined
    for (const entry of this.#entries.values()) {
      if (entry.state === 'answers') entry.state = 'deaf'
      entry.port = undefined
      entry.isAdopted = false
      entry.rounds = 0
    }
    this.#consider()
  }

  #probe(entry: Entry): void {
    const probe = this.#ask(entry).finally(() => this.#probes.delete(probe))
    this.#probes.add(probe)
  }

  async #ask(entry: Entry): Promise<void> {
    const { openWire, clock, settings, driver = generic } = this.#options
    const { tty, role } = entry
    const own = settingsFor(tty, settings)
    const init = own && own.init !== '' && !this.#isRefused(own.init) ? [own.init] : []
    entry.state = 'probing'
    const result = await probePort({
      path: tty.path,
      number: tty.usb?.interfaceNumber ?? tty.wwan?.number ?? 0,
      hint: role === 'at' || role === 'data' ? role : undefined,
      baud: own?.baud,
      init: [...driver.portInit, ...init],
      mayBeInCall: entry.rounds++ > 0,
      openWire,
      clock,
      signal: this.#closing.signal,
    })
    const isStale = this.#isClosed || this.#entries.get(tty.path) !== entry
    if (isStale) {
      if (result.kind === 'answers') await result.port.close()
      return
    }
    this.#take(entry, result)
    this.#consider()
  }

  #isRefused(init: string): boolean {
    if (!carriesPin(init)) return false
    const { logger, name } = this.#options
    logger.warn(
      `The init command of ${name} is not sent: a PIN belongs into \`pin\` of a profile, where its tries are counted.`,
    )
    return true
  }

  #take(entry: Entry, result: ProbeResult): void {
    const { logger, clock } = this.#options
    const { path } = entry.tty
    const say = (how: 'info' | 'warn', text: string) => {
      if (entry.said !== text) logger[how](text)
      entry.said = text
    }
    entry.holder = undefined
    entry.problem = ''
    switch (result.kind) {
      case 'answers': {
        const { port } = result
        entry.state = 'answers'
        entry.said = ''
        entry.port = port
        if (![...this.#entries.values()].some((other) => other !== entry && other.port))
          this.#firstAnswerMs = clock.nowMs()
        port.onClosed = () => {
          entry.state = 'deaf'
          entry.port = undefined
          this.#consider()
        }
        return
      }
      case 'gps':
        entry.state = 'gps'
        say('info', `${path} tells of satellites: it is left to the GPS.`)
        return
      case 'deaf':
        // Who reads along takes the answers.
        entry.holder = this.#options.holderOf(path)
        entry.state = entry.holder === undefined ? 'deaf' : 'busy'
        say('info', `${path} does not answer AT${entry.holder === undefined ? '' : `: ${entry.holder} has it open`}.`)
        return
      case 'unusable':
        entry.holder = result.holder
        entry.state = result.holder === undefined ? 'deaf' : 'busy'
        // It was not asked.
        if (entry.state === 'busy') entry.rounds--
        else entry.problem = result.reason.replace(/\.$/, '')
        say('warn', `${path} cannot be used: ${result.reason}`)
    }
  }

  /** What is to be done next, after anything changed. */
  #consider(): void {
    if (this.#isClosed || this.#isIdentifying) return
    this.#timer?.()
    this.#timer = undefined
    const entries = [...this.#entries.values()]
    const answering = entries.filter(({ port }) => port)
    const isProbing = entries.some(({ state }) => state === 'probing')
    if (this.#modem) this.#addLatePorts(this.#modem, entries)
    else if (answering.length > 0) {
      const { clock } = this.#options
      const dueMs = Math.max(this.#lastAddedMs + QUIET_MS, isProbing ? this.#firstAnswerMs + LATE_ANSWER_MS : 0)
      const { usb } = answering[0]!.tty
      const isWhole = !isProbing && usb !== undefined && answering.length === knownAtPorts(usb)
      const isComplete = isWhole || answering.every(({ tty }) => !tty.usb && !tty.wwan) || clock.nowMs() >= dueMs
      if (isComplete) void this.#identify()
      else this.#timer = clock.at(dueMs, () => this.#consider())
    } else if (!isProbing) this.#planRound(entries)
  }

  async #identify(): Promise<void> {
    this.#isIdentifying = true
    const ports = [...this.#entries.values()].flatMap(({ port }) => port ?? []).sort((a, b) => a.number - b.number)
    const asked = ports.find(({ hint }) => hint !== 'data') ?? ports[0]!
    const attempt = (text: string) => asked.session!.attempt(text)
    try {
      const known = this.#options.driver
      const manufacturer = known ? undefined : await ask(attempt, generic.manufacturer)
      const driver = known ?? driverForManufacturer(manufacturer)
      const imei = await ask(attempt, driver.imei)
      this.#isIdentifying = false
      if (this.#isClosed) return
      this.#found({ driver, manufacturer, imei })
    } catch {
      // It fell silent or vanished between two questions: the next round finds out.
      this.#isIdentifying = false
      for (const entry of this.#entries.values()) {
        void entry.port?.close()
        if (entry.port) entry.state = 'deaf'
        entry.port = undefined
      }
    }
    this.#consider()
  }

  /** With the ports that are still there after the questions. */
  #found(found: Omit<FoundModem, 'ports'>): void {
    const present = [...this.#entries.values()].filter(({ port }) => port)
    if (present.length === 0) return
    for (const entry of present) entry.isAdopted = true
    this.#modem = this.#options.onFound({ ...found, ports: present.flatMap(({ port }) => port ?? []) })
    this.#modem.start()
  }

  #addLatePorts(modem: Modem, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!entry.port || entry.isAdopted) continue
      entry.isAdopted = true
      modem.addPort(entry.port)
    }
    modem.setOtherPorts(entries.flatMap((entry) => (entry.port ? [] : [infoOf(entry)])))
    // A data port that a crashed daemon left in a call answers only to the escape sequence.
    for (const entry of entries) if (entry.state === 'deaf' && entry.rounds < ROUNDS_TO_BE_DEAF) this.#probe(entry)
    this.#remember(entries)
    if (entries.some(({ state }) => state === 'busy')) this.#retryBusyLater()
  }

  /** What the ports of a device that is a modem for sure have shown, once all have. */
  #remember(entries: readonly Entry[]): void {
    if (entries.some(({ state }) => state === 'probing')) return
    const learned = (entry: Entry): Learned | undefined => {
      if (entry.state === 'answers') return 'at'
      if (entry.state === 'gps') return 'gps'
      const isDeaf = entry.state === 'deaf' && entry.problem === '' && entry.rounds >= ROUNDS_TO_BE_DEAF
      return isDeaf ? 'deaf' : undefined
    }
    const asked = entries.filter(({ role }) => role === undefined)
    this.#options.memory.learn(
      asked.flatMap((entry) => {
        const finding = learned(entry)
        return finding === undefined ? [] : [[entry.tty, finding] as const]
      }),
    )
  }

  #retryBusyLater(): void {
    const { clock } = this.#options
    this.#timer = clock.at(clock.nowMs() + BUSY_RETRY_MS, () => {
      for (const entry of this.#entries.values()) if (entry.state === 'busy') this.#probe(entry)
    })
  }

  /** Nothing answers: once more after a pause, ever longer ones. Its device is a modem's for sure (`known-devices.ts`). */
  #planRound(entries: readonly Entry[]): void {
    const asked = entries.filter(({ state }) => state !== 'not-asked' && state !== 'gps')
    if (asked.length === 0) return
    const round = Math.max(1, ...asked.map(({ rounds }) => rounds))
    const isOften = this.#options.triesForEver || round < FREQUENT_ROUNDS
    const lastMs = isOften ? RETRY_PAUSES_MS.at(-1)! : RARE_RETRY_MS
    const isBusy = asked.some(({ state }) => state === 'busy')
    const pauseMs = isBusy ? BUSY_RETRY_MS : (RETRY_PAUSES_MS[round - 1] ?? lastMs)
    const { clock } = this.#options
    const dueMs = clock.nowMs() + pauseMs
    this.#timer = clock.at(dueMs, () => this.#startRound())
  }

  #startRound(): void {
    this.#timer?.()
    this.#timer = undefined
    // Where nobody else answers, those that were deaf the last time are asked, too.
    for (const entry of this.#entries.values())
      if (entry.state === 'deaf' || entry.state === 'busy' || entry.state === 'remembered') this.#probe(entry)
  }
}
