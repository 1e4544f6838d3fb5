/** An operator that is away for an hour is not hammered: at most 60 dials, whatever the cause, the profile's rules and chance. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAUSES, type Cause } from '../../src/base/cause.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, Rig } from './rig.ts'

const HOUR_MS = 3_600_000
const MOST_DIALS = 60
const SEEDS = [1, 2, 3]

/** `''`: the standard rule. */
const RULES = ['', '1ms', '1s*1.1..2s', '1h']
const REDIALLED = CAUSES.filter((cause) => cause !== 'user-request')

function profile(cause: Cause, rule: string, resetAfter: number): string {
  return `${AUTO}[redial]\nreset-after = ${resetAfter}\n${rule === '' ? '' : `${cause} = ${rule}\n`}`
}

/** What the operator does with each dial; dials of all modems that there were are counted. */
async function anHour(rig: Rig, happens: (rig: Rig) => void): Promise<number> {
  const modems = new Set<FakeModem>()
  const count = () => [...modems].reduce((sum, { dials }) => sum + dials.length, 0)
  await rig.settle()
  for (;;) {
    for (const modem of rig.fleet.modems) modems.add(modem)
    happens(rig)
    for (const modem of rig.fleet.modems) modems.add(modem)
    if (!(await rig.clock.step(HOUR_MS))) return count()
    assert.ok(count() <= MOST_DIALS, `${count()} dials in ${Math.round(rig.clock.nowMs() / 1000)} s`)
  }
}

function failDial(rig: Rig, cause: Cause): boolean {
  const dial = rig.fleet.modems[0]?.dials.at(-1)
  if (!dial || dial.isOver()) return false
  dial.fail({ cause, detail: 'seen' })
  return true
}

for (const rule of RULES) {
  test(`every cause, with the rule ${rule || 'of the table'}, and the link is up again after it`, async () => {
    for (const cause of REDIALLED) {
      for (const seed of SEEDS) {
        const rig = new Rig({ demo: profile(cause, rule, seed) }, { seed })
        const dials = await anHour(rig, () => failDial(rig, cause))
        assert.ok(dials >= 1)
        const { state, nextAttemptAtUs } = rig.link().snapshot
        if (state === 'failed') {
          assert.equal(nextAttemptAtUs, 0n)
          continue
        }
        while (rig.state() !== 'dialling') assert.ok(await rig.clock.step(), `${cause} goes on`)
        await rig.answer()
        assert.equal(rig.state(), 'up', cause)
        await rig.supervisor.close()
      }
    }
  })
}

for (const upMs of [0, 1000, 59_000, 61_000]) {
  test(`a link that falls ${upMs / 1000} s after it was up, again and again`, async () => {
    for (const cause of ['hung-up', 'echo-lost', 'no-address'] as const) {
      const rig = new Rig({ demo: profile(cause, '1ms', 2) })
      let fallsAtMs = Number.POSITIVE_INFINITY
      const dials = await anHour(rig, () => {
        const dial = rig.dial
        if (!dial.isOver()) {
          rig.engine.onOpen = (session) => queueMicrotask(() => session.up())
          dial.connect()
          fallsAtMs = rig.clock.nowMs() + upMs
          rig.clock.at(fallsAtMs, () => rig.session.down({ cause, detail: 'seen' }, 16))
        }
      })
      assert.ok(dials > 20, `${dials}: it is dialled`)
    }
  })
}

test('a network that the modem loses with each dial and finds again at once', async () => {
  for (const cause of ['no-network', 'no-carrier', 'modem-silent'] as const) {
    const rig = new Rig({ demo: profile(cause, '1ms', 3) })
    await anHour(rig, () => {
      if (!failDial(rig, cause)) return
      const { modem } = rig
      rig.clock.at(rig.clock.nowMs() + 10, () => modem.set({ state: 'searching', registration: 'searching' }))
      rig.clock.at(rig.clock.nowMs() + 20, () => modem.set({ state: 'registered', registration: 'home' }))
    })
  }
})

test('a SIM that comes loose with each dial', async () => {
  const rig = new Rig({ demo: AUTO })
  await anHour(rig, () => {
    const { modem } = rig
    if (modem.dials.at(-1)?.isOver() !== false) return
    const call = rig.dial.connect()
    call.reason = { cause: 'sim-absent', detail: 'the SIM is gone' }
    rig.clock.at(rig.clock.nowMs() + 10, () => {
      modem.set({ state: 'absent-sim', sim: { status: 'absent' } })
      rig.session.down({ cause: 'hung-up', detail: 'seen' }, 16)
    })
    rig.clock.at(rig.clock.nowMs() + 20, () => modem.set({ state: 'registered', sim: { status: 'ready' } }))
  })
})

test('a modem that leaves with each dial and is back at once', async () => {
  const rig = new Rig({ demo: profile('modem-gone', '1ms', 1) })
  await anHour(rig, () => {
    const { modem } = rig
    if (modem.dials.at(-1)?.isOver() !== false) return
    rig.fleet.unplug(modem)
    rig.fleet.plug(new FakeModem())
  })
})

test('a modem that restarts, as the ladder wants it, is dialled no more often', async () => {
  const rig = new Rig({ demo: profile('no-carrier', '1ms', 1) })
  const restartable = (modem: FakeModem) => {
    modem.restarts = ['usb-port', 'power']
    modem.onRestart = async (how) => {
      if (how === 'radio') return
      rig.fleet.unplug(modem)
      restartable(rig.fleet.plug(new FakeModem()))
    }
  }
  restartable(rig.modem)
  await anHour(rig, () => failDial(rig, 'no-carrier'))
})
