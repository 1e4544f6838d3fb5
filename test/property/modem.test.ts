/**
 * The modem under everything at once, on virtual time: wishes of people and programs, refusals, silence, a SIM and a network that come
 * and go, a device that is replugged, in any order and overlap. Afterwards all is well again, and so must the modem be.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Call, ModemHandle } from '../../src/modem/snapshot.ts'
import { FleetBench, TWO_PORTS } from '../modem/support/fleet-bench.ts'
import type { ScriptedModem, ScriptedPort } from '../modem/support/scripted-modem.ts'

const SEED = 23_118
const RUNS = 60
const PIN = '1234'
const MINUTE_MS = 60_000
/** No command to a modem takes longer, whatever it meets. */
const LONGEST_MS = 5 * MINUTE_MS

interface Kind {
  readonly hasOnePort: boolean
  readonly isLocked: boolean
  /** What a profile has; wrong ones must cost one try only. */
  readonly pin: 'none' | 'right' | 'wrong'
  readonly latencyMs: number
  readonly off: 0 | 4
  /** Without its radio it shows no SIM. */
  readonly hidesSim: boolean
  readonly knowsReports: boolean
}

const kinds: fc.Arbitrary<Kind> = fc.record({
  hasOnePort: fc.boolean(),
  isLocked: fc.boolean(),
  pin: fc.constantFrom('none', 'right', 'right', 'wrong'),
  latencyMs: fc.constantFrom(0, 0, 20),
  off: fc.constantFrom(0, 4),
  hidesSim: fc.boolean(),
  knowsReports: fc.boolean(),
})

const DEEDS = [
  'dial',
  'dial',
  'hang-up',
  'cancel',
  'disable',
  'enable',
  'enable',
  'reset',
  'wake',
  'rescan',
  'inhibit',
  'replug',
  'port-ends',
  'deaf',
  'heard',
  'refuses',
  'takes-all',
  'radio-off',
  'sim-out',
  'sim-busy',
  'sim-in',
  'lost',
  'denied',
  'found',
  'no-carrier',
  'context-gone',
  'unlock',
  'scan',
  'register',
] as const
type Deed = (typeof DEEDS)[number]

const deeds = fc.array(
  fc.record({ deed: fc.constantFrom(...DEEDS), pauseMs: fc.constantFrom(0, 1, 40, 300, 2000, 20_000, 90_000) }),
  { minLength: 5, maxLength: 40 },
)

class World {
  readonly bench: FleetBench
  readonly #kind: Kind
  #modem!: ScriptedModem
  #cfun = 1
  #sim: 'in' | 'out' | 'busy' = 'in'
  #isLocked = false
  #refuses = false
  #call: Call | undefined
  #cancel = new AbortController()
  readonly #pending = new Map<string, number>()
  readonly pins: string[] = []
  /** What took too long. */
  readonly late: string[] = []
  #asked = 0

  constructor(kind: Kind) {
    this.#kind = kind
    const pin = kind.pin === 'none' ? undefined : kind.pin === 'right' ? PIN : '9999'
    this.bench = new FleetBench({ latencyMs: kind.latencyMs, pinFor: () => pin })
    this.bench.fleet
    this.#isLocked = kind.isLocked
    this.#plug()
  }

  get handle(): ModemHandle | undefined {
    return this.bench.fleet.modems[0]
  }

  async live(deed: Deed, pauseMs: number): Promise<void> {
    this.#do(deed)
    await this.advance(pauseMs)
  }

  async advance(ms: number): Promise<void> {
    await this.bench.clock.advance(ms)
    const nowMs = this.bench.clock.nowMs()
    for (const [name, sinceMs] of this.#pending)
      if (nowMs - sinceMs > LONGEST_MS) {
        this.#pending.delete(name)
        this.late.push(name)
      }
  }

  /** All that is not a person's wish is as it should be. */
  async heal(): Promise<void> {
    this.#cancel.abort()
    this.#do('takes-all')
    this.#do('heard')
    this.#do('sim-in')
    this.#do('found')
    await this.advance(MINUTE_MS)
    this.#ask('hang-up', async () => this.#call?.hangUp())
    await this.advance(MINUTE_MS)
    // Nobody tells that the SIM is back.
    if (!this.#kind.knowsReports) this.#do('wake')
    await this.advance(2 * LONGEST_MS)
    // The first may find out only that there is a SIM.
    for (let tries = 0; tries < 2; tries++) {
      if (this.handle?.snapshot.state === 'locked') this.#ask('unlock', async () => this.handle?.sendPin(PIN, 'person'))
      await this.advance(2 * LONGEST_MS)
    }
  }

  #do(deed: Deed): void {
    const { bench, handle } = this
    const radio = (registration: number) => {
      this.#modem.registration = registration
      this.#report(`+CEREG: ${registration},"1F4A","00C0A301",7`)
    }
    const ask = (step: () => Promise<unknown> | undefined) => this.#ask(deed, async () => step())
    const deeds: Readonly<Record<Deed, () => void>> = {
      dial: () => this.#dial(),
      'hang-up': () => ask(() => this.#call?.hangUp({ cause: 'hung-up', detail: 'a test' })),
      cancel: () => this.#cancel.abort(),
      disable: () => ask(() => handle?.disable()),
      enable: () => ask(() => handle?.enable()),
      reset: () => ask(() => handle?.reset(false)),
      wake: () => bench.fleet.wake(),
      rescan: () => bench.fleet.rescan(),
      inhibit: () => ask(() => handle && this.#inhibit(handle)),
      replug: () => {
        bench.unplug('1-2', ...this.#ttys)
        this.#plug()
      },
      'port-ends': () => [...bench.ports.values()].at(-1)?.close(),
      deaf: () => {
        this.#modem.isDeaf = true
      },
      heard: () => {
        this.#modem.isDeaf = false
      },
      refuses: () => {
        this.#refuses = true
      },
      'takes-all': () => {
        this.#refuses = false
      },
      'radio-off': () => {
        this.#cfun = this.#kind.off
        this.#report('+CEREG: 0')
      },
      'sim-out': () => {
        this.#sim = 'out'
        this.#isLocked = this.#kind.isLocked
        this.#report('+CPIN: NOT INSERTED')
      },
      'sim-busy': () => {
        this.#sim = 'busy'
      },
      'sim-in': () => {
        this.#sim = 'in'
        this.#report(this.#isLocked ? '+CPIN: SIM PIN' : '+CPIN: READY')
      },
      lost: () => radio(2),
      denied: () => radio(3),
      found: () => radio(1),
      'no-carrier': () => {
        for (const port of bench.ports.values()) if (port.mode === 'data') port.hangUp()
      },
      'context-gone': () => this.#report('+CGEV: NW DETACH'),
      unlock: () => ask(() => handle?.sendPin(PIN, 'person')),
      scan: () => ask(() => handle?.scan()),
      register: () => ask(() => handle?.register('')),
    }
    deeds[deed]()
  }

  async #inhibit({ snapshot }: ModemHandle): Promise<void> {
    const { fleet, clock } = this.bench
    clock.at(clock.nowMs() + 3000, await fleet.inhibit(snapshot.device))
  }

  #dial(): void {
    const { handle } = this
    this.#cancel = new AbortController()
    const { signal } = this.#cancel
    this.#ask('dial', async () => {
      if (!handle) return
      const call = await handle.dial({
        apn: 'internet',
        number: '*99#',
        ipType: '4',
        cid: 'auto',
        timeoutMs: 20_000,
        signal,
      })
      this.#call = call
      call.onEnd?.((failure) => void call.hangUp(failure))
      call.established()
    })
  }

  /** Whether it does what it is told is not asked here, only that it answers. */
  #ask(name: string, step: () => Promise<unknown>): void {
    const key = `${name} ${++this.#asked}`
    this.#pending.set(key, this.bench.clock.nowMs())
    void step()
      .catch((error: unknown) => assert.ok(error instanceof Error))
      .finally(() => this.#pending.delete(key))
  }

  get #ttys(): string[] {
    return this.#kind.hasOnePort ? ['ttyUSB0'] : ['ttyUSB0', 'ttyUSB1']
  }

  #plug(): void {
    this.#isLocked = this.#kind.isLocked
    this.#cfun = 1
    const isDeaf = this.#modem?.isDeaf ?? false
    const registration = this.#modem?.registration ?? 1
    const interfaces = TWO_PORTS.slice(0, this.#ttys.length)
    this.#modem = this.bench.plug({ answer: (command, port) => this.#answer(command, port) }, { interfaces })
    Object.assign(this.#modem, { isDeaf, registration })
  }

  #report(line: string): void {
    for (const port of this.bench.ports.values())
      if (port.mode === 'command' && this.#kind.knowsReports) port.report(line)
  }

  #answer(command: string, _port: ScriptedPort): string | undefined {
    const isOn = this.#cfun === 1
    const hasSim = this.#sim === 'in' && (isOn || !this.#kind.hidesSim)
    const [, radio] = /^AT\+CFUN=(\d)/.exec(command) ?? []
    const [, pin] = /^AT\+CPIN="(\d+)"/.exec(command) ?? []
    if (/^ATE?0?$|^AT\+(CGSN|CGMI|CMEE)/.test(command)) return undefined
    if (pin !== undefined) {
      this.pins.push(pin)
      if (pin !== PIN) return '+CME ERROR: 16'
      this.#isLocked = false
      return 'OK'
    }
    if (this.#refuses && !/\+CPINR|\?$/.test(command)) return '+CME ERROR: 14'
    if (command === 'AT+CFUN?') return `+CFUN: ${this.#cfun}\nOK`
    if (radio !== undefined) {
      this.#cfun = radio === '1' ? 1 : this.#kind.off
      return 'OK'
    }
    if (command === 'AT+CPIN?') {
      if (hasSim) return `+CPIN: ${this.#isLocked ? 'SIM PIN' : 'READY'}\nOK`
      return this.#sim === 'busy' ? '+CME ERROR: 14' : '+CME ERROR: 10'
    }
    if (/^AT\+C[GE]?REG=/.test(command) && !this.#kind.knowsReports) return 'ERROR'
    const isIn = isOn && hasSim && !this.#isLocked
    if (command === 'AT+CEREG?' && !isIn) return '+CEREG: 2,0\nOK'
    if (/^ATD/.test(command) && !isIn) return 'NO CARRIER'
    if (command === 'AT+CGACT?') return `+CGACT: 1,${this.#modem.ports.some(({ mode }) => mode === 'data') ? 1 : 0}\nOK`
    return undefined
  }
}

test('whatever happens to a modem, it ends registered where nobody switched it off, and every command ends', async () => {
  await fc.assert(
    fc.asyncProperty(kinds, deeds, async (kind, life) => {
      const world = new World(kind)
      try {
        for (const { deed, pauseMs } of life) await world.live(deed, pauseMs)
        await world.heal()
        assert.deepEqual(world.late, [], 'a command did not end')
        const { state, stateReason, sim } = world.handle?.snapshot ?? { state: 'none', stateReason: '', sim: {} }
        const wishes = life.flatMap(({ deed }) => (deed === 'enable' || deed === 'disable' ? deed : []))
        const states = wishes.at(-1) === 'disable' ? ['registered', 'disabled'] : ['registered']
        assert.ok(states.includes(state), `${state}: ${stateReason} ${JSON.stringify(sim)}`)
        assert.ok(world.pins.filter((pin) => pin !== PIN).length <= 1, 'a wrong PIN was sent twice')
      } finally {
        await world.bench.dispose()
      }
      // What is on its way on the line.
      await world.bench.clock.advance(MINUTE_MS)
      assert.equal(world.bench.clock.pending, 0, 'a timer is left')
    }),
    { seed: SEED, numRuns: RUNS },
  )
})
