/** modem-sim as its users run it: a child process, its ready line, its control socket, its end. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { askControl } from '../../src/sim/control.ts'

const PROGRAM = fileURLToPath(new URL('../../src/sim/command.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class RunningSim {
  readonly folder: string
  readonly control: string
  readonly child: ChildProcess
  readonly #ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  /** `FOLDER` in the arguments becomes a new folder's name. */
  constructor(t: TestContext, args: readonly string[], control?: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'modem-sim-'))
    this.control = control ?? join(this.folder, 'ctl')
    const all = [...args, '--control', this.control].map((each) => each.replace('FOLDER', this.folder))
    this.child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...all], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.on('data', (chunk) => {
      this.#stdout += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.#stderr += chunk
    })
    this.#ended = once(this.child, 'close').then(([code]) => ({ code, stdout: this.#stdout, stderr: this.#stderr }))
    t.after(async () => {
      this.child.kill('SIGKILL')
      await this.#ended
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** Its ready line. */
  async ready(): Promise<string> {
    while (!this.#stdout.includes('\n')) {
      const event = await Promise.race([once(this.child.stdout!, 'data'), this.#ended.then(() => 'ended' as const)])
      if (event === 'ended') throw new Error(`modem-sim ended before it was ready: ${this.#stderr}`)
    }
    return this.#stdout.trimEnd()
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers differ from command to command
  async ctl(command: string, ...args: readonly string[]): Promise<any> {
    return JSON.parse(await askControl(this.control, { command, args }))
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  async stats(): Promise<any> {
    return (await this.ctl('stats')).modems[0]
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal)
    return this.#ended
  }

  ended(): Promise<Ended> {
    return this.#ended
  }

  /** Everything in the folder, as paths below it; without following links, as `recursive` alone would. */
  leftovers(): string[] {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .map((entry) => relative(this.folder, join(entry.parentPath, entry.name)))
      .sort()
  }
}
