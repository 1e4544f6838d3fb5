/**
 * Faults by name, as `modem-sim ctl SOCKET fault NAME …` and `--fault` arm them: what goes wrong with the next reply, dial or
 * call, or with the device; at once, at a command, or at a stage of the modem's life. Seeded: the same run goes wrong the same
 * way. Asked by `at-port.ts`, `operator.ts` and `simulated-modem.ts`.
 */

import { fromLatin1, latin1 } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import { type Random, randomFraction } from '../base/ports.ts'
import {
  type CallFault,
  type DeviceFault,
  type DialFault,
  entryOf,
  FAULT_NAMES,
  type FaultKind,
  type FaultName,
  isFaultName,
  isStage,
  type ReplyFault,
  STAGES,
  type Stage,
  VALUE_RANGES,
} from './fault-table.ts'

export interface Fault<N extends FaultName = FaultName> {
  readonly name: N
  readonly value: string
}

interface Armed extends Fault {
  /** Only at commands that begin so, without AT; '': any. */
  readonly on: string
  /** Only from this stage on; undefined: from now on. */
  readonly stage: Stage | undefined
  timesLeft: number
}

/** A piece of a reply, so long after the one before. */
export interface DelayedBytes {
  readonly bytes: Uint8Array
  readonly afterMs: number
}

const OPTIONS = ['on', 'at', 'times']
/** What a command without AT can begin with (`at-line.ts`): of an extended one any part, of a basic one letter and number, all of a dial. */
const COMMAND_START = /^(?:|D.*|(?:&|&?[A-Z]|S\d+)=?(?:\?|\d*)|[+^$%*#!_].*)$/

/** Of one modem. */
export class FaultPlan {
  readonly #random: Random
  #armed: Armed[] = []
  /** Armed for a stage that has not come yet; what strikes no reply also for a command. */
  #waiting: Armed[] = []
  #silentUntilMs = 0
  readonly #struck = new Map<FaultName, number>()

  constructor(random: Random) {
    this.#random = random
  }

  /** How often each has struck, by name. */
  get struck(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#struck)
  }

  /**
   * `garbage 20 on=+CSQ times=3`, `busy at=dial`; `times=always` stays. A device fault without `at` or `on` is not kept but given
   * back: it happens now. Throws ModemdError InvalidArgs with the names there are.
   */
  arm(words: readonly string[]): Fault<DeviceFault> | undefined {
    const armed = parseFault(words)
    if (armed.stage === undefined && !awaitsCommand(armed)) return this.#release(armed)
    this.#waiting.push(armed)
    return undefined
  }

  clear(): void {
    this.#armed = []
    this.#waiting = []
    this.#silentUntilMs = 0
  }

  silence(untilMs: number): void {
    this.#silentUntilMs = untilMs
  }

  isSilent(nowMs: number): boolean {
    return nowMs < this.#silentUntilMs
  }

  /** For the reply to this command (`+CSQ?`). One fault at a time, the first that was armed. */
  takeReply(command: string): Fault<ReplyFault> | undefined {
    return this.#take('reply', (armed) => isOn(armed, command)) as Fault<ReplyFault> | undefined
  }

  takeDial(): DialFault | undefined {
    return this.#take('dial')?.name as DialFault | undefined
  }

  /** All that were armed for a call and can strike one at this stage. */
  takeCall(stage: Stage): readonly Fault<CallFault>[] {
    const inTime = ({ name }: Armed) => STAGES.indexOf(stage) <= STAGES.indexOf(entryOf(name).until ?? 'running')
    const names = new Set(this.#armed.filter(inTime).map(({ name }) => name))
    return [...names].flatMap((name) => {
      const taken = this.#take('call', (armed) => armed.name === name)
      return taken ? [taken as Fault<CallFault>] : []
    })
  }

  /** The stage has come: what waited for it is armed; what happens to the device now is given back. */
  takeStage(stage: Stage): readonly Fault<DeviceFault>[] {
    return this.#releaseAll((armed) => armed.stage === stage)
  }

  /** The modem is given this command (`+CSQ`): what waited for it is armed; what happens to the device now is given back. */
  takeCommand(command: string): readonly Fault<DeviceFault>[] {
    return this.#releaseAll((armed) => armed.stage === undefined && isOn(armed, command))
  }

  /** What comes of a reply under a fault; `silent` and `error-n-times` never get so far. `report`: for `unsolicited-inside`. */
  damage(fault: Fault<ReplyFault>, reply: string, report = ''): readonly DelayedBytes[] {
    const now = (text: string): readonly DelayedBytes[] => [{ bytes: latin1(text), afterMs: 0 }]
    const finalAt = Math.max(0, reply.lastIndexOf('\r\n', reply.length - 3))
    switch (fault.name) {
      case 'garbage':
        return now(fromLatin1(this.#random.bytes(Number(fault.value))) + reply)
      case 'split':
        return [...reply].map((char, index) => ({
          bytes: latin1(char),
          afterMs: index === 0 ? 0 : Number(fault.value),
        }))
      case 'late':
        return [{ bytes: latin1(reply), afterMs: Number(fault.value) * 1000 }]
      case 'truncated':
        return now(reply.slice(0, 1 + Math.floor(randomFraction(this.#random) * (reply.length - 1))))
      case 'duplicated':
        return now(reply + reply)
      case 'final-lost':
        return now(reply.slice(0, finalAt))
      case 'unsolicited-inside':
        return now(`${reply.slice(0, finalAt)}\r\n${report}\r\n${reply.slice(finalAt)}`)
      case 'silent':
      case 'error-n-times':
      case 'echo-flip':
        return now(reply)
    }
  }

  #releaseAll(isDue: (armed: Armed) => boolean): readonly Fault<DeviceFault>[] {
    const due = this.#waiting.filter(isDue)
    if (due.length === 0) return []
    this.#waiting = this.#waiting.filter((armed) => !due.includes(armed))
    return due.flatMap((armed) => {
      const later = { ...armed, stage: undefined }
      // `at` and `on` together: the first such command from that stage on.
      if (armed.stage === undefined || !awaitsCommand(armed)) return this.#release(later) ?? []
      this.#waiting.push(later)
      return []
    })
  }

  #release(armed: Armed): Fault<DeviceFault> | undefined {
    const { name, value } = armed
    if (entryOf(name).kind !== 'device') {
      this.#armed.push(armed)
      return undefined
    }
    this.#note(name)
    return { name: name as DeviceFault, value }
  }

  #take(kind: FaultKind, fits: (armed: Armed) => boolean = () => true): Fault | undefined {
    const found = this.#armed.find((armed) => entryOf(armed.name).kind === kind && fits(armed))
    if (!found) return undefined
    this.#note(found.name)
    found.timesLeft--
    if (found.timesLeft <= 0) this.#armed = this.#armed.filter((armed) => armed !== found)
    return found
  }

  #note(name: FaultName): void {
    this.#struck.set(name, (this.#struck.get(name) ?? 0) + 1)
  }
}

/** Throws ModemdError InvalidArgs. */
function parseFault(words: readonly string[]): Armed {
  const [name = '', ...rest] = words
  if (!isFaultName(name)) throw wrong(`there is no fault "${name}": take one of ${FAULT_NAMES.join(', ')}`)
  const options = new Map(rest.filter((word) => word.includes('=')).map((word) => splitOption(word)))
  for (const key of options.keys())
    if (!OPTIONS.includes(key))
      throw wrong(`fault options are on=COMMAND, at=STATE, times=N and after=SECONDS, not ${key}=`)
  const value = givenValue(
    name,
    rest.filter((word) => !word.includes('=')),
  )
  const isUnplugAt = name === 'unplug-at'
  if (isUnplugAt && options.has('at')) throw wrong('unplug-at has its state as its value: leave at= out')
  const stage = isUnplugAt ? value : options.get('at')
  if (stage !== undefined && !isStage(stage))
    throw wrong(`${isUnplugAt ? 'unplug-at' : 'at='} takes one of ${STAGES.join(', ')}`)
  const on = (options.get('on') ?? '').toUpperCase().replace(/^AT/, '')
  if (!COMMAND_START.test(on))
    throw wrong(`on= takes what a command begins with, like +CSQ, D or E0: none begins with "${on}"`)
  const timesLeft = timesOf(name, options.get('times'), value)
  return { name: isUnplugAt ? 'unplug' : name, value: isUnplugAt ? '' : value, on, stage, timesLeft }
}

/** '': it takes none. */
function givenValue(name: FaultName, values: readonly string[]): string {
  const { value } = entryOf(name)
  const [given = value?.byDefault ?? '', ...more] = values
  if (!value) {
    if (values.length > 0) throw wrong(`${name} takes no value: leave "${values.join(' ')}" out`)
    return given
  }
  if (more.length > 0) throw wrong(`${name} takes one value, ${value.name}: leave "${more.join(' ')}" out`)
  if (value.name === 'STATE') return given
  const { least, most, isWhole } = VALUE_RANGES[value.name]
  const isNumber = (isWhole ? /^\d+$/ : /^\d+(\.\d+)?$/).test(given)
  if (!isNumber || Number(given) < least || Number(given) > most)
    throw wrong(
      `${name} takes a ${isWhole ? 'whole ' : ''}number from ${least} to ${most} as ${value.name}, not "${given}"`,
    )
  return given
}

function timesOf(name: FaultName, times: string | undefined, value: string): number {
  if (times === undefined) return name === 'error-n-times' ? Number(value) : 1
  if (entryOf(name).kind === 'device')
    throw wrong(`${name} happens to the device once: times= is for faults of replies, dials and calls`)
  if (times === 'always') return Number.POSITIVE_INFINITY
  if (!/^[1-9]\d{0,8}$/.test(times)) throw wrong(`times= takes a whole number from 1, or always, not "${times}"`)
  return Number(times)
}

/** A reply's fault looks at `on` itself. */
function awaitsCommand({ name, on }: Armed): boolean {
  return on !== '' && entryOf(name).kind !== 'reply'
}

function isOn({ on }: Armed, command: string): boolean {
  return command.toUpperCase().startsWith(on)
}

function splitOption(word: string): readonly [string, string] {
  const at = word.indexOf('=')
  return [word.slice(0, at), word.slice(at + 1)]
}

function wrong(sentence: string): ModemdError {
  return new ModemdError('InvalidArgs', sentence)
}
