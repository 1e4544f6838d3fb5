/** Two sockets for modems, each with a SIM, and links of three profiles: what `link-events.ts` has happens to them. */

import type { Cause } from '../../src/base/cause.ts'
import { ModemdError } from '../../src/base/errors.ts'
import type { Reach } from '../../src/link/check/reach.ts'
import { matchesModem } from '../../src/link/modem-selector.ts'
import type { LinkSnapshot } from '../../src/link/snapshot.ts'
import type { ModemSnapshot } from '../../src/modem/snapshot.ts'
import { Rig, second } from '../link/rig.ts'
import type { FakeSession } from '../support/fake-engine.ts'
import { type FakeCall, FakeModem } from '../support/fake-modem.ts'
import { ADDRESSES, type Event, ICCIDS, IP4, IP6, STATES } from './link-events.ts'

const MOST_CHANGES_AT_ONCE = 1000

export class World {
  readonly rig: Rig
  readonly #sockets: (FakeModem | undefined)[] = [undefined, undefined]
  readonly #sims: string[] = [...ICCIDS]
  readonly #calls: (FakeCall | undefined)[] = [undefined, undefined]
  readonly #ending = new Set<FakeSession>()
  readonly #questions = new Set<(answers: boolean) => void>()
  #isWell = false
  round: string | undefined
  /** What a link showed that does not fit together. */
  odd: string | undefined
  /** Whoever asked for a link and waits. */
  unanswered = 0

  constructor(texts: Record<string, string>) {
    const reach: Reach = (_target, _path, signal) => this.#ask(signal)
    this.rig = new Rig(texts, { modems: [], reach })
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
        return this.#session?.up()
      case 'address':
        return this.#session?.upWithIp6(...ADDRESSES[each.is]!)
      case 'stopped':
        return this.#session?.stopped(each.network)
      case 'phase':
        return this.#session?.phase(each.phase)
      case 'terminate':
        return this.#terminate(each.cause)
      case 'deaf':
        return this.#deafen()
      case 'host':
        for (const question of this.#questions) question(each.answers)
        return
      case 'call ends':
        return this.#endCall(each.socket, each.cause, each.line)
      case 'limit':
        return this.#limit(each.socket, each.ip, each.isCertain)
      case 'swap SIMs':
        this.#sims.reverse()
        for (const place of [0, 1]) this.#set(place, {})
        return
      case 'down':
        return this.#openSessions().at(-1)?.down({ cause: each.cause, detail: 'seen' }, 16)
      case 'plug':
        return this.#plug(each.socket)
      case 'unplug':
        return this.#unplug(each.socket)
      case 'modem':
        return this.#set(each.socket, STATES[each.is]!)
      case 'connect':
        return this.#connect(each.name)
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
    rig.engine.onOpen = (session) => void rig.clock.at(rig.clock.nowMs() + 10, () => this.#bringUp(session))
    for (const question of this.#questions) question(true)
    rig.supervisor.resume()
    for (const place of [0, 1]) {
      this.#plug(place)
      this.#answer(this.#sockets[place]!)
      this.#set(place, STATES.registered!)
      this.#endDial(place, undefined)
    }
    await rig.settle()
    for (const session of this.#openSessions()) this.#bringUp(session)
  }

  /** A link that is asked down stays so until somebody asks it up; of the others each has a modem, as long as there is one that it may use. */
  missing(): readonly string[] {
    const { fleet, supervisor, profiles: source } = this.rig
    const isHeld = (link: string) => (this.rig.link(link) as unknown as { isHeldDown: boolean }).isHeldDown
    const used = supervisor.links.flatMap(({ snapshot: { state, modem } }) => (state === 'up' ? [modem] : []))
    const free = fleet.modems.filter(({ snapshot }) => !used.includes(snapshot.id))
    return source.profiles
      .filter((profile) => profile.autoconnect && free.some(({ snapshot }) => matchesModem(profile, snapshot)))
      .map((profile) => profile.name)
      .filter((link) => !isHeld(link) && this.rig.state(link) !== 'up')
  }

  #connect(link: string): void {
    this.unanswered++
    const answered = () => void this.unanswered--
    this.rig.supervisor.connect(link, {}).then((handle) => handle.settled().then(answered, answered), answered)
  }

  #ask(signal: AbortSignal): Promise<void> {
    if (this.#isWell) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const over = (act: () => void) => {
        this.#questions.delete(question)
        act()
      }
      const question = (answers: boolean) =>
        over(() => (answers ? resolve() : reject(new ModemdError('PppFailed', 'no answer'))))
      this.#questions.add(question)
      signal.addEventListener('abort', () => over(() => reject(signal.reason)), { once: true })
      if (this.#questions.size > this.#openSessions().length) this.odd ??= 'a check began twice'
    })
  }

  /** The last that may still tell something but its end. */
  get #session(): FakeSession | undefined {
    return this.#openSessions().findLast((session) => !this.#ending.has(session))
  }

  #bringUp(session: FakeSession): void {
    if (session.isDown || this.#ending.has(session)) return
    session.up()
    if (this.rig.engine.sessions.indexOf(session) % 2 === 0) session.upWithIp6(IP6, IP4)
  }

  /** Its end follows in time. */
  #terminate(why: Cause | undefined): void {
    const session = this.#session
    if (!session) return
    const failure = { cause: why ?? 'hung-up', detail: 'seen' } as const
    this.#ending.add(session)
    session.phase('terminate', why && failure)
    this.rig.clock.at(this.rig.clock.nowMs() + 6000, () => session.down(failure, 16))
  }

  #deafen(): void {
    const session = this.#session
    if (!session) return
    session.isDeaf = true
    session.lost = () => {}
  }

  /** As the modem's call desk does: its word stays the reason. */
  #endCall(place: number, why: Cause, line: 'works' | 'is dead'): void {
    const call = this.#calls[place]
    if (!call || call.endedBy !== undefined) return
    const failure = { cause: why, detail: 'the modem says so' }
    call.reason = failure
    call.lose(failure, line)
  }

  /** What the network will say, where the call was never up: it carries one kind of address alone. */
  #limit(place: number, ip: '4' | '6', isCertain: boolean): void {
    const call = this.#calls[place]
    if (!call || call.isEstablished || call.endedBy !== undefined) return
    call.reason = { cause: 'no-carrier', detail: 'one kind alone', ipLimit: { ip, isCertain } }
    call.established = () => {
      call.isEstablished = true
      call.reason = undefined
    }
  }

  #openSessions() {
    return this.rig.engine.sessions.filter(({ isDown }) => !isDown)
  }

  #endDial(place: number, failure: Cause | undefined): void {
    const dial = this.#sockets[place]?.dials.at(-1)
    if (!dial || dial.isOver()) return
    if (failure) dial.fail({ cause: failure, detail: 'seen' })
    else this.#calls[place] = dial.connect()
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
    modem.snapshot = { ...modem.snapshot, sim: { ...modem.snapshot.sim, iccid: this.#sims[place]! } }
    if (this.#isWell) this.#answer(modem)
    this.rig.fleet.plug(modem)
  }

  #answer(modem: FakeModem): void {
    const { clock } = this.rig
    // Else a radio that is being switched off and on is afterwards as it was before.
    modem.enable = async () => this.#set(this.#sockets.indexOf(modem), STATES.registered!)
    modem.onDial = (dial) =>
      void clock.at(clock.nowMs() + 10, () => {
        if (!dial.isOver()) this.#calls[this.#sockets.indexOf(modem)] = dial.connect()
      })
  }

  #unplug(place: number): void {
    const modem = this.#sockets[place]
    this.#sockets[place] = undefined
    if (modem) this.rig.fleet.unplug(modem)
  }

  #set(place: number, change: Partial<ModemSnapshot>): void {
    const modem = this.#sockets[place]
    modem?.set({ ...change, sim: { ...(change.sim ?? modem.snapshot.sim), iccid: this.#sims[place]! } })
  }

  /** Ends a link that goes round and round with an error, which would else hold up the test for ever. */
  #watchRounds(): void {
    let changes = 0
    let sinceMs = 0
    for (const link of this.rig.supervisor.links)
      link.onChange((next, previous) => {
        this.odd ??= oddityOf(next, previous)
        const nowMs = this.rig.clock.nowMs()
        changes = nowMs === sinceMs ? changes + 1 : 0
        sinceMs = nowMs
        if (changes < MOST_CHANGES_AT_ONCE) return
        this.round ??= `${link.snapshot.id} goes round and round`
        throw new Error(this.round)
      })
  }
}

const AT_REST = ['idle', 'failed', 'waiting']
const AFTER_GOING_DOWN = ['going-down', 'dialling', ...AT_REST]

/** What does not fit together in what a link shows; undefined: nothing. */
function oddityOf(next: LinkSnapshot, previous: LinkSnapshot): string | undefined {
  const { state, cause: why, causeDetail, causeAtUs, advice, ip4, ip6, upSinceUs } = next
  const step = `${next.id}: ${previous.state} → ${state}`
  if (previous.state === 'going-down' && !AFTER_GOING_DOWN.includes(state)) return step
  if (new Set([why, causeDetail, causeAtUs].map((each) => each === undefined)).size > 1 || (advice && !why))
    return `${step}: half a cause (${why}, ${causeDetail}, ${causeAtUs}, ${advice})`
  if (state === 'idle' && why !== undefined && why !== 'user-request') return `${step}: idle for ${why}`
  const session = [next.interface, ip4, ip6, upSinceUs].filter((each) => each !== undefined)
  if (AT_REST.includes(state) && session.length > 0) return `${step}: shows a session`
  if (state === 'up' && (next.interface === undefined || upSinceUs === undefined || !(ip4 || ip6)))
    return `${step}: shows no session`
  return undefined
}
