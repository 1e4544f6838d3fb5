import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AtChannel, type ChannelEvent } from '../../src/modem/at/channel.ts'
import { AtTokenizer, MAX_LINE_BYTES } from '../../src/modem/at/tokenizer.ts'
import { readTranscripts, type Transcript } from './support/transcripts.ts'

for (const transcript of readTranscripts()) {
  test(transcript.title, () => {
    const whole = replay(transcript, [transcript.bytes])
    assert.deepEqual(whole, transcript.wanted)
    for (let cut = 1; cut < transcript.bytes.length; cut++) {
      const parts = [transcript.bytes.slice(0, cut), transcript.bytes.slice(cut)]
      assert.deepEqual(replay(transcript, parts), transcript.wanted, `cut at byte ${cut}`)
    }
    const single = Array.from(transcript.bytes, (value) => Uint8Array.of(value))
    assert.deepEqual(replay(transcript, single), transcript.wanted, 'byte by byte')
  })
}

function replay(transcript: Transcript, parts: readonly Uint8Array[]): string[] {
  return transcript.command ? replayChannel(transcript, parts) : replayTokens(parts)
}

function replayTokens(parts: readonly Uint8Array[]): string[] {
  const tokenizer = new AtTokenizer()
  return parts.flatMap((part) =>
    tokenizer.push(part).map((token) => {
      if (token.type === 'prompt') return 'prompt'
      const kind = token.type === 'final' && !token.isOk ? 'error' : token.type
      return `${kind} ${token.text}`
    }),
  )
}

function replayChannel({ command }: Transcript, parts: readonly Uint8Array[]): string[] {
  const channel = new AtChannel()
  const events: ChannelEvent[] = []
  const sent: string[] = []
  const drain = () => {
    for (let output = channel.poll(); output; output = channel.poll())
      if (output.type === 'event') events.push(output.event)
      else sent.push(Buffer.from(output.bytes).toString('latin1'))
  }
  channel.submit({ timeoutMs: 1000, ...command! }, 0)
  drain()
  for (const bytes of parts) {
    channel.handle({ type: 'data', bytes }, 0)
    drain()
  }
  const { text, afterPrompt } = command!
  assert.deepEqual(sent, afterPrompt ? [`${text}\r`, `${afterPrompt}\x1a`] : [`${text}\r`])
  return events.flatMap((event) => {
    if (event.type === 'report') return [`report ${event.text.replaceAll('\n', '\\n')}`]
    assert.equal(event.type, 'reply')
    const { lines, isOk, final } = (event as Extract<ChannelEvent, { type: 'reply' }>).reply
    return [...lines.map((line) => `line ${line}`), `${isOk ? 'final' : 'error'} ${final}`]
  })
}

test('random bytes never throw, and no line grows without bound', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }), (parts) => {
      const tokenizer = new AtTokenizer()
      const channel = new AtChannel()
      for (const bytes of parts) {
        for (const token of tokenizer.push(bytes))
          if (token.type !== 'prompt') assert.ok(token.text.length <= MAX_LINE_BYTES)
        channel.handle({ type: 'data', bytes }, 0)
        while (channel.poll());
      }
    }),
    { seed: 20_240_101, numRuns: 300 },
  )
})

test('a line without an end keeps its first bytes and counts the rest', () => {
  const tokenizer = new AtTokenizer()
  const chunk = new Uint8Array(65_536).fill(120)
  for (let round = 0; round < 16; round++) assert.deepEqual(tokenizer.push(chunk), [])
  assert.equal(tokenizer.droppedBytes, 16 * 65_536 - MAX_LINE_BYTES)
  const tokens = tokenizer.push(Uint8Array.of(13, 10, 79, 75, 13, 10))
  assert.equal(tokens.length, 2)
  assert.deepEqual(tokens[1], { type: 'final', text: 'OK', isOk: true })
})
