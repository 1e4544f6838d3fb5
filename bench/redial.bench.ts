// The time without a link for each hang-up, less the delay that the policy asks for: seeing it, clearing away, asking the modem why,
// dialling, PPP, interface and route. The simulator answers at once, so that nothing of it is the modem's own time.

import { setTimeout as sleep } from 'node:timers/promises'
import { loadPersonality } from '../src/sim/personality.ts'
import { type Change, LinkTimes } from './link-times.ts'
import { printTable, type Row } from './table.ts'

const RUNS = 20
const PROFILE = '[redial]\nhung-up = 100ms\nmodem-gone = 100ms\nreset-after = 100\n'
/** Of 100 ms, jitter takes up to a fifth away: what it takes less counts against us. */
const LEAST_DELAY_MS = 80
const PERSONALITIES = ['generic', 'quectel-ec25', 'huawei-e173', 'sierra-mc7304', 'ublox-sara', 'simcom-sim800']

const rows: Row[] = []
for (const personality of PERSONALITIES) {
  const times = await LinkTimes.start({ personality, profile: PROFILE })
  const samples: number[] = []
  // It offers name servers that are none while it is not attached: that is its own time.
  const isSlowToAttach = loadPersonality(personality, () => '').ppp.dnsPlaceholders.naks > 0
  for (let run = 0; run < RUNS; run++) {
    // A link that had stood for a minute would begin anew by itself.
    const askedMs = performance.now()
    await times.disconnect()
    await times.connect()
    await times.seen(to('up'), askedMs)
    await sleep(100 + Math.random() * 200)
    const fromMs = performance.now()
    await times.sim('hangup')
    const up = await times.seen(to('up'), fromMs)
    const configuring = await times.seen(to('configuring'), fromMs)
    const ownMs = isSlowToAttach ? up.atMs - configuring.atMs : 0
    samples.push(up.atMs - fromMs - ownMs - LEAST_DELAY_MS)
  }
  await times.close()
  rows.push({ what: personality, samples, unit: 'ms', against: '≤ 300 ms' })
}
printTable('Hang-up → up again, less the policy’s delay', rows)

function to(state: string): (change: Change) => boolean {
  return (change) => change.to === state
}
