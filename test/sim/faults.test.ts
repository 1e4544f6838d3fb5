/** The names of faults and states are in the help and the manual. That each fault works is the fault matrix (`test/faults`). */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FAULT_NAMES, STAGES } from '../../src/sim/fault-table.ts'

const PROGRAM = fileURLToPath(new URL('../../src/sim/command.ts', import.meta.url))
const PAGE = new URL('../../docs/man/modem-sim.1', import.meta.url)

test('--help, ctl --help and the manual name every fault and every state', () => {
  const help = (...args: string[]) =>
    execFileSync(process.execPath, ['--import', 'tsx', PROGRAM, ...args, '--help'], { encoding: 'utf8' })
  const page = readFileSync(PAGE, 'utf8').replaceAll('\\-', '-')
  for (const text of [help(), help('ctl'), page.slice(page.indexOf('.SH FAULTS'))])
    for (const name of [...FAULT_NAMES, ...STAGES]) assert.match(text, new RegExp(`(^|[\\s"])${name}(?![\\w-])`, 'm'))
  for (const text of [help(), help('ctl')])
    for (const line of text.split('\n')) assert.ok(line.length <= 80, `no line is longer than 80: ${line}`)
})
