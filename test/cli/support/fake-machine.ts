/** A machine made of files below a folder of its own, for the checks of `mmctl doctor`. */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { Machine, type MachineOptions } from '../../../src/cli/doctor/machine.ts'

export interface FakeFile {
  readonly text?: string | Buffer
  readonly mode?: number
  /** A symbolic link to this, taken as it is. */
  readonly link?: string
  readonly isFifo?: true
}

export type FakeFiles = Readonly<Record<string, string | FakeFile>>

/** A program as /proc shows it. */
export function program(pid: number, words: string, more = ''): FakeFiles {
  const name = words.split(' ')[0]!.split('/').at(-1)!.slice(0, 15)
  return {
    [`/proc/${pid}/comm`]: `${name}\n`,
    [`/proc/${pid}/cmdline`]: `${words.replaceAll(' ', '\0')}\0`,
    [`/proc/${pid}/status`]: `Name:\t${name}\n${more}`,
  }
}

/** modemd as a user without rights, in these groups. */
export function modemdAs(pid: number, uid: number, groups: readonly number[]): FakeFiles {
  const status = `PPid:\t1\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t${uid}\t${uid}\t${uid}\t${uid}\nGroups:\t${groups.join(' ')} \nCapEff:\t0000000000001000\n`
  return program(pid, 'modemd', status)
}

export function machineOf(context: TestContext, files: FakeFiles, options: MachineOptions = {}): Machine {
  const host = mkdtempSync(join(tmpdir(), 'mmctl-machine-'))
  context.after(() => rmSync(host, { recursive: true }))
  for (const [path, file] of Object.entries(files)) {
    const { text = '', mode = 0o644, link, isFifo } = typeof file === 'string' ? { text: file } : file
    const place = join(host, path)
    mkdirSync(dirname(place), { recursive: true })
    if (link !== undefined) symlinkSync(link, place)
    else if (isFifo) execFileSync('mkfifo', [place])
    else {
      writeFileSync(place, text)
      // Whatever the umask is.
      chmodSync(place, mode)
    }
  }
  const isAlive = (pid: number) => Object.keys(files).some((path) => path.startsWith(`/proc/${pid}/`))
  return new Machine({
    host,
    uid: 1000,
    groups: [1000],
    nowMs: Date.UTC(2026, 10, 22),
    kernel: '6.1',
    isAlive,
    ...options,
  })
}
