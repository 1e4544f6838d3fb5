/** A product with a link that connects by itself, and when its states reached a D-Bus client. For the benchmarks of hang-ups and redialling. */

import { setTimeout as sleep } from 'node:timers/promises'
import { BusClient } from '../src/cli/bus-client.ts'
import { askControl } from '../src/sim/control.ts'
import { systemClock } from '../src/system/clock.ts'
import { Rig } from '../test/support/rig.ts'

export interface Change {
  readonly atMs: number
  readonly from: string
  readonly to: string
}

const LIMIT_MS = 30_000
/** The address of the simulated operator. */
const OPERATOR = '10.64.0.1'

export interface LinkOptions {
  readonly personality: string
  /** Of the profile's sections behind [profile]. */
  readonly profile?: string
}

export class LinkTimes {
  readonly rig: Rig
  readonly changes: Change[] = []
  #client!: BusClient

  static async start(options: LinkOptions): Promise<LinkTimes> {
    const times = new LinkTimes(options)
    await times.#start()
    return times
  }

  private constructor({ personality, profile = '' }: LinkOptions) {
    this.rig = new Rig({
      sim: [
        ...['--personality', personality, '--latency', '0', '--register-after', '0s', '--internet', 'tun'],
        ...['--apn', 'internet'],
      ],
      modemd: ['--log-level', 'warn'],
      files: {
        // For personalities that are no USB modems.
        'etc/modemd/modemd.conf': '[device "tty:/dev/ttyS0"]\n',
        'etc/modemd/profiles/bench.conf': `[profile]\napn = internet\nautoconnect = yes\n${profile}`,
      },
    })
  }

  async #start(): Promise<void> {
    await this.rig.start()
    this.#client = await BusClient.open(this.rig.bus, systemClock, {
      onSignal: ({ interface: name, member, body }) => {
        if (name !== 'org.modemd.Link1' || member !== 'StateChanged') return
        this.changes.push({ atMs: performance.now(), from: String(body[0]), to: String(body[1]) })
      },
      onGone: console.error,
    })
    await this.#client.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'AddMatch',
      signature: 's',
      body: ["type='signal',sender='org.modemd'"],
    })
    await this.rig.until('the link is up', () => this.rig.link('bench').state === 'up')
  }

  /** A command of the simulator's control socket, from this process: it takes a millisecond. */
  async sim(...words: readonly string[]): Promise<void> {
    const [command = '', ...args] = words
    const answer = JSON.parse(await askControl(this.rig.control, { command, args }))
    if (answer.ok !== true) throw new Error(`modem-sim ${words.join(' ')}: ${answer.error}`)
  }

  /** A person asks: the backoff begins anew. */
  async connect(): Promise<void> {
    await this.#manager('Connect', 'sa{sv}', ['bench', []])
  }

  async disconnect(): Promise<void> {
    await this.#manager('Disconnect', 'o', ['/'])
  }

  /** org.freedesktop.DBus.Peer of modemd. */
  async ping(): Promise<void> {
    const peer = { destination: 'org.modemd', path: '/org/modemd', interface: 'org.freedesktop.DBus.Peer' }
    await this.#client.call({ ...peer, member: 'Ping' })
  }

  async #manager(member: string, signature: string, body: readonly unknown[]): Promise<void> {
    const manager = { destination: 'org.modemd', path: '/org/modemd', interface: 'org.modemd.Manager1' }
    await this.#client.call({ ...manager, member, signature, body })
  }

  /** Since `sinceMs`. */
  async seen(what: (change: Change) => boolean, sinceMs: number): Promise<Change> {
    for (;;) {
      const found = this.changes.find((change) => change.atMs >= sinceMs && what(change))
      if (found) return found
      if (performance.now() - sinceMs > LIMIT_MS) throw new Error(`waited in vain${this.rig.logs()}`)
      await sleep(1)
    }
  }

  /** Traffic both ways until the answer is called. */
  traffic(): () => void {
    const ping = this.rig.spawn('ping', ['-i', '0.002', '-s', '1200', '-q', OPERATOR])
    return () => {
      ping.child.kill('SIGKILL')
      this.rig.servants.splice(this.rig.servants.indexOf(ping), 1)
    }
  }

  async close(): Promise<void> {
    this.#client.close()
    await this.rig.stop()
    this.rig.remove()
  }
}
