/** The real pppd of the guest in a network namespace of its own, at the other end of a line. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { until } from '../../system/until.ts'

const NAMESPACE = 'peer'

let count = 0

/** Again and again. */
function prepareNamespace(): void {
  execFileSync('sh', ['-c', `ip netns add ${NAMESPACE} 2>/dev/null; ip -n ${NAMESPACE} link set lo up`])
}

export class Peer {
  readonly #child: ChildProcess
  readonly #log: string
  exitCode: number | undefined

  constructor(tty: string, options: readonly string[]) {
    prepareNamespace()
    this.#log = `/tmp/peer${process.pid}-${count++}.log`
    const common = ['115200', 'nodetach', 'local', 'nocrtscts', 'debug', 'logfile', this.#log, 'lcp-restart', '1']
    this.#child = spawn('ip', ['netns', 'exec', NAMESPACE, 'pppd', tty, ...common, ...options], { stdio: 'ignore' })
    this.#child.once('exit', (code, signal) => {
      this.exitCode = code ?? (signal === 'SIGKILL' ? -9 : -1)
    })
  }

  get log(): string {
    try {
      return readFileSync(this.#log, 'latin1')
    } catch {
      return ''
    }
  }

  /** `ip netns exec` becomes pppd: it is the child itself. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async ended(): Promise<number> {
    await until('pppd ended', () => this.exitCode !== undefined, 30_000)
    return this.exitCode!
  }

  async stop(): Promise<void> {
    if (this.exitCode !== undefined) return
    this.signal('SIGKILL')
    await this.ended()
  }
}
