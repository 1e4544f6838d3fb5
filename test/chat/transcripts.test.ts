import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { BYTES, cutAt, readTranscript, replay, WHOLE } from './transcript.ts'

const FOLDER = new URL('../transcripts/chat/', import.meta.url)
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.md'))

test('there are transcripts', () => assert.ok(files.length >= 8, `${files.length}`))

for (const name of files) {
  test(`${name}, whole and cut at every byte`, () => {
    const transcript = readTranscript(new URL(name, FOLDER).pathname)
    assert.deepEqual(replay(transcript, WHOLE), transcript.log)
    assert.deepEqual(replay(transcript, BYTES), transcript.log)
    const said = transcript.dialogue.reduce((sum, step) => sum + (step.type === 'modem' ? step.text.length : 0), 0)
    for (let place = 1; place < said; place++)
      assert.deepEqual(replay(transcript, cutAt(place)), transcript.log, `cut at ${place}`)
  })
}
