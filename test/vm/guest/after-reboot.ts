/** What the machine shows that `boot.ts` made ready, once it has started; then the package goes. Run by scripts/test-vm.mjs. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { run } from '../../system/run.ts'
import { journal, pings, succeeds, untilShown } from './installation.ts'

const LIMIT = { timeout: 400_000 }
const OPERATOR = '10.64.0.1'
const NAME_SERVER = '10.64.0.53'

test('boot: nobody has logged in, and the link is up', LIMIT, async (t) => {
  const { links } = await untilShown('the link is up', ({ links }) => links[0]?.state === 'up')
  t.diagnostic(`seen ${readFileSync('/proc/uptime', 'latin1').split(' ')[0]} s after the kernel's start`)
  assert.equal(await succeeds('loginctl', 'list-sessions', '--no-legend'), '')
  assert.equal(links[0]?.profile, 'internet')
  assert.equal(links[0]?.engine, 'kernel')
  await pings(links[0]!.interface!, OPERATOR)
  // By the default route.
  await succeeds('ping', '-c', '1', '-w', '20', OPERATOR)
  assert.match(readFileSync('/etc/resolv.conf', 'utf8'), new RegExp(NAME_SERVER))
  const processId = (await succeeds('systemctl', 'show', '-P', 'MainPID', 'modemd')).trim()
  assert.equal((await succeeds('ps', '-o', 'user=', '-p', processId)).trim(), 'modemd')
})

test('boot: the package is removed, and nothing of it stays', LIMIT, async () => {
  // A stop with the link up is a case of installed.ts, which knows that this machine may be too slow for it.
  await succeeds('mmctl', 'disconnect')
  await succeeds('dpkg', '--remove', 'modemd')
  assert.match(journal(), /Deactivated successfully/)
  assert.doesNotMatch((await run('sh', '-c', 'ip -br link; ip route; ps -u modemd -o comm=')).output, /ppp|node|modemd/)
  assert.doesNotMatch(readFileSync('/etc/resolv.conf', 'utf8'), new RegExp(NAME_SERVER))
  assert.ok(!existsSync('/dev/modem'))
  assert.ok(existsSync('/etc/modemd/profiles/internet.conf'))
  await succeeds('dpkg', '--purge', 'modemd')
  const find = 'find /etc /usr /var/lib /run/modemd /run/lock -name "*modemd*" -o -name "LCK*"'
  assert.equal((await run('sh', '-c', `${find} 2>/dev/null`)).output, '')
})
