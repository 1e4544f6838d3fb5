/** A dongle that begins as a CD-ROM: modemd, as its own user, has the real usb_modeswitch eject it, and takes the modem that comes. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { describe, test } from 'node:test'
import { run } from '../../system/run.ts'
import { removeTwins, twin } from './gadget-modem.ts'
import { eventually, journal, mmctl, pings, shown, start, startAgain, succeeds, untilShown } from './installation.ts'

/** A ZTE's. */
const IDS = ['0x19d2', '0x2000']
const DISC = '/sys/kernel/config/usb_gadget/dongle/functions/mass_storage.dongle0/lun.0/file'
/** usb_modeswitch's own rules would do it before us. */
const RULES = '/etc/udev/rules.d/40-usb_modeswitch.rules'
const LIMIT = { timeout: 400_000 }

export function testDongle(): void {
  describe('dongle', () => {
    test('dongle: its CD-ROM is ejected, and the modem in it connects', LIMIT, async (t) => {
      await removeTwins()
      const modem = await twin('left')
      modem.unplug()
      symlinkSync('/dev/null', RULES)
      t.after(async () => {
        rmSync(RULES)
        await succeeds('udevadm', 'control', '--reload')
        // Where the case failed in the middle.
        await run('usb-gadget', 'remove', 'dongle')
      })
      await start({ 'profiles/internet.conf': '[profile]\napn = internet\n' })
      await succeeds('udevadm', 'control', '--reload')

      execFileSync('usb-gadget', ['add', 'dongle', ...IDS, '1', 'mass_storage'])
      await eventually('the port is told', explained, (told) => /19d2:2000 shows only its CD-ROM/.test(told))
      await eventually(
        'it is ejected',
        async () => readFileSync(DISC, 'latin1'),
        (disc) => disc.trim() === '',
      )
      assert.match(journal(), /19d2:2000 shows only its CD-ROM: usb_modeswitch was started/)
      execFileSync('usb-gadget', ['remove', 'dongle'])
      await modem.plugAgain()
      await untilShown('it is registered', ({ modems }) => /^registered/.test(modems[0]?.state ?? ''))
      const { status, output } = await mmctl('connect', 'internet')
      assert.equal(status, 0, output + journal())
      await pings((await shown()).links[0]!.interface!, modem.operator)
    })

    test('dongle: what udev gives to modemd is that of modems, and no more', LIMIT, async () => {
      const modem = await twin('left')
      const group = (path: string) => execFileSync('stat', ['-c', '%G', path], { encoding: 'utf8' }).trim()
      const number = (file: string) => readFileSync(`${modem.device}/${file}`, 'latin1').trim().padStart(3, '0')
      const node = `/dev/bus/usb/${number('busnum')}/${number('devnum')}`
      await succeeds('udevadm', 'settle')
      assert.equal(group(`${modem.device}/authorized`), 'modemd')
      assert.equal(statSync(`${modem.device}/authorized`).mode & 0o777, 0o664)
      assert.equal(group(node), 'root', 'a modem is no CD-ROM')
    })

    test('dongle: a service that is disabled is not started by a call', LIMIT, async () => {
      await succeeds('systemctl', 'stop', 'modemd')
      await succeeds('systemctl', 'disable', 'modemd')
      const refused = await mmctl('status')
      assert.equal((await isActive()).trim(), 'inactive', refused.output)
      assert.equal(refused.status, 3, refused.output)
      assert.match(refused.output, /modemd is not running \(.+\): start it \(`systemctl enable --now modemd`\)/)
      await succeeds('systemctl', 'enable', 'modemd')
      const started = await mmctl('status')
      assert.equal((await isActive()).trim(), 'active', started.output + journal())
      await startAgain()
    })
  })
}

async function explained(): Promise<string> {
  return (await mmctl('ports', '--explain')).output
}

async function isActive(): Promise<string> {
  return succeeds('systemctl', 'show', '-P', 'ActiveState', 'modemd')
}
