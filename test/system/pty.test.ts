import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readdirSync, readlinkSync, readSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openPty, type Pty } from '../../src/system/pty.ts'
import { until } from './until.ts'

function collect(pty: Pty): () => Buffer {
  const chunks: Uint8Array[] = []
  pty.onData((bytes) => chunks.push(bytes))
  return () => Buffer.concat(chunks)
}

function openSlave(pty: Pty): number {
  return openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
}

/** A program with the slave as its standard input and output; its own output comes as text. */
function run(pty: Pty, command: string): { readonly text: () => string; readonly ended: Promise<unknown> } {
  const slave = openSlave(pty)
  const child = spawn('sh', ['-c', command], { stdio: [slave, slave, 'inherit', 'pipe'] })
  closeSync(slave)
  const output = child.stdio[3] as Readable
  let text = ''
  output.on('data', (chunk) => {
    text += chunk
  })
  return { text: () => text, ended: once(child, 'close') }
}

/** Share of one processor over `ms` in which nothing is asked of it. */
async function idleLoad(ms: number): Promise<number> {
  const before = process.cpuUsage()
  await delay(ms)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / ms
}

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value)

test('every byte passes both ways as it is', async (t) => {
  const pty = openPty()
  t.after(() => pty.close())
  const seen = collect(pty)
  const slave = openSlave(pty)

  writeSync(slave, everyByte)
  await until('256 bytes at the master', () => seen().length === 256)
  assert.deepEqual(seen(), Buffer.from(everyByte))

  pty.write(everyByte)
  const back = Buffer.alloc(512)
  assert.equal(readSync(slave, back), 256)
  assert.deepEqual(back.subarray(0, 256), Buffer.from(everyByte))

  closeSync(slave)
})

test('a megabyte passes to a slow reader, with back-pressure and nothing lost', async (t) => {
  const pty = openPty()
  t.after(() => pty.close())
  const bytes = Buffer.alloc(1 << 20, everyByte)
  const reader = run(pty, `sleep 0.1; head -c ${bytes.length} | sha256sum >&3`)

  let refusals = 0
  for (let at = 0; at < bytes.length; at += 10_000) {
    if (pty.write(bytes.subarray(at, at + 10_000))) continue
    refusals++
    await new Promise<void>((resolve) => pty.onDrain(resolve))
  }
  await reader.ended
  assert.equal(reader.text(), `${createHash('sha256').update(bytes).digest('hex')}  -\n`)
  assert.ok(refusals > 5, `${refusals} refusals`)
})

test('a megabyte comes from a fast writer, also across a pause', async (t) => {
  const pty = openPty()
  t.after(() => pty.close())
  const seen = collect(pty)
  const writer = run(pty, 'head -c 1048576 /dev/zero')
  await until('the first bytes', () => seen().length > 0)
  pty.pauseReading()
  const before = seen().length
  await delay(50)
  assert.equal(seen().length, before)
  pty.resumeReading()
  await writer.ended
  await until('the rest', () => seen().length === 1_048_576)
})

test('the slave sees the hang-up', async (t) => {
  const pty = openPty()
  t.after(() => pty.close())
  const reader = run(pty, 'exec cat >&3')
  pty.write(Buffer.from('CONNECT\r\n'))
  await until('the line', () => reader.text() === 'CONNECT\r\n')

  pty.hangUp()
  // Read answers EIO or the end of the file, as the race has it; either way cat ends.
  await reader.ended
  assert.equal(existsSync(pty.slavePath), false)
  assert.equal(pty.write(everyByte), true)
  pty.hangUp()
})

test('the master outlives programs that come and go, and does not spin between them', async (t) => {
  const pty = openPty()
  t.after(() => pty.close())
  const seen = collect(pty)
  for (const word of ['one', 'two']) {
    const slave = openSlave(pty)
    writeSync(slave, word)
    await until(word, () => seen().toString().endsWith(word))
    closeSync(slave)
  }
  assert.ok((await idleLoad(300)) < 0.2)
  assert.equal(seen().toString(), 'onetwo')
})

test('without keepSlaveOpen the last close is told once, after the last bytes, and does not spin', async (t) => {
  const pty = openPty({ keepSlaveOpen: false })
  t.after(() => pty.close())
  const seen = collect(pty)
  let closes = 0
  pty.onSlaveClosed(() => closes++)
  assert.ok((await idleLoad(100)) < 0.3, 'before anybody opens it')
  assert.equal(closes, 0)

  const slave = openSlave(pty)
  writeSync(slave, 'bye')
  await until('the bytes', () => seen().length === 3)
  writeSync(slave, '!')
  closeSync(slave)
  await until('the close', () => closes === 1)
  assert.equal(seen().toString(), 'bye!')

  pty.write(Buffer.alloc(100_000))
  assert.ok((await idleLoad(300)) < 0.2)
  assert.equal(closes, 1)
})

test('what it opens is not inherited, and all of it is closed', async (t) => {
  const before = openDescriptors()
  const pty = openPty()
  t.after(() => pty.close())
  collect(pty)
  const child = spawn('sh', ['-c', 'ls -l /proc/self/fd'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let list = ''
  child.stdout.on('data', (chunk) => {
    list += chunk
  })
  await once(child, 'close')
  assert.doesNotMatch(list, /ptmx|pts\//)
  pty.close()
  assert.deepEqual(openDescriptors(), before)
})

function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /ptmx|pts/.test(readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      return false
    }
  })
}
