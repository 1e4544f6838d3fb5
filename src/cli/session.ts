/** One run of one command: its options, its output, its connection to modemd, and what its failure becomes. */

import { errorText } from '../base/errors.ts'
import type { Clock } from '../base/ports.ts'
import { busAddress } from './bus-address.ts'
import { Daemon } from './daemon.ts'
import { CliError } from './errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { Output } from './output/output.ts'

export interface GlobalOptions {
  readonly json?: boolean | undefined
  readonly bus?: string | undefined
}

export class Session {
  readonly io: Io
  readonly clock: Clock
  readonly output: Output
  readonly #bus: string | undefined
  #daemon: Daemon | undefined

  constructor(io: Io, clock: Clock, options: GlobalOptions) {
    this.io = io
    this.clock = clock
    this.output = new Output(io, options.json === true)
    this.#bus = options.bus
  }

  /** For text that goes elsewhere: no colour, no end of line. */
  get plainOutput(): Output {
    return new Output({ ...this.io, stdout: { write: () => {} } }, false)
  }

  /** Of the bus that modemd is looked for on. */
  get busAddress(): string {
    return busAddress(this.#bus, this.io.env)
  }

  /** modemd, of which nothing is read yet. */
  async connect(): Promise<Daemon> {
    this.#daemon = await Daemon.open(this.busAddress, this.clock)
    return this.#daemon
  }

  /** modemd, read once. */
  async load(): Promise<Daemon> {
    const daemon = await this.connect()
    await daemon.load()
    return daemon
  }

  /** modemd, kept current. */
  async follow(): Promise<Daemon> {
    const daemon = await this.connect()
    await daemon.follow()
    return daemon
  }

  /** Runs the command to its exit code. Never rejects. */
  async run(command: (session: Session) => Promise<ExitCode | undefined>): Promise<ExitCode> {
    try {
      return (await command(this)) ?? EXIT.done
    } catch (error) {
      return this.fail(error)
    } finally {
      this.#daemon?.close()
    }
  }

  /** Says what went wrong, in the way that was asked for. */
  fail(error: unknown): ExitCode {
    const known = error instanceof CliError ? error : unexpected(error)
    if (this.output.json) {
      const { errorName: name, message, failureCause: cause } = known
      this.output.document({ error: { name, message, cause } })
    } else this.output.complain(known.message, known.details)
    return known.exitCode
  }
}

function unexpected(error: unknown): CliError {
  return new CliError('org.modemd.Error.Internal', `${errorText(error)}: please report this together with the command`)
}
