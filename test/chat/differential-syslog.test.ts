/** What modem-chat and Debian's chat log: both on a /dev/log of ours, in a mount namespace with a /dev of its own. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { LOGGED } from './differential/cases-syslog.ts'
import { compareSteadily, unsteady } from './differential/compare.ts'
import { SyslogSocket } from './differential/syslog-socket.ts'

if (inNamespace(import.meta.url, needs('chat', 'unshare'))) {
  const syslog = new SyslogSocket(ownLogSocket())
  suite("modem-chat logs what Debian's chat logs", { concurrency: 100 }, () => {
    for (const chatCase of LOGGED)
      test(chatCase.name, async () => {
        const { ours, theirs } = await compareSteadily(chatCase, syslog)
        assert.deepEqual(ours, theirs)
      })
    after(() => {
      syslog.close()
      assert.ok(syslog.count > 1000, `only ${syslog.count} messages were logged by both`)
      assert.ok(unsteady.length <= 1, `differ now and then: ${unsteady.join('; ')}`)
    })
  })
}

/** A /dev of our own with the devices of the old one, so that it can have a log socket. */
function ownLogSocket(): string {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-dev-'))
  const script = `
    mount -t tmpfs none "$1"
    for device in null zero full tty random urandom; do touch "$1/$device" && mount --bind "/dev/$device" "$1/$device"; done
    mkdir "$1/pts" && mount -t devpts -o newinstance,ptmxmode=0666 none "$1/pts"
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    mount --rbind "$1" /dev`
  execFileSync('bash', ['-ec', script, 'bash', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  process.on('exit', () => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  return '/dev/log'
}
