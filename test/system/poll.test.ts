import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import {
  close,
  EAGAIN,
  EBADF,
  O_CLOEXEC,
  O_NONBLOCK,
  open,
  pipe2,
  read,
  systemError,
  write,
} from '../../src/system/libc.ts'
import { testPoller, watchFd } from '../../src/system/poll.ts'
import { until } from './until.ts'

function pipe(): readonly [number, number] {
  const ends = new Int32Array(2)
  assert.equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0)
  return [ends[0]!, ends[1]!]
}

test('the Poller is as it is said to be', async () => {
  await testPoller()
  await testPoller()
})

test('a descriptor with a number used before is watched anew', async () => {
  const numbers = new Set<number>()
  for (let round = 0; round < 3; round++) {
    const [readEnd, writeEnd] = pipe()
    numbers.add(readEnd)
    let seen = 0
    const watch = watchFd(readEnd, { readable: () => (seen += read(readEnd, new Uint8Array(9), 9)) })
    write(writeEnd, new Uint8Array(3), 3)
    await until('three bytes', () => seen === 3)
    watch.close()
    close(readEnd)
    close(writeEnd)
  }
  assert.equal(numbers.size, 1)
})

test('nothing comes while reading is paused; then what waited comes', async () => {
  const [readEnd, writeEnd] = pipe()
  let seen = 0
  const watch = watchFd(readEnd, { readable: () => (seen += read(readEnd, new Uint8Array(9), 9)) })
  watch.pauseReading()
  write(writeEnd, new Uint8Array(3), 3)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(seen, 0)
  watch.resumeReading()
  await until('three bytes', () => seen === 3)
  assert.equal(read(readEnd, new Uint8Array(1), 1), -EAGAIN)
  watch.close()
  close(readEnd)
  close(writeEnd)
})

test('writable is told only while it is wanted', async () => {
  const [readEnd, writeEnd] = pipe()
  let told = 0
  const watch = watchFd(writeEnd, { writable: () => ++told === 3 && watch.wantWritable(false) })
  watch.wantWritable(true)
  await until('writable thrice', () => told === 3)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(told, 3)
  watch.close()
  close(readEnd)
  close(writeEnd)
})

test('an error of the descriptor is told once', async () => {
  const [readEnd, writeEnd] = pipe()
  let errors = 0
  const watch = watchFd(writeEnd, { error: () => errors++ })
  while (write(writeEnd, new Uint8Array(65_536), 65_536) > 0);
  watch.wantWritable(true)
  close(readEnd)
  await until('the error', () => errors > 0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(errors, 1)
  watch.close()
  close(writeEnd)
})

test('what a handler throws is an ordinary uncaught exception, and a closed watch lets the process end', () => {
  const script = `
    import { pipe2, read, write } from './src/system/libc.ts'
    import { watchFd } from './src/system/poll.ts'
    const ends = new Int32Array(2)
    pipe2(ends, 0o2004000)
    const watch = watchFd(ends[0], { readable() { read(ends[0], new Uint8Array(9), 9); throw new Error('boom') } })
    process.on('uncaughtException', (error) => { console.log(error.message); watch.close() })
    write(ends[1], new Uint8Array(1), 1)`
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.deepEqual([child.status, child.stdout], [0, 'boom\n'], child.stderr)
})

test('what cannot be watched, and a second watch, are refused in words', () => {
  assert.throws(() => watchFd(999, {}), ModemdError)
  const file = open('/etc/hostname', 0)
  assert.throws(() => watchFd(file, {}), /cannot watch file descriptor/)
  close(file)
  const [readEnd, writeEnd] = pipe()
  const watch = watchFd(readEnd, {})
  assert.throws(() => watchFd(readEnd, {}), /already watched/)
  watch.close()
  close(readEnd)
  close(writeEnd)
})

test('failed calls answer a negative errno with its name and sentence', () => {
  assert.equal(close(-1), -EBADF)
  const error = systemError(open('/nonexistent/tty', 0), 'cannot open /nonexistent/tty')
  assert.equal(error.message, 'cannot open /nonexistent/tty: no such file or directory (ENOENT)')
  assert.equal(error.code, 'NotFound')
})
