// npm run bench [NAME]: each benchmark is one file beside this one; this runs them in namespaces of their own. They
// print tables with medians, and a peer measured in the same run where there is one. Nothing here fails on a slow
// machine: tests judge what is right, benchmarks only tell how fast.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length))
const [wanted] = process.argv.slice(2)
if (wanted !== undefined && !names.includes(wanted)) {
  console.error(`bench: there is no benchmark ${wanted}: take one of ${names.join(', ')}`)
  process.exit(2)
}
for (const name of wanted === undefined ? names : [wanted]) {
  const args = [
    namespaces(name),
    '--propagation',
    'private',
    process.execPath,
    '--import=tsx',
    `${folder}${name}.bench.ts`,
  ]
  const { status } = spawnSync('unshare', args, {
    stdio: 'inherit',
    env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined },
  })
  if (status !== 0) process.exitCode = 1
}

/** ModemManager, beside which detection is measured, cannot be run in a user namespace. */
function namespaces(name: string): string {
  return name === 'detection' && process.getuid?.() === 0 ? '-nm' : '-Urnm'
}
