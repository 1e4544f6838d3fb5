/** Runs one dialogue twice against the same scripted modem on a real pty: by Debian's chat and by our engine. */

import { spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concat, fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { ChatEngine, type ChatEvent } from '../../src/chat/engine.ts'
import { scriptWords } from '../../src/chat/script.ts'
import { Lease } from '../../src/serial/lease.ts'
import { Pump } from '../../src/serial/pump.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import { systemClock } from '../../src/system/clock.ts'
import { openPty, type Pty } from '../../src/system/pty.ts'

export interface Dialogue {
  readonly name: string
  /** Words of a command line, or a script file's text. Byte strings. */
  readonly script: readonly string[] | string
  /** What the modem says, each when it has heard what stands before it since its last answer ('' : at once). */
  readonly modem?: readonly (readonly [heard: string, says: string, afterMs?: number])[]
  /** -t, -T, -U, -e, -V and -E with its variables. -v, -s and -S are always there. */
  readonly timeout?: number
  readonly phoneNumber?: string
  readonly phoneNumber2?: string
  readonly echo?: boolean
  readonly echoReceived?: boolean
  readonly variables?: Readonly<Record<string, string>>
  /** For @files: name and content; `DIR/` in the script is where they are. */
  readonly files?: Readonly<Record<string, string>>
}

/** What both must agree on. */
export interface Outcome {
  readonly sent: string
  readonly exitCode: number | null
  /** Reports without their time stamps, SAY, echo and the messages of -v. */
  readonly stderr: string
  readonly unread: string
}

const CHAT = '/usr/sbin/chat'

export async function runBoth(dialogue: Dialogue): Promise<{ theirs: Outcome; ours: Outcome }> {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-chat-'))
  try {
    for (const [name, content] of Object.entries(dialogue.files ?? {}))
      writeFileSync(join(folder, name), content, 'latin1')
    const inFolder = (text: string) => text.replaceAll('DIR/', `${folder}/`)
    const script = typeof dialogue.script === 'string' ? inFolder(dialogue.script) : dialogue.script.map(inFolder)
    const [theirs, ours] = await Promise.all([
      runTheirs({ ...dialogue, script }, folder),
      runOurs({ ...dialogue, script }, folder),
    ])
    const clean = (outcome: Outcome) => ({ ...outcome, stderr: outcome.stderr.replaceAll(folder, 'DIR') })
    return { theirs: clean(theirs), ours: clean(ours) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function runTheirs(dialogue: Dialogue, folder: string): Promise<Outcome> {
  const pty = openPty()
  const modem = new ScriptedModem(pty, dialogue)
  modem.start()
  const slave = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  const chatEnd = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY)
  try {
    const program = spawn(CHAT, theirArguments(dialogue, folder), {
      stdio: [chatEnd, chatEnd, 'pipe'],
      env: { ...process.env, ...dialogue.variables },
    })
    closeSync(chatEnd)
    let stderr = ''
    program.stderr!.setEncoding('latin1').on('data', (text) => {
      stderr += text
    })
    const exitCode = await new Promise<number | null>((resolve) => program.on('close', resolve))
    await modem.isDone()
    return { sent: modem.heard, exitCode, stderr: withoutStamps(stderr), unread: await readRest(slave) }
  } finally {
    closeSync(slave)
    pty.close()
  }
}

function theirArguments(dialogue: Dialogue, folder: string): string[] {
  const flags = ['-v', '-s', '-S']
  if (dialogue.timeout !== undefined) flags.push('-t', String(dialogue.timeout))
  if (dialogue.phoneNumber !== undefined) flags.push('-T', dialogue.phoneNumber)
  if (dialogue.phoneNumber2 !== undefined) flags.push('-U', dialogue.phoneNumber2)
  if (dialogue.echo) flags.push('-e')
  if (dialogue.echoReceived) flags.push('-V')
  if (dialogue.variables) flags.push('-E')
  if (typeof dialogue.script !== 'string') return [...flags, '--', ...dialogue.script]
  writeFileSync(join(folder, 'script'), dialogue.script, 'latin1')
  return [...flags, '-f', join(folder, 'script')]
}

/** Bytes pass through the kernel's work queue: they are all there when none came for a while. */
async function readRest(fd: number): Promise<string> {
  const parts: Uint8Array[] = []
  for (let quietRounds = 0; quietRounds < 4; quietRounds++) {
    const buffer = new Uint8Array(4096)
    try {
      parts.push(buffer.slice(0, readSync(fd, buffer)))
      quietRounds = 0
    } catch {
      await wait(10)
    }
  }
  return fromLatin1(concat(parts))
}

async function runOurs(dialogue: Dialogue, folder: string): Promise<Outcome> {
  const pty = openPty()
  const modem = new ScriptedModem(pty, dialogue)
  mkdirSync(join(folder, 'dev'))
  symlinkSync(pty.slavePath, join(folder, 'dev/modem'))
  const open = createWireOpener({ root: folder, clock: systemClock, logger: silentLogger })
  const wire = await open('/dev/modem')
  try {
    modem.start()
    const hold = new Lease(wire).take('chat')
    const engine = new ChatEngine({
      words: typeof dialogue.script === 'string' ? scriptWords(dialogue.script) : dialogue.script,
      timeoutMs: dialogue.timeout === 0 ? Number.POSITIVE_INFINITY : dialogue.timeout && dialogue.timeout * 1000,
      phoneNumber: dialogue.phoneNumber,
      phoneNumber2: dialogue.phoneNumber2,
      env: dialogue.variables && ((name) => dialogue.variables?.[name]),
      readFile: readFileOrError,
      verbose: true,
      echo: dialogue.echo,
      echoReceived: dialogue.echoReceived,
    })
    let stderr = ''
    const exitCode = await new Promise<number>((resolve) => {
      const pump: Pump<ChatEvent> = new Pump(hold, engine, {
        clock: systemClock,
        onEvent(event) {
          stderr += stderrOf(event)
          if (event.type !== 'end') return
          pump.stop()
          resolve(event.exitCode)
        },
      })
    })
    await modem.isDone()
    const rest: Uint8Array[] = []
    hold.handOver('rest', engine.unread()).listen({ data: (bytes) => rest.push(bytes), drain() {}, closed() {} })
    await wait(50)
    return { sent: modem.heard, exitCode, stderr, unread: fromLatin1(concat(rest)) }
  } finally {
    await wire.close()
    pty.close()
  }
}

function readFileOrError(path: string): Uint8Array | string {
  try {
    return readFileSync(path)
  } catch {
    return 'No such file or directory'
  }
}

function stderrOf(event: ChatEvent): string {
  if (event.type === 'report') return `chat:  ${event.text}\n`
  if (event.type === 'say' || event.type === 'echo') return fromLatin1(event.bytes)
  return event.type === 'log' ? `${event.text}\n` : ''
}

function withoutStamps(stderr: string): string {
  return stderr.replace(/(chat: {2})[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d /g, '$1')
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Answers by its list, in order. */
class ScriptedModem {
  heard = ''
  readonly #pty: Pty
  readonly #answers: NonNullable<Dialogue['modem']>
  #next = 0
  #from = 0
  #isStarted = false
  #underWay = 0

  constructor(pty: Pty, dialogue: Dialogue) {
    this.#pty = pty
    this.#answers = dialogue.modem ?? []
    pty.onData((bytes) => {
      this.heard += fromLatin1(bytes)
      this.#answer()
    })
  }

  /** Opening a wire empties the line: what the modem says at once must come after it. */
  start(): void {
    this.#isStarted = true
    this.#answer()
  }

  /** Everything said, and what was sent last heard. */
  async isDone(): Promise<void> {
    do await wait(30)
    while (this.#underWay > 0)
  }

  #answer(): void {
    const answer = this.#answers[this.#next]
    if (!answer || !this.#isStarted) return
    const [expected, says, afterMs = 0] = answer
    const at = this.heard.indexOf(expected, this.#from)
    if (at < 0) return
    this.#from = at + expected.length
    this.#next++
    this.#underWay++
    void wait(afterMs).then(() => {
      this.#underWay--
      this.#pty.write(latin1(says))
      this.#answer()
    })
  }
}
