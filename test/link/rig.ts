/** A supervisor on virtual time with a fake fleet and engine, and profiles from texts as they stand in files. */

import assert from 'node:assert/strict'
import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { checkProfile } from '../../src/daemon/config-profile.ts'
import type { ApnBook } from '../../src/link/apn/book.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import type { Reach } from '../../src/link/check/reach.ts'
import type { Resolver } from '../../src/link/name-servers.ts'
import type { Profile, ProfileSource } from '../../src/link/profile.ts'
import type { LinkHandle, LinkState, ProfileFields } from '../../src/link/snapshot.ts'
import { createSupervisor, type Supervisor } from '../../src/link/supervisor.ts'
import { UsageLedger } from '../../src/link/usage/ledger.ts'
import type { KeptStateFiles } from '../../src/modem/state-files.ts'
import { engineReports } from '../../src/ppp/engines/choose.ts'
import type { PppEngine } from '../../src/ppp/engines/engine.ts'
import { FakeEngine, type FakeSession } from '../support/fake-engine.ts'
import { type FakeCall, type FakeDial, FakeFleet, FakeModem } from '../support/fake-modem.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export function profileFrom(name: string, text: string): Profile {
  const { profile, faults } = checkProfile({ name, file: name, text, mode: 0o600, ownerUid: 0 }, () => ({
    text: 'script',
  }))
  if (name !== 'manual') assert.deepEqual(faults, [])
  return profile
}

export class TextProfiles implements ProfileSource {
  readonly manual = profileFrom('manual', '')
  readonly faults: string[] = []
  texts: Record<string, string>
  profiles: readonly Profile[] = []

  constructor(texts: Record<string, string>) {
    this.texts = texts
    this.reload()
  }

  reload(): void {
    this.profiles = Object.entries(this.texts).map(([name, text]) => profileFrom(name, text))
  }

  async save(fields: ProfileFields): Promise<void> {
    this.texts[fields.name as string] = `[profile]\napn = ${fields.apn}`
    this.reload()
  }

  async remove(name: string): Promise<void> {
    if (!(name in this.texts)) throw new ModemdError('NotFound', 'no such profile')
    delete this.texts[name]
    this.reload()
  }
}

/** Remembers what was set and taken away. */
export class FakeResolver implements Resolver {
  readonly log: string[] = []
  /** In the same order as what was set. */
  readonly metrics: number[] = []
  refusal: Error | undefined

  async apply(interfaceName: string, servers: readonly string[], metric: number): Promise<() => Promise<void>> {
    if (this.refusal) throw this.refusal
    this.metrics.push(metric)
    this.log.push(`${interfaceName}: ${servers.join(' ')}`)
    return async () => {
      this.log.push(`${interfaceName}: restored`)
    }
  }
}

export interface RigOptions {
  readonly seed?: number
  readonly apns?: ApnBook
  readonly engines?: readonly PppEngine[]
  readonly modems?: readonly FakeModem[]
  readonly reach?: Reach
  /** Where usage.json is. */
  readonly files?: KeptStateFiles
}

export class Rig {
  readonly clock = new VirtualClock()
  readonly fleet = new FakeFleet()
  readonly engine = new FakeEngine()
  readonly resolver = new FakeResolver()
  readonly profiles: TextProfiles
  readonly supervisor: Supervisor

  constructor(
    texts: Record<string, string> = { demo: '' },
    { seed = 7, engines, apns, modems = [new FakeModem()], reach, files }: RigOptions = {},
  ) {
    this.profiles = new TextProfiles(texts)
    for (const modem of modems) this.fleet.plug(modem)
    this.supervisor = createSupervisor({
      version: '1.2.3',
      fleet: this.fleet,
      engines: engines ?? [this.engine],
      engineReports: engineReports({
        kernel: { ok: false, why: 'there is no /dev/ppp' },
        ...Object.fromEntries((engines ?? [this.engine]).map(({ name }) => [name, { ok: true }])),
      }),
      profiles: this.profiles,
      clock: this.clock,
      random: new SeededRandom(seed),
      logger: silentLogger,
      resolver: this.resolver,
      apns,
      reach,
      usage: new UsageLedger({ files, clock: this.clock, logger: silentLogger }),
    })
  }

  get modem(): FakeModem {
    return this.fleet.modems[0]!
  }

  get session(): FakeSession {
    return this.engine.sessions.at(-1)!
  }

  get dial(): FakeDial {
    return this.modem.dials.at(-1)!
  }

  link(name = 'demo'): LinkHandle {
    const link = this.supervisor.links.find(({ snapshot }) => snapshot.id === name)
    assert.ok(link, `no link ${name}`)
    return link
  }

  state(name = 'demo'): LinkState {
    return this.link(name).snapshot.state
  }

  /** Lets everything that is due now happen. */
  async settle(): Promise<void> {
    await this.clock.advance(0)
  }

  /** How a pending promise ends, without waiting for it: `up`, an error, or undefined so far. */
  watch(promise: Promise<unknown>): { end: 'done' | ModemdError | undefined } {
    const watched: { end: 'done' | ModemdError | undefined } = { end: undefined }
    promise.then(
      () => {
        watched.end = 'done'
      },
      (error) => {
        assert.ok(error instanceof ModemdError, String(error))
        watched.end = error
      },
    )
    return watched
  }

  /** By hand, all the way. */
  async bringUp(name = 'demo'): Promise<void> {
    await this.supervisor.connect(name, {})
    await this.settle()
    await this.answer()
  }

  /** The dial under way is answered and PPP comes up. */
  async answer(report = 'CONNECT 150000000'): Promise<FakeCall> {
    const call = this.dial.connect(report)
    await this.settle()
    this.session.up()
    await this.settle()
    return call
  }
}

/** The head of a profile that connects by itself. */
export const AUTO = '[profile]\nautoconnect = yes\n'

/** A second modem beside the usual one. */
export const second = (change: ConstructorParameters<typeof FakeModem>[0] = {}) =>
  new FakeModem({
    id: 'usb_1_3',
    device: '/sys/devices/usb1/1-3',
    equipmentIdentifier: undefined,
    sim: { status: 'ready', iccid: '8931440400000000025' },
    ports: [{ name: '/dev/ttyUSB3', role: 'data', owner: '' }],
    ...change,
  })

export async function hangUp(rig: Rig, cause: Cause = 'hung-up'): Promise<void> {
  rig.session.down({ cause, detail: 'NO CARRIER' }, 16)
  await rig.settle()
}

export function isError(code: string, message: RegExp) {
  return (error: unknown) => error instanceof ModemdError && error.code === code && message.test(error.message)
}

/** Connects by hand and watches the answer. */
export async function connect(rig: Rig, options: Parameters<Rig['supervisor']['connect']>[1] = {}) {
  const link = await rig.supervisor.connect('demo', options)
  const answer = rig.watch(link.settled())
  await rig.settle()
  return { link, answer }
}

export function assertFailed(rig: Rig, answer: { end: unknown }, cause: Cause, detail: RegExp): void {
  const { snapshot } = rig.link()
  assert.equal(snapshot.state, 'failed')
  assert.equal(snapshot.cause, cause)
  assert.match(snapshot.causeDetail ?? '', detail)
  assert.equal(snapshot.advice, CAUSE_TABLE[cause].advice)
  assert.equal(snapshot.nextAttemptAtUs, 0n)
  assert.equal(snapshot.modem, undefined)
  assert.equal(snapshot.interface, undefined)
  assert.ok(answer.end instanceof ModemdError)
  assert.equal(answer.end.failureCause ?? cause, cause)
  assertAtRest(rig)
}

/** Nothing is held and nothing would ever happen by itself; a link that is up is counted, and listens where its modem roams. */
export function assertAtRest(rig: Rig): void {
  const counted = rig.supervisor.links.filter(({ snapshot }) => snapshot.state === 'up')
  assert.equal(rig.clock.pending, counted.length, 'no other timer')
  for (const modem of rig.fleet.modems) {
    const ups = rig.supervisor.links.filter(
      ({ snapshot }) => snapshot.state === 'up' && snapshot.modem === modem.snapshot.id,
    )
    assert.equal(modem.followers, ups.length, 'nobody else listens to the modem')
    assert.ok(
      modem.dials.every(({ isOver }) => isOver()),
      'no dial under way',
    )
  }
}
