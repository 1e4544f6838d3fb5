/**
 * The cases that need a kernel with PPP and USB, in the order of their cost. Bundled and run in the guest by scripts/test-vm.mjs: modem-ppp
 * with both of its engines, in both roles, against Debian's pppd; the kernel engine by itself; modemd with every engine.
 */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { after, before } from 'node:test'
import { testCarrier } from '../kernel/carrier-cases.ts'
import { testKernelEngine } from '../kernel/engine-cases.ts'
import { REBOOT, testBoot } from './boot.ts'
import { testDaemon } from './daemon.ts'
import { testDetection } from './detection.ts'
import { testDialled } from './dialled.ts'
import { testDongle } from './dongle.ts'
import { prepareSides } from './end.ts'
import { removeTwins } from './gadget-modem.ts'
import { purge } from './installation.ts'
import { testInstalled } from './installed.ts'
import { plugModem } from './lines.ts'
import { testMatrix } from './matrix.ts'
import { testModemManager } from './modemmanager.ts'
import { testTwins } from './twins.ts'

testKernelEngine()
if (!process.env.HOLD_TTY) testCarrier()
// The kernel engine's cases run this file again for a process that they can kill.
if (!process.env.HOLD_TTY) {
  before(async () => {
    prepareSides()
    await plugModem()
  })
  testDetection()
  testDialled()
  testDaemon()
  testMatrix()
  testInstalled()
  testTwins()
  testModemManager()
  testDongle()
  testBoot()
  after(async () => {
    await removeTwins()
    if (!existsSync(REBOOT)) await purge()
  })
}

after(() => {
  const complaints = execFileSync('dmesg', ['--level', 'emerg,alert,crit,err,warn'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /Oops|BUG|WARNING|general protection|refcount|use-after-free/.test(line))
  if (complaints.length > 0) throw new Error(`the kernel complains:\n${complaints.join('\n')}`)
})
