/** A supervisor on virtual time with a fake fleet and engine, and profiles from texts as they stand in files. */

import assert from 'node:assert/strict'
import { ModemdError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { checkProfile } from '../../src/daemon/config-profile.ts'
import type { Resolver } from '../../src/link/attempt.ts'
import type { Profile, ProfileSource } from '../../src/link/profile.ts'
import type { LinkHandle, LinkState, ProfileFields } from '../../src/link/snapshot.ts'
import { createSupervisor, type Supervisor } from '../../src/link/supervisor.ts'
import type { PppEngine } from '../../src/ppp/engines/engine.ts'
import { FakeEngine, type FakeSession } from '../support/fake-engine.ts'
import { type FakeDial, FakeFleet, FakeModem } from '../support/fake-modem.ts'
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
  refusal: Error | undefined

  async apply(interfaceName: string, servers: readonly string[]): Promise<() => Promise<void>> {
    if (this.refusal) throw this.refusal
    this.log.push(`${interfaceName}: ${servers.join(' ')}`)
    return async () => {
      this.log.push(`${interfaceName}: restored`)
    }
  }
}

export interface RigOptions {
  readonly engines?: readonly PppEngine[]
  readonly modems?: readonly FakeModem[]
}

export class Rig {
  readonly clock = new VirtualClock()
  readonly fleet = new FakeFleet()
  readonly engine = new FakeEngine()
  readonly resolver = new FakeResolver()
  readonly profiles: TextProfiles
  readonly supervisor: Supervisor

  constructor(texts: Record<string, string> = { demo: '' }, { engines, modems = [new FakeModem()] }: RigOptions = {}) {
    this.profiles = new TextProfiles(texts)
    for (const modem of modems) this.fleet.plug(modem)
    this.supervisor = createSupervisor({
      version: '1.2.3',
      fleet: this.fleet,
      engines: engines ?? [this.engine],
      profiles: this.profiles,
      clock: this.clock,
      random: new SeededRandom(7),
      logger: silentLogger,
      resolver: this.resolver,
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
  async answer(report = 'CONNECT 150000000'): Promise<void> {
    this.dial.connect(report)
    await this.settle()
    this.session.up()
    await this.settle()
  }
}
