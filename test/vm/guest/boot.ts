/**
 * A machine that has modemd's package, a profile with `autoconnect`, and a modem in its USB port starts, and nobody logs in. Here is what
 * comes before the start; `after-reboot.ts` has the rest.
 */

import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { removeTwins } from './gadget-modem.ts'
import { start, succeeds } from './installation.ts'

/** The machine boots anew once the cases have ended. */
export const REBOOT = '/run/host/reboot'

const PROFILE = `[profile]
apn = internet
autoconnect = yes
`
/** By the package's own modem-sim: the project is mounted later. */
const MODEM = `#!/bin/bash
set -e
usb-gadget init
usb-gadget add boot 0x2c7c 0x0125 4
exec modem-sim --personality quectel-ec25 --tty /dev/ttyGS0 --tty /dev/ttyGS1 --tty /dev/ttyGS2 --tty /dev/ttyGS3
`
const UNIT = `[Unit]
Description=A modem in the machine's USB port
[Service]
ExecStart=/usr/local/sbin/boot-modem
[Install]
WantedBy=multi-user.target
`

export function testBoot(): void {
  test('boot: installed, and made ready', { timeout: 400_000 }, async () => {
    await removeTwins()
    await start({ 'profiles/internet.conf': PROFILE })
    assert.equal((await succeeds('systemctl', 'is-enabled', 'modemd')).trim(), 'enabled')
    writeFileSync('/usr/local/sbin/boot-modem', MODEM)
    chmodSync('/usr/local/sbin/boot-modem', 0o755)
    writeFileSync('/etc/systemd/system/boot-modem.service', UNIT)
    await succeeds('systemctl', 'enable', 'boot-modem')
    writeFileSync(REBOOT, '')
  })
}
