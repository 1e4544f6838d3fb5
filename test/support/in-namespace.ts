/**
 * Tests that need interfaces, routes or mounts run in user, network and mount namespaces of their own: the file runs
 * itself again below unshare, and the outer test passes when the inner run does.
 *
 *   if (inNamespace(import.meta.url, needs('tun', 'ping'))) { test('…', …) }
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { relative } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const MARK = 'MODEMD_TEST_NAMESPACE'
/** All pppds of a machine wait for each other at /run/pppd2.tdb, and one that a test stops may have it. */
const OWN_RUN = 'mount -t tmpfs -o mode=0755 none /run && mkdir -m 1777 /run/lock && exec "$@"'

/** True inside. Outside: registers the one test that runs the file inside, and answers false. */
export function inNamespace(fileUrl: string, { skip }: { skip?: string } = {}): boolean {
  if (process.env[MARK]) return true
  const file = fileURLToPath(fileUrl)
  // The runner takes this file for the test's: the name says which it is.
  test(`${relative('test', file)} in namespaces of its own`, skip ? { skip } : {}, async () => {
    const run = ['sh', '-c', OWN_RUN, 'sh', process.execPath, '--import=tsx', '--test-reporter=tap', file]
    const args = ['-Urnm', '--propagation', 'private', ...run]
    // NODE_TEST_CONTEXT would make the inner run speak the runner's binary protocol.
    const env = { ...process.env, [MARK]: '1', NODE_TEST_CONTEXT: undefined }
    const child = spawn('unshare', args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (bytes) => (output += bytes))
    child.stderr.on('data', (bytes) => (output += bytes))
    const [code] = await once(child, 'close')
    const tests = Number(/^# tests (\d+)/m.exec(output)?.[1] ?? 0)
    assert.ok(code === 0 && tests > 0, `the run in a namespace failed (exit ${code}, ${tests} tests):\n${output}`)
    assert.doesNotMatch(output, /# SKIP/, 'a test inside a namespace is skipped silently')
  })
  return false
}
