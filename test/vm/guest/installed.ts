/**
 * modemd as it is installed, with a Quectel on USB: there before the daemon, plugged in later, and pulled out at any moment.
 * All is real but what the modem says: systemd, udev, the system bus, the kernel's driver and its PPP.
 */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { describe, test } from 'node:test'
import { run } from '../../system/run.ts'
import { until } from '../../system/until.ts'
import { twin } from './gadget-modem.ts'
import {
  eventually,
  journal,
  mmctl,
  pings,
  type Shown,
  type ShownModem,
  shown,
  start,
  startAgain,
  stop,
  succeeds,
  untilShown,
} from './installation.ts'

const LIMIT = { timeout: 400_000 }
/** mmctl's exit codes. */
const NOT_FOUND = 4
/** From the pull to the end of what hung on the modem. This machine is slow, and the modem's own time-outs are minutes. */
const GONE_LIMIT_MS = 5000
const ROLES = ['diag', 'gps', 'at', 'data']
const PROFILE = '[profile]\napn = internet\n'
const LONG_TEXT = 'This is more than one short message holds. '.repeat(10)

export function testInstalled(): void {
  describe('installed', () => {
    let started: Promise<void> | undefined
    const prepared = async () => {
      const modem = await twin('left')
      started ??= start({ 'profiles/internet.conf': PROFILE })
      await started
      return modem
    }

    test('installed: a modem that was there before the daemon', LIMIT, async () => {
      const modem = await prepared()
      const { id, ports } = await registered()
      assert.equal(id, `imei_${(await modem.statistics()).imei}`)
      assert.deepEqual(
        ports.map(({ name, role }) => `${name} ${role}`),
        modem.ttys.map((tty, index) => `${tty} ${ROLES[index]}`),
      )
    })

    test('installed: it dials, and the kernel carries packets', LIMIT, async () => {
      const { operator } = await prepared()
      await registered()
      await pings(await connected(), operator)
    })

    test('installed: udev links its ports by their use', LIMIT, async () => {
      const modem = await prepared()
      const { id } = await registered()
      const folder = `/dev/modem/${id}`
      const links = () =>
        existsSync(folder) ? readdirSync(folder).map((name) => `${name} ${realpathSync(`${folder}/${name}`)}`) : []
      const [, gps, at, data] = modem.ttys
      const expected = [`at ${at}`, `data ${data}`, `gps ${gps}`]
      await until(`links ${links()}`, () => links().sort().join() === expected.join(), 20_000)
    })

    test('installed: unplugged while a link is up; it comes back with the modem', LIMIT, async () => {
      const modem = await prepared()
      await registered()
      const name = await connected()
      modem.unplug()
      const { links } = await untilShown(
        'the link fell',
        ({ modems, links }) => modems.length === 0 && /^(waiting|failed)$/.test(links[0]?.state ?? ''),
      )
      assert.equal(links[0]?.cause, 'modem-gone')
      assert.ok(!existsSync(`/sys/class/net/${name}`))
      assert.ok(!existsSync('/dev/modem'), 'udev still links its ports')
      await modem.plugAgain()
      const again = await untilShown('the link is up again', isUp)
      await pings(again.links[0]!.interface!, modem.operator)
    })

    test('installed: unplugged while it dials', LIMIT, async () => {
      const modem = await prepared()
      await registered()
      await disconnected()
      await modem.control('fault', 'silent', 'on=D')
      const connecting = mmctl('connect', 'internet')
      await untilShown('it dials', ({ links }) => links[0]?.state === 'dialling')
      const pulledMs = performance.now()
      modem.unplug()
      const { status, output } = await connecting
      assert.ok(performance.now() - pulledMs < GONE_LIMIT_MS, `${performance.now() - pulledMs} ms`)
      assert.equal(status, NOT_FOUND, output)
      assert.match(output, /modem-gone/)
      await modem.plugAgain()
      await registered()
      await pings(await connected(), modem.operator)
    })

    test('installed: unplugged in the middle of a short message', LIMIT, async () => {
      const modem = await prepared()
      await registered()
      const before = await modem.seen('AT+CMGS=')
      const sending = mmctl('sms', 'send', '+358401234567', LONG_TEXT)
      // The first part is sent; the network has not taken the second.
      await eventually(
        'the second part',
        () => modem.seen('AT+CMGS='),
        (count) => count >= before + 2,
      )
      const pulledMs = performance.now()
      modem.unplug()
      const { status, output } = await sending
      assert.ok(performance.now() - pulledMs < GONE_LIMIT_MS, `${performance.now() - pulledMs} ms`)
      assert.equal(status, NOT_FOUND, output)
      assert.match(output, /1 of 3 parts were sent/)
      await untilShown('it is gone', ({ modems }) => modems.length === 0)
      await modem.plugAgain()
      await registered()
      const again = await mmctl('sms', 'send', '+358401234567', 'Hello')
      assert.equal(again.status, 0, again.output + journal())
    })

    test('installed: the daemon ends, and nothing of it stays', LIMIT, async (t) => {
      await prepared()
      await registered()
      await connected()
      const resolvConf = readFileSync('/etc/resolv.conf', 'utf8')
      assert.match(resolvConf, /10\.64\.0\.53/)
      await stop()
      // It gives itself 5 s, of which hanging up this modem takes 2.7 s; what it leaves then is its next start's to put right.
      if ((await succeeds('systemctl', 'show', '-P', 'ExecMainStatus', 'modemd')).trim() !== '0') {
        t.diagnostic('this machine was too slow for a stop in order')
        await startAgain()
        await registered()
        await stop()
      }
      const { output } = await run('sh', '-c', 'ip -br link; ip route; ls /run/lock /run/modemd/ports')
      assert.doesNotMatch(output, /ppp|LCK|ttyUSB/)
      assert.doesNotMatch(readFileSync('/etc/resolv.conf', 'utf8'), /10\.64\.0\.53/)
      assert.ok(!existsSync('/dev/modem'), 'udev still links its ports')
      assert.doesNotMatch(journal(), /TypeError|\binternal\b/)
    })
  })
}

async function registered(): Promise<ShownModem> {
  const { modems } = await untilShown('it is registered', ({ modems }) =>
    /^(registered|connect)/.test(modems[0]?.state ?? ''),
  )
  return modems[0]!
}

function isUp({ links }: Shown): boolean {
  return links[0]?.state === 'up'
}

/** Its interface. */
async function connected(): Promise<string> {
  const { status, output } = await mmctl('connect', 'internet')
  assert.equal(status, 0, output + journal())
  const [link] = (await shown()).links
  assert.equal(link?.engine, 'kernel')
  return link!.interface!
}

async function disconnected(): Promise<void> {
  const { status, output } = await mmctl('disconnect', 'internet')
  assert.equal(status, 0, output)
}
