/**
 * The PIN rule (DESIGN §7.1) over the whole of src/modem: fleets that live, die and lose power around SIMs that count, with all
 * callers there are: profiles, a program like NetworkManager that sends its PIN whenever it can, people, the console, chat scripts.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ModemHandle } from '../../src/modem/snapshot.ts'
import { SimCard } from '../../src/sim/sim-card.ts'
import { FleetBench } from './support/fleet-bench.ts'
import type { ScriptedPort } from './support/scripted-modem.ts'

const PINS = ['1111', '2222', '3333', '4444'] as const
const RIGHT: Readonly<Record<string, string>> = { '8934071100000000017': '1111', '8934071100000000025': '3333' }
const CARDS = Object.keys(RIGHT)
const LEDGER_FILES = ['pin-ledger.json', 'pin-ledger.key', 'modem-ids.json', 'ports.json']

type Fault = 'none' | 'lost' | 'ERROR' | 'busy' | 'lies' | 'cut-before' | 'cut-after'

/** What a person may try on the console or in a script; `PIN` becomes the number. */
const FORMS = [
  'AT+CPIN="PIN"',
  'at +cpin = PIN',
  'AT+CSQ;+CPIN="PIN"',
  'AT+CPIN?;+CPIN=PIN',
  'AT+CPIN2="PIN"',
  'AT^CPIN="PIN"',
  'AT#CPIN=PIN',
  'AT+CLCK="SC",0,"PIN"',
  'AT+CPWD="SC","PIN","9999"',
  'ATD**04*PIN*9999*9999#;',
] as const

const pin = fc.constantFrom(...PINS)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('network-manager' as const), pin }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('person' as const, 'last-try' as const), pin }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), pin }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('profile' as const), pin: fc.option(pin, { nil: undefined }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('replug' as const, 'restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('swap' as const, 'swap-live' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('console' as const, 'chat' as const),
      pin,
      form: fc.constantFrom(...FORMS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('hide-tries' as const, 'hide-iccid' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom<Fault>('lost', 'ERROR', 'busy', 'lies', 'cut-before', 'cut-after'),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

class World {
  readonly card = new SimCard({ isInserted: true, pin: undefined, pinTries: 3, puk: '12345678' })
  profilePin: string | undefined
  hidesTries = false
  hidesIccid = false
  fault: Fault = 'none'
  /** Digits of every line that the modem got, whatever it did with them. */
  readonly lines: string[] = []
  #iccid = CARDS[0]!
  #bench = this.#newBench()
  #isCut = false
  #saved = new Map<string, string>()

  constructor() {
    this.card.take(this.#iccid, RIGHT[this.#iccid])
    this.#plug()
  }

  async settle(): Promise<void> {
    await this.#bench.clock.advance(40_000)
    if (!this.#isCut) return
    await this.restart()
  }

  get modem(): ModemHandle | undefined {
    return this.#bench.fleet.modems[0]
  }

  /** Settles, with an error or without: a daemon that lost its power answers nothing. */
  async run(command: (modem: ModemHandle) => Promise<unknown>): Promise<void> {
    const { modem } = this
    if (modem) void command(modem).catch(() => {})
    await this.settle()
  }

  async replug(): Promise<void> {
    this.#bench.unplug('1-2', 'ttyUSB0', 'ttyUSB1')
    await this.#bench.clock.advance(1000)
    this.#plug()
    await this.settle()
  }

  /** Of the machine: what was not on disk is lost, and the SIM has lost its power. */
  async restart(): Promise<void> {
    const saved = this.#isCut ? this.#saved : this.#readState()
    this.#isCut = false
    await this.#bench.dispose()
    this.#bench = this.#newBench()
    mkdirSync(this.#bench.stateDirectory, { recursive: true })
    for (const [name, text] of saved) writeFileSync(join(this.#bench.stateDirectory, name), text)
    this.#plug()
    await this.settle()
  }

  takeOther(): void {
    this.#iccid = CARDS.find((each) => each !== this.#iccid)!
    this.card.take(this.#iccid, RIGHT[this.#iccid])
  }

  async swapLive(): Promise<void> {
    this.card.remove()
    this.#bench.ports.get('/dev/ttyUSB1')?.report('+CPIN: NOT INSERTED')
    await this.settle()
    this.takeOther()
    this.card.insert()
    this.#bench.ports.get('/dev/ttyUSB1')?.report('+SIM INSERTED')
    await this.settle()
  }

  async dispose(): Promise<void> {
    await this.#bench.dispose()
  }

  #newBench(): FleetBench {
    return new FleetBench({ pinFor: () => this.profilePin })
  }

  #plug(): void {
    this.card.powerCycle()
    this.#bench.plug({ answer: (command, port) => this.#answer(command, port) })
    this.#bench.fleet.rescan()
  }

  #readState(): Map<string, string> {
    const path = (name: string) => join(this.#bench.stateDirectory, name)
    return new Map(
      LEDGER_FILES.filter((name) => existsSync(path(name))).map((name) => [name, readFileSync(path(name), 'utf8')]),
    )
  }

  #answer(command: string, port: ScriptedPort): string | undefined {
    if (this.#isCut) return ''
    if (port.mode !== 'command') return undefined
    const { card } = this
    if (command === 'AT+CPIN?') return card.word ? `+CPIN: ${card.word}\nOK` : '+CME ERROR: 10'
    if (command === 'AT+CCID') return this.hidesIccid ? 'ERROR' : `+CCID: ${this.#iccid}\nOK`
    if (command === 'AT+CPINR')
      return this.hidesTries ? 'ERROR' : `+CPINR: SIM PIN,${card.pinTries},3\n+CPINR: SIM PUK,${card.pukTries},10\nOK`
    if (command === 'AT+CLCK="SC",2') return `+CLCK: ${card.asksForPin ? 1 : 0}\nOK`
    const numbers = [...command.matchAll(/\d{4}/g)].map(([digits]) => digits)
    if (!/(CPIN2?|CPWD|CLCK) *=|\*\*0[45]/i.test(command)) return undefined
    this.lines.push(command)
    return this.#present(command, numbers)
  }

  #present(command: string, [first = '', second = '']: readonly string[]): string {
    const { fault } = this
    this.fault = 'none'
    if (fault === 'busy') return '+CME ERROR: 14'
    // The ledger must be on disk by now: this is all that the next daemon knows.
    if (fault === 'cut-before' || fault === 'cut-after') {
      this.#isCut = true
      this.#saved = this.#readState()
    }
    if (fault === 'cut-before') return ''
    const answer = /CPWD/i.test(command) ? this.card.changePin(first, second) : this.card.verifyPin(first)
    if (fault === 'lost' || fault === 'cut-after') return ''
    if (fault === 'ERROR' || fault === 'lies') return fault === 'lies' ? 'OK' : 'ERROR'
    return answer === 'ok' ? 'OK' : '+CME ERROR: 16'
  }
}

async function live(world: World, one: Step): Promise<void> {
  switch (one.kind) {
    case 'network-manager':
      return world.run((modem) => Promise.allSettled([1, 2, 3].map(() => modem.sendPin(one.pin, 'automatic'))))
    case 'person':
      return world.run((modem) => modem.sendPin(one.pin, 'person'))
    case 'last-try':
      return world.run((modem) => modem.sendPin(one.pin, 'person-last-try'))
    case 'change':
      return world.run((modem) => modem.changePin(one.pin, one.pin, 'person'))
    case 'profile':
      world.profilePin = one.pin
      return world.settle()
    case 'replug':
      return world.replug()
    case 'restart':
      return world.restart()
    case 'swap':
      world.takeOther()
      return world.replug()
    case 'swap-live':
      return world.swapLive()
    case 'console':
      return world.run((modem) =>
        modem.console!.command({ line: one.form.replace('PIN', one.pin), timeoutMs: 2000, isForced: true }),
      )
    case 'chat':
      return world.run((modem) =>
        modem.dial({
          apn: 'internet',
          number: '*99#',
          ipType: '4',
          cid: 'auto',
          timeoutMs: 5000,
          chatScript: `'' '${one.form.replace('PIN', one.pin)}' OK ATD*99# CONNECT`,
          signal: new AbortController().signal,
        }),
      )
    case 'hide-tries':
      world.hidesTries = !world.hidesTries
      return
    case 'hide-iccid':
      world.hidesIccid = !world.hidesIccid
      return
    case 'fault':
      world.fault = one.fault
  }
}

const CALLER: Readonly<Partial<Record<Step['kind'], string>>> = {
  person: 'person',
  change: 'person',
  'last-try': 'last-try',
  console: 'nobody',
  chat: 'nobody',
}

test('whoever asks and whatever happens, no SIM is locked by us', async () => {
  let automatic = 0
  let wrong = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      const world = new World()
      const refused = new Set<string>()
      let seen = 0
      let lines = 0
      const judge = (caller: string) => {
        for (const { iccid, digits, answer, triesLeft } of world.card.presented.slice(seen)) {
          assert.notEqual(caller, 'nobody', 'the SIM got a PIN by a way around the rule')
          assert.ok(answer === 'ok' || !refused.has(`${iccid} ${digits}`), `${digits} was sent twice`)
          if (answer === 'wrong') refused.add(`${iccid} ${digits}`)
          assert.ok(caller !== 'automatic' || triesLeft >= 3, `automatic with ${triesLeft} left`)
          assert.ok(caller !== 'person' || triesLeft >= 2, 'the last try without being told')
          if (caller === 'automatic') automatic++
          if (answer === 'wrong') wrong++
        }
        seen = world.card.presented.length
        if (caller === 'nobody') assert.deepEqual(world.lines.slice(lines), [], 'the modem got the line')
        lines = world.lines.length
      }
      try {
        await world.settle()
        judge('automatic')
        for (const one of steps) {
          await live(world, one)
          judge(CALLER[one.kind] ?? 'automatic')
        }
      } finally {
        await world.dispose()
      }
    }),
    { seed: 20_261_122, numRuns: 60 },
  )
  assert.ok(automatic > 20 && wrong > 20, `the world is not dull: ${automatic} automatic, ${wrong} wrong`)
})

test('the power goes in the middle of a try: it counts as refused, whoever asks again', async () => {
  for (const fault of ['cut-before', 'cut-after', 'lost'] as const) {
    for (const caller of ['automatic', 'person', 'person-last-try'] as const) {
      const world = new World()
      try {
        await world.settle()
        world.hidesTries = fault === 'cut-after'
        world.fault = fault
        for (const again of [caller, caller, 'person-last-try'] as const)
          await world.run((modem) => modem.sendPin('2222', again))
        assert.deepEqual(
          world.lines.filter((line) => line.includes('2222')),
          ['AT+CPIN="2222"'],
          `${fault}, ${caller}`,
        )
      } finally {
        await world.dispose()
      }
    }
  }
})
