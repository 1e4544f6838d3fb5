// Installs the locked packages, but only when the lock file changed since the last time: node_modules is never pulled
// from under something that runs. No package's install script is run: none is needed (prebuilt binaries come as
// packages), and so no compiler and no download outside the registry.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${project}node_modules/.lock-hash`

export function installIfChanged() {
  const hash = createHash('sha256')
    .update(readFileSync(`${project}package-lock.json`))
    .digest('hex')
  if (readStamp() === hash) return
  console.log('Installing the locked packages (npm ci) …')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync('npm', args, { cwd: project, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`npm ci failed${error ? `: ${error.message}` : ''}: is the npm registry reachable?`)
    process.exit(1)
  }
  writeFileSync(stamp, hash)
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installIfChanged()
