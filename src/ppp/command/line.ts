/**
 * The line of one attempt, from its lock to its lock: a tty, the pseudo-terminal of a `pty` command, or standard input and output.
 * The order of things, the messages and the exit codes are those of pppd's connect_tty and cleanup_tty. `run.ts` makes one for
 * each attempt.
 */

import type { ChildProcess } from 'node:child_process'
import { ModemdError } from '../../base/errors.ts'
import { type Clock, sleep } from '../../base/ports.ts'
import { type LockFile, lockedName, takeLock } from '../../serial/lock-file.ts'
import { PortBusyError } from '../../serial/port-busy.ts'
import { close, errnoText, O_NOCTTY, O_NONBLOCK, O_RDWR, open } from '../../system/libc.ts'
import { type FdWatch, watchFd } from '../../system/poll.ts'
import { openPtyPair } from '../../system/pty.ts'
import {
  flushLine,
  hasCarrier,
  type LineSettings,
  readLine,
  setDtr,
  setUpLine,
  speedOf,
  writeLine,
} from '../../system/serial-line.ts'
import { isNonBlocking, setBlocking, setNonBlocking } from '../../system/shared-fd.ts'
import { DeviceScripts, killGroup } from './device-script.ts'
import { EXIT } from './exit-codes.ts'
import { FdWire, OUR_CLOSE } from './fd-wire.ts'
import { type Messages, toStderr } from './messages.ts'
import type { PppOptions } from './options.ts'

const STDIN = 0
const STDOUT = 1
const LOCK_FOLDER = '/run/lock'
/** How long DTR stays low for a modem to notice. */
const DTR_LOW_MS = 1000
const CARRIER_POLL_MS = 250

/** Ends the attempt with that exit code; the message is in the log already. */
export class LineRefusal extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

interface Tty {
  readonly fd: number
  readonly before: Uint8Array
}

export class Line {
  readonly #options: PppOptions
  readonly #messages: Messages
  readonly #clock: Clock
  readonly #scripts: DeviceScripts
  #lock: LockFile | undefined
  /** The tty that was named: only it has modem lines and is put back. */
  #tty: Tty | undefined
  /** What scripts and PPP are on. */
  #fd = -1
  #name = ''
  #command: ChildProcess | undefined
  #stdioWasBlocking = false
  #wire: FdWire | undefined
  #isHungUp = false

  constructor(options: PppOptions, messages: Messages, clock: Clock) {
    this.#options = options
    this.#messages = messages
    this.#clock = clock
    this.#scripts = new DeviceScripts(messages)
  }

  /** For `Connect: ppp0 <--> /dev/ttyS0`. */
  get name(): string {
    return this.#name
  }

  /** Bits per second, for scripts; 0: the line has none. */
  get speedBaud(): number {
    const { speedBaud } = this.#options
    if (speedBaud !== undefined || !this.#tty) return speedBaud ?? 0
    return speedOf(this.#tty.before)
  }

  /** The line hung up, or its other end is gone. */
  get isHungUp(): boolean {
    return this.#isHungUp || (this.#wire?.closedReason !== undefined && this.#wire.closedReason !== OUR_CLOSE)
  }

  /** The engine saw it: where the kernel has the line, the wire does not. */
  hungUp(): void {
    this.#isHungUp = true
  }

  /** Opened, set up, dialled and welcomed: ready for PPP. Throws LineRefusal. `isWanted`: asked after each script. */
  async connect(isWanted: () => boolean): Promise<FdWire> {
    await this.#open()
    const { scripts, connectDelayMs, line } = this.#options
    if (scripts.init !== undefined || scripts.connect !== undefined) await this.#dial(isWanted)
    if (scripts.connect === undefined && this.#tty && this.#options.usesModemLines)
      await this.#carrier(this.#tty.fd, isWanted)
    if (scripts.welcome !== undefined && !(await this.#scripts.run(scripts.welcome, this.#fd)))
      this.#messages.warn('Welcome script failed')
    if (scripts.connect !== undefined || line.type === 'command') await this.#firstByte(connectDelayMs)
    return this.#makeWire()
  }

  /** The disconnect script, where the line still lives. */
  async disconnect(): Promise<void> {
    const { disconnect } = this.#options.scripts
    if (disconnect === undefined || this.isHungUp || this.#fd < 0) return
    await this.#wire?.close()
    if (this.#tty) this.#setUp(this.#tty, false)
    if (await this.#scripts.run(disconnect, this.#fd)) this.#messages.info('Serial link disconnected.')
    else this.#messages.warn('disconnect script failed')
  }

  /** Everything as it was: DTR drops where modem lines are used. Idempotent. */
  async release(): Promise<void> {
    await this.#wire?.close()
    if (this.#tty) await this.#releaseTty(this.#tty)
    this.#tty = undefined
    if (this.#options.line.type === 'command') {
      if (this.#fd >= 0) close(this.#fd)
      const pid = this.#command?.pid
      if (pid !== undefined && this.#command?.exitCode === null) killGroup(pid, 'SIGHUP')
    }
    if (this.#stdioWasBlocking) for (const fd of [STDIN, STDOUT]) setBlocking(fd)
    this.#stdioWasBlocking = false
    this.#fd = -1
    await this.#lock?.release()
    this.#lock = undefined
  }

  /** A signal that came for us while a script has the line. */
  killScript(signal: NodeJS.Signals): boolean {
    return this.#scripts.kill(signal)
  }

  async #open(): Promise<void> {
    const { line } = this.#options
    switch (line.type) {
      case 'tty':
        await this.#openTty(line.path)
        break
      case 'command':
        this.#openCommand(line.command)
        break
      case 'stdio':
        this.#fd = STDIN
        this.#name = 'stdin/stdout'
        this.#stdioWasBlocking = !isNonBlocking(STDIN)
        for (const fd of [STDIN, STDOUT]) setNonBlocking(fd)
    }
  }

  async #openTty(path: string): Promise<void> {
    this.#name = path
    if (this.#options.locksTty) await this.#takeLock(path)
    const fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY)
    if (fd < 0) this.#refuse(`Failed to open ${path}: ${errnoText(fd)}`, EXIT.openFailed)
    this.#fd = fd
    try {
      this.#tty = { fd, before: readLine(fd) }
    } catch (error) {
      close(fd)
      this.#refuse(`${path} is no terminal: ${(error as Error).message}`, EXIT.fatal)
    }
    if (this.speedBaud === 0) this.#refuse(`Baud rate for ${path} is 0; need explicit baud rate`, EXIT.fatal)
    const { init, connect } = this.#options.scripts
    const hasScript = init !== undefined || connect !== undefined
    this.#setUp(this.#tty, this.#options.usesModemLines && !hasScript)
    // What a modem said before is no answer to the script.
    if (hasScript) flushLine(fd)
  }

  async #takeLock(path: string): Promise<void> {
    try {
      this.#lock = await takeLock(LOCK_FOLDER, path)
    } catch (error) {
      if (error instanceof PortBusyError && error.holderPid !== undefined)
        this.#messages.notice(`Device ${lockedName(path)} is locked by pid ${error.holderPid}`)
      const what = error instanceof ModemdError ? error.message : `Can't create lock file for ${path}: ${error}`
      this.#refuse(what, EXIT.lockFailed)
    }
  }

  #openCommand(command: string): void {
    try {
      const { masterFd, slaveFd, slavePath } = openPtyPair()
      this.#fd = slaveFd
      this.#name = slavePath
      setNonBlocking(slaveFd)
      this.#command = this.#scripts.start(command, masterFd)
      // Unheard it would end us; what became of the command shows on the line.
      this.#command.on('error', (error) => this.#messages.error(`Can't execute /bin/sh: ${error.message}`))
      close(masterFd)
    } catch (error) {
      this.#refuse(`Couldn't allocate pseudo-tty: ${(error as Error).message}`, EXIT.ptyFailed)
    }
  }

  /** A modem's line is set as one without a carrier while scripts dial. */
  async #dial(isWanted: () => boolean): Promise<void> {
    const { scripts, usesModemLines } = this.#options
    if (this.#tty && usesModemLines && !this.#isOurTerminal) {
      // In case the modem is off hook.
      if (setDtr(this.#tty.fd, false)) await sleep(this.#clock, DTR_LOW_MS)
      setDtr(this.#tty.fd, true)
    }
    if (scripts.init !== undefined) {
      if (!(await this.#scripts.run(scripts.init, this.#fd))) this.#refuse('Initializer script failed', EXIT.initFailed)
      await this.#goOnIf(isWanted)
      this.#messages.info('Serial port initialized.')
    }
    if (scripts.connect !== undefined) {
      if (!(await this.#scripts.run(scripts.connect, this.#fd)))
        this.#refuse('Connect script failed', EXIT.connectFailed)
      await this.#goOnIf(isWanted)
      this.#messages.info('Serial connection established.')
    }
    if (this.#tty) this.#setUp(this.#tty, usesModemLines)
  }

  async #goOnIf(isWanted: () => boolean): Promise<void> {
    if (isWanted()) return
    await this.disconnect()
    throw new LineRefusal(EXIT.userRequest)
  }

  /** Who dials in makes it come: until then there is nobody. */
  async #carrier(fd: number, isWanted: () => boolean): Promise<void> {
    while (hasCarrier(fd) === false && isWanted()) await sleep(this.#clock, CARRIER_POLL_MS)
    await this.#goOnIf(isWanted)
  }

  /** Or the end of the patience: some peers speak first. The byte stays on the line. */
  async #firstByte(patienceMs: number): Promise<void> {
    if (patienceMs === 0) return
    let watch: FdWatch | undefined
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.at(this.#clock.nowMs() + patienceMs, resolve)
      const heard = () => {
        cancel()
        watch?.pauseReading()
        resolve()
      }
      watch = watchFd(this.#fd, { readable: heard, error: heard })
    })
    watch?.close()
  }

  #makeWire(): FdWire {
    const isStdio = this.#options.line.type === 'stdio'
    try {
      this.#wire = new FdWire({
        path: this.#name,
        readFd: this.#fd,
        writeFd: isStdio ? STDOUT : this.#fd,
        isTty: !isStdio,
      })
      return this.#wire
    } catch (error) {
      const why = `standard input and output carry no PPP: ${(error as Error).message}`
      if (isStdio) toStderr(`modem-ppp: ${why}\n`)
      return this.#refuse(why, EXIT.openFailed)
    }
  }

  /** The terminal we were started on: its modem lines belong to the login. */
  get #isOurTerminal(): boolean {
    const { line } = this.#options
    return line.type === 'tty' && line.isStandardInput
  }

  #setUp(tty: Tty, watchesCarrier: boolean): void {
    const { speedBaud, stopBits, flowControl } = this.#options
    const settings: LineSettings = {
      speedBaud,
      stopBits,
      flowControl: flowControl === 'cdtr-cts' ? 'rts-cts' : flowControl,
      watchesCarrier,
    }
    const answer = setUpLine(tty.fd, tty.before, settings)
    if (answer < 0) this.#refuse(`tcsetattr: ${errnoText(answer)}`, EXIT.fatal)
  }

  async #releaseTty({ fd, before }: Tty): Promise<void> {
    const dropsDtr = this.#options.usesModemLines && !this.#isOurTerminal && !this.isHungUp
    if (dropsDtr && setDtr(fd, false)) await sleep(this.#clock, DTR_LOW_MS)
    setBlocking(fd)
    writeLine(fd, before)
    close(fd)
  }

  #refuse(message: string, exitCode: number): never {
    this.#messages.error(message)
    throw new LineRefusal(exitCode)
  }
}
