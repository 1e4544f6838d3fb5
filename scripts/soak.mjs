// npm run soak [-- --cycles N] [--seed N] [--speed N]: dial, traffic, a random fault, recovery, over and over on the real
// programs; then what modemd holds is compared with the beginning. Builds first; runs in namespaces of its own.
// With --virtual on virtual time, in one process without bus, ptys and TUN: thousands of cycles in minutes.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { installIfChanged } from './install-if-changed.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
installIfChanged()
const args = process.argv.slice(2)
const isVirtual = args.includes('--virtual')
if (!isVirtual) await build()
const script = isVirtual ? 'scripts/soak-virtual.ts' : 'scripts/soak-inside.ts'
const program = [process.execPath, '--import=tsx', script, ...args]
const [command, ...rest] = isVirtual ? program : ['unshare', '-Urnm', '--propagation', 'private', ...program]
const inside = spawn(command, rest, { stdio: 'inherit', env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined } })
process.on('SIGINT', () => {})
process.on('SIGTERM', () => inside.kill('SIGTERM'))
inside.on('close', (code) => {
  process.exitCode = code ?? 1
})
