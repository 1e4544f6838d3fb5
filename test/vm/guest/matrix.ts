/** Who meets whom, on what, and what happens then: a test a row and pair. */

import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { bulk } from './bulk.ts'
import { addUser, End, type Program, runAt, SECRET, type Side, type Told } from './end.ts'
import { type Carrier, type Line, makeLine } from './lines.ts'

interface Pair {
  readonly client: Program
  readonly server: Program
}

/** The last is the measure: what two pppds do with one another. */
const PAIRS: readonly Pair[] = [
  { client: 'builtin', server: 'pppd' },
  { client: 'kernel', server: 'pppd' },
  { client: 'pppd', server: 'builtin' },
  { client: 'pppd', server: 'kernel' },
  { client: 'pppd', server: 'pppd' },
]

interface Row {
  readonly what: string
  readonly carriers: readonly Carrier[]
  readonly auth?: keyof typeof REQUIRED
  /** More options, pppd's, for both or one of them. */
  readonly both?: readonly string[]
  readonly client?: readonly string[]
  readonly server?: readonly string[]
  readonly clientSecret?: string
  /** Both ends send from the start. */
  readonly speaksFirst?: boolean
  /** Also for the measure, two pppds. */
  readonly isMeasured?: boolean
  readonly run: (link: Meeting) => Promise<void>
}

const REQUIRED = {
  none: ['noauth'],
  pap: ['require-pap'],
  chap: ['require-chap'],
  mschapv2: ['require-mschap-v2'],
} as const

const ECHO = ['lcp-echo-interval', '1', 'lcp-echo-failure', '3']
const DNS = ['10.64.0.53', '10.64.0.54']

const ROWS: readonly Row[] = [
  ...(['none', 'pap', 'chap', 'mschapv2'] as const).map(
    (auth): Row => ({
      what: auth,
      carriers: auth === 'chap' ? ['pty', 'usb'] : ['pty'],
      auth,
      speaksFirst: auth === 'none',
      isMeasured: true,
      run: carriesPackets,
    }),
  ),
  { what: 'name servers', carriers: ['pty'], server: DNS.flatMap((dns) => ['ms-dns', dns]), run: tellsNameServers },
  { what: 'IPv6', carriers: ['pty', 'usb'], both: ['+ipv6'], run: carriesIpv6 },
  ...(['pap', 'chap', 'mschapv2'] as const).map(
    (auth): Row => ({
      what: `wrong secret, ${auth}`,
      carriers: ['pty'],
      auth,
      clientSecret: 'wrong',
      run: refusesSecret,
    }),
  ),
  { what: 'the client ends it', carriers: ['pty', 'usb'], run: (link) => endsInOrder(link, 'client') },
  { what: 'the server ends it', carriers: ['pty'], run: (link) => endsInOrder(link, 'server') },
  { what: 'the peer stops answering echoes', carriers: ['pty'], both: ECHO, run: losesEchoes },
  { what: 'the peer is killed, the line hangs up', carriers: ['pty'], run: seesHangUp },
  { what: 'the peer is killed, the line stays silent', carriers: ['usb'], both: ECHO, run: seesSilence },
  { what: 'killed, nothing of it stays', carriers: ['pty'], run: leavesNothing },
  { what: 'the peer begins anew', carriers: ['usb'], auth: 'chap', run: negotiatesAgain },
  {
    what: 'bulk each way',
    isMeasured: true,
    carriers: ['pty', 'usb'],
    run: bulk,
  },
]

let meetings = 0

/** Both ends of one line, up. */
export class Meeting {
  readonly t: TestContext
  readonly row: Row
  readonly pair: Pair
  readonly carrier: Carrier
  readonly number = ++meetings
  line!: Line
  client!: End
  server!: End
  told!: { readonly client: Told; readonly server: Told }

  constructor(t: TestContext, row: Row, pair: Pair, carrier: Carrier) {
    this.t = t
    this.row = row
    this.pair = pair
    this.carrier = carrier
  }

  /** The side of the program under test, and the other. */
  get ours(): End {
    return this.pair.client === 'pppd' ? this.server : this.client
  }

  get theirs(): End {
    return this.pair.client === 'pppd' ? this.client : this.server
  }

  get addresses(): { readonly client: string; readonly server: string } {
    return { client: `10.65.${this.number}.2`, server: `10.65.${this.number}.1` }
  }

  get user(): string {
    return `user${this.number}`
  }

  async start(): Promise<void> {
    this.line = await makeLine(this.t, this.carrier)
    addUser('server', this.user, SECRET)
    addUser('client', this.user, this.row.clientSecret ?? SECRET)
    // Ours first: it takes longer to start, and pppd would repeat itself meanwhile.
    const [first, second] =
      this.pair.client === 'pppd' ? (['server', 'client'] as const) : (['client', 'server'] as const)
    // Nobody hears its first request: without `silent` it waits for its restart timer then.
    this[first] = this.startEnd(first, this.row.speaksFirst ? [] : ['silent'])
    await this[first].says(/^Connect: /m)
    this[second] = this.startEnd(second)
  }

  startEnd(side: Side, more: readonly string[] = [], number = this.number): End {
    const isOurs = (side === 'server') === (this.pair.client === 'pppd')
    const { client, server } = this.addresses
    const { row } = this
    const options =
      side === 'client'
        ? ['noauth', 'user', this.user, 'noipdefault', 'usepeerdns', ...(row.client ?? [])]
        : [`${server}:${client}`, 'name', 'operator', ...REQUIRED[row.auth ?? 'none'], ...(row.server ?? [])]
    const families = row.both?.includes('+ipv6') ? [] : ['noipv6']
    const tty = isOurs ? this.line.ours : this.line.theirs
    return new End(this.t, this.pair[side], side, number, tty, [...options, ...families, ...(row.both ?? []), ...more])
  }

  async up(): Promise<void> {
    const [client, server] = await Promise.all([this.client.told(), this.server.told()])
    this.told = { client, server }
  }
}

function isMeasure({ client, server }: Pair): boolean {
  return client === server
}

export function testMatrix(): void {
  describe('modem-ppp and pppd', { concurrency: 2 }, () => {
    for (const pair of PAIRS)
      for (const carrier of ['pty', 'usb'] as const)
        for (const row of ROWS)
          if (row.carriers.includes(carrier) && (!isMeasure(pair) || row.isMeasured)) testRow(row, pair, carrier)
  })
}

function testRow(row: Row, pair: Pair, carrier: Carrier): void {
  test(`${pair.client} → ${pair.server}, ${carrier}: ${row.what}`, { timeout: 240_000 }, async (t) => {
    const link = new Meeting(t, row, pair, carrier)
    await link.start()
    if (row.run !== refusesSecret) await link.up()
    await row.run(link)
  })
}

async function carriesPackets(link: Meeting): Promise<void> {
  const { client, server } = link.addresses
  const { told } = link
  const ends = [link.client, link.server]
  await Promise.all(ends.map((end) => end.says(/^local {2}IP address/m)))
  const startMs = Math.max(...ends.map(({ connectedMs }) => connectedMs!))
  const addressedMs = Math.max(...ends.map(({ addressedMs }) => addressedMs!))
  link.t.diagnostic(`from the second end's start to both addresses: ${Math.round(addressedMs - startMs)} ms`)
  assert.deepEqual([told.client.local, told.client.remote], [client, server])
  assert.deepEqual([told.server.local, told.server.remote], [server, client])
  await pings('client', server, '-s', '1472', '-M', 'do')
  await pings('server', client)
}

async function tellsNameServers(link: Meeting): Promise<void> {
  assert.deepEqual(link.told.client.dns, DNS)
}

async function carriesIpv6(link: Meeting): Promise<void> {
  const [client, server] = await Promise.all([link.client.told('ipv6-up'), link.server.told('ipv6-up')])
  for (const address of [client.local, client.remote]) assert.match(address, /^fe80::/)
  assert.deepEqual([server.local, server.remote], [client.remote, client.local])
  await pings('client', `${client.remote}%${client.interfaceName}`)
  await pings('server', `${server.remote}%${server.interfaceName}`)
}

async function refusesSecret(link: Meeting): Promise<void> {
  assert.equal(await link.client.exit(), 19, link.client.output)
  assert.equal(await link.server.exit(), 11, link.server.output)
  for (const { output } of [link.client, link.server]) assert.doesNotMatch(output, /sekret/)
  await hasNoAddress(link)
}

async function endsInOrder(link: Meeting, side: Side): Promise<void> {
  const other = side === 'client' ? 'server' : 'client'
  link[side].signal('SIGTERM')
  assert.equal(await link[side].exit(), 5, link[side].output)
  // 0: ended at the peer's request (pppd(8)); pppd may still see the line close, and says 16.
  const status = await link[other].exit()
  assert.ok(status === 0 || (status === 16 && link[other] === link.theirs), `${status}: ${link[other].output}`)
  await Promise.all([link.client.told('ip-down'), link.server.told('ip-down')])
  await hasNoAddress(link)
}

async function losesEchoes(link: Meeting): Promise<void> {
  link.theirs.signal('SIGSTOP')
  assert.equal(await link.ours.exit(), 15, link.ours.output)
}

async function seesHangUp(link: Meeting): Promise<void> {
  link.theirs.signal('SIGKILL')
  link.line.hangUp()
  assert.equal(await link.ours.exit(), 16, link.ours.output)
  await link.ours.told('ip-down')
}

async function seesSilence(link: Meeting): Promise<void> {
  link.theirs.signal('SIGKILL')
  assert.equal(await link.ours.exit(), 15, link.ours.output)
}

async function leavesNothing(link: Meeting): Promise<void> {
  link.ours.signal('SIGKILL')
  link.line.hangUp()
  assert.equal(await link.theirs.exit(), 16, link.theirs.output)
  await hasNoAddress(link)
}

/** Killed and started again on the same line: its Configure-Request meets an opened link (RFC 1661 §4.1). */
async function negotiatesAgain(link: Meeting): Promise<void> {
  const { side } = link.theirs
  link.theirs.signal('SIGKILL')
  await link.theirs.exit()
  const again = link.startEnd(side, [], link.number + 1000)
  await again.told()
  await link.ours.told('ip-down')
  const { client, server } = link.addresses
  await pings('client', server)
  await pings('server', client)
}

/** Three answers, or it fails. (Without `-w` ping waits for the last one no longer than two of the others took.) */
async function pings(side: Side, address: string, ...options: string[]): Promise<void> {
  await runAt(side, 'ping', '-c', '3', '-i', '0.05', '-w', '20', ...options, address)
}

async function hasNoAddress({ addresses }: Meeting): Promise<void> {
  for (const side of ['client', 'server'] as const)
    assert.ok(
      !(await runAt(side, 'ip', '-br', 'addr')).includes(` ${addresses[side]} `),
      `the ${side} still has its address`,
    )
}
