/**
 * The modem's one record: what happened to it (changes) becomes its next immutable snapshot. Pure; `modem.ts` keeps the
 * record and tells listeners, procedures only make changes.
 */

import type { Failure } from '../base/cause.ts'
import type { RegistrationDetails, RegistrationDomain, RegistrationReply } from './at/replies/creg.ts'
import { isFinalDenial, type NetworkCause } from './at/replies/network-cause.ts'
import type { ModemSnapshot, ModemState, PortInfo, Registration, SignalSnapshot, SimSnapshot } from './snapshot.ts'

/** What the daemon is doing with it; the rest of the state follows from SIM and network. */
export type Activity =
  | 'starting'
  | 'running'
  | 'disabled'
  | 'connecting'
  | 'connected'
  | 'disconnecting'
  | 'resetting'
  | 'silent'
  | 'gone'

export type Change =
  | {
      readonly type: 'identity'
      readonly identity: Partial<
        Pick<
          ModemSnapshot,
          'manufacturer' | 'model' | 'revision' | 'equipmentIdentifier' | 'driver' | 'ownNumbers' | 'powerState'
        >
      >
    }
  | { readonly type: 'ports'; readonly ports: readonly PortInfo[] }
  | { readonly type: 'sim'; readonly sim: Partial<SimSnapshot> }
  | { readonly type: 'registration'; readonly reply: RegistrationReply & Pick<RegistrationDetails, 'cause'> }
  /** Why the network refuses, where it said so beside the registration. */
  | { readonly type: 'denial'; readonly cause: NetworkCause }
  /** The network is chosen by hand, not by the modem. */
  | { readonly type: 'selection'; readonly isByHand: boolean }
  /** All domains are forgotten: radio off, reset. */
  | { readonly type: 'unregistered' }
  | { readonly type: 'operator'; readonly name?: string | undefined; readonly code?: string | undefined }
  /** `report`: a vendor's, which knows best and comes at every change; `operator`: +COPS, which counts where nothing else tells. */
  | { readonly type: 'technologies'; readonly source: 'report' | 'operator'; readonly technologies: readonly string[] }
  | { readonly type: 'signal'; readonly signal: SignalSnapshot; readonly quality: number }
  | { readonly type: 'no-signal' }
  | { readonly type: 'activity'; readonly activity: Activity }
  | { readonly type: 'failure'; readonly failure: Failure | undefined }

export interface ModemRecord {
  readonly snapshot: ModemSnapshot
  readonly activity: Activity
  /** As it was told; the snapshot has what is still so. */
  readonly failure: Failure | undefined
  readonly domains: Readonly<Partial<Record<RegistrationDomain, RegistrationReply>>>
  /** Beside those that the registration names. */
  readonly technologies: Readonly<Record<'report' | 'operator', readonly string[]>>
  /** The operator was asked for since the modem is registered, so that `registered` is not told without his name. */
  readonly isOperatorAsked: boolean
  /** Told with the denial or shortly before; forgotten once the modem is in a network. */
  readonly denial: Denial | undefined
  /** Asked while no network is found, and forgotten once there is one. */
  readonly isChosenByHand: boolean
}

type Denial = Pick<ModemSnapshot, 'denial' | 'isDenialFinal'>

const CHOSEN_BY_HAND =
  'The modem looks for the one network that was chosen by hand and takes no other: `mmctl register` lets it choose by itself.'
const RADIO_REFUSES = 'The radio is off and was not switched on when it was asked to: it is asked again and again.'
const NO_TECHNOLOGIES = { report: [], operator: [] }
const NO_SIGNAL = { signal: undefined, signalQuality: undefined, signalDbm: undefined } as const
/** The radio is off, or nobody knows. */
const WITHOUT_SIGNAL: ReadonlySet<Activity> = new Set(['disabled', 'resetting', 'silent'])

export function newRecord(
  basics: Pick<ModemSnapshot, 'id' | 'device' | 'driver' | 'ports' | 'manufacturer' | 'equipmentIdentifier'>,
): ModemRecord {
  return derived({
    snapshot: {
      ...basics,
      state: 'enabling',
      stateReason: '',
      sim: {},
      registration: 'unknown',
      accessTechnologies: [],
      ownNumbers: [],
      powerState: 'unknown',
    },
    activity: 'starting',
    failure: undefined,
    domains: {},
    technologies: NO_TECHNOLOGIES,
    isOperatorAsked: false,
    denial: undefined,
    isChosenByHand: false,
  })
}

export function reduce(record: ModemRecord, change: Change): ModemRecord {
  return derived(apply(record, change))
}

function apply(record: ModemRecord, change: Change): ModemRecord {
  const { snapshot } = record
  switch (change.type) {
    case 'identity':
      return { ...record, snapshot: { ...snapshot, ...change.identity } }
    case 'ports':
      return { ...record, snapshot: { ...snapshot, ports: change.ports } }
    case 'sim':
      return { ...record, snapshot: { ...snapshot, sim: known({ ...snapshot.sim, ...change.sim }) } }
    case 'registration':
      return {
        ...record,
        domains: { ...record.domains, [change.reply.domain]: change.reply },
        denial: change.reply.cause ? denialOf(change.reply.cause) : record.denial,
      }
    case 'denial':
      return { ...record, denial: denialOf(change.cause) }
    case 'selection':
      return { ...record, isChosenByHand: change.isByHand }
    case 'unregistered':
      return { ...record, domains: {}, technologies: NO_TECHNOLOGIES }
    case 'operator':
      return {
        ...record,
        isOperatorAsked: true,
        snapshot: { ...snapshot, operatorName: change.name, operatorCode: change.code },
      }
    case 'technologies':
      return { ...record, technologies: { ...record.technologies, [change.source]: change.technologies } }
    case 'signal':
      return {
        ...record,
        snapshot: {
          ...snapshot,
          signal: change.signal,
          signalQuality: change.quality,
          signalDbm: change.signal.rssi,
        },
      }
    case 'no-signal':
      return { ...record, snapshot: { ...snapshot, ...NO_SIGNAL } }
    case 'activity':
      return { ...record, activity: change.activity }
    case 'failure':
      return { ...record, failure: change.failure }
  }
}

function known(sim: SimSnapshot): SimSnapshot {
  return Object.fromEntries(Object.entries(sim).filter(([, value]) => value !== undefined))
}

function derived(record: ModemRecord): ModemRecord {
  const registration = registrationOf(record.domains)
  const isRegistered = isIn(registration)
  const isOperatorAsked = isRegistered && record.isOperatorAsked
  const denial = isRegistered ? undefined : record.denial
  const isChosenByHand = !isRegistered && record.isChosenByHand
  const { operatorName, operatorCode, denial: _text, isDenialFinal: _kind, ...rest } = record.snapshot
  const snapshot: ModemSnapshot = {
    ...rest,
    ...(WITHOUT_SIGNAL.has(record.activity) ? NO_SIGNAL : {}),
    ...(isRegistered ? { operatorName, operatorCode } : {}),
    ...(registration === 'denied' ? denial : {}),
    registration,
    accessTechnologies: isRegistered ? technologiesOf(record) : [],
  }
  const state = stateOf(record.activity, snapshot, isOperatorAsked)
  const stateReason = reasonOf(state, snapshot, record.failure, isChosenByHand)
  const failure = failureOf(state, stateReason, registration, record.failure)
  return {
    ...record,
    denial,
    isOperatorAsked,
    isChosenByHand,
    snapshot: { ...snapshot, state, stateReason, failure },
  }
}

/** What is wrong now: a state that is a failure names itself, and one of the SIM ends with its state. */
function failureOf(
  state: ModemState,
  detail: string,
  registration: Registration,
  told: Failure | undefined,
): Failure | undefined {
  if (state === 'absent-sim') return { cause: 'sim-absent', detail }
  if (state === 'searching' && registration === 'denied') return { cause: 'registration-denied', detail }
  if (!told?.cause.startsWith('sim-')) return told
  if (state === 'locked') return told.cause === 'sim-absent' || told.cause === 'sim-failed' ? undefined : told
  return state === 'failed' || state === 'enabling' ? told : undefined
}

/** Data needs the packet domains: the best news of them first, then the circuit domain's. */
function registrationOf({ cs, ps, eps, '5gs': nr }: ModemRecord['domains']): Registration {
  const all = [nr, eps, ps, cs].flatMap((reply) => (reply ? [reply.registration] : []))
  for (const wanted of ['home', 'roaming', 'denied', 'searching', 'idle'] as const)
    if (all.includes(wanted)) return wanted
  return 'unknown'
}

function technologiesOf({ domains: { cs, ps, eps, '5gs': nr }, technologies }: ModemRecord): readonly string[] {
  const registered = [nr, eps, ps, cs].flatMap((reply) =>
    reply && isIn(reply.registration) ? [reply.technologies] : [],
  )
  return [technologies.report, ...registered].find((each) => each.length > 0) ?? technologies.operator
}

function stateOf(activity: Activity, { sim, registration }: ModemSnapshot, isOperatorAsked: boolean): ModemState {
  if (activity === 'gone' || activity === 'silent') return 'failed'
  if (activity === 'resetting' || activity === 'disabled') return activity
  if (sim.status === 'absent') return 'absent-sim'
  if (sim.status === 'failed') return 'failed'
  if (sim.status === 'pin' || sim.status === 'puk') return 'locked'
  if (activity === 'starting' || (activity === 'running' && sim.isBusy)) return 'enabling'
  if (activity !== 'running') return activity
  return isIn(registration) && isOperatorAsked ? 'registered' : 'searching'
}

function reasonOf(
  state: ModemState,
  snapshot: ModemSnapshot,
  failure: Failure | undefined,
  isChosenByHand: boolean,
): string {
  const { sim, registration, denial } = snapshot
  switch (state) {
    case 'absent-sim':
      return 'There is no SIM in the modem.'
    case 'locked':
      if (sim.status === 'puk') return 'The SIM is blocked and asks for its PUK.'
      return failure?.cause === 'sim-pin-refused' ? failure.detail : 'The SIM asks for its PIN.'
    case 'failed':
      return failure?.detail ?? 'The SIM does not work.'
    case 'enabling':
      return sim.isBusy ? 'The SIM is busy; it gets some seconds.' : ''
    case 'disabled':
      return 'The radio was switched off.'
    case 'searching':
      if (isRadioOff(snapshot)) return RADIO_REFUSES
      if (registration !== 'denied') return isChosenByHand ? CHOSEN_BY_HAND : 'The modem looks for a network.'
      return denial === undefined ? 'The network refuses this SIM.' : `The network refuses this SIM: ${denial}.`
    default:
      return ''
  }
}

export function isRadioOff({ powerState }: ModemSnapshot): boolean {
  return powerState === 'off' || powerState === 'low'
}

/** `roaming not allowed in this area (#13)` */
function denialOf(cause: NetworkCause): Denial {
  const isDenialFinal = isFinalDenial(cause)
  return { denial: `${cause.meaning} (#${cause.number})`, ...(isDenialFinal === undefined ? {} : { isDenialFinal }) }
}

export function isIn(registration: Registration): boolean {
  return registration === 'home' || registration === 'roaming'
}
