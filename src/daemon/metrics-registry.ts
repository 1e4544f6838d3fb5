/** The metrics of docs/metrics.md, read from the supervisor's snapshots when somebody asks. The only importer of prom-client. Used by `metrics-server.ts`. */

import { Counter, Gauge, Registry } from 'prom-client'
import type { Cause } from '../base/cause.ts'
import type { Cancel } from '../base/ports.ts'
import type { LinkHandle, LinkSnapshot, LinkState, SupervisorApi } from '../link/snapshot.ts'
import type { ModemSnapshot, ModemState, Registration } from '../modem/snapshot.ts'

/** What one thing says; undefined: not known, and then there is no line. */
type Sample = {
  readonly value: number | bigint | undefined
  readonly labels?: Readonly<Record<string, string | undefined>>
}

const MODEM_STATES: readonly ModemState[] = [
  ...(['absent-sim', 'failed', 'locked', 'disabled', 'enabling', 'searching', 'registered', 'connecting'] as const),
  ...(['connected', 'disconnecting', 'resetting'] as const),
]
const REGISTRATIONS: readonly Registration[] = ['idle', 'home', 'searching', 'denied', 'roaming', 'unknown']
const LINK_STATES: readonly LinkState[] = [
  ...([
    'idle',
    'waiting',
    'dialling',
    'connecting',
    'authenticating',
    'configuring',
    'up',
    'going-down',
    'failed',
  ] as const),
]

export class MetricsRegistry {
  readonly #registry = new Registry()
  readonly #supervisor: SupervisorApi
  readonly #cancels: Cancel[] = []

  constructor(supervisor: SupervisorApi) {
    this.#supervisor = supervisor
    this.#addDaemon()
    this.#addModems()
    this.#addLinks()
    this.#countFailures()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  read(): Promise<string> {
    return this.#registry.metrics()
  }

  close(): void {
    for (const cancel of this.#cancels) cancel()
    this.#registry.clear()
  }

  #addDaemon(): void {
    const { version } = this.#supervisor
    this.#gauge('modemd_build_info', 'Always 1; the version is in the label.', ['version'], () => [
      { value: 1, labels: { version } },
    ])
    this.#gauge('modemd_modems', 'Modems that are here.', [], () => [{ value: this.#supervisor.fleet.modems.length }])
    this.#gauge('process_start_time_seconds', 'When modemd started, since 1970.', [], () => [
      { value: Math.round(Date.now() / 1000 - process.uptime()) },
    ])
    this.#gauge('process_resident_memory_bytes', "modemd's resident memory.", [], () => [
      { value: process.memoryUsage.rss() },
    ])
    this.#counter('process_cpu_seconds_total', 'CPU time that modemd has used.', [], () => {
      const { user, system } = process.cpuUsage()
      return [{ value: (user + system) / 1e6 }]
    })
  }

  #addModems(): void {
    const each = (samples: (modem: ModemSnapshot) => Sample | readonly Sample[]) => () =>
      this.#supervisor.fleet.modems.flatMap(({ snapshot }) =>
        [samples(snapshot)].flat().map(({ value, labels }) => ({ value, labels: { modem: snapshot.id, ...labels } })),
      )
    const gauge = (name: string, help: string, value: (modem: ModemSnapshot) => number | undefined) =>
      this.#gauge(
        `modemd_modem_${name}`,
        help,
        ['modem'],
        each((modem) => ({ value: value(modem) })),
      )

    const about = ['manufacturer', 'model', 'revision', 'driver', 'operator', 'operator_code', 'technology']
    this.#gauge(
      'modemd_modem_info',
      'Always 1; what the modem is and which network it is in are in the labels.',
      ['modem', ...about],
      each(({ manufacturer, model, revision, driver, operatorName: operator, operatorCode, accessTechnologies }) => ({
        value: 1,
        labels: {
          manufacturer,
          model,
          revision,
          driver,
          operator,
          operator_code: operatorCode,
          technology: accessTechnologies.at(-1),
        },
      })),
    )
    this.#gauge(
      'modemd_modem_state',
      '1 for the state that the modem is in, 0 for the others.',
      ['modem', 'state'],
      each((modem) => oneOf('state', MODEM_STATES, modem.state)),
    )
    this.#gauge(
      'modemd_modem_registration',
      '1 for how the modem is registered, 0 for the others.',
      ['modem', 'registration'],
      each((modem) => oneOf('registration', REGISTRATIONS, modem.registration)),
    )
    gauge('signal_quality_ratio', 'Signal quality, 0 to 1.', ({ signalQuality }) => scaled(signalQuality, 100))
    gauge('signal_dbm', 'Signal level.', ({ signalDbm }) => signalDbm)
    gauge('signal_rsrp_dbm', 'Reference signal received power (LTE, NR).', ({ signal }) => signal?.rsrp)
    gauge('signal_rsrq_db', 'Reference signal received quality (LTE, NR).', ({ signal }) => signal?.rsrq)
    gauge('signal_sinr_db', 'Signal to interference and noise (LTE, NR).', ({ signal }) => signal?.sinr)
    gauge('signal_rscp_dbm', 'Received signal code power (UMTS).', ({ signal }) => signal?.rscp)
    gauge('sim_pin_tries', 'PIN tries that the SIM has left.', ({ sim }) => sim.pinTries)
  }

  #addLinks(): void {
    const each = (samples: (link: LinkSnapshot) => Sample | readonly Sample[]) => () =>
      this.#supervisor.links.flatMap(({ snapshot }) =>
        [samples(snapshot)].flat().map(({ value, labels }) => ({ value, labels: { link: snapshot.id, ...labels } })),
      )
    type Value = number | bigint | undefined
    const gauge = (name: string, help: string, value: (link: LinkSnapshot) => Value) =>
      this.#gauge(
        `modemd_link_${name}`,
        help,
        ['link'],
        each((link) => ({ value: value(link) })),
      )
    const counter = (name: string, help: string, value: (link: LinkSnapshot) => Value) =>
      this.#counter(
        `modemd_link_${name}`,
        help,
        ['link'],
        each((link) => ({ value: value(link) })),
      )

    gauge('up', '1 while the link is up.', ({ state }) => Number(state === 'up'))
    this.#gauge(
      'modemd_link_state',
      '1 for the state that the link is in, 0 for the others.',
      ['link', 'state'],
      each((link) => oneOf('state', LINK_STATES, link.state)),
    )
    this.#gauge(
      'modemd_link_info',
      'Always 1; by which modem, interface, engine and access point are in the labels.',
      ['link', 'modem', 'interface', 'engine', 'apn'],
      each(({ modem, interface: name, engine, apn }) => ({
        value: 1,
        labels: { modem, interface: name, engine, apn },
      })),
    )
    counter('receive_bytes_total', 'Bytes received in the session that runs or was last.', ({ rxBytes }) => rxBytes)
    counter('transmit_bytes_total', 'Bytes sent in the session that runs or was last.', ({ txBytes }) => txBytes)
    gauge('month_bytes', 'Bytes in both directions in this month, over all sessions.', ({ usage }) => usage?.usedBytes)
    gauge('month_limit_bytes', 'What `data-limit` allows in a month.', ({ usage }) => usage?.limitBytes)
    gauge(
      'up_since_timestamp_seconds',
      'When the link came up, since 1970; absent while it is down.',
      ({ upSinceUs }) => seconds(upSinceUs),
    )
    gauge('attempts', 'Attempts since the link was last asked for or up.', ({ attempts }) => attempts)
    gauge(
      'next_attempt_timestamp_seconds',
      'When the link is tried again, since 1970; absent where it is not.',
      (link) => (link.nextAttemptAtUs === 0n ? undefined : seconds(link.nextAttemptAtUs)),
    )
    gauge('connect_speed_bytes_per_second', 'What the modem told at CONNECT.', ({ connectSpeed }) =>
      scaled(connectSpeed, 8),
    )
  }

  /** The one metric that is no reading: a failure between two of them counts, too. */
  #countFailures(): void {
    const failures = new Counter({
      name: 'modemd_link_failures_total',
      help: 'Failed attempts and falls of the link, by cause.',
      labelNames: ['link', 'cause'],
      registers: [this.#registry],
    })
    const following = new Map<LinkHandle, Cancel>()
    const follow = (link: LinkHandle) =>
      following.set(
        link,
        link.onChange((next, previous) => {
          const cause = failureBetween(previous, next)
          if (cause) failures.inc({ link: next.id, cause })
        }),
      )
    for (const link of this.#supervisor.links) follow(link)
    this.#cancels.push(
      this.#supervisor.onLinkAdded(follow),
      this.#supervisor.onLinkRemoved((link) => {
        following.get(link)?.()
        following.delete(link)
      }),
      () => {
        for (const cancel of following.values()) cancel()
      },
    )
  }

  #gauge(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void {
    const gauge = new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry], collect })
    function collect(): void {
      gauge.reset()
      for (const { value, labels } of known(read())) gauge.set(labels, value)
    }
  }

  /** A counter whose value somebody else counts. */
  #counter(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void {
    const counter = new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry], collect })
    function collect(): void {
      counter.reset()
      for (const { value, labels } of known(read())) counter.inc(labels, value)
    }
  }
}

/** With what is not known left out, labels as text. */
function known(samples: readonly Sample[]) {
  return samples.flatMap(({ value, labels = {} }) => {
    const number = Number(value)
    const texts = Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, text ?? '']))
    return value === undefined || !Number.isFinite(number) ? [] : [{ value: number, labels: texts }]
  })
}

function oneOf(label: string, all: readonly string[], current: string): readonly Sample[] {
  return all.map((each) => ({ value: Number(each === current), labels: { [label]: each } }))
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by
}

function seconds(us: bigint | undefined): number | undefined {
  return us === undefined ? undefined : Number(us) / 1e6
}

const ENDED: readonly LinkState[] = ['waiting', 'failed']

/** An attempt that was on its way, or a link that stood, has ended by itself. */
function failureBetween(previous: LinkSnapshot, next: LinkSnapshot): Cause | undefined {
  const hasEnded = ENDED.includes(next.state) && previous.state !== next.state && previous.state !== 'idle'
  if (!hasEnded || (previous.state === 'failed' && next.state === 'waiting')) return undefined
  return next.cause === 'user-request' ? undefined : next.cause
}
