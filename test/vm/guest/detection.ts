/**
 * A SIMCom's ids on a gadget, bound by the kernel's own `option`: found cold and hot, and gone at any moment. The fleet is the
 * daemon's, its events are the kernel's; the modem inside the gadget is a scripted one.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { ModemdError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { createFleet, type Fleet } from '../../../src/modem/fleet.ts'
import { type Call, DialError, type ModemHandle } from '../../../src/modem/snapshot.ts'
import { createWireOpener } from '../../../src/serial/serialport-wire.ts'
import type { Wire } from '../../../src/serial/wire.ts'
import { systemClock, systemRandom } from '../../../src/system/clock.ts'
import { listenUevents } from '../../../src/system/uevents.ts'
import { ScriptedModem } from '../../modem/support/scripted-modem.ts'
import { until } from '../../system/until.ts'
import { removeGadget } from '../kernel/line.ts'

const LIMIT = { timeout: 120_000 }
const NAME = 'detected'
const openWire = createWireOpener({ root: '', clock: systemClock, logger: silentLogger })

/** The gadget with a modem in it: AT on interfaces 2 and 3, as SIMCom's are. */
class Plugged {
  readonly modem = new ScriptedModem(systemClock)
  #wires: Wire[] = []

  async insert(how: 'add' | 'plug'): Promise<void> {
    const rest = how === 'add' ? ['0x1e0e', '0x9001', '4'] : []
    execFileSync('usb-gadget', [how, NAME, ...rest])
    await until('the inside of the gadget', () => existsSync('/dev/ttyGS7'), 20_000)
    this.#wires = await Promise.all(['/dev/ttyGS6', '/dev/ttyGS7'].map((path) => openWire(path)))
    for (const wire of this.#wires) this.modem.attach(wire)
  }

  async pull(): Promise<void> {
    execFileSync('usb-gadget', ['unplug', NAME])
    await Promise.all(this.#wires.map((wire) => wire.close()))
  }
}

export function testDetection(): void {
  describe('detection', () => {
    const plugged = new Plugged()
    let fleet: Fleet
    let removed: ModemHandle[] = []

    before(async () => {
      // The machine has two controllers and eight ports.
      removeGadget()
      await plugged.insert('add')
      await until('the ttys', () => existsSync('/dev/ttyUSB7'), 20_000)
      fleet = createFleet({
        root: '',
        stateDirectory: '/run/detection',
        settings: { allow: ['auto'], ignore: ['usb:2c7c:*'], devices: [] },
        openWire,
        listenUevents,
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        pinFor: () => undefined,
      })
      fleet.onRemoved((modem) => removed.push(modem))
    })
    after(async () => {
      await fleet.close()
      // The kernel does not remove a gadget while its inside is open.
      await plugged.pull()
      execFileSync('usb-gadget', ['remove', NAME])
    })

    const registered = async (): Promise<ModemHandle> => {
      await until('it is registered', () => fleet.modems[0]?.snapshot.state === 'registered', 60_000)
      return fleet.modems[0]!
    }
    const gone = async () => {
      await until('it is gone', () => removed.length === 1 && fleet.modems.length === 0, 20_000)
      removed = []
    }

    test('detection: there before the daemon, with its four ports', LIMIT, async () => {
      const { snapshot } = await registered()
      assert.equal(snapshot.id, 'imei_356938035643809')
      assert.match(snapshot.device, /^\/sys\/devices\/platform\/dummy_hcd\./)
      assert.equal(snapshot.driver, 'option')
      await until('all ports are known', () => fleet.modems[0]?.snapshot.ports.length === 4)
      assert.deepEqual(
        fleet.modems[0]!.snapshot.ports.map(({ name, role }) => `${name} ${role}`),
        ['/dev/ttyUSB4 diag', '/dev/ttyUSB5 gps', '/dev/ttyUSB6 at', '/dev/ttyUSB7 data'],
      )
      const quectel = fleet.ports().filter(({ usbId }) => usbId === '2c7c:0125')
      assert.equal(quectel.length, 4)
      assert.ok(quectel.every(({ isTaken, reason }) => !isTaken && reason === 'the configuration ignores it'))
    })

    test("detection: unplugged and plugged again, by the kernel's events", LIMIT, async () => {
      await registered()
      await plugged.pull()
      await gone()
      await plugged.insert('plug')
      const { snapshot } = await registered()
      assert.equal(snapshot.id, 'imei_356938035643809')
    })

    test('detection: unplugged while it dials', LIMIT, async () => {
      const modem = await registered()
      plugged.modem.dial = ''
      const failure = dial(modem).then(
        () => assert.fail('nobody answered'),
        (error: unknown) => error,
      )
      await until('it dials', () => plugged.modem.commands.some((command) => command.startsWith('ATD')), 20_000)
      await plugged.pull()
      const error = await failure
      const cause =
        error instanceof DialError ? error.failure.cause : error instanceof ModemdError && error.failureCause
      assert.equal(cause, 'modem-gone')
      await gone()
      plugged.modem.dial = 'CONNECT 150000000'
      await plugged.insert('plug')
      await registered()
    })

    test('detection: unplugged while a call is up', LIMIT, async () => {
      const modem = await registered()
      const call = await dial(modem)
      let end: string | undefined
      call.wire.listen({ data() {}, drain() {}, closed: (reason) => (end = reason) })
      call.established()
      assert.equal(modem.snapshot.state, 'connected')
      await plugged.pull()
      await until('the call hears of it', () => end !== undefined, 20_000)
      await gone()
      await call.hangUp()
      await plugged.insert('plug')
      await registered()
    })
  })
}

function dial(modem: ModemHandle): Promise<Call> {
  const { signal } = new AbortController()
  return modem.dial({ apn: 'internet', number: '*99#', ipType: '4', cid: 1, timeoutMs: 60_000, signal })
}
