/** Follows one link while it comes up and feeds `output/progress.ts`. Called by `commands/connect.ts`. */

import { type Daemon, type Link, type Modem, Properties } from './daemon.ts'
import { PHASES, type Phase, type Progress, type ProgressState } from './output/progress.ts'
import { clean } from './output/text.ts'
import { cleanText, technologyOf } from './views.ts'

export class PhaseView {
  readonly #daemon: Daemon
  readonly #linkPath: string
  readonly #progress: Progress | undefined
  readonly #unfollow: () => void
  /** Until PhaseMs changes it tells of an earlier attempt. */
  #isCurrent: boolean
  #hasMoved = false

  /** `isComing`: the link is between idle and up already, and its phases are those that we watch. */
  constructor(daemon: Daemon, linkPath: string, progress: Progress | undefined, isComing: boolean) {
    this.#daemon = daemon
    this.#linkPath = linkPath
    this.#progress = progress
    this.#isCurrent = isComing
    this.#unfollow = daemon.onChange((change) => {
      if (!('path' in change) || change.path !== linkPath) return
      this.#hasMoved = true
      if (change.type === 'added' || (change.type === 'changed' && 'PhaseMs' in change.values)) this.#isCurrent = true
      this.update()
    })
    this.update()
  }

  /** Did the link do anything since we look? */
  get hasMoved(): boolean {
    return this.#hasMoved
  }

  update(): void {
    const link = this.#daemon.links.find(({ path }) => path === this.#linkPath)
    this.#progress?.update(link && this.#isCurrent ? progressOf(link, this.#daemon.modems) : NO_PROGRESS)
  }

  close(): void {
    this.#unfollow()
  }
}

const NO_PROGRESS: ProgressState = { doneMs: {}, detail: () => '' }

function progressOf(link: Link, modems: readonly Modem[]): ProgressState {
  const times = link.properties.dictionary('PhaseMs')
  const modem = modems.find(({ path }) => path === link.properties.text('Modem'))
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
  address: (link) => cleanText(link.dictionary('Ip4'), 'address') ?? '',
}
