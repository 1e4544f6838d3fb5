/** crypt(3) by libcrypt, the system's passwords, and names of hosts. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lookUpIpv4 } from '../../src/system/host-names.ts'
import { checkSystemPassword, crypt } from '../../src/system/password.ts'

const directory = mkdtempSync(join(tmpdir(), 'modemd-password-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** The example of the method's specification (SHA-crypt), as openssl passwd -6 has it. */
const HELLO = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1'
const DAY_MS = 86_400_000

test('crypt answers the hash, and nothing for a method it does not know', () => {
  assert.equal(crypt('Hello world!', HELLO), HELLO)
  assert.notEqual(crypt('hello world!', HELLO), HELLO)
  assert.equal(crypt('x', '$nosuch$salt'), undefined)
  assert.equal(crypt('x', ''), undefined)
})

test('the password of a user of the system; locked, expired and open accounts have none', () => {
  const shadow = join(directory, 'shadow')
  writeFileSync(
    shadow,
    [
      `alice:${HELLO}:19000:0:99999:7:::`,
      `locked:!${HELLO}:19000:0:99999:7:::`,
      `old:${HELLO}:19000:0:99999:7::100:`,
      'open::19000:0:99999:7:::',
      'none:*:19000:0:99999:7:::',
      `:${HELLO}:::::::`,
    ].join('\n'),
  )
  const check = (user: string, password = 'Hello world!', nowMs = 200 * DAY_MS) =>
    checkSystemPassword(user, password, nowMs, shadow)
  assert.deepEqual(
    [check('alice'), check('alice', 'wrong'), check('alice', ''), check('nobody')],
    [true, false, false, false],
  )
  assert.deepEqual(
    [check('locked'), check('open', ''), check('none'), check('none', '*'), check('')],
    [false, false, false, false, false],
  )
  assert.deepEqual([check('old'), check('old', 'Hello world!', 99 * DAY_MS)], [false, true])
})

test('a machine without /etc/shadow cannot tell', () => {
  assert.equal(checkSystemPassword('alice', 'x', 0, join(directory, 'none')), undefined)
})

test('a host by its name', () => {
  assert.equal(lookUpIpv4('localhost'), 0x7f000001)
})
