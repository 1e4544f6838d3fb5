// Loaded into modemd and modem-sim by the soak and the fault samples (node --require: with --import their bundles would go through the
// loader of ES modules, 12 MiB), so that the programs themselves need no door for tests: makes their time run MODEMD_SPEED times as
// fast, and writes to MODEMD_PROBE on SIGUSR2 what they hold.

const { renameSync, writeFileSync } = require('node:fs')
const { getHeapCodeStatistics } = require('node:v8')
const { countListeners } = require('./soak-listeners.cjs')

const speed = Number(process.env.MODEMD_SPEED ?? 1)
const file = process.env.MODEMD_PROBE

const now = performance.now.bind(performance)
performance.now = () => now() * speed
for (const name of ['setTimeout', 'setInterval']) {
  const original = globalThis[name]
  globalThis[name] = Object.assign((fn, ms, ...rest) => original(fn, ms / speed, ...rest), original)
}

if (file !== undefined)
  process.on('SIGUSR2', async () => {
    // A collection finishes what the one before found.
    for (let round = 0; round < 4; round++) {
      globalThis.gc?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    const resources = {}
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
    const { code_and_metadata_size, bytecode_and_metadata_size } = getHeapCodeStatistics()
    const code = code_and_metadata_size + bytecode_and_metadata_size
    const holdings = { heapUsed, code, external, arrayBuffers, resources, listeners: countListeners() }
    writeFileSync(`${file}.new`, JSON.stringify(holdings))
    renameSync(`${file}.new`, file)
  })
