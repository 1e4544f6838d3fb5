/**
 * Golden dialogues: Markdown files with a `script` (a chat file), perhaps `options` (JSON), a `dialogue` and the `log` it must give.
 * A dialogue's lines: `modem "…"` (JSON string, a char a byte), `wait MS`, `close "reason"`, `interrupt SIGTERM`.
 */

import { readFileSync } from 'node:fs'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { ChatEngine, type ChatEvent, type ChatOptions } from '../../src/chat/engine.ts'
import { scriptWords } from '../../src/chat/script.ts'

export interface Transcript {
  readonly script: string
  readonly options: Omit<ChatOptions, 'words' | 'env' | 'readFile'> & {
    readonly variables?: Record<string, string>
    readonly files?: Record<string, string>
  }
  readonly dialogue: readonly Step[]
  readonly log: readonly string[]
}

export type Step =
  | { readonly type: 'modem'; readonly text: string }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'close'; readonly reason: string }
  | { readonly type: 'interrupt'; readonly name: string }

export function readTranscript(file: string): Transcript {
  const text = readFileSync(file, 'utf8')
  const block = (name: string) => new RegExp(`^\`\`\`${name}\n([^]*?)^\`\`\`$`, 'm').exec(text)?.[1]
  const lines = (name: string) => (block(name) ?? '').split('\n').filter((line) => line !== '')
  return {
    script: fromLatin1(Buffer.from(block('script') ?? '')),
    options: JSON.parse(block('options') ?? '{}'),
    dialogue: lines('dialogue').map(parseStep),
    log: lines('log'),
  }
}

function parseStep(line: string): Step {
  const [, type, argument = ''] = /^(\w+) (.*)$/.exec(line) ?? []
  if (type === 'modem') return { type, text: JSON.parse(argument) }
  if (type === 'wait') return { type, ms: Number(argument) }
  if (type === 'close') return { type, reason: JSON.parse(argument) }
  if (type === 'interrupt') return { type, name: argument }
  throw new Error(`not a step: ${line}`)
}

/** How a modem's text is cut into reads, given its place in all that the modem says. */
export type Cut = (text: string, startsAt: number) => string[]

export const WHOLE: Cut = (text) => [text]
export const BYTES: Cut = (text) => [...text]
export function cutAt(place: number): Cut {
  return (text, startsAt) => [text.slice(0, Math.max(0, place - startsAt)), text.slice(Math.max(0, place - startsAt))]
}

/** Deadlines fire at their time; after the dialogue all that are still due are fired, up to `mostDeadlines`. */
export function replay(
  { script, options, dialogue }: Omit<Transcript, 'log'>,
  cut: Cut,
  mostDeadlines = 10_000,
): string[] {
  const { variables, files, ...rest } = options
  const engine = new ChatEngine({
    words: scriptWords(script),
    ...rest,
    env: variables && ((name) => variables[name]),
    readFile: files && ((path) => (files[path] === undefined ? 'No such file or directory' : latin1(files[path]))),
  })
  const log: string[] = []
  let nowMs = 0
  /** The sum of all waits. */
  let waitedMs = 0
  let said = 0

  const drain = () => {
    for (let output = engine.poll(); output; output = engine.poll())
      log.push(`${nowMs} ${output.type === 'send' ? shown('send', output.bytes) : eventLine(output.event)}`)
  }
  const fireUntil = (untilMs: number) => {
    for (let count = 0; ; count++) {
      const due = engine.deadline()
      if (!due || due.atMs > untilMs) return
      if (count > mostDeadlines) throw new Error(`no end of deadlines: ${due.why}`)
      nowMs = Math.max(nowMs, due.atMs)
      engine.handle({ type: 'timeout' }, nowMs)
      drain()
    }
  }
  const perform = (step: Step) => {
    switch (step.type) {
      case 'modem':
        for (const piece of cut(step.text, said)) {
          engine.handle({ type: 'data', bytes: latin1(piece) }, nowMs)
          drain()
        }
        said += step.text.length
        break
      case 'wait':
        waitedMs += step.ms
        fireUntil(waitedMs)
        nowMs = waitedMs
        break
      case 'close':
        engine.handle({ type: 'close', reason: step.reason }, nowMs)
        break
      case 'interrupt':
        engine.interrupt(step.name, nowMs)
        break
    }
    drain()
  }

  engine.handle({ type: 'open' }, nowMs)
  drain()
  for (const step of dialogue) perform(step)
  fireUntil(Number.MAX_VALUE)
  log.push(shown('unread', engine.unread()))
  return log
}

function eventLine(event: ChatEvent): string {
  switch (event.type) {
    case 'report':
      return `report ${JSON.stringify(event.text)} of ${event.atMs}`
    case 'say':
    case 'echo':
      return shown(event.type, event.bytes)
    case 'break':
      return 'break'
    case 'hangup':
      return `hangup ${event.ignore ? 'ignored' : 'caught'}`
    case 'log':
      return `${event.level} ${JSON.stringify(event.text)}`
    case 'end':
      return `end ${event.exitCode} ${JSON.stringify(event.message)}${event.abortString === undefined ? '' : ` by ${JSON.stringify(event.abortString)}`}`
  }
}

function shown(what: string, bytes: Uint8Array): string {
  return `${what} ${JSON.stringify(fromLatin1(bytes))}`
}
