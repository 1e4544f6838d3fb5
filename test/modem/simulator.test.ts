/** The fleet against modem-sim: real ptys, a real tree below a root, real uevents of a network namespace. */

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from '../../src/base/ports.ts'
import { createFleet, type Fleet } from '../../src/modem/fleet.ts'
import type { Call, DialError, ModemHandle, ModemSnapshot, ModemState } from '../../src/modem/snapshot.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import { systemClock, systemRandom } from '../../src/system/clock.ts'
import { listenUevents } from '../../src/system/uevents.ts'
import { RunningSim } from '../sim/running-sim.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'

/** How long to wait for what must come; no test measures by it. */
const LIMIT_MS = 20_000

class Bench {
  readonly sim: RunningSim
  readonly removed: ModemHandle[] = []
  readonly #t: TestContext
  #fleet: Fleet | undefined

  constructor(t: TestContext, args: readonly string[]) {
    this.#t = t
    this.sim = new RunningSim(t, ['--root', 'FOLDER', ...args])
    t.after(async () => {
      await this.#fleet?.close()
    })
  }

  get modem(): ModemHandle {
    const modem = this.#fleet?.modems[0]
    assert.ok(modem, 'a modem is there')
    return modem
  }

  get snapshot(): ModemSnapshot | undefined {
    return this.#fleet?.modems[0]?.snapshot
  }

  get count(): number {
    return this.#fleet?.modems.length ?? 0
  }

  async startFleet(pin?: string): Promise<void> {
    await this.#fleet?.close()
    const root = this.sim.folder
    this.#fleet = createFleet({
      root,
      stateDirectory: join(root, 'var/lib/modemd'),
      settings: { allow: ['auto'], ignore: [], devices: [] },
      openWire: createWireOpener({ root, clock: systemClock, logger: silentLogger }),
      listenUevents,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      pinFor: () => pin,
    })
    this.#fleet.onRemoved((modem) => this.removed.push(modem))
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const giveUpAtMs = performance.now() + LIMIT_MS
    while (!isSo()) {
      const seen = this.#fleet?.modems.map(({ snapshot }) => `${snapshot.state} ${snapshot.failure?.detail ?? ''}`)
      assert.ok(performance.now() < giveUpAtMs, `waited in vain until ${what}: ${seen?.join()}`)
      await delay(5)
    }
  }

  async is(state: ModemState): Promise<void> {
    await this.until(`it is ${state}`, () => this.snapshot?.state === state)
  }

  dial(timeoutMs = LIMIT_MS): Promise<Call> {
    const signal = new AbortController().signal
    return this.modem.dial({ apn: 'internet', number: '*99#', ipType: '4', cid: 'auto', timeoutMs, signal })
  }

  async spentTries(): Promise<{ spent: number; refused: number }> {
    const { modems } = await this.sim.ctl('stats')
    return modems[0].sim
  }

  note(what: string, sinceMs: number): void {
    this.#t.diagnostic(`${what} after ${Math.round(performance.now() - sinceMs)} ms`)
  }
}

async function failureOf(dialling: Promise<Call>): Promise<DialError['failure']> {
  return dialling.then(
    () => assert.fail('the dial succeeded'),
    (error: DialError) => error.failure,
  )
}

if (inNamespace(import.meta.url, needs('unshare'))) {
  test('plug, register, dial, hang-up by the operator, redial, unplug', async (t) => {
    const bench = new Bench(t, ['--latency', '0', '--register-after', '0', '--unplugged', '--pin', '1234'])
    await bench.sim.ready()
    await bench.startFleet('1234')
    const startMs = performance.now()
    await bench.sim.ctl('plug')
    await bench.until('it is exported', () => bench.count === 1)
    bench.note('exported', startMs)
    await bench.is('registered')
    bench.note('registered', startMs)
    const call = await bench.dial()
    assert.equal(call.report, 'CONNECT 150000000')
    assert.equal(call.connectSpeed, 150_000_000)
    let heard = ''
    call.wire.listen({
      data: (bytes) => {
        heard += Buffer.from(bytes).toString('latin1')
      },
      drain() {},
      closed() {},
    })
    call.established()
    // CONNECT's line ends with its CR: what the modem says behind that is read by PPP, which passes over a line feed.
    await bench.until('the operator speaks PPP', () => /^\n?~/.test(heard))
    await bench.sim.ctl('hangup')
    await bench.until('the modem says so', () => /NO CARRIER/.test(heard))
    const hungUpMs = performance.now()
    await call.hangUp({ cause: 'hung-up', detail: 'NO CARRIER' })
    const again = await bench.dial()
    bench.note('redialled', hungUpMs)
    assert.equal(again.report, 'CONNECT 150000000')
    await bench.sim.ctl('unplug')
    await bench.until('it is gone', () => bench.removed.length === 1)
    await again.hangUp()
    assert.equal(bench.removed[0]?.snapshot.failure?.cause, 'modem-gone')
    await bench.sim.ctl('plug')
    await bench.is('registered')
  })

  test('a call that stands is ended from our side', async (t) => {
    const bench = new Bench(t, ['--latency', '0', '--register-after', '0'])
    await bench.sim.ready()
    await bench.startFleet()
    await bench.is('registered')
    const call = await bench.dial()
    call.wire.listen({ data() {}, drain() {}, closed() {} })
    await call.hangUp()
    const { modems } = await bench.sim.ctl('stats')
    assert.equal(modems[0].call, 'none')
    assert.match(await bench.modem.imsi(), /^\d{15}$/)
  })

  test('a wrong PIN is tried once, over re-plugging and restarts of the daemon', async (t) => {
    const bench = new Bench(t, ['--latency', '0', '--pin', '1234'])
    await bench.sim.ready()
    for (let round = 0; round < 3; round++) {
      await bench.startFleet('9999')
      await bench.until('it is refused', () => bench.snapshot?.failure?.cause === 'sim-pin-refused')
      assert.deepEqual(await bench.spentTries().then(({ spent, refused }) => [spent, refused]), [1, 1])
      await bench.sim.ctl('unplug')
      await bench.until('it is gone', () => bench.count === 0)
      await bench.sim.ctl('plug')
    }
    await bench.is('locked')
    await bench.modem.sendPin('1234', 'person')
    await bench.is('registered')
    rmSync(join(bench.sim.folder, 'var'), { recursive: true })
  })

  test('an E173: its port roles, its reports, its CONNECT', async (t) => {
    const bench = new Bench(t, ['--personality', 'huawei-e173', '--latency', '1', '--register-after', '100ms'])
    await bench.sim.ready()
    await bench.startFleet()
    await bench.is('registered')
    assert.equal(bench.modem.snapshot.model, 'E173')
    assert.deepEqual(
      bench.modem.snapshot.ports.map(({ role }) => role),
      ['data', 'diag', 'at'],
    )
    await bench.sim.ctl('signal', '-81')
    await bench.until('it reports its signal', () => bench.snapshot?.signal?.source === '^RSSI')
    assert.equal(bench.modem.snapshot.signalDbm, -81)
    const call = await bench.dial()
    assert.equal(call.connectSpeed, 7_200_000)
  })

  for (const [fault, cause] of [
    ['busy', 'busy'],
    ['no-carrier', 'no-carrier'],
    ['no-dialtone', 'no-dialtone'],
    ['no-answer', 'no-answer'],
  ] as const)
    test(`a dial that ends with ${fault}, and the next one that does not`, async (t) => {
      const bench = new Bench(t, ['--latency', '0', '--register-after', '0'])
      await bench.sim.ready()
      await bench.startFleet()
      await bench.is('registered')
      await bench.sim.ctl('fault', fault)
      assert.equal((await failureOf(bench.dial())).cause, cause)
      assert.equal((await bench.dial()).report, 'CONNECT 150000000')
    })

  for (const fault of [
    'garbage 16 times=always',
    'split 1 times=always',
    'unsolicited-inside times=always',
    'echo-flip times=always',
    'duplicated times=always',
    'final-lost on=+CGDCONT?',
    'error-n-times 5 on=+CPIN?',
  ])
    test(`a modem that suffers from ${fault} is registered and dialled all the same`, async (t) => {
      const bench = new Bench(t, ['--latency', '1', '--register-after', '0', '--seed', '7', '--fault', fault])
      await bench.sim.ready()
      await bench.startFleet()
      await bench.is('registered')
      assert.equal((await bench.dial()).report, 'CONNECT 150000000')
    })

  test('no SIM, and a network that denies', async (t) => {
    const empty = new Bench(t, ['--latency', '0', '--no-sim'])
    await empty.sim.ready()
    await empty.startFleet()
    await empty.is('absent-sim')
    assert.equal(empty.modem.snapshot.failure?.cause, 'sim-absent')

    const denied = new Bench(t, ['--latency', '0', '--register-after', '0', '--network', 'denied'])
    await denied.sim.ready()
    await denied.startFleet()
    await denied.until('it is denied', () => denied.snapshot?.registration === 'denied')
    assert.equal(denied.modem.snapshot.state, 'searching')
  })
}
