/** Follows one link while it comes up and feeds `output/progress.ts`. Called by `commands/connect.ts`. */

import type { Cause } from '../base/cause.ts'
import { isUnderWay } from './choose.ts'
import { type Daemon, type Link, type Modem, Properties, type PropertyValues } from './daemon.ts'
import { PHASES, type Phase, type Progress, type ProgressState } from './output/progress.ts'
import { clean } from './output/text.ts'
import { cleanText, IP_VERSIONS, technologyOf } from './views.ts'

export class PhaseView {
  readonly #daemon: Daemon
  readonly #linkPath: string
  readonly #progress: Progress | undefined
  readonly #unfollow: () => void
  /** Until the link begins anew, PhaseMs tells of an earlier attempt. */
  #isCurrent: boolean
  #hasMoved = false
  /** The link lets go of it when it fails; what it found still counts. */
  #modem: Modem | undefined

  /** `isComing`: the link is between idle and up already, and its phases are those that we watch. */
  constructor(daemon: Daemon, linkPath: string, progress: Progress | undefined, isComing: boolean) {
    this.#daemon = daemon
    this.#linkPath = linkPath
    this.#progress = progress
    this.#isCurrent = isComing
    this.#unfollow = daemon.onChange((change) => {
      if (!('path' in change) || change.path !== linkPath) return
      this.#hasMoved = true
      // Its PropertiesChanged is still to come.
      if (change.type === 'stepped') return
      this.#isCurrent ||= change.type === 'added' || (change.type === 'changed' && beginsAnew(change.values))
      this.update()
    })
    this.update()
  }

  /** Did the link do anything since we look? */
  get hasMoved(): boolean {
    return this.#hasMoved
  }

  /** What the attempt used last. Where it was too quick to be seen, the only modem that there is. */
  get modem(): Modem | undefined {
    const { modems } = this.#daemon
    return this.#modem ?? (modems.length === 1 ? modems[0] : undefined)
  }

  /** The link, where what it says is of this attempt. */
  get link(): Link | undefined {
    return this.#isCurrent ? this.#daemon.links.find(({ path }) => path === this.#linkPath) : undefined
  }

  update(): void {
    const { link } = this
    if (!link) {
      // One that was here and is no more, as when modemd died, failed where it was.
      if (!this.#isCurrent) this.#progress?.update(NO_PROGRESS)
      return
    }
    const used = link.properties.text('Modem')
    this.#modem = this.#daemon.modems.find(({ path }) => path === used) ?? this.#modem
    this.#progress?.update(progressOf(link, this.modem))
  }

  /** The attempt is over: what the link shows now is of it, if it moved at all. */
  end(): void {
    this.#isCurrent ||= this.#hasMoved
    this.update()
  }

  close(): void {
    this.#unfollow()
  }
}

const NO_PROGRESS: ProgressState = { doneMs: {}, detail: () => '' }

/** PhaseMs stays as it was where the new attempt takes as long as the old one did. */
function beginsAnew(values: PropertyValues): boolean {
  return 'PhaseMs' in values || isUnderWay(values.State)
}

/** Where an attempt with this cause ended; undefined: in the phase that was running. `none`: before the first. */
export function phaseOfCause(cause: Cause | undefined): Phase | 'none' | undefined {
  return cause && PHASE_OF_CAUSE[cause]
}

const PHASE_OF_CAUSE: Readonly<Partial<Record<Cause, Phase | 'none'>>> = {
  'modem-gone': 'modem',
  'port-busy': 'modem',
  'modem-silent': 'modem',
  'modem-error': 'modem',
  'sim-absent': 'sim',
  'sim-pin': 'sim',
  'sim-pin-refused': 'sim',
  'sim-puk': 'sim',
  'sim-failed': 'sim',
  'radio-off': 'network',
  'no-network': 'network',
  'registration-denied': 'network',
  'roaming-forbidden': 'network',
  'apn-refused': 'dial',
  busy: 'dial',
  'no-carrier': 'dial',
  'no-dialtone': 'dial',
  'no-answer': 'dial',
  'call-rejected': 'dial',
  'dial-timeout': 'dial',
  'script-error': 'dial',
  'lcp-timeout': 'lcp',
  loopback: 'lcp',
  'auth-refused': 'auth',
  'peer-auth-refused': 'auth',
  'ipcp-failed': 'address',
  'no-address': 'address',
  'engine-missing': 'none',
}

function progressOf(link: Link, modem: Modem | undefined): ProgressState {
  const times = link.properties.dictionary('PhaseMs')
  return {
    running: PHASE_OF_STATE[link.properties.text('State') ?? ''],
    doneMs: Object.fromEntries(PHASES.map((phase) => [phase, times.number(phase)])),
    detail: (phase) => DETAILS[phase](link.properties, modem),
  }
}

const PHASE_OF_STATE: Readonly<Record<string, Phase>> = {
  dialling: 'dial',
  connecting: 'lcp',
  authenticating: 'auth',
  configuring: 'address',
}

const NOTHING = new Properties({})

const DETAILS: Readonly<Record<Phase, (link: Properties, modem: Modem | undefined) => string>> = {
  modem: (_link, modem) =>
    modem ? [cleanText(modem.properties, 'Model'), `(${clean(modem.id)})`].filter(Boolean).join(' ') : '',
  sim: (_link, modem) => cleanText(modem?.sim ?? NOTHING, 'Status') ?? '',
  network: (_link, modem) => {
    const properties = modem?.properties ?? NOTHING
    const operator = cleanText(properties, 'OperatorName') ?? cleanText(properties, 'OperatorCode')
    return [operator, cleanText(properties, 'Registration'), technologyOf(properties)].filter(Boolean).join(', ')
  },
  dial: (link) => cleanText(link, 'Report') ?? '',
  lcp: (link) => {
    const engine = cleanText(link, 'Engine')
    return engine ? `engine ${engine}` : ''
  },
  auth: () => 'accepted',
  address: (link) => IP_VERSIONS.map((name) => cleanText(link.dictionary(name), 'address')).find(Boolean) ?? '',
}
