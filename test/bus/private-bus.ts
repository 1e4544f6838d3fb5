/** A real dbus-daemon of the test's own, and the unmodified programs that talk to it. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export class PrivateBus {
  readonly folder = mkdtempSync(join(tmpdir(), 'modemd-bus-'))
  readonly socket = join(this.folder, 'bus')
  readonly address = `unix:path=${this.socket}`
  readonly #followers: ChildProcess[] = []
  #daemon: ChildProcess | undefined

  /** `configuration`: a busconfig instead of the session bus's. */
  static async start(configuration?: string): Promise<PrivateBus> {
    const bus = new PrivateBus()
    chmodSync(bus.folder, 0o755)
    if (configuration !== undefined) writeFileSync(bus.#configurationFile, configuration)
    await bus.restart()
    return bus
  }

  get #configurationFile(): string {
    return join(this.folder, 'bus.conf')
  }

  /** A new dbus-daemon at the same address; the old one is ended first. */
  async restart(): Promise<void> {
    await this.stop()
    const isOwn = existsSync(this.#configurationFile)
    const configuration = isOwn ? `--config-file=${this.#configurationFile}` : '--session'
    const daemon = spawn(
      'dbus-daemon',
      [configuration, '--nofork', '--nopidfile', '--print-address', `--address=${this.address}`],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    this.#daemon = daemon
    await new Promise<void>((resolve, reject) => {
      daemon.once('error', reject)
      daemon.once('exit', (status) => reject(new Error(`dbus-daemon ended with ${status}`)))
      daemon.stdout?.once('data', () => resolve())
    })
  }

  /** Kills the bus before anybody in this process can hear of it. */
  die(): void {
    const daemon = this.#daemon!
    daemon.kill('SIGKILL')
    while (!/\) Z /.test(readFileSync(`/proc/${daemon.pid}/stat`, 'latin1')));
  }

  /** Kills the bus as a crash would. */
  async stop(): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = undefined
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill('SIGKILL')
    await ended
    rmSync(this.socket, { force: true })
  }

  async close(): Promise<void> {
    for (const follower of this.#followers) follower.kill()
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  busctl(...args: readonly string[]): Promise<Ran> {
    return run('busctl', [`--address=${this.address}`, ...args])
  }

  /** `busctl get-property`'s text, `s "up"`. */
  async property(path: string, interfaceName: string, name: string): Promise<string> {
    const { stdout, stderr } = await this.busctl('get-property', 'org.modemd', path, interfaceName, name)
    return stdout.trim() || stderr.trim()
  }

  /** A program that goes on, its standard output collected: a monitor. Ends with the bus. */
  async follow(program: string, args: readonly string[], isReady: RegExp): Promise<{ text(): string; stop(): void }> {
    const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#followers.push(child)
    let text = ''
    const collect = (chunk: Buffer) => {
      text += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    await until(() => isReady.test(text), `${program} to be ready`)
    return { text: () => text, stop: () => child.kill() }
  }
}

export function run(program: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { encoding: 'utf8' as const, maxBuffer: 64 * 1024 * 1024 }
    execFile(program, [...args], options, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr })
    })
  })
}

/** Waits for a condition, not for a time; fails after 10 s. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await delay(10)
  }
}
