// modem-chat beside Debian's chat: a six-step GSM dial against a modem that answers at once, as a whole process on a pty
// and with the engine inside a process; the start of the program beside a bare Node; how fast the engine looks through bytes.

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromLatin1, latin1 } from '../src/base/bytes.ts'
import { ChatEngine } from '../src/chat/engine.ts'
import { openPty } from '../src/system/pty.ts'
import { needs } from '../test/support/needs.ts'
import { median, printTable, type Row } from './table.ts'

const RUNS = 15
const ENGINE_RUNS = 200
const START_RUNS = 31
const STREAM_RUNS = 9
const STREAM_BYTES = 16 << 20
const CHUNK_BYTES = 4096

const MODEM_CHAT = [process.execPath, fileURLToPath(new URL('../dist/modem-chat.cjs', import.meta.url))]
const DEBIAN_CHAT = ['/usr/sbin/chat']

const SCRIPT = [
  ...[
    'ABORT',
    'BUSY',
    'ABORT',
    'NO CARRIER',
    'ABORT',
    'NO DIALTONE',
    'ABORT',
    'ERROR',
    'REPORT',
    'CONNECT',
    'TIMEOUT',
    '10',
  ],
  ...[
    '',
    'ATZ',
    'OK',
    'ATE0V1',
    'OK',
    'AT+CPIN?',
    'READY',
    'AT+CREG?',
    '0,1',
    'AT+CGDCONT=1,"IP","internet"',
    'OK',
    'ATD*99#',
  ],
  ...['CONNECT', '\\c'],
]
const ANSWERS: Readonly<Record<string, string>> = {
  'AT+CPIN?\r': '\r\n+CPIN: READY\r\n',
  'AT+CREG?\r': '\r\n+CREG: 0,1\r\n',
  'ATD*99#\r': '\r\nCONNECT 150000000\r\n',
}

const rows: Row[] = []
const { skip } = needs('chat')
if (skip) console.log(`Not compared: ${skip}`)
await dials()
starts()
inProcess()
throughput()
printTable('modem-chat', rows)

/** In turn, so that both meet the same machine. */
async function dials(): Promise<void> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let run = 0; run < RUNS; run++) {
    ours.push(await dial(MODEM_CHAT))
    if (!skip) theirs.push(await dial(DEBIAN_CHAT))
  }
  rows.push({ what: 'six-step dial, whole process', samples: ours, unit: 'ms', against: '' })
  if (skip) return
  rows.push({ what: '  beside it: Debian’s chat', samples: theirs, unit: 'ms', against: '' })
  rows.push({ what: '  ours / theirs', samples: [median(ours) / median(theirs)], unit: '', against: '≤ 0.25' })
}

/** Milliseconds from the start of the process to its end. */
async function dial([program, ...args]: readonly string[]): Promise<number> {
  const pty = openPty()
  const line = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY)
  let heard = ''
  pty.onData((bytes) => {
    heard += fromLatin1(bytes)
    if (!heard.endsWith('\r')) return
    pty.write(latin1(answerTo(heard)))
    heard = ''
  })
  const fromMs = performance.now()
  const child = spawn(program!, [...args, ...SCRIPT], { stdio: [line, line, 'ignore'] })
  const exitCode = await new Promise((resolve) => child.once('exit', resolve))
  const tookMs = performance.now() - fromMs
  closeSync(line)
  pty.close()
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`)
  return tookMs
}

function answerTo(command: string): string {
  return ANSWERS[command] ?? '\r\nOK\r\n'
}

/** An empty script does everything but the script: code loaded, terminal set and restored. */
function starts(): void {
  const pty = openPty()
  const line = openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY)
  const timed: Record<'ours' | 'node' | 'theirs', number[]> = { ours: [], node: [], theirs: [] }
  for (let run = 0; run < START_RUNS; run++) {
    timed.ours.push(timeOf(MODEM_CHAT, line))
    timed.node.push(timeOf([process.execPath, '-e', '0'], line))
    if (!skip) timed.theirs.push(timeOf(DEBIAN_CHAT, line))
  }
  closeSync(line)
  pty.close()
  rows.push({ what: 'modem-chat without words (process)', samples: timed.ours, unit: 'ms', against: '≤ 60 ms' })
  rows.push({ what: '  beside it: node -e 0', samples: timed.node, unit: 'ms', against: '' })
  if (!skip) rows.push({ what: '  beside it: Debian’s chat', samples: timed.theirs, unit: 'ms', against: '' })
}

function timeOf([program, ...args]: readonly string[], line: number): number {
  const fromMs = performance.now()
  const { status } = spawnSync(program!, args, { stdio: [line, line, 'ignore'] })
  if (status !== 0) throw new Error(`${program} ended with ${status}`)
  return performance.now() - fromMs
}

/** As the daemon has it: engine and script in memory, the modem a function. */
function inProcess(): void {
  const samples: number[] = []
  for (let run = 0; run < ENGINE_RUNS; run++) {
    const fromMs = performance.now()
    const engine = new ChatEngine({ words: SCRIPT })
    engine.handle({ type: 'open' }, 0)
    let heard = ''
    for (let isOver = false; !isOver; ) {
      const output = engine.poll()
      if (!output) throw new Error('the engine waits for ever')
      if (output.type === 'event') isOver = output.event.type === 'end'
      else heard += fromLatin1(output.bytes)
      if (!heard.endsWith('\r')) continue
      const bytes = latin1(answerTo(heard))
      heard = ''
      engine.handle({ type: 'data', bytes }, 0)
    }
    samples.push(performance.now() - fromMs)
  }
  rows.push({ what: 'the same dial, engine in process', samples, unit: 'ms', against: '≤ 5 ms' })
}

/** 50 ABORT strings and an expect that never comes, over text that often begins like them. */
function throughput(): void {
  const aborts = Array.from({ length: 50 }, (_, index) => ['ABORT', `NO CARRIER ${index}`]).flat()
  const text = latin1('\r\nNO CARRIER OK CONNECT BUSY +CREG: 0,1 NO CARR'.repeat(200).slice(0, CHUNK_BYTES))
  const samples: number[] = []
  for (let run = 0; run < STREAM_RUNS; run++) {
    const engine = new ChatEngine({ words: [...aborts, 'never, never', ''], timeoutMs: Number.POSITIVE_INFINITY })
    engine.handle({ type: 'open' }, 0)
    const fromMs = performance.now()
    for (let bytes = 0; bytes < STREAM_BYTES; bytes += CHUNK_BYTES) engine.handle({ type: 'data', bytes: text }, 0)
    samples.push(STREAM_BYTES / 1000 / (performance.now() - fromMs))
    if (engine.poll()) throw new Error('the engine has found something')
  }
  rows.push({ what: 'engine, 50 ABORT strings, nothing found', samples, unit: 'MB/s', against: '≥ 5 MB/s' })
}
