/**
 * Whatever happens to modems, calls, people and the machine: no link goes round and round without waiting for anything, and once all is
 * well again every link that connects by itself is up, as far as there are modems; asked down, nothing of them is left.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CAUSES, type Cause } from '../../src/base/cause.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import type { ModemSnapshot } from '../../src/modem/snapshot.ts'
import { assertAtRest, Rig, second } from '../link/rig.ts'
import { FakeModem } from '../support/fake-modem.ts'

const SEED = 23_117
const RUNS = 150
const NAMES = ['a', 'b', 'c'] as const
const ICCIDS = ['8931440400000000017', '8931440400000000025'] as const
const MOST_CHANGES_AT_ONCE = 1000

const PASSING = CAUSES.filter((cause) => CAUSE_TABLE[cause].redial !== 'stop')
/** For good, until the modem mends it: only a dial ends so. */
const OF_THE_MODEM = CAUSES.filter((cause) => /^sim-|^radio-off$/.test(cause))

type Change = Partial<ModemSnapshot>
const ready = { status: 'ready' } as const
const STATES: Readonly<Record<string, Change>> = {
  registered: { state: 'registered', registration: 'home', sim: ready },
  roaming: { state: 'registered', registration: 'roaming', sim: ready },
  searching: { state: 'searching', registration: 'searching', sim: ready },
  denied: { state: 'searching', registration: 'denied', sim: ready },
  enabling: { state: 'enabling', registration: 'unknown', sim: ready },
  disabled: { state: 'disabled', registration: 'unknown', sim: ready },
  failed: { state: 'failed', registration: 'unknown', sim: ready },
  locked: { state: 'locked', registration: 'unknown', sim: { status: 'pin' } },
  'no SIM': { state: 'absent-sim', registration: 'unknown', sim: { status: 'absent' } },
}

const profileText = fc
  .record({
    isAutomatic: fc.boolean(),
    priority: fc.nat(2),
    isRoaming: fc.boolean(),
    apn: fc.constantFrom('auto', 'internet'),
    redial: fc.constantFrom('', '[redial]\nreset-after = 1\n', '[redial]\nno-carrier = 1ms\nhung-up = 1ms\n'),
  })
  .map(
    ({ isAutomatic, priority, isRoaming, apn, redial }) =>
      `[profile]\nautoconnect = ${isAutomatic ? 'yes' : 'no'}\npriority = ${priority}\nroaming = ${isRoaming ? 'yes' : 'no'}\napn = ${apn}\n${redial}`,
  )
const profiles = fc.record({ a: profileText, b: profileText, c: profileText })
const socket = fc.constantFrom(0, 1)
const cause = fc.constantFrom(...PASSING)
const dialCause = fc.constantFrom(...PASSING, ...OF_THE_MODEM)
const name = fc.constantFrom(...NAMES)

const event = fc.oneof(
  fc.record({ what: fc.constant('pass' as const), ms: fc.oneof(fc.nat(2000), fc.nat(600_000)) }),
  fc.record({ what: fc.constant('step' as const) }),
  fc.record({ what: fc.constant('dial ends' as const), socket, cause: fc.option(dialCause, { nil: undefined }) }),
  fc.record({ what: fc.constant('up' as const) }),
  fc.record({ what: fc.constant('down' as const), cause }),
  fc.record({ what: fc.constant('plug' as const), socket }),
  fc.record({ what: fc.constant('unplug' as const), socket }),
  fc.record({ what: fc.constant('modem' as const), socket, is: fc.constantFrom(...Object.keys(STATES)) }),
  fc.record({ what: fc.constant('connect' as const), name }),
  fc.record({ what: fc.constant('disconnect' as const), name }),
  fc.record({ what: fc.constant('sleep' as const), isOn: fc.boolean() }),
  fc.record({ what: fc.constant('reload' as const), profiles }),
)
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

class World {
  readonly rig: Rig
  readonly #sockets: (FakeModem | undefined)[] = [undefined, undefined]
  #isWell = false
  round: string | undefined

  constructor(texts: Record<string, string>) {
    this.rig = new Rig(texts, { modems: [] })
    this.#watchRounds()
  }

  async happens(each: Event): Promise<void> {
    const { rig } = this
    switch (each.what) {
      case 'pass':
        return rig.clock.advance(each.ms)
      case 'step':
        return void (await rig.clock.step())
      case 'dial ends':
        return this.#endDial(each.socket, each.cause)
      case 'up':
        return this.#openSessions().at(-1)?.up()
      case 'down':
        return this.#openSessions().at(-1)?.down({ cause: each.cause, detail: 'seen' }, 16)
      case 'plug':
        return this.#plug(each.socket)
      case 'unplug':
        return this.#unplug(each.socket)
      case 'modem':
        return this.#set(each.socket, STATES[each.is]!)
      case 'connect':
        return void rig.supervisor.connect(each.name, {}).then(
          (link) => link.settled().catch(() => {}),
          () => {},
        )
      case 'disconnect':
        return void rig.supervisor.disconnect(each.name)
      case 'sleep':
        return each.isOn ? void rig.supervisor.suspend() : rig.supervisor.resume()
      case 'reload':
        rig.profiles.texts = each.profiles
        await rig.supervisor.reloadConfig()
        this.#watchRounds()
    }
  }

  /** From here on every dial is answered and every session comes up. */
  async becomesWell(): Promise<void> {
    const { rig } = this
    this.#isWell = true
    rig.engine.onOpen = (session) => void rig.clock.at(rig.clock.nowMs() + 10, () => !session.isDown && session.up())
    rig.supervisor.resume()
    for (const place of [0, 1]) {
      this.#plug(place)
      this.#answer(this.#sockets[place]!)
      this.#set(place, STATES.registered!)
      this.#endDial(place, undefined)
    }
    await rig.settle()
    for (const session of this.#openSessions()) session.up()
  }

  /** A link that is asked down stays so until somebody asks it up; of the others each has a modem, as long as there is one more. */
  missing(): readonly string[] {
    const { links } = this.rig.supervisor
    const wanted = this.rig.profiles.profiles.filter(({ autoconnect }) => autoconnect).map((profile) => profile.name)
    const isHeld = (link: string) => (this.rig.link(link) as unknown as { isHeldDown: boolean }).isHeldDown
    const isUp = (link: string) => this.rig.state(link) === 'up'
    const free = this.rig.fleet.modems.length - links.filter(({ snapshot }) => isUp(snapshot.id)).length
    return free > 0 ? wanted.filter((link) => !isHeld(link) && !isUp(link)) : []
  }

  #openSessions() {
    return this.rig.engine.sessions.filter(({ isDown }) => !isDown)
  }

  #endDial(place: number, failure: Cause | undefined): void {
    const dial = this.#sockets[place]?.dials.at(-1)
    if (!dial || dial.isOver()) return
    if (failure) dial.fail({ cause: failure, detail: 'seen' })
    else dial.connect()
  }

  #plug(place: number): void {
    if (this.#sockets[place]) return
    const modem = place === 0 ? new FakeModem() : second()
    this.#sockets[place] = modem
    modem.restarts = ['usb-port']
    modem.onRestart = async (how) => {
      if (how === 'radio' || this.#sockets[place] !== modem) return
      this.#unplug(place)
      this.rig.clock.at(this.rig.clock.nowMs() + 5000, () => this.#plug(place))
    }
    if (this.#isWell) this.#answer(modem)
    this.rig.fleet.plug(modem)
  }

  #answer(modem: FakeModem): void {
    const { clock } = this.rig
    modem.onDial = (dial) => void clock.at(clock.nowMs() + 10, () => !dial.isOver() && dial.connect())
  }

  #unplug(place: number): void {
    const modem = this.#sockets[place]
    this.#sockets[place] = undefined
    if (modem) this.rig.fleet.unplug(modem)
  }

  #set(place: number, change: Change): void {
    const sim = { ...change.sim, iccid: ICCIDS[place]! }
    this.#sockets[place]?.set({ ...change, sim })
  }

  /** Ends a link that goes round and round with an error, which would else hold up the test for ever. */
  #watchRounds(): void {
    let changes = 0
    let sinceMs = 0
    for (const link of this.rig.supervisor.links)
      link.onChange(() => {
        const nowMs = this.rig.clock.nowMs()
        changes = nowMs === sinceMs ? changes + 1 : 0
        sinceMs = nowMs
        if (changes < MOST_CHANGES_AT_ONCE) return
        this.round ??= `${link.snapshot.id} goes round and round`
        throw new Error(this.round)
      })
  }
}

test('links: nothing that passes keeps one down, or makes it go round and round', async () => {
  await fc.assert(
    fc.asyncProperty(profiles, fc.array(event, { maxLength: 100, size: 'max' }), async (texts, events) => {
      const world = new World(texts)
      const { rig } = world
      await rig.settle()
      for (const each of events) await world.happens(each)
      await world.becomesWell()
      for (let hour = 0; hour < 3 && world.missing().length > 0; hour++) await rig.clock.advance(3_600_000)
      assert.equal(world.round, undefined)
      assert.deepEqual(world.missing(), [])
      const down = rig.supervisor.disconnect(undefined)
      await rig.clock.advance(60_000)
      await down
      await rig.clock.advance(600_000)
      assertAtRest(rig)
    }),
    { seed: SEED, numRuns: RUNS },
  )
})
