/** Debian's ModemManager beside modemd: each has its modem and neither touches the other's (InhibitDevice for real). */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, describe, test } from 'node:test'
import { run } from '../../system/run.ts'
import { type GadgetModem, twin } from './gadget-modem.ts'
import {
  eventually,
  install,
  journal,
  mmctl,
  pings,
  type Shown,
  shown,
  start,
  startAgain,
  stop,
  untilShown,
} from './installation.ts'

const LIMIT = { timeout: 400_000 }

export function testModemManager(): void {
  describe('ModemManager', () => {
    let ours: GadgetModem
    let theirs: GadgetModem

    let started: Promise<void> | undefined
    const prepared = async () => {
      ours = await twin('left')
      theirs = await twin('right')
      started ??= prepare()
      await started
    }
    const prepare = async () => {
      await install()
      await stop()
      execFileSync('systemctl', ['start', 'ModemManager'])
      await untilTheirs(ours, theirs)
      await start({
        'modemd.conf': `[device "usb:${ours.place}"]\n`,
        'profiles/internet.conf': '[profile]\napn = internet\n',
      })
    }
    after(() => {
      execFileSync('systemctl', ['stop', 'ModemManager'])
    })

    const isOurs = ({ modems }: Shown) =>
      modems.length === 1 && modems[0]?.device === ours.device && /^(registered|connect)/.test(modems[0].state)
    const hasBoth = ({ modems }: Shown) =>
      modems.length === 2 && modems.every(({ state }) => /^(registered|connect)/.test(state))
    const untilTheirs = (...devices: readonly GadgetModem[]) =>
      eventually(
        'ModemManager has its modem',
        devicesOfModemManager,
        // The cases before may have changed their places.
        (found) => found.join() === places(devices).join(),
      )

    const carries = async () => {
      const [link] = (await shown()).links
      if (link?.state !== 'up') return false
      return (await run('ping', '-I', link.interface!, '-c', '3', '-w', '5', ours.operator)).status === 0
    }

    test('ModemManager: it was first; it lets go of the modem that the configuration names', LIMIT, async () => {
      await prepared()
      await untilShown('the named modem', isOurs)
      await untilTheirs(theirs)
      const ports: readonly { name: string; owner: string; reason: string }[] = JSON.parse(
        (await mmctl('ports', '--explain', '--json')).output,
      )
      for (const { name, owner, reason } of ports)
        if (theirs.ttys.includes(name)) assert.match(`${owner}: ${reason}`, /^ModemManager.*: port-busy/)
      await connects(ours)
    })

    test('ModemManager: a plug while both run', LIMIT, async () => {
      await prepared()
      await stop()
      ours.unplug()
      await startAgain()
      const before = inhibitions()
      await ours.plugAgain()
      await untilShown('it is here', isOurs)
      await eventually(
        'ModemManager is asked',
        async () => inhibitions(),
        (count) => count > before,
      )
      await run('udevadm', 'settle')
      await untilTheirs(theirs)
      await connects(ours)
    })

    test('ModemManager: it ends, and modemd takes its modem; it comes back, and has it again', LIMIT, async () => {
      await prepared()
      execFileSync('systemctl', ['stop', 'ModemManager'])
      await untilShown('both', hasBoth)
      await connects(ours)
      execFileSync('systemctl', ['start', 'ModemManager'])
      await untilShown('one', isOurs)
      await untilTheirs(theirs)
      // It asks every port before it can be told to let go of the modem, which may end the call (docs/ports-and-locks.md); but not for long.
      await eventually('the link carries', carries, (doesCarry) => doesCarry)
    })

    test('ModemManager: modemd ends, and it has both', LIMIT, async () => {
      await prepared()
      await stop()
      await untilTheirs(ours, theirs)
    })
  })
}

function places(devices: readonly GadgetModem[]): readonly string[] {
  return devices.map(({ device }) => device).sort()
}

async function connects(modem: GadgetModem): Promise<void> {
  const { status, output } = await mmctl('connect', 'internet')
  assert.equal(status, 0, output + journal())
  await pings((await shown()).links[0]!.interface!, modem.operator)
}

/** Where the modems are that it has. */
async function devicesOfModemManager(): Promise<readonly string[]> {
  const { status, output } = await run('mmcli', '-J', '-L')
  // It may have ended, or not begun.
  if (status !== 0) return []
  const list = JSON.parse(output)
  const devices: string[] = []
  for (const path of list['modem-list'] ?? [])
    devices.push(JSON.parse((await run('mmcli', '-J', '-m', path)).output).modem.generic.device)
  return devices.sort()
}

/** How often it has let go of a device. */
function inhibitions(): number {
  const log = execFileSync('journalctl', ['-u', 'ModemManager', '-o', 'cat', '--no-pager'], { encoding: 'utf8' })
  return log.split('\n').filter((line) => /inhibit/i.test(line) && !/uninhibit/i.test(line)).length
}
