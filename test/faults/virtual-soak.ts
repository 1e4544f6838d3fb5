/**
 * The soak on virtual time: fleet, supervisor and PPP engine live through thousands of random cells of the fault matrix in one
 * process, within minutes. What they keep shows in the heap, in timers and listeners. The real programs' soak is `soak.ts`.
 */

import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { randomFraction } from '../../src/base/ports.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { EXPECTATIONS, type Remedy, STAGE_OF, type State } from './expectations.ts'
import { REAL_CELLS } from './sample.ts'
import { LINK, World } from './world.ts'

export interface VirtualLook {
  readonly cycle: number
  readonly heapKiB: number
  readonly timers: number
  readonly listeners: number
  readonly calls: number
}

export interface VirtualSoakOptions {
  readonly cycles: number
  readonly seed: number
  readonly lookEvery: number
  onLook?(look: VirtualLook): void
}

const LIMIT_MS = 600_000

/** Rejects where the link does not come back. */
export async function virtualSoak(options: VirtualSoakOptions): Promise<readonly VirtualLook[]> {
  const random = new SeededRandom(options.seed)
  const world = await World.create({ seed: options.seed, personality: 'generic' })
  const looks: VirtualLook[] = []
  world.modem.plug()
  await bringUp(world)
  for (let cycle = 1; cycle <= options.cycles; cycle++) {
    const { fault, state } = REAL_CELLS[Math.floor(randomFraction(random) * REAL_CELLS.length)]!
    const before = struck(world)
    world.modem.fault([...EXPECTATIONS[fault].words.split(' '), `at=${STAGE_OF[state]}`])
    await provoke(world, state)
    const { remedy, causes, isNext } = EXPECTATIONS[fault].cells[state]
    if (isNext && (await bringUp(world))) world.modem.hangUp()
    const hasStruck = () => struck(world) > before
    // The call may have ended by itself, of what an earlier fault left behind: another one then.
    for (let calls = 0; calls < 4 && !(await world.until(hasStruck, LIMIT_MS)); calls++) world.modem.hangUp()
    if (!hasStruck()) throw new Error(`cycle ${cycle}: ${fault} in ${state} never struck`)
    const isStill = () => /^(failed|waiting)$/.test(world.link.snapshot.state)
    if (remedy && causes.length > 0) await world.until(isStill, LIMIT_MS)
    if (remedy) act(world, remedy)
    // What strikes a link that is up has its time.
    await world.clock.advance(60_000)
    if (!(await bringUp(world)))
      throw new Error(`cycle ${cycle}: ${fault} in ${state}: the link is ${JSON.stringify(world.link.snapshot.cause)}`)
    if (world.sim.pinTries !== 3 || world.sim.tries.refused > 0) throw new Error('a PIN try was spent')
    world.tuns.splice(0, world.tuns.length - 1)
    if (cycle % options.lookEvery !== 0) continue
    // Compared at the same point: a new call, half a minute old.
    await hangUpAndConnect(world)
    await bringUp(world)
    await world.clock.advance(30_500)
    collectGarbage()
    const listeners = countListeners()
    const look = {
      cycle,
      heapKiB: Math.round(process.memoryUsage().heapUsed / 1024),
      timers: world.clock.pending,
      listeners,
      calls: world.statistics.calls,
    }
    looks.push(look)
    options.onLook?.(look)
  }
  const left = await world.close()
  if (left !== 0) throw new Error(`at the end ${left} timers are left`)
  return looks
}

/** Growth of what is held from the first look on; pure. */
export function complaintsOfVirtualSoak(looks: readonly VirtualLook[]): readonly string[] {
  const [first, last] = [looks[0], looks.at(-1)]
  if (!first || !last) return ['nobody looked']
  const growth = last.heapKiB / first.heapKiB - 1
  return [
    ...(growth > 0.05 ? [`the heap grew by ${(growth * 100).toFixed(1)} %`] : []),
    ...(last.timers > first.timers + 2 ? [`${first.timers} timers became ${last.timers}`] : []),
    ...(last.listeners > first.listeners ? [`${first.listeners} listeners became ${last.listeners}`] : []),
  ]
}

// Compiled code is in the heap, too, and would be the only thing that grows.
setFlagsFromString('--no-opt')
// Node's gc() without its flag. What one collection finds, the next frees.
setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
function collectGarbage(): void {
  for (let round = 0; round < 3; round++) gc()
}

const { countListeners } = createRequire(import.meta.url)('../../scripts/soak-listeners.cjs') as {
  countListeners: () => number
}

function struck({ faults }: World): number {
  return Object.values(faults.struck).reduce((sum, each) => sum + each, 0)
}

async function bringUp(world: World): Promise<boolean> {
  return world.until(() => world.link.snapshot.state === 'up', LIMIT_MS)
}

/** Brings the link through the state in which the fault waits. */
async function provoke(world: World, state: State): Promise<void> {
  if (state === 'detecting' || state === 'sim' || state === 'registering') world.modem.replug(500)
  else if (state === 'hanging-up') await hangUpAndConnect(world)
  else world.modem.hangUp()
}

/** The fault may keep it from coming up. */
async function hangUpAndConnect(world: World): Promise<void> {
  const { supervisor, link } = world
  void supervisor.disconnect(LINK)
  await world.until(() => link.snapshot.state === 'idle', LIMIT_MS)
  void supervisor.connect(LINK, {})
}

function act({ modem, supervisor }: World, remedy: Remedy): void {
  if (remedy === 'plug in') modem.plug()
  else if (remedy === 'plug in anew') modem.replug(500)
  else if (remedy === 'put the SIM in') modem.insertSim(undefined, undefined)
  else void supervisor.connect(LINK, {})
}
