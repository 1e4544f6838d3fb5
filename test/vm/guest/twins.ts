/** Two modems of one kind, with the same serial number on the bus, as cheap ones have: each is itself wherever it is plugged in. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type GadgetModem, type TwinName, twin } from './gadget-modem.ts'
import { journal, mmctl, pings, type Shown, shown, start, untilShown } from './installation.ts'

const LIMIT = { timeout: 400_000 }
const NAMES = ['left', 'right'] as const

export function testTwins(): void {
  describe('twins', () => {
    const modems = {} as Record<TwinName, GadgetModem>
    const ids = {} as Record<TwinName, string>
    let started: Promise<void> | undefined
    const prepared = async () => {
      for (const name of NAMES) modems[name] = await twin(name)
      started ??= prepare()
      await started
    }
    const prepare = async () => {
      const files: Record<string, string> = {}
      for (const name of NAMES) {
        const { imei } = await modems[name].statistics()
        ids[name] = `imei_${imei}`
        files[`profiles/${name}.conf`] = `[profile]\napn = internet\nmodem = imei:${imei}\n`
      }
      await start(files)
    }

    const registered = (now: Shown, names: readonly TwinName[]) =>
      now.modems.length === names.length &&
      names.every((name) => now.modems.some(({ id, state }) => id === ids[name] && /^(registered|connect)/.test(state)))
    const upLinks = (now: Shown) => now.links.filter(({ state }) => state === 'up').map(({ profile }) => profile)
    const carry = async (now: Shown, names: readonly TwinName[]) => {
      for (const name of names)
        await pings(now.links.find(({ profile }) => profile === name)!.interface!, modems[name].operator)
    }

    test('twins: two modems, two links, at the same time', LIMIT, async () => {
      await prepared()
      const { modems: found } = await untilShown('both are registered', (now) => registered(now, NAMES))
      for (const name of NAMES) assert.equal(found.find(({ id }) => id === ids[name])?.device, modems[name].device)
      for (const { status, output } of await Promise.all(NAMES.map((name) => mmctl('connect', name))))
        assert.equal(status, 0, output + journal())
      await carry(await shown(), NAMES)
    })

    test('twins: one is unplugged, and the other does not notice', LIMIT, async () => {
      await prepared()
      const { upSince } = linkOf(await untilShown('both are up', (now) => upLinks(now).length === 2), 'right')
      modems.left.unplug()
      const now = await untilShown('one is gone', (now) => registered(now, ['right']))
      assert.deepEqual(upLinks(now), ['right'])
      assert.equal(linkOf(now, 'right').upSince, upSince)
      await carry(now, ['right'])
    })

    test('twins: they change places, and each link finds its modem', LIMIT, async () => {
      await prepared()
      const before = modems.right.place
      for (const name of NAMES) modems[name].unplug()
      await untilShown('both are gone', (now) => now.modems.length === 0)
      await modems.right.plugAgain()
      await modems.left.plugAgain()
      assert.notEqual(modems.right.place, before)
      const now = await untilShown('both are up', (now) => registered(now, NAMES) && upLinks(now).length === 2)
      for (const name of NAMES) assert.equal(`imei_${(await modems[name].statistics()).imei}`, linkOf(now, name).modem)
      await carry(now, NAMES)
    })

    test('twins: the same IMEI, too: the second one goes by its place', LIMIT, async () => {
      await prepared()
      modems.right.unplug()
      await untilShown('it is gone', (now) => registered(now, ['left']))
      await modems.right.become('left')
      await modems.right.plugAgain()
      const place = `usb_${modems.right.place.replace('-', '_')}`
      await untilShown('two modems', ({ modems }) => {
        return [ids.left, place].every((id) => modems.some((modem) => modem.id === id && modem.state !== 'starting'))
      })
      modems.right.unplug()
      await modems.right.become('right')
      await modems.right.plugAgain()
    })
  })
}

function linkOf({ links }: Shown, profile: string) {
  return links.find((link) => link.profile === profile)!
}
