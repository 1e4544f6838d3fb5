/**
 * One end of a line: Debian's pppd, or modem-ppp with one of its engines, in a network namespace of its own side. Both take the
 * same options, so the cases do not ask which it is.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { run } from '../../system/run.ts'
import { until } from '../../system/until.ts'

export type Program = 'pppd' | 'builtin' | 'kernel'
export type Side = 'client' | 'server'

/** What the program told its ip-up script. */
export interface Told {
  readonly interfaceName: string
  readonly local: string
  readonly remote: string
  readonly dns: readonly string[]
}

/** Where the scripts leave what they were told: SIDE.NUMBER.ip-up and so on. */
const FACTS = '/run/facts'
const LIMIT_MS = 60_000
const SECRETS = ['pap-secrets', 'chap-secrets']
export const SECRET = 'sekret'

const SCRIPT = `#!/bin/sh
# pppd's arguments: interface, tty, speed, local, remote, ipparam.
echo "$1 $4 $5 $DNS1 $DNS2" >${FACTS}/$6.\${0##*/}.new
mv ${FACTS}/$6.\${0##*/}.new ${FACTS}/$6.\${0##*/}
`

/** The network namespaces of both sides; `ip netns exec` mounts each side's own /etc/ppp. */
export function prepareSides(): void {
  mkdirSync(FACTS, { recursive: true })
  for (const side of ['client', 'server']) {
    execFileSync('ip', ['netns', 'add', side])
    execFileSync('ip', ['-n', side, 'link', 'set', 'lo', 'up'])
    const folder = `/etc/netns/${side}/ppp`
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/options`, '')
    for (const script of ['ip-up', 'ip-down', 'ipv6-up', 'ipv6-down']) {
      writeFileSync(`${folder}/${script}`, SCRIPT)
      chmodSync(`${folder}/${script}`, 0o755)
    }
    for (const file of SECRETS) writeFileSync(`${folder}/${file}`, '', { mode: 0o600 })
  }
}

/** Each meeting has a user of its own: several run at the same time. */
export function addUser(side: Side, user: string, secret: string): void {
  for (const file of SECRETS) appendFileSync(`/etc/netns/${side}/ppp/${file}`, `"${user}" * "${secret}" *\n`)
}

/** A command in a side's namespace: all it says; rejects where it fails. */
export async function runAt(side: Side, ...command: string[]): Promise<string> {
  const { status, output } = await run('ip', 'netns', 'exec', side, ...command)
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${output}`)
  return output
}

export class End {
  readonly side: Side
  readonly ended: Promise<number | NodeJS.Signals>
  /** When it said that the line is there, and when that it has its address. */
  connectedMs: number | undefined
  addressedMs: number | undefined
  output = ''
  status: number | NodeJS.Signals | undefined
  readonly #child: ChildProcess
  readonly #facts: string

  /** `number` tells this end from all others of its side. */
  constructor(t: TestContext, program: Program, side: Side, number: number, tty: string, options: readonly string[]) {
    this.side = side
    this.#facts = `${side}.${number}`
    const command = program === 'pppd' ? ['pppd'] : ['node', '/project/dist/modem-ppp.cjs', 'engine', program]
    const common = ['nodetach', 'local', 'nocrtscts', 'novj', 'noccp', 'debug', 'ipparam', this.#facts]
    const restart = ['lcp-restart', '1', 'ipcp-restart', '1', 'lcp-max-configure', '20']
    const args = ['netns', 'exec', side, ...command, tty, '115200', ...common, ...restart, ...options]
    this.#child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes) => {
        this.output += bytes
        if (/^Connect: /m.test(this.output)) this.connectedMs ??= performance.now()
        if (/^local {2}IP address/m.test(this.output)) this.addressedMs ??= performance.now()
      })
    this.ended = once(this.#child, 'exit').then(([status, signal]) => {
      this.status = status ?? signal
      return status ?? signal
    })
    t.after(async () => {
      this.signal('SIGKILL')
      await this.ended
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** What a script of that name was told; waits for it. */
  async told(script: 'ip-up' | 'ip-down' | 'ipv6-up' = 'ip-up'): Promise<Told> {
    const file = `${FACTS}/${this.#facts}.${script}`
    await until(
      `${script} of ${this.#facts} (${this.status ?? 'runs'}): ${this.output}`,
      () => existsSync(file) || this.status !== undefined,
      LIMIT_MS,
    ).catch(() => {})
    if (!existsSync(file))
      throw new Error(`the ${this.side} never ran ${script} (${this.status ?? 'runs'}):\n${this.output}`)
    const [interfaceName, local, remote, ...dns] = readFileSync(file, 'utf8').trim().split(/ +/) as [
      string,
      string,
      string,
    ]
    return { interfaceName, local, remote, dns }
  }

  async says(words: RegExp): Promise<void> {
    await until('', () => words.test(this.output) || this.status !== undefined, LIMIT_MS).catch(() => {})
    if (!words.test(this.output)) throw new Error(`the ${this.side} never said ${words}:\n${this.output}`)
  }

  async exit(): Promise<number | NodeJS.Signals> {
    await until('', () => this.status !== undefined, LIMIT_MS).catch(() => {
      throw new Error(`the ${this.side} did not end:\n${this.output}`)
    })
    return this.ended
  }
}
