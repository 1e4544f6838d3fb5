/** Bulk data over a link, both ways at once, compared by checksum. */

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync, statSync } from 'node:fs'
import { until } from '../../system/until.ts'
import type { Side } from './end.ts'
import type { Meeting } from './matrix.ts'

const MIB = 1_048_576
/** What every pair carries within the time of the whole run. */
const SIZE_MIB = 4
/** The kernel carries as much in that time. */
const LARGE_MIB = 32
const SOURCE = '/dev/shm/bulk'
const PORT = 5001
const LIMIT_MS = 200_000

export async function bulk({ t, told: { client, server }, carrier, pair, number }: Meeting): Promise<void> {
  const isLarge = carrier === 'usb' ? pair.client === 'kernel' : pair.server === 'kernel'
  const sizeMib = isLarge ? LARGE_MIB : SIZE_MIB
  const sizeBytes = sizeMib * MIB
  const source = makeSource(sizeBytes)
  const got = { client: `/dev/shm/bulk.${number}.client`, server: `/dev/shm/bulk.${number}.server` }
  const programs: ChildProcess[] = []
  t.after(() => {
    for (const program of programs) program.kill('SIGKILL')
    for (const file of Object.values(got)) rmSync(file, { force: true })
  })
  const socat = (side: Side, from: string, to: string): Promise<unknown[]> => {
    const program = spawn('ip', ['netns', 'exec', side, 'socat', '-u', '-b', '65536', from, to], { stdio: 'ignore' })
    programs.push(program)
    return once(program, 'exit')
  }
  const received = [
    socat('server', `TCP-LISTEN:${PORT},bind=${server.local}`, `CREATE:${got.server}`),
    socat('client', `TCP-LISTEN:${PORT},bind=${client.local}`, `CREATE:${got.client}`),
  ]
  await until('both listen', () => listens('client', client.local) && listens('server', server.local), 20_000)
  const startMs = performance.now()
  const sent = [
    socat('client', `OPEN:${source}`, `TCP:${server.local}:${PORT}`),
    socat('server', `OPEN:${source}`, `TCP:${client.local}:${PORT}`),
  ]
  const arrived = () => Object.values(got).every((file) => existsSync(file) && statSync(file).size === sizeBytes)
  await until('all of it', arrived, LIMIT_MS).catch(() => {
    throw new Error(
      `after ${LIMIT_MS} ms: ${Object.values(got).map((file) => existsSync(file) && statSync(file).size)}`,
    )
  })
  const statuses = (await Promise.all([...received, ...sent])).map(([status]) => status)
  assert.deepEqual(statuses, [0, 0, 0, 0])
  const seconds = (performance.now() - startMs) / 1000
  const wanted = checksum(source)
  assert.deepEqual([checksum(got.client), checksum(got.server)], [wanted, wanted])
  t.diagnostic(`${sizeMib} MiB each way at once in ${seconds.toFixed(1)} s`)
}

function listens(side: Side, address: string): boolean {
  return execFileSync('ip', ['netns', 'exec', side, 'ss', '-Htln'], { encoding: 'utf8' }).includes(
    `${address}:${PORT} `,
  )
}

/** Random: nothing on the way can make it smaller, and every octet value is in it. */
function makeSource(sizeBytes: number): string {
  const source = `${SOURCE}.${sizeBytes}`
  if (!existsSync(source)) execFileSync('sh', ['-c', `head -c ${sizeBytes} /dev/urandom >${source}`])
  return source
}

function checksum(file: string): string {
  return execFileSync('sha256sum', [file], { encoding: 'utf8' }).split(' ')[0]!
}
