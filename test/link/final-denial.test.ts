/** A cause that is mostly tried again, and this time is for good: the network told that the SIM itself is refused. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rig } from './rig.ts'

for (const [isPermanent, state] of [
  [true, 'failed'],
  [undefined, 'waiting'],
] as const)
  test(`registration-denied as the answer to a dial, permanent: ${isPermanent}`, async () => {
    const rig = new Rig({ demo: '[profile]\napn = internet\nautoconnect = yes\n' })
    const detail = 'NO CARRIER to ATD*99#; +CEER: EMM cause #3'
    rig.modem.onDial = (dial) => dial.fail({ cause: 'registration-denied', detail, chatExit: 5, isPermanent })
    await rig.settle()
    assert.deepEqual([rig.state(), rig.link().snapshot.cause], [state, 'registration-denied'])
    await rig.clock.advance(3_600_000)
    assert.equal(rig.modem.dials.length > 1, isPermanent === undefined)
  })
