/** A program that has the tty for itself alone (TIOCEXCL), as ModemManager and serial libraries do: the modem behind it goes on. */

import assert from 'node:assert/strict'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { ioctlNumber } from '../../src/system/libc.ts'
import { openPty } from '../../src/system/pty.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { until } from './until.ts'

const TIOCEXCL = 0x540c
const TIOCNXCL = 0x540d

// Only who is root of the machine may open it all the same.
if (inNamespace(import.meta.url)) {
  test('the slave is opened anew, for itself alone, before we noticed that it was closed', async (t) => {
    const pty = openPty({ keepSlaveOpen: false })
    t.after(() => pty.close())
    const seen: string[] = []
    let closings = 0
    pty.onData((bytes) => seen.push(Buffer.from(bytes).toString()))
    let next = -1
    t.after(() => closeSync(next))
    const openSlave = () => openSync(pty.slavePath, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
    pty.onSlaveClosed(() => {
      closings++
      if (next >= 0) return
      next = openSlave()
      assert.equal(ioctlNumber(next, TIOCEXCL, 0), 0)
      pty.holdSlave()
    })
    const first = openSlave()
    writeSync(first, 'first')
    await until('the first is heard', () => seen.join('') === 'first')
    closeSync(first)
    await until('its end is noticed', () => closings === 1)
    writeSync(next, 'second')
    await until('the second is heard', () => seen.join('') === 'firstsecond')
    ioctlNumber(next, TIOCNXCL, 0)
  })
}
