/**
 * modem-ppp and Debian's pppd as programs on joined pseudo-terminals, in the test's own namespaces: an /etc/ppp and a /run that nobody
 * else has, and a network namespace of its own for each program that asks for it.
 */

import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openPty, type Pty } from '../../../src/system/pty.ts'
import { until } from '../../system/until.ts'

export const MODEM_PPP = fileURLToPath(new URL('../../../dist/modem-ppp.cjs', import.meta.url))
export const MODEM_CHAT = fileURLToPath(new URL('../../../dist/modem-chat.cjs', import.meta.url))
const SHIM_SOURCE = fileURLToPath(new URL('../../interop/pppd-shim/fakeppp.c', import.meta.url))
const LIMIT_MS = 30_000

/** For a quick test on a line that loses nothing. */
export const QUICK = ['lcp-restart', '1', 'ipcp-restart', '1', 'novj', 'noccp', 'noipv6']

export const folder = mkdtempSync(join(tmpdir(), 'modemd-ppp-command-'))

/** Once in a namespace: /etc/ppp and /run are empty and ours. */
export function makePrivatePlaces(): void {
  after(() => rmSync(folder, { recursive: true, force: true }))
  for (const place of ['/etc/ppp', '/run']) mount(place)
  mkdirSync('/run/lock')
  writeFileSync('/etc/ppp/options', '')
  for (const name of ['pap', 'chap'])
    writeFileSync(`/etc/ppp/${name}-secrets`, '"alice" * "sekret" *\n', { mode: 0o600 })
}

function mount(place: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'none', place], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mount ${place}: ${stderr}`)
}

let library: string | undefined

/** fakeppp.c, compiled: what stands in for the kernel's PPP below pppd. */
function fakePpp(): string {
  if (library) return library
  library = join(folder, 'fakeppp.so')
  const { status, stderr } = spawnSync(
    'gcc',
    ['-O2', '-shared', '-fPIC', '-o', library, SHIM_SOURCE, '-lpthread', '-ldl'],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`gcc: ${stderr}`)
  return library
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv
  /** In a network namespace of its own. */
  readonly isApart?: boolean
  readonly stdio?: StdioOptions
  readonly cwd?: string
  /** Runs the program: `setpriv …`, `setsid`. */
  readonly below?: readonly string[]
}

export class Program {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output = ''
  stderr = ''
  exitCode: number | null | undefined

  constructor(t: TestContext, command: readonly string[], options: StartOptions = {}) {
    const [program, ...args] = [...(options.isApart ? ['unshare', '-n'] : []), ...(options.below ?? []), ...command]
    this.child = spawn(program!, args, {
      env: { PATH: process.env.PATH, ...options.env },
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text) => (this.output += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text) => (this.stderr += text))
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        this.exitCode = code
        resolve(code)
      })
    })
    t.after(async () => {
      this.child.kill('SIGKILL')
      await this.ended
    })
  }

  get lines(): string[] {
    return this.output.split('\n').slice(0, -1)
  }

  async says(what: RegExp): Promise<void> {
    await until(`${what} from ${this.child.spawnargs.join(' ')}`, () => this.#isSaid(what), LIMIT_MS)
  }

  /** Its exit code. */
  async end(): Promise<number | null> {
    await until(`the end of ${this.child.spawnargs.join(' ')}`, () => this.exitCode !== undefined, LIMIT_MS)
    return this.exitCode ?? null
  }

  #isSaid(what: RegExp): boolean {
    if (what.test(this.output)) return true
    if (this.exitCode !== undefined)
      throw new Error(`ended with ${this.exitCode} before ${what}:\n${this.output}${this.stderr}`)
    return false
  }
}

export function modemPpp(t: TestContext, args: readonly string[], options?: StartOptions): Program {
  return new Program(t, [process.execPath, MODEM_PPP, ...args], options)
}

export function pppd(t: TestContext, args: readonly string[], options: StartOptions = {}): Program {
  return new Program(t, ['/usr/sbin/pppd', ...args], { ...options, env: { LD_PRELOAD: fakePpp(), ...options.env } })
}

/** Two ttys with a cable between them. */
export class Cable {
  readonly near: Pty
  readonly far: Pty
  /** Looks at what goes from near to far; false: it does not arrive. */
  onNear: (bytes: Uint8Array) => boolean = () => true
  isCut = false

  constructor(t: TestContext) {
    this.near = openPty()
    this.far = openPty()
    this.near.onData((bytes) => {
      if (!this.isCut && this.onNear(bytes)) this.far.write(bytes)
    })
    this.far.onData((bytes) => {
      if (!this.isCut) this.near.write(bytes)
    })
    t.after(() => {
      this.near.close()
      this.far.close()
    })
  }

  get tty(): string {
    return this.near.slavePath
  }

  get farTty(): string {
    return this.far.slavePath
  }
}

export const OUR_ADDRESS = '10.64.0.2'
export const THEIR_ADDRESS = '10.64.64.64'

/** A server at the far end; its interface is not called as the client's, because both write to one /run. */
export function serverArgs(tty: string, ...more: string[]): string[] {
  const addresses = `${THEIR_ADDRESS}:${OUR_ADDRESS}`
  return [tty, '115200', 'nodetach', 'local', addresses, 'unit', '9', ...QUICK, ...more]
}

export function clientArgs(tty: string, ...more: string[]): string[] {
  return [tty, '115200', 'nodetach', 'local', 'noauth', 'noipdefault', ...QUICK, ...more]
}
