/** An operator that is away for an hour is not hammered: at most 60 dials, whatever the cause, the profile's rules and chance. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAUSES, type Cause } from '../../src/base/cause.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import type { LinkHandle, LinkSnapshot } from '../../src/link/snapshot.ts'
import { FakeModem } from '../support/fake-modem.ts'
import { AUTO, assertAtRest, Rig, second } from './rig.ts'

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
  do {
    for (const modem of rig.fleet.modems) modems.add(modem)
    happens(rig)
    for (const modem of rig.fleet.modems) modems.add(modem)
  } while (count() <= MOST_DIALS && (await rig.clock.step(HOUR_MS)))
  assert.ok(count() <= MOST_DIALS, `${count()} dials in ${Math.round(rig.clock.nowMs() / 1000)} s`)
  return count()
}

/** So many profiles, each with its own rules, on what modems there are. */
function several(count: number, text: (index: number) => string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, text(index)]))
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

for (const count of [2, 4]) {
  test(`${count} profiles on one modem: to the operator they are one caller, and not only the first has its turn`, async () => {
    for (const cause of REDIALLED) {
      for (const rule of ['', '1ms', 'another for each']) {
        const rules = (index: number) => (rule === 'another for each' ? RULES[index]! : rule)
        const rig = new Rig(several(count, (index) => profile(cause, rules(index), 100)))
        const dialling = new Set<string>()
        const stale: LinkSnapshot[] = []
        for (const link of rig.supervisor.links)
          link.onChange((next) => {
            const { id, state, nextAttemptAtUs } = next
            if (state === 'dialling') dialling.add(id)
            if (nextAttemptAtUs !== 0n && (state === 'dialling' || nextAttemptAtUs < rig.clock.wallUs()))
              stale.push(next)
          })
        const dials = await anHour(rig, () => failDial(rig, cause))
        assert.ok(dials >= 1)
        assert.deepEqual(stale, [], 'what is shown as next is not over')
        if (rule === '1ms' && CAUSE_TABLE[cause].redial !== 'stop') assert.ok(dialling.size >= 2, cause)
        await rig.supervisor.close()
      }
    }
  })
}

test('a pause that other links are the reason of is shown, and ends for a person, a new profile, and after a sleep', async () => {
  const rig = new Rig(several(2, () => profile('busy', '1ms', 100)))
  const shut = async () => {
    let link: LinkHandle | undefined
    const isLong = ({ snapshot }: LinkHandle) => snapshot.nextAttemptAtUs > rig.clock.wallUs() + 60_000_000n
    while (!link) {
      failDial(rig, 'busy')
      assert.ok(await rig.clock.step(HOUR_MS), 'one waits for the modem')
      link = rig.supervisor.links.find((each) => waitsForTheGate(each) && isLong(each))
    }
    return link
  }
  const dialsAtOnce = async (act: (link: LinkHandle) => unknown) => {
    const link = await shut()
    const before = rig.modem.dials.length
    await act(link)
    await rig.settle()
    assert.equal(rig.modem.dials.length, before + 1)
    assert.equal(link.snapshot.state, 'dialling')
    assert.equal(link.snapshot.nextAttemptAtUs, 0n)
  }
  await rig.settle()
  await dialsAtOnce(({ snapshot: { id } }) => rig.supervisor.connect(id, {}))
  await dialsAtOnce(({ snapshot: { id } }) => {
    rig.profiles.texts[id] = profile('busy', '2ms', 100)
    return rig.supervisor.reloadConfig()
  })
  await shut()
  const before = rig.modem.dials.length
  await rig.supervisor.suspend()
  rig.supervisor.resume()
  await rig.settle()
  assert.equal(rig.modem.dials.length, before + 1, 'after the sleep')

  await shut()
  while (rig.dial.isOver()) assert.ok(await rig.clock.step(HOUR_MS))
  const { length } = rig.modem.dials
  rig.engine.onOpen = (session) => queueMicrotask(() => session.up())
  rig.dial.connect()
  await rig.clock.advance(61_000)
  rig.session.down({ cause: 'hung-up', detail: 'seen' }, 16)
  await rig.clock.advance(2000)
  assert.equal(rig.modem.dials.length, length + 1, 'a link that stood begins anew')

  await shut()
  rig.modem.set({ operatorName: 'another' })
  await rig.supervisor.disconnect(undefined)
  assertAtRest(rig)
})

function waitsForTheGate({ snapshot }: LinkHandle): boolean {
  return /dialled often/.test(snapshot.nextAttemptReason)
}

async function untilShut(rig: Rig): Promise<void> {
  await rig.settle()
  while (!rig.supervisor.links.some(waitsForTheGate)) {
    failDial(rig, 'busy')
    assert.ok(await rig.clock.step(HOUR_MS))
  }
}

test('another modem is taken meanwhile', async () => {
  const rig = new Rig(several(2, () => profile('busy', '1ms', 100)))
  await untilShut(rig)
  const other = rig.fleet.plug(second())
  await rig.settle()
  assert.equal(other.dials.length, 1)
})

/** A link that goes round and round without waiting for anything would hold up everything: it ends with this error instead. */
function breakLoops(rig: Rig): void {
  let changes = 0
  let sinceMs = 0
  for (const link of rig.supervisor.links)
    link.onChange(() => {
      const nowMs = rig.clock.nowMs()
      changes = nowMs === sinceMs ? changes + 1 : 0
      sinceMs = nowMs
      assert.ok(changes < 1000, `${link.snapshot.id} goes round and round at ${nowMs} ms`)
    })
}

test('one modem finds no network, the calls of another fail: nobody goes round and round between them', async () => {
  const searching = second({ state: 'searching', registration: 'searching' })
  const rig = new Rig(
    several(2, () => profile('no-carrier', '', 100)),
    { modems: [new FakeModem(), searching] },
  )
  breakLoops(rig)
  const dials = await anHour(rig, () => failDial(rig, 'no-carrier'))
  assert.ok(dials > 10, `${dials}: it is dialled`)
  for (const { snapshot } of rig.supervisor.links) assert.notEqual(snapshot.cause, 'internal', snapshot.causeDetail)
})

test('a link that waits for a network on one modem takes the other as soon as that has rested', async () => {
  const rig = new Rig({ demo: `${AUTO}ip = 46\n[redial]\nreset-after = 100\nipcp-failed = 1ms\n` })
  breakLoops(rig)
  const { modem } = rig
  modem.onDial = (dial) => dial.fail({ cause: 'ipcp-failed', detail: 'seen', ipLimit: { ip: '4', isCertain: false } })
  await rig.settle()
  while (!waitsForTheGate(rig.link())) assert.ok(await rig.clock.step(HOUR_MS))
  const { nextAttemptAtUs } = rig.link().snapshot
  const other = rig.fleet.plug(second({ state: 'searching', registration: 'searching' }))
  await rig.settle()
  assert.equal(rig.link().snapshot.modem, other.snapshot.id)
  const { length } = modem.dials
  while (modem.dials.length === length) assert.ok(await rig.clock.step(HOUR_MS))
  assert.ok(rig.clock.wallUs() - nextAttemptAtUs < 10_000n, 'at once')
  await rig.supervisor.disconnect(undefined)
  assertAtRest(rig)
})

test('who asks while the modem is away is not kept waiting once it comes; nobody else is let in by that', async () => {
  const rig = new Rig(several(2, () => profile('busy', '1ms', 100)))
  await untilShut(rig)
  rig.fleet.unplug(rig.modem)
  await rig.settle()
  const back = rig.fleet.plug()
  await rig.settle()
  assert.deepEqual([back.dials.length, rig.supervisor.links.some(waitsForTheGate)], [0, true])
  rig.fleet.unplug(back)
  await rig.settle()
  const asked = rig.supervisor.links.at(-1)!
  await rig.supervisor.connect(asked.snapshot.id, {})
  const again = rig.fleet.plug()
  await rig.settle()
  assert.deepEqual([again.dials.length, asked.snapshot.state], [1, 'dialling'])
})

test('a network that refuses both kinds of address at once, perhaps, is dialled twice an attempt', async () => {
  const rig = new Rig({ demo: `${AUTO}ip = 46\n[redial]\nreset-after = 100\nipcp-failed = 1ms\n` })
  rig.modem.onDial = (dial) =>
    dial.fail({ cause: 'ipcp-failed', detail: 'seen', ipLimit: { ip: '4', isCertain: false } })
  const dials = await anHour(rig, () => {})
  assert.ok(dials > 20, `${dials}: it is dialled`)
  assert.deepEqual(rig.modem.dials.map(({ request }) => request.ipType).slice(0, 4), ['46', '4', '46', '4'])
})

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
