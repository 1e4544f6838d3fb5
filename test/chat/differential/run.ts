/** Runs one program on one case: on the slave of a pty of its own, against the case's modem. */

import { spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { concat, fromLatin1, latin1 } from '../../../src/base/bytes.ts'
import { openPty, type Pty } from '../../../src/system/pty.ts'
import { setRaw } from '../../../src/system/termios.ts'
import type { ChatCase, Outcome } from './case.ts'
import { FakeModem } from './fake-modem.ts'
import { makeFifo } from './fifo.ts'
import type { Places } from './places.ts'
import { withoutStamps } from './stamps.ts'
import type { SyslogSocket } from './syslog-socket.ts'
import { changeSettings, isSetUp, readSettings } from './terminal-settings.ts'

/** Whichever program runs longer hangs. */
const LONGEST_RUN_MS = 60_000
const POLL_MS = 4

/** `command`: what comes before the options. */
export async function runCase(
  command: readonly string[],
  chatCase: ChatCase,
  starts: Places,
  syslog?: SyslogSocket,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-chat-'))
  const pty = openPty()
  const rest = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  try {
    return await runIn(folder, pty, rest, command, chatCase, starts, syslog)
  } finally {
    closeSync(rest)
    pty.close()
    rmSync(folder, { recursive: true })
  }
}

async function runIn(
  folder: string,
  pty: Pty,
  rest: number,
  command: readonly string[],
  chatCase: ChatCase,
  starts: Places,
  syslog: SyslogSocket | undefined,
): Promise<Outcome> {
  const inFolder = (text: string) => text.replaceAll('DIR/', `${folder}/`)
  for (const [name, content] of Object.entries(inputFiles(chatCase)))
    writeFileSync(join(folder, name), inFolder(content), 'latin1')
  for (const name of chatCase.fifos ?? []) makeFifo(join(folder, name))
  if (chatCase.settings) changeSettings(rest, chatCase.settings)
  if (chatCase.before) {
    pty.write(latin1(chatCase.before))
    await sleep(20)
  }
  const started = await starts.take()
  const child = start(pty, folder, command, chatCase, inFolder)
  const modem = new FakeModem(pty, folder, (name) => child.kill(name))
  let stderr = ''
  child.stderr!.setEncoding('latin1').on('data', (text) => {
    stderr += text
  })
  const hung = setTimeout(() => child.kill('SIGKILL'), LONGEST_RUN_MS)
  let isGone = false
  const gone = new Promise<number | string>((resolve) => {
    child.on('close', (code, name) => {
      isGone = true
      resolve(code ?? name ?? '')
    })
  })
  let during = ''
  const modemDone = (async () => {
    while (!isGone && !isSetUp(rest)) await sleep(POLL_MS)
    started()
    if (!isGone) during = readSettings(rest)
    await modem.run(chatCase.modem ?? [])
  })()
  const exit = await gone
  clearTimeout(hung)
  await quiet(() => modem.heard.length)
  modem.programIsGone()
  await modemDone
  // What the modem said last goes through the kernel's work queue.
  await sleep(10)
  modem.closeFiles()
  const after = modem.isHungUp ? '' : readSettings(rest)
  const unread = modem.isHungUp ? '' : await readRest(rest)
  const normal = (text: string) => withoutStamps(text, chatCase.env?.TZ).replaceAll(folder, 'DIR')
  return {
    sent: modem.heard.replaceAll(folder, 'DIR'),
    exit,
    stderr: normal(stderr).replace(/^Usage: [^ ]*/m, 'Usage: PROGRAM'),
    files: Object.fromEntries(
      Object.entries(outputFiles(folder, chatCase)).map(([name, content]) => [name, normal(content)]),
    ),
    unread: chatCase.ignoresBit7 ? sevenBits(unread) : unread,
    during,
    after,
    ...(syslog && { syslog: syslog.take(child.pid!).map((message) => normal(message)) }),
  }
}

function inputFiles({ files, script }: ChatCase): Record<string, string> {
  return { ...files, ...(script !== undefined && { script }) }
}

function start(
  pty: Pty,
  folder: string,
  command: readonly string[],
  chatCase: ChatCase,
  inFolder: (text: string) => string,
) {
  const words = [...command, ...chatCase.args, ...(chatCase.script === undefined ? [] : ['-f', 'DIR/script'])].map(
    inFolder,
  )
  const argv = throughShell(words, chatCase)
  const line = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY)
  const env = { PATH: process.env.PATH, TZ: process.env.TZ, ...(!isOfBytes(chatCase.env) && chatCase.env) }
  const [program, ...args] = chatCase.isControlling ? ['setsid', '-c', ...argv] : argv
  const child = spawn(program!, args, { cwd: folder, stdio: [line, line, 'pipe'], env })
  closeSync(line)
  return child
}

/** Node passes arguments as UTF-8; bytes above 127 are quoted for bash. The shell becomes the program: its pid stays. */
function throughShell(words: readonly string[], { shell, env }: ChatCase): string[] {
  if (words.some((word) => !isAscii(word)) || isOfBytes(env)) {
    const exports = Object.entries(isOfBytes(env) ? env! : {}).map(
      ([name, value]) => `export ${name}=${quoted(value)};`,
    )
    return ['bash', '-c', `${exports.join('')}set -- ${words.map(quoted).join(' ')}; ${shell ?? 'exec "$@"'}`]
  }
  return shell === undefined ? [...words] : ['bash', '-c', shell, 'bash', ...words]
}

function isOfBytes(env: ChatCase['env']): boolean {
  return Object.values(env ?? {}).some((value) => !isAscii(value))
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

function quoted(word: string): string {
  const bytes = [...word].map((char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return `$'${bytes.join('')}'`
}

function outputFiles(folder: string, chatCase: ChatCase): Record<string, string> {
  const given = inputFiles(chatCase)
  const names = readdirSync(folder).filter((name) => !chatCase.fifos?.includes(name))
  const contents = names.map((name) => [name, readFileSync(join(folder, name), 'latin1')] as const)
  return Object.fromEntries(contents.filter(([name, content]) => content.replaceAll(folder, 'DIR') !== given[name]))
}

/** Bytes pass through the kernel's work queue: they are all there when none came for a while. */
async function quiet(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count()
    await sleep(15)
  }
}

async function readRest(fd: number): Promise<string> {
  setRaw(fd)
  const parts: Uint8Array[] = []
  for (let quietRounds = 0; quietRounds < 2; quietRounds++) {
    const buffer = new Uint8Array(4096)
    try {
      parts.push(buffer.slice(0, readSync(fd, buffer)))
      quietRounds = 0
    } catch {
      await sleep(10)
    }
  }
  return fromLatin1(concat(parts))
}

function sevenBits(text: string): string {
  return [...text].map((char) => String.fromCharCode(char.charCodeAt(0) & 0x7f)).join('')
}
