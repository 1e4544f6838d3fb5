/** What the end-to-end tests share: the running product with the questions a user would ask of it. Each file runs in a namespace of its own. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Rig, type RigOptions, type Servant } from '../support/rig.ts'

export const OPERATOR = '10.64.0.1'

export const GOOD_PROFILE = {
  apn: 'internet',
  username: 'demo',
  password: 'sesame',
  pin: '1234',
} as const

/** Of the simulator: a modem whose SIM and network agree with GOOD_PROFILE. */
export const GOOD_SIM = [
  ...['--pin', '1234', '--register-after', '100ms', '--latency', '0', '--signal', '-71'],
  ...['--apn', 'internet:demo:sesame', '--auth', 'chap', '--internet', 'tun', '--dns', OPERATOR],
]

export function profileText(changes: Readonly<Record<string, string>> = {}, more = ''): string {
  const lines = Object.entries({ ...GOOD_PROFILE, ...changes }).map(([key, value]) => `${key} = ${value}`)
  return `[profile]\n${lines.join('\n')}\n${more}`
}

export const PROFILE_FILE = 'etc/modemd/profiles/demo.conf'

export interface Ended {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

/** `mmctl why --json`. */
export interface Story {
  readonly state: string
  readonly cause?: string
  readonly causeDetail?: string
  readonly advice?: string
  readonly attempts?: number
  readonly chatExit?: number
  readonly pppExit?: number
}

export interface SimStats {
  readonly sim: {
    readonly iccid: string
    readonly state: string
    readonly pinTries: number
    readonly pukTries: number
    readonly spent: number
    readonly refused: number
  }
  readonly commands: { readonly total: number; readonly byName: Readonly<Record<string, number>> }
  readonly calls: number
  readonly plugged: boolean
  readonly call: string
}

export class Product extends Rig {
  /** Runs the steps on a whole product, then ends it and looks whether anything is left. */
  static async run(options: RigOptions, steps: (product: Product) => Promise<void>): Promise<void> {
    const product = new Product({ ...options, files: { [PROFILE_FILE]: profileText(), ...options.files } })
    try {
      await product.start()
      await steps(product)
      assert.deepEqual(await product.stop(), ['modemd: exit 0', 'modem-sim: exit 0', 'dbus-daemon: exit 0'])
      product.nothingIsLeft()
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}${product.logs()}`, { cause: error })
    } finally {
      product.remove()
    }
  }

  get modemd(): Servant {
    const servant = this.servants.find(({ name }) => name === 'modemd')
    assert.ok(servant, 'modemd runs')
    return servant
  }

  /** For what is to die: `until` and `stop` no longer look for it. */
  release(servant: Servant): Servant {
    this.servants.splice(this.servants.indexOf(servant), 1)
    return servant
  }

  /** Ends it and starts it again. */
  async restart(name: 'modemd' | 'modem-sim', signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const servant = this.release(this.servants.find((each) => each.name === name)!)
    const ended = once(servant.child, 'exit')
    servant.child.kill(signal)
    await ended
    await (name === 'modemd' ? this.startModemd() : this.startSim())
  }

  /** mmctl without blocking, so that something can happen meanwhile. */
  async mmctl(...args: string[]): Promise<Ended> {
    const startedMs = performance.now()
    const [program, ...all] = this.command('mmctl', args)
    const child = spawn(program!, all, { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (bytes) => (stdout += bytes))
    child.stderr.on('data', (bytes) => (stderr += bytes))
    const [exit] = await once(child, 'close')
    return { exit, stdout, stderr, ms: performance.now() - startedMs }
  }

  connect(...args: string[]): Promise<Ended> {
    return this.mmctl('connect', 'demo', ...args)
  }

  async connectsWell(...args: string[]): Promise<void> {
    const ended = await this.connect(...args)
    assert.equal(ended.exit, 0, `mmctl connect: ${ended.stdout}${ended.stderr}`)
    this.pings()
  }

  /** The connect fails with this exit code, and `why` names this cause. */
  async fails(cause: string, exit: number, ...args: string[]): Promise<Story> {
    const ended = await this.connect(...args)
    const story = this.why()
    const seen = `connect: ${ended.stdout}${ended.stderr}\nwhy: ${JSON.stringify(story)}`
    assert.deepEqual({ cause: story.cause, exit: ended.exit }, { cause, exit }, seen)
    assert.ok(story.causeDetail, `the evidence is shown: ${seen}`)
    assert.ok(story.advice, `advice is given: ${seen}`)
    return story
  }

  why(link = 'demo'): Story {
    return JSON.parse(this.read('mmctl', 'why', link, '--json'))
  }

  pings(): void {
    assert.match(this.read('ping', '-c', '1', '-W', '3', OPERATOR), / 0% packet loss/)
  }

  stats(): SimStats {
    return (this.sim('stats') as { modems: SimStats[] }).modems[0]!
  }

  isPlugged(): boolean {
    return this.stats().plugged
  }

  /** Does modemd have this file open? */
  holds(path: string): boolean {
    const folder = `/proc/${this.modemd.child.pid}/fd`
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`) === path
      } catch {
        // Closed since it was listed.
        return false
      }
    })
  }

  async untilModem(state: string, limitMs?: number): Promise<void> {
    await this.until(`the modem is ${state}`, () => this.modems()[0]?.state === state, limitMs)
  }

  async untilLink(state: string, limitMs?: number): Promise<void> {
    await this.until(`the link is ${state}`, () => this.link('demo').state === state, limitMs)
  }

  async untilUnplugged(): Promise<void> {
    await this.until('the modem is gone', () => this.modems().length === 0)
  }

  resolvConf(): string {
    return this.read('cat', `${this.root}/etc/resolv.conf`)
  }

  noInterface(): void {
    assert.doesNotMatch(this.read('ip', '-o', 'link'), /ppp/)
    assert.equal(this.read('ip', 'route'), '')
  }

  nothingIsLeft(): void {
    this.noInterface()
    assert.equal(this.resolvConf(), '')
    assert.deepEqual(this.leftovers(), [])
  }

  /** Open file descriptors of modemd. */
  openFiles(): number {
    return readdirSync(`/proc/${this.modemd.child.pid}/fd`).length
  }

  /** CPU time that modemd has used so far. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.modemd.child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
}
