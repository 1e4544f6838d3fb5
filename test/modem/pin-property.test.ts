import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LINE_FAULTS, PinWorld, type Weather } from './support/pin-world.ts'

const PINS = ['1111', '2222', '3333', '4444', '5555'] as const

const weather: fc.Arbitrary<Weather> = fc.record({
  lineFault: fc.constantFrom(...LINE_FAULTS),
  disk: fc.option(
    fc.record({
      atWrite: fc.nat({ max: 3 }),
      kind: fc.constantFrom('cut-before' as const, 'cut-after' as const, 'full' as const),
    }),
    { nil: undefined, freq: 4 },
  ),
  showsTries: fc.boolean(),
  identity: fc.constantFrom('both', 'both', 'iccid', 'imei', 'none'),
})

const pin = fc.constantFrom(...PINS)
const caller = fc.constantFrom(
  'automatic' as const,
  'automatic' as const,
  'person' as const,
  'person-last-try' as const,
)

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('enter' as const), pin, caller, weather }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), pin, newPin: pin, weather }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('unblock' as const), isRight: fc.boolean(), newPin: pin, weather }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('replug' as const, 'restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('phone' as const), newPin: pin }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function live(world: PinWorld, one: Step): Promise<void> {
  switch (one.kind) {
    case 'enter':
      return world.enter(one.pin, one.caller, one.weather)
    case 'change':
      return world.change(one.pin, one.newPin, one.weather)
    case 'unblock':
      return world.unblock(one.isRight ? '12345678' : '87654321', one.newPin, one.weather)
    case 'replug':
      return world.replug()
    case 'restart':
      return world.restart()
    case 'phone':
      return world.usePhone(one.newPin)
  }
}

/** After these nobody knows what the SIM said. */
function isCutShort({ lineFault, disk }: Weather): boolean {
  return disk !== undefined || /^(cut|killed)-|^vanishes$/.test(lineFault)
}

/**
 * Whatever the modem answers, whatever is lost and whenever the power goes: no wrong PIN goes out twice (but for one that was right
 * once, where nobody heard the SIM's answer and all tries are left), nobody but a person who says so spends the last try, and nobody
 * automatic one below three.
 */
test('no sequence of answers, restarts and power cuts wastes a try', async () => {
  let sends = 0
  let automatic = 0
  await fc.assert(
    fc.asyncProperty(pin, fc.array(step, { minLength: 1, maxLength: 25 }), async (rightPin, steps) => {
      const world = new PinWorld(rightPin)
      const wrong = new Map<string, { readonly isDoubtful: boolean }>()
      const right = new Set<string>()
      world.onPinChanged = (changed) => wrong.delete(changed)
      let seen = 0
      for (const one of steps) {
        await live(world, one)
        for (const send of world.sends.slice(seen)) {
          const before = send.wasRight ? undefined : wrong.get(send.pin)
          const isAllowed = !before || (before.isDoubtful && right.has(send.pin) && send.triesLeft === 3)
          assert.ok(isAllowed, `${send.pin} was sent twice`)
          if (send.wasRight) right.add(send.pin)
          else wrong.set(send.pin, { isDoubtful: 'weather' in one && isCutShort(one.weather) })
          assert.ok(send.caller !== 'automatic' || send.triesLeft >= 3, `automatic with ${send.triesLeft} left`)
          assert.ok(send.caller !== 'person' || send.triesLeft >= 2, 'the last try without being told')
          sends++
          if (send.caller === 'automatic') automatic++
        }
        seen = world.sends.length
      }
    }),
    { seed: 20_240_202, numRuns: 3000 },
  )
  assert.ok(sends > 1000 && automatic > 300, `the world is not dull: ${sends} sends, ${automatic} automatic`)
})

const calm: Weather = { lineFault: 'none', disk: undefined, showsTries: true, identity: 'both' }

test('the right PIN opens the SIM, again after every re-plug', async () => {
  const world = new PinWorld('1111')
  for (let round = 0; round < 5; round++) {
    await world.enter('1111', 'automatic', { ...calm, showsTries: round % 2 === 0 })
    assert.equal(world.status, 'ready')
    world.replug()
    world.restart()
  }
  assert.equal(world.sends.length, 5)
})

test('the right PIN opens the SIM after a `kill -9` in the middle of its try, and one that was wrong does not', async () => {
  for (const showsTries of [true, false]) {
    const world = new PinWorld('1111')
    for (const pin of ['2222', '1111'])
      await world.enter(pin, 'person', { ...calm, showsTries, lineFault: 'killed-after' })
    assert.equal(world.status, 'ready')
    // That it is open after this one tells nothing of it: it was so before.
    await world.change('4444', '5555', { ...calm, lineFault: 'killed-after' })
    await world.enter('3333', 'person', calm)
    world.replug()
    for (const pin of ['2222', '4444', '1111']) await world.enter(pin, 'person', calm)
    assert.deepEqual(
      world.sends.map((send) => send.pin),
      ['2222', '1111', '4444', '1111'],
    )
    assert.equal(world.status, 'ready')
  }
})

test('the right PIN opens the SIM although the power went in the middle of its last try: no try was lost', async () => {
  for (const lineFault of ['cut-before', 'cut-after', 'killed-before'] as const) {
    const world = new PinWorld('1111')
    await world.enter('1111', 'automatic', calm)
    for (let round = 0; round < 3; round++) {
      world.replug()
      await world.enter('1111', 'automatic', { ...calm, lineFault })
    }
    world.replug()
    // Who cannot count does not try.
    for (const caller of ['automatic', 'person', 'person-last-try'] as const)
      await world.enter('1111', caller, { ...calm, showsTries: false })
    assert.deepEqual([world.status, world.sends.length], ['pin', 4], lineFault)
    await world.enter('1111', 'automatic', calm)
    assert.equal(world.status, 'ready', lineFault)
  }
})

test('it was changed in a telephone meanwhile: that costs one try', async () => {
  const world = new PinWorld('1111')
  await world.enter('1111', 'automatic', calm)
  world.usePhone('2222')
  for (const lineFault of ['cut-before', 'none', 'none'] as const)
    await world.enter('1111', 'automatic', { ...calm, lineFault })
  assert.deepEqual(
    world.sends.map(({ triesLeft }) => triesLeft),
    [3, 3, 3],
  )
})

test('what is not surely the right PIN is not sent again after the power went', async () => {
  const cut: Weather = { ...calm, lineFault: 'cut-after' }
  const lives: readonly (readonly [string, (world: PinWorld) => Promise<void>, identity?: 'imei'])[] = [
    ['it was never taken', async () => {}],
    [
      'the power went while it was changed, too',
      async (world) => {
        await world.enter('1111', 'automatic', calm)
        await world.change('1111', '2222', { ...calm, lineFault: 'cut-before' })
      },
    ],
    [
      'a try was lost: it has been changed in a telephone',
      async (world) => {
        await world.enter('1111', 'automatic', calm)
        world.usePhone('2222')
      },
    ],
    [
      'it was taken by a SIM whose number could not be read',
      async (world) => {
        await world.enter('1111', 'automatic', { ...calm, identity: 'imei' })
        world.replug()
      },
      'imei',
    ],
    [
      'another one was tried since',
      async (world) => {
        await world.enter('1111', 'automatic', calm)
        world.replug()
        await world.enter('1111', 'automatic', cut)
        await world.enter('2222', 'person', calm)
        world.usePhone('1111')
      },
    ],
  ]
  for (const [why, lead, identity = 'both'] of lives) {
    const world = new PinWorld(why === 'it was never taken' ? '3333' : '1111')
    await lead(world)
    await world.enter('1111', 'automatic', { ...cut, identity })
    const { length } = world.sends
    await world.enter('1111', 'person-last-try', { ...calm, identity })
    assert.deepEqual([world.sends.length, world.status], [length, 'pin'], why)
  }
})

test('a hidden counter allows one automatic try, and again the right PIN once a person entered it', async () => {
  const hidden: Weather = { ...calm, showsTries: false, identity: 'imei' }
  const world = new PinWorld('1111')
  await world.enter('2222', 'automatic', hidden)
  await world.enter('3333', 'automatic', hidden)
  assert.deepEqual(
    world.sends.map((send) => send.pin),
    ['2222'],
  )
  await world.enter('1111', 'person', hidden)
  world.replug()
  await world.enter('3333', 'automatic', hidden)
  await world.enter('1111', 'automatic', hidden)
  assert.deepEqual(
    world.sends.map((send) => send.pin),
    ['2222', '1111', '1111'],
  )
})

test('without a disk, and without a number to count by, nothing is tried', async () => {
  const world = new PinWorld('1111')
  await world.enter('1111', 'person', { ...calm, disk: { atWrite: 0, kind: 'full' } })
  await world.enter('1111', 'person', { ...calm, identity: 'none' })
  assert.deepEqual(world.sends, [])
})
