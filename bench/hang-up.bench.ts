// Hang-ups, by what speaks first: from the moment the simulator is told to end the call until a D-Bus client hears that the link
// is no longer up. Real processes and a real bus. A pty has no carrier line: how a DCD that drops is heard is shown by
// test/ppp/engines.

import { setTimeout as sleep } from 'node:timers/promises'
import { LinkTimes } from './link-times.ts'
import { printTable, type Row } from './table.ts'

const RUNS = 20
const PROFILE = `[ppp]
lcp-echo-interval = 1s
lcp-echo-failure = 2
[redial]
hung-up = 50ms
modem-gone = 50ms
echo-lost = 50ms
no-network = 50ms
reset-after = 100
`
/** The bound of the contract; an echo that is lost is only known when it should have come. */
const AT_ONCE = '≤ 50 ms'

interface Kind {
  readonly what: string
  readonly end: readonly string[]
  /** Brings back what `end` took away. */
  readonly mend?: readonly string[]
  readonly withTraffic?: true
  readonly runs?: number
  /** Only echoes that once came are missed. */
  readonly standsMs?: number
  readonly against?: string
}

const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  'quectel-ec25': [
    { what: 'LCP Terminate-Request', end: ['hangup'] },
    { what: 'LCP Terminate-Request under traffic', end: ['hangup'], withTraffic: true },
    { what: 'deregistered (no network)', end: ['network', 'none'], mend: ['network', 'home'] },
    { what: 'deregistered (denied)', end: ['network', 'denied'], mend: ['network', 'home'] },
    { what: 'the tty hangs up', end: ['fault', 'pty-close', '0.2'] },
    { what: 'unplugged', end: ['unplug'], mend: ['plug'] },
    { what: 'echoes are lost (1 s × 2)', end: ['fault', 'echo-dead', '0'], runs: 5, standsMs: 1200, against: '≤ 3 s' },
  ],
  'huawei-e173': [
    { what: 'NO CARRIER behind the stream', end: ['hangup'] },
    { what: 'NO CARRIER in the stream, under traffic', end: ['hangup'], withTraffic: true },
  ],
  'simcom-sim800': [{ what: 'a UART’s only port: hung up', end: ['hangup'] }],
}

const rows: Row[] = []
for (const [personality, kinds] of Object.entries(KINDS)) {
  const times = await LinkTimes.start({ personality, profile: PROFILE })
  if (rows.length === 0) rows.push(await baseline(times))
  for (const kind of kinds) rows.push(await measure(times, personality, kind))
  await times.close()
}
printTable('Hang-ups: from the end of the call to the state on D-Bus (range: to the worst)', rows)

/** What the measuring itself takes on this machine, as busy as it is now: nothing happens in between. */
async function baseline(times: LinkTimes): Promise<Row> {
  const samples: number[] = []
  for (let run = 0; run < RUNS; run++) {
    await sleep(100 + Math.random() * 200)
    const fromMs = performance.now()
    await times.sim('ready')
    await times.ping()
    samples.push(performance.now() - fromMs)
  }
  return { what: 'beside it: a simulator command and a D-Bus call', samples, unit: 'ms', against: '' }
}

async function measure(times: LinkTimes, personality: string, kind: Kind): Promise<Row> {
  const samples: number[] = []
  for (let run = 0; run < (kind.runs ?? RUNS); run++) {
    const stopTraffic = kind.withTraffic && times.traffic()
    // Each run meets another moment of the traffic, of signal polls and of echoes.
    await sleep((kind.standsMs ?? 100) + Math.random() * 200)
    const fromMs = performance.now()
    await times.sim(...kind.end)
    samples.push((await times.seen(({ from }) => from === 'up', fromMs)).atMs - fromMs)
    stopTraffic?.()
    if (kind.mend) await times.sim(...kind.mend)
    await times.seen(({ to }) => to === 'waiting' || to === 'failed', fromMs)
    await times.connect()
    await times.seen(({ to }) => to === 'up', fromMs)
  }
  return { what: `${kind.what} (${personality})`, samples, unit: 'ms', against: kind.against ?? AT_ONCE }
}
