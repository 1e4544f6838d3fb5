/**
 * A carrier (DCD) that drops, on a real CDC ACM modem: the kernel hangs the tty up, the link ends at once, and the port is AT's again
 * without being found anew. One bundle with the other cases of the machine.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { fromLatin1 } from '../../../src/base/bytes.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { Lease } from '../../../src/serial/lease.ts'
import { createWireOpener } from '../../../src/serial/serialport-wire.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { until } from '../../system/until.ts'
import { OurEnd } from './bench.ts'

const PRODUCT = '0122'
const FOLDER = '/sys/kernel/config/usb_gadget/carrier'

/** Registers the case. */
export function testCarrier(): void {
  test('kernel engine, CDC ACM: the carrier drops, and the port goes on', { timeout: 120_000 }, async (t) => {
    const gadget = (...args: string[]) => execFileSync('usb-gadget', args, { stdio: 'ignore' })
    gadget('init', '2')
    gadget('add', 'carrier', '0x2c7c', `0x${PRODUCT}`, '1', 'acm')
    let closeAll = async () => {}
    t.after(async () => {
      // The kernel waits for who has a port of the gadget open.
      await closeAll()
      gadget('remove', 'carrier')
    })
    await until('the gadget is bound', () => hostTty() !== undefined, 20_000)
    const port = readFileSync(`${FOLDER}/functions/acm.carrier0/port_num`, 'latin1').trim()
    const theirs = `/dev/ttyGS${port}`
    const wire = await createWireOpener({ root: '', clock: systemClock, logger: silentLogger })(`/dev/${hostTty()}`)
    let hold = new Lease(wire).take('at')
    for (let call = 0; call < 3; call++) {
      let heard = ''
      const ended: string[] = []
      hold.listen({ data: (bytes) => (heard += fromLatin1(bytes)), drain() {}, closed: (reason) => ended.push(reason) })
      const modem = openSync(theirs, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
      closeAll = async () => {
        closeSync(modem)
        await wire.close()
      }
      execFileSync('stty', ['-F', theirs, 'raw', '-echo'])
      const speaking = setInterval(() => writeSync(modem, 'CONNECT\r\n'), 500)
      await until('what the modem says is heard', () => heard.includes('CONNECT'), 20_000).finally(() =>
        clearInterval(speaking),
      )
      assert.deepEqual(ended, [])
      hold = hold.handOver('ppp')
      const end = new OurEnd(hold)
      await until('the carrier is watched', () => wire.outlivesHangUp === true, 20_000)
      // The gadget takes DCD away with its last opener.
      closeSync(modem)
      closeAll = () => wire.close()
      const { failure } = await end.down()
      assert.equal(failure.cause, 'hung-up')
      assert.match(failure.detail, /DCD/)
      hold = hold.handOver('at')
    }
  })
}

function hostTty(): string | undefined {
  return readdirSync('/sys/class/tty').find((name) => {
    const id = `/sys/class/tty/${name}/device/../idProduct`
    return name.startsWith('ttyACM') && existsSync(id) && readFileSync(id, 'latin1').trim() === PRODUCT
  })
}
