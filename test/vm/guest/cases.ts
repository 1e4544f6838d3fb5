/**
 * The cases that need a kernel with PPP: modem-ppp with both of its engines, in both roles, against Debian's pppd in network namespaces of
 * one machine; a row says what happens, `PAIRS` between whom. Run in the guest by scripts/test-vm.mjs.
 */

import { execFileSync } from 'node:child_process'
import { after, before } from 'node:test'
import { testKernelEngine } from '../kernel/engine-cases.ts'
import { prepareSides } from './end.ts'
import { plugModem } from './lines.ts'
import { testMatrix } from './matrix.ts'

before(async () => {
  prepareSides()
  await plugModem()
})

testMatrix()
testKernelEngine()

after(() => {
  const complaints = execFileSync('dmesg', ['--level', 'emerg,alert,crit,err'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /Oops|BUG|general protection|refcount|use-after-free/.test(line))
  if (complaints.length > 0) throw new Error(`the kernel complains:\n${complaints.join('\n')}`)
})
