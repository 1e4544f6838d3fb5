/** Lock files on a full disk, a tiny tmpfs in a mount namespace of its own, and whose they are. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { removeLocksAfterCrash, takeLock } from '../../src/serial/lock-file.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'

if (inNamespace(import.meta.url, needs('unshare'))) {
  test('a lock that does not fit on the disk leaves no half one', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'modemd-lock-'))
    assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', folder]).status, 0)
    t.after(() => {
      spawnSync('umount', [folder])
      rmSync(folder, { recursive: true })
    })
    assert.throws(() => writeFileSync(join(folder, 'filler'), Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
    await assert.rejects(takeLock(folder, '/dev/ttyUSB0'), { code: 'ENOSPC' })
    assert.deepEqual(readdirSync(folder), ['filler'])

    rmSync(join(folder, 'filler'))
    const lock = await takeLock(folder, '/dev/ttyUSB0')
    assert.deepEqual(readdirSync(folder), ['LCK..ttyUSB0'])
    await lock.release()
    assert.deepEqual(readdirSync(folder), [])
  })

  test('a lock whose process id is another program’s by now is nobody’s, and that of a modemd that lives is its own', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'modemd-lock-'))
    const other = spawn('sleep', ['30'])
    t.after(() => {
      other.kill()
      rmSync(folder, { recursive: true })
    })
    const file = join(folder, 'LCK..ttyUSB0')
    const lock = await takeLock(folder, '/dev/ttyUSB0')
    const [pid, program, start] = readFileSync(file, 'latin1').trim().split(' ')
    assert.deepEqual([pid, program], [String(process.pid), 'modemd'])
    await lock.release()
    const left = (name: string, by: number | undefined, began: string | undefined) =>
      writeFileSync(join(folder, name), `${String(by).padStart(10)} modemd${began ? ` ${began}` : ''}\n`)

    // As if we had been killed and `sleep` had our number.
    left('LCK..ttyUSB0', other.pid, start)
    left('LTMP.1.1', other.pid, start)
    left('LCK..ttyUSB1', other.pid, startOf(other.pid))
    // Of a modemd that did not write it.
    left('LCK..ttyUSB2', other.pid, undefined)
    await removeLocksAfterCrash(folder)
    assert.deepEqual(readdirSync(folder).sort(), ['LCK..ttyUSB1', 'LCK..ttyUSB2'])
    for (const held of ['ttyUSB1', 'ttyUSB2']) await assert.rejects(takeLock(folder, held), { code: 'Busy' })

    left('LCK..ttyUSB0', other.pid, start)
    await (await takeLock(folder, '/dev/ttyUSB0')).release()
    // minicom's user may have a number for a name.
    writeFileSync(file, `${String(other.pid).padStart(10)} minicom 1000\n`)
    await assert.rejects(takeLock(folder, '/dev/ttyUSB0'), { code: 'Busy' })
  })
}

/** proc(5), /proc/pid/stat: the 22nd; `sleep` has no blank in its name. */
function startOf(pid: number | undefined): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[21]
}
