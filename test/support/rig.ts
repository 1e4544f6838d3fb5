/**
 * The whole product below one folder, for the demo, the end-to-end tests and the benchmarks: a private bus, modem-sim
 * and modemd as real processes of `dist/`. To be used inside a network and mount namespace (it binds resolv.conf).
 */

import { type ChildProcess, execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import manifest from '../../package.json' with { type: 'json' }

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAMS: Readonly<Record<string, string>> = manifest.bin
const END_LIMIT_MS = 6000

export interface RigOptions {
  /** Arguments of modem-sim behind `--root` and `--control`. */
  readonly sim?: readonly string[]
  /** Arguments of modemd behind `--root` and `--bus`. */
  readonly modemd?: readonly string[]
  /** Files below the root, e.g. `etc/modemd/profiles/a.conf`; made with mode 0600. */
  readonly files?: Readonly<Record<string, string>>
  /** Where the servants' own output goes. */
  readonly output?: 'inherit' | 'keep'
}

export interface Servant {
  readonly name: string
  readonly child: ChildProcess
  /** What it wrote, where `output` is `keep`. */
  log: string
}

export interface LinkStatus {
  readonly profile: string
  readonly state: string
  readonly cause?: string
  readonly causeDetail?: string
  readonly interface?: string
  readonly upSince?: number | string
  readonly attempts: number
  readonly phaseMs?: Record<string, number>
}

export interface ModemStatus {
  readonly id: string
  readonly state: string
  readonly operatorName?: string
}

export class Rig {
  readonly root = mkdtempSync(join(tmpdir(), 'modemd-rig-'))
  readonly bus = `unix:path=${this.root}/bus`
  readonly control = `${this.root}/modem-sim.sock`
  readonly environment = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: this.bus, NODE_EXTRA_CA_CERTS: undefined }
  readonly servants: Servant[] = []
  readonly #options: RigOptions
  #stopping: Promise<string[]> | undefined
  readonly #killAll = () => {
    for (const { child } of this.servants) if (isRunning(child)) child.kill('SIGKILL')
    this.#unmount()
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 })
  }

  constructor(options: RigOptions = {}) {
    this.#options = options
    process.on('exit', this.#killAll)
    for (const folder of ['dev', 'sys', 'run', 'var/lib', 'etc/modemd/profiles'])
      mkdirSync(join(this.root, folder), { recursive: true })
    this.write('etc/resolv.conf', '')
    for (const [file, text] of Object.entries(options.files ?? {})) this.write(file, text)
    // A mount point of its own: then it is written in place, and what is bound to /etc sees it, too.
    const resolvConf = join(this.root, 'etc/resolv.conf')
    execFileSync('mount', ['--bind', resolvConf, resolvConf])
    execFileSync('mount', ['--bind', resolvConf, '/etc/resolv.conf'])
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true })
    writeFileSync(join(this.root, file), text, { mode: 0o600 })
  }

  async start(): Promise<this> {
    await this.startBus()
    await this.startSim()
    await this.startModemd()
    return this
  }

  async startBus(): Promise<void> {
    this.spawn('dbus-daemon', ['--session', '--nofork', '--nopidfile', `--address=${this.bus}`])
    await this.until('the bus listens', () => existsSync(`${this.root}/bus`))
  }

  async startSim(): Promise<void> {
    this.spawn('modem-sim', ['--root', this.root, '--control', this.control, ...(this.#options.sim ?? [])])
    await this.until('the simulator listens', () => existsSync(this.control))
  }

  async startModemd(): Promise<Servant> {
    const servant = this.spawn('modemd', ['--root', this.root, '--bus', this.bus, ...(this.#options.modemd ?? [])])
    // The name may still be that of one that has just ended.
    const isOurs = new RegExp(`^org\\.modemd +${servant.child.pid} `, 'm')
    await this.until('modemd is on the bus', () => isOurs.test(this.read('busctl', 'list', '--no-legend')))
    return servant
  }

  spawn(name: string, args: readonly string[]): Servant {
    const [program, ...all] = this.command(name, args)
    // dbus-daemon complains of limits that nobody may change in a user namespace.
    const keeps = this.#options.output !== 'inherit' || name === 'dbus-daemon'
    const child = spawn(program!, all, {
      // Ctrl-C on the terminal is for us: we end them in order.
      detached: true,
      stdio: ['ignore', keeps ? 'pipe' : 'inherit', keeps ? 'pipe' : 'inherit'],
      env: this.environment,
    })
    const servant: Servant = { name, child, log: '' }
    child.stdout?.on('data', (bytes) => (servant.log += bytes))
    child.stderr?.on('data', (bytes) => (servant.log += bytes))
    child.on('error', (error) => (servant.log += `${name}: ${error.message}\n`))
    this.servants.push(servant)
    return servant
  }

  /** Our programs from dist/, busctl with the private bus's address, others as they are. */
  command(name: string, args: readonly string[]): string[] {
    const ours = PROGRAMS[name]
    if (ours) return [process.execPath, join(PROJECT, ours), ...args]
    return [name, ...(name === 'busctl' ? [`--address=${this.bus}`] : []), ...args]
  }

  /** Whatever the exit code. */
  try(name: string, ...args: string[]): SpawnSyncReturns<string> {
    const [program, ...all] = this.command(name, args)
    return spawnSync(program!, all, {
      encoding: 'utf8',
      env: this.environment,
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Its standard output; throws unless it ends with exit 0. */
  read(name: string, ...args: string[]): string {
    const { status, stdout, stderr } = this.try(name, ...args)
    if (status !== 0)
      throw new Error(`${name} ${args.join(' ')} ended with exit ${status}:\n${stdout}${stderr}${this.logs()}`)
    return stdout
  }

  /** A command of the simulator's control socket. */
  sim(...args: string[]): unknown {
    return JSON.parse(this.read('modem-sim', 'ctl', this.control, ...args))
  }

  modems(): ModemStatus[] {
    return JSON.parse(this.read('mmctl', 'list', '--json'))
  }

  link(profile: string): LinkStatus {
    const links: LinkStatus[] = JSON.parse(this.read('mmctl', 'status', '--json')).links
    return links.find((link) => link.profile === profile) ?? { profile, state: 'absent', attempts: 0 }
  }

  /** Up again, after it was up since `upSince`. */
  async untilUpAgain(profile: string, upSince: LinkStatus['upSince']): Promise<void> {
    await this.until(`${profile} is up again`, () => {
      const now = this.link(profile)
      return now.state === 'up' && now.upSince !== undefined && now.upSince !== upSince
    })
  }

  /** Waits for a condition, not for a time; throws when a servant ends or the limit passes. */
  async until(what: string, isSo: () => boolean, limitMs = 20_000): Promise<void> {
    const giveUpAtMs = performance.now() + limitMs
    while (!isSo()) {
      const ended = this.servants.find(({ child }) => !isRunning(child))
      if (ended) throw new Error(`${ended.name} ended with exit ${ended.child.exitCode} before ${what}${this.logs()}`)
      if (performance.now() > giveUpAtMs)
        throw new Error(`waited ${limitMs / 1000} s in vain until ${what}${this.logs()}`)
      await sleep(20)
    }
  }

  /** SIGTERM in the reverse order of starting; answers how each ended. Throws when one does not within 6 s. */
  stop(): Promise<string[]> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<string[]> {
    const ends: string[] = []
    for (let servant = this.servants.at(-1); servant; servant = this.servants.at(-1)) {
      ends.push(await end(servant))
      this.servants.splice(this.servants.indexOf(servant), 1)
    }
    this.#unmount()
    return ends
  }

  /** Files below the root that are neither configuration nor state. */
  leftovers(): string[] {
    return readdirSync(this.root, { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .filter((file) => !/^(etc|var\/lib)\//.test(file))
  }

  /** Lazily: somebody may have the file open. Does nothing where nothing is mounted. */
  #unmount(): void {
    spawnSync('umount', ['--lazy', '/etc/resolv.conf', join(this.root, 'etc/resolv.conf')])
  }

  remove(): void {
    this.#killAll()
    process.off('exit', this.#killAll)
  }

  logs(): string {
    return this.servants.map(({ name, log }) => (log ? `\n--- ${name} said:\n${log.slice(-4000)}` : '')).join('')
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function end({ name, child, log }: Servant): Promise<string> {
  if (!isRunning(child))
    throw new Error(`${name} had already ended (${child.signalCode ?? `exit ${child.exitCode}`})\n${log.slice(-4000)}`)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const inTime = await Promise.race([ended.then(() => true), sleep(END_LIMIT_MS, false, { ref: false })])
  if (!inTime) throw new Error(`${name} did not end within ${END_LIMIT_MS / 1000} s of SIGTERM\n${log.slice(-4000)}`)
  return `${name}: ${child.signalCode ?? `exit ${child.exitCode}`}`
}
