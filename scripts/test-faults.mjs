// npm run test:faults [-- --seed N --fault F --state S --personality P --sample N]: the fault matrix, all of it on virtual time
// in one process, then a sample of its cells on the real programs in namespaces of their own. Exit 1 where a cell is wrong.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { installIfChanged } from './install-if-changed.mjs'

const DEFAULT_SAMPLE = '8'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
installIfChanged()
const { rest, sample, seed } = readArguments(process.argv.slice(2))
const run = (program, ...args) => spawnSync(program, args, { stdio: 'inherit' }).status ?? 1
process.exitCode = run(process.execPath, '--import=tsx', 'test/faults/main.ts', ...rest)
if (sample !== '0' && process.exitCode !== 2) {
  await build()
  const namespaces = ['-Urnm', '--propagation', 'private']
  const program = [process.execPath, '--import=tsx', 'test/faults/real-main.ts', '--sample', sample, '--seed', seed]
  process.exitCode = run('unshare', ...namespaces, ...program) || process.exitCode
}

/** `--sample` is ours; who asks for single cells or help wants no sample unless he says so. */
function readArguments(args) {
  const rest = [...args]
  const at = rest.indexOf('--sample')
  const [, given] = at < 0 ? [] : rest.splice(at, 2)
  const isSelective = rest.some((arg) => /^--(fault|state|help)/.test(arg))
  const seedAt = rest.indexOf('--seed')
  const seed = seedAt < 0 ? '1' : (rest[seedAt + 1] ?? '1')
  return { rest, sample: given ?? (isSelective ? '0' : DEFAULT_SAMPLE), seed }
}
