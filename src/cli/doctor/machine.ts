/**
 * The machine as the checks of `mmctl doctor` read it: files, programs that run, who asks. Everything is looked at, nothing is
 * changed. Two prefixes: `root` is modemd's own --root (configuration, state, run, /dev of ttys), `host` is '' but in tests.
 */

import {
  accessSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errorText } from '../../base/errors.ts'
import { IrregularFile, readRegularFile } from '../../serial/regular-file.ts'

/** As a configuration file may be. */
const LARGEST_BYTES = 256 * 1024

export interface MachineOptions {
  readonly root?: string
  /** modemd's --config, a path without the root before it. */
  readonly configuration?: string | undefined
  readonly host?: string
  readonly uid?: number
  readonly groups?: readonly number[]
  readonly nowMs?: number
  /** `uname -r`. */
  readonly kernel?: string
  readonly isAlive?: (pid: number) => boolean
}

export interface Program {
  readonly pid: number
  /** The kernel's name for it, at most 15 characters. */
  readonly name: string
  readonly words: readonly string[]
}

/** A process of which modemd may be the one. */
export interface Credentials {
  readonly uid: number
  readonly groups: readonly number[]
  /** Has it CAP_DAC_OVERRIDE, by which modes do not count? */
  readonly overridesModes: boolean
}

export class Machine {
  readonly uid: number
  readonly groups: readonly number[]
  readonly nowMs: number
  readonly kernel: string
  /** conf.d and profiles are beside it. */
  readonly configuration: string
  readonly #isNamed: boolean
  readonly #root: string
  readonly #host: string
  readonly #isAlive: (pid: number) => boolean
  #programs: readonly Program[] | undefined

  constructor(options: MachineOptions = {}) {
    this.#root = (options.root ?? '').replace(/\/+$/, '')
    this.#host = options.host ?? ''
    this.configuration = options.configuration ?? '/etc/modemd/modemd.conf'
    this.#isNamed = options.configuration !== undefined
    this.uid = options.uid ?? process.getuid!()
    this.groups = options.groups ?? [process.getgid!(), ...process.getgroups!()]
    this.nowMs = options.nowMs ?? Date.now()
    this.kernel = options.kernel ?? (this.text('/proc/sys/kernel/osrelease') ?? '').trim()
    this.#isAlive = options.isAlive ?? isAlive
  }

  /** What helps one who may not read; root is not told so. */
  get asRoot(): string {
    return this.uid === 0 ? '' : ' (run it as root)'
  }

  /** A path that modemd's --root is put before. */
  own(path: string): string {
    if (this.#isNamed && isOfConfiguration(path, this.configuration)) return `${this.#host}${path}`
    return this.#root === '' ? `${this.#host}${path}` : `${this.#root}${path}`
  }

  isAlive(pid: number): boolean {
    return this.#isAlive(pid)
  }

  text(path: string): string | undefined {
    return readText(`${this.#host}${path}`)
  }

  /** Also where a symbolic link leads: for what root alone writes. */
  ownText(path: string): string | undefined {
    try {
      return readRegularFile(this.own(path), LARGEST_BYTES, true).content.toString('utf8')
    } catch {
      return undefined
    }
  }

  /** What modemd's user or everybody may have put there. undefined: it is not there. */
  ownFile(path: string): { readonly content: Buffer } | { readonly refused: string } | undefined {
    try {
      return readRegularFile(this.own(path), LARGEST_BYTES)
    } catch (error) {
      if (error instanceof IrregularFile) return { refused: errorText(error) }
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      return { refused: `it cannot be read${this.asRoot || ` (${errorText(error)})`}` }
    }
  }

  has(path: string): boolean {
    return statOf(`${this.#host}${path}`) !== undefined
  }

  /** Empty where no regular small file is there, undefined where there is none or it cannot be read. */
  ownBytes(path: string): Buffer | undefined {
    try {
      return readRegularFile(this.own(path), LARGEST_BYTES).content
    } catch (error) {
      return error instanceof IrregularFile ? Buffer.alloc(0) : undefined
    }
  }

  ownStat(path: string): Stats | undefined {
    return statOf(this.own(path))
  }

  stat(path: string): Stats | undefined {
    return statOf(`${this.#host}${path}`)
  }

  /** '' where it is no symbolic link. */
  ownLink(path: string): string {
    try {
      return readlinkSync(this.own(path))
    } catch {
      return ''
    }
  }

  names(path: string): readonly string[] {
    return namesIn(`${this.#host}${path}`)
  }

  ownNames(path: string): readonly string[] {
    return namesIn(this.own(path))
  }

  /** By whoever asks. */
  isOwnReadable(path: string): boolean {
    try {
      accessSync(this.own(path), constants.R_OK)
      return true
    } catch {
      return false
    }
  }

  /** Bytes and files that are free where the path is, or its nearest folder that exists. */
  ownFree(path: string): { readonly bytes: number; readonly files: number } | undefined {
    for (let place = this.own(path); place !== ''; place = place.slice(0, place.lastIndexOf('/'))) {
      try {
        const { bavail, bsize, ffree, files } = statfsSync(place)
        // Some file systems count no files.
        return { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree }
      } catch {
        // Not made yet.
      }
    }
    return undefined
  }

  /** All that run; what other users run shows by name. */
  get programs(): readonly Program[] {
    this.#programs ??= this.names('/proc').flatMap((pid) => {
      if (!/^\d+$/.test(pid)) return []
      const name = this.text(`/proc/${pid}/comm`)?.trim()
      const words = this.text(`/proc/${pid}/cmdline`)?.split('\0').filter(Boolean) ?? []
      return name === undefined ? [] : [{ pid: Number(pid), name, words }]
    })
    return this.#programs
  }

  running(...names: readonly string[]): readonly Program[] {
    return this.programs.filter(({ name }) => names.includes(name))
  }

  /** Who a process is (proc(5), status). */
  credentialsOf(pid: number): Credentials | undefined {
    const status = this.text(`/proc/${pid}/status`)
    if (status === undefined) return undefined
    const fields = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? []
    const numbers = (name: string) => fields(name).filter(Boolean).map(Number)
    const [, uid = 0] = numbers('Uid')
    const [, gid = 0] = numbers('Gid')
    const capabilities = BigInt(`0x${fields('CapEff')[0] || '0'}`)
    return { uid, groups: [gid, ...numbers('Groups')], overridesModes: (capabilities & CAP_DAC_OVERRIDE) !== 0n }
  }

  /** The id of a group by its name, with the names of its members. */
  group(name: string): { readonly id: number; readonly members: readonly string[] } | undefined {
    const fields = this.#records('/etc/group').find(([each]) => each === name)
    return fields && { id: Number(fields[2]), members: (fields[3] ?? '').split(',').filter(Boolean) }
  }

  /** A user by name, with the groups that the system's files and `more` put it in. */
  account(name: string, more: readonly string[] = []): { readonly uid: number; readonly groups: readonly number[] } {
    const fields = this.#records('/etc/passwd').find(([each]) => each === name)
    const groups = this.#records('/etc/group').filter(
      ([each = '', , , members = '']) => members.split(',').includes(name) || more.includes(each),
    )
    return {
      uid: Number(fields?.[2] ?? -1),
      groups: [Number(fields?.[3] ?? -1), ...groups.map(([, , id]) => Number(id))],
    }
  }

  groupName(id: number): string {
    return this.#records('/etc/group').find((fields) => Number(fields[2]) === id)?.[0] ?? String(id)
  }

  userName(id: number): string {
    return this.#records('/etc/passwd').find((fields) => Number(fields[2]) === id)?.[0] ?? String(id)
  }

  #records(file: string): readonly (readonly string[])[] {
    return (this.text(file) ?? '').split('\n').map((line) => line.split(':'))
  }
}

function isOfConfiguration(path: string, file: string): boolean {
  const home = dirname(file)
  return path === file || [`${home}/conf.d`, `${home}/profiles`].some((each) => `${path}/`.startsWith(`${each}/`))
}

/** capabilities(7). */
const CAP_DAC_OVERRIDE = 1n << 1n

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
