// npm test [part of a test file's name …]: installs what the lock file names, builds, runs every test in a process of
// its own with Node's runner, and tells what was skipped, by name. With CI=true a skip that test/allowed-skips does not
// list is a failure, and so is a suite over its budget.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { installIfChanged } from './install-if-changed.mjs'

/** Seconds a folder of test/ may take in all (the sum over its files, three at a time); the whole run stays under 25 minutes on 2 cores. */
const BUDGET_SECONDS = {
  chat: 700,
  default: 90,
  e2e: 800,
  faults: 400,
  interop: 240,
  modem: 240,
  packaging: 180,
  ppp: 300,
  property: 120,
  sim: 180,
}
const FILE_TIMEOUT_MS = 480_000

const USAGE = `Usage: npm test [PART ...]
Installs what is missing, builds and runs every test, or those whose file's path
contains a PART. With CI=true a skip that test/allowed-skips does not list is a
failure, and so is a suite over its budget of time.

Example:
  npm test chat`

const wanted = process.argv.slice(2)
if (wanted.some((word) => /^(-h|--help)$/.test(word))) {
  console.log(USAGE)
  process.exit(0)
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)))
installIfChanged()
await build()

const files = testFiles('test').filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
if (files.length === 0) {
  console.error(`test: no test file has ${wanted.join(' or ')} in its name`)
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'modemd-test-'))
const facts = join(folder, 'facts.jsonl')
const { status } = spawnSync(
  process.execPath,
  [
    '--import=tsx',
    '--test',
    `--test-concurrency=3`,
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/test-facts-reporter.mjs',
    `--test-reporter-destination=${facts}`,
    ...files,
  ],
  // NODE_EXTRA_CA_CERTS adds 38 ms to each of the many Node processes that tests start.
  { stdio: 'inherit', env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined } },
)
const { skips, seconds } = readFacts()
rmSync(folder, { recursive: true })
const complaints = [...skipComplaints(), ...budgetComplaints()]
for (const complaint of complaints) console.error(complaint)
process.exitCode = status === 0 && (complaints.length === 0 || !process.env.CI) ? 0 : 1

function skipComplaints() {
  const allowed = readFileSync('test/allowed-skips', 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
  if (skips.length > 0) console.log(`\nSkipped, by name (${skips.length}):`)
  for (const skip of skips) console.log(`  ${skip.name}: ${skip.reason}`)
  const unexplained = skips.filter((skip) => !allowed.some((line) => skip.name.includes(line.split(' # ')[0].trim())))
  return unexplained.map((skip) => `CI: "${skip.name}" was skipped, and test/allowed-skips does not list it`)
}

function budgetComplaints() {
  const spentBy = Object.entries(seconds).map(([suite, spent]) => `${suite} ${spent.toFixed(0)}`)
  console.log(`\nSeconds, over the files of each folder: ${spentBy.join(', ')}`)
  return Object.entries(seconds).flatMap(([suite, spent]) => {
    const budget = BUDGET_SECONDS[suite] ?? BUDGET_SECONDS.default
    return spent > budget ? [`CI: the suite test/${suite} took ${spent.toFixed(0)} s, its budget is ${budget} s`] : []
  })
}

function readFacts() {
  const rows = readFileSync(facts, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const spent = {}
  for (const row of rows.filter((row) => row.type === 'file')) spent[row.suite] = (spent[row.suite] ?? 0) + row.seconds
  return { skips: rows.filter((row) => row.type === 'skip'), seconds: spent }
}

function testFiles(place) {
  return readdirSync(place, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${place}/${entry.name}`
      if (entry.isDirectory()) return testFiles(path)
      return entry.name.endsWith('.test.ts') ? [path] : []
    })
    .sort()
}
