// npm run test:vm [-- part of a case's name …]: what needs a kernel with PPP and USB, in a virtual machine that this makes
// (test/vm/). `npm run test:vm -- --exec COMMAND` runs just that in the machine; the project is /project there.
// Where no machine can be made it is skipped by name; with CI=true that is a failure unless test/allowed-skips lists it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeImage, whyNoMachine } from '../test/vm/image.mjs'
import { runInMachine } from '../test/vm/machine.mjs'
import { build } from './build.mjs'
import { installIfChanged } from './install-if-changed.mjs'

const SKIPPED = 'test/vm: the cases in a virtual machine'
const CASES = ['test/vm/guest/cases.ts', 'test/vm/guest/after-reboot.ts']
const LIMIT_MS = Number(process.env.MODEMD_VM_SECONDS ?? 1500) * 1000

const USAGE = `Usage: npm run test:vm [-- PART ...]
       npm run test:vm -- --exec COMMAND
Runs what needs a kernel with PPP and USB in a virtual machine that this makes,
or only the cases with a PART in their name; or just COMMAND, the project being
/project there. Root and QEMU are needed; the first run takes minutes longer.
MODEMD_VM_SECONDS limits the machine's run (1500).

Example:
  npm run test:vm -- pppd`

const [firstWord] = process.argv.slice(2)
if (firstWord === '--help' || firstWord === '-h') {
  console.log(USAGE)
  process.exit(0)
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const refusal = whyNoMachine()
if (refusal) {
  console.log(`Skipped, by name (1):\n  ${SKIPPED}: ${refusal}`)
  const isAllowed = readFileSync('test/allowed-skips', 'utf8')
    .split('\n')
    .some((line) => line.startsWith(SKIPPED))
  if (process.env.CI && !isAllowed) {
    console.error(`CI: "${SKIPPED}" was skipped, and test/allowed-skips does not list it`)
    process.exitCode = 1
  }
} else {
  installIfChanged()
  await build()
  const share = mkdtempSync(join(tmpdir(), 'modemd-vm-'))
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      rmSync(share, { recursive: true, force: true })
      process.exit(1)
    })
  }
  try {
    process.exitCode = await runIn(share)
  } catch (error) {
    console.error(`test:vm: ${error.message}`)
    process.exitCode = 1
  } finally {
    rmSync(share, { recursive: true, force: true })
  }
}

async function runIn(share) {
  const startMs = performance.now()
  let summary = ''
  const status = await runInMachine({
    image: makeImage(),
    project: process.cwd(),
    share,
    job: await job(share),
    limitMs: LIMIT_MS,
    onOutput: (bytes) => {
      process.stdout.write(bytes)
      // Over the pieces that it comes in.
      summary = (summary + bytes).slice(-4096)
    },
  })
  console.log(`The machine ran for ${((performance.now() - startMs) / 1000).toFixed(0)} s in all.`)
  if (status !== 0 || !/^ℹ pass 0$/m.test(summary)) return status
  console.error(`test:vm: no case has ${process.argv.slice(2).join(' or ')} in its name`)
  return 2
}

async function job(share) {
  const [first, ...rest] = process.argv.slice(2)
  if (first === '--exec') return rest.join(' ')
  makePackage(share)
  await bundleCases(share)
  const pattern = process.argv
    .slice(2)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|')
  const only = pattern && `'--test-name-pattern=/${pattern.replaceAll("'", "'\\''")}/'`
  // Packages with binaries are not bundled: they come from the project.
  const node = 'NODE_PATH=/project/node_modules node --test-reporter=spec'
  // The cases ask for a reboot by a file that the machine takes away, and what is told of then comes after it.
  return `cd /run/host
[ -e first ] || { ${node} ${only} cases/cases.cjs; echo $? >first; [ -e reboot ] && exit; exit $(cat first); }
${node} ${only} cases/after-reboot.cjs && exit $(cat first)`
}

/** modemd as it is installed: the Debian package, as `npm run package` makes it but for its compression. */
function makePackage(share) {
  const env = { ...process.env, MODEMD_PACKAGE_FOLDER: `${share}/package`, MODEMD_PACKAGE_COMPRESSION: 'none' }
  execFileSync(process.execPath, ['scripts/package.mjs', 'amd64'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** One file for the guest: there it would take seconds to load a compiler and many modules. */
async function bundleCases(share) {
  const esbuild = await import('esbuild')
  mkdirSync(`${share}/cases`)
  await esbuild.build({
    entryPoints: CASES,
    outdir: `${share}/cases`,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
    // Modules find the project's files by their own place.
    define: { 'import.meta.url': '"file:///project/test/vm/cases.ts"' },
    external: ['koffi', '@serialport/bindings-cpp', '@serialport/stream'],
  })
}
