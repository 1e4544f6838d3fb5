/** Log-ins under random and mutated packets: no exception, few answers, nobody let in, no secret told, and an end. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTH_METHODS } from '../../../src/ppp/auth/methods.ts'
import type { AuthProtocol } from '../../../src/ppp/settings.ts'
import { HdlcEncoder } from '../../../src/ppp/wire/hdlc-encoder.ts'
import { parseControl } from '../../../src/ppp/wire/packets.ts'
import { CHAP, EAP, PAP } from '../../../src/ppp/wire/protocols.ts'
import { CLIENT, down, ending, framesIn, isRunning, packetsSent, pair, phases, SERVER } from '../../pair/ends.ts'
import { withPeer } from '../../pair/scripted.ts'

const SEED = 20
const METHODS = Object.keys(AUTH_METHODS) as AuthProtocol[]

/** Right lengths, lying lengths, types that EAP knows, and noise. */
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 13, 254), fc.uint8Array({ maxLength: 40 }))
    .map(([type, rest]) => Uint8Array.of(type, rest.length, ...rest)),
  fc
    .tuple(fc.constantFrom(8, 16, 49), fc.constantFrom(0, 7, 255), fc.uint8Array({ maxLength: 10 }))
    .map(([length, fill, name]) => Uint8Array.of(length, ...new Array(length).fill(fill), ...name)),
)
const packet = fc.record({
  code: fc.integer({ min: 0, max: 8 }),
  id: fc.option(fc.integer({ min: 0, max: 255 }), { freq: 2 }),
  data: octets,
  waitMs: fc.constantFrom(0, 0, 10, 1000),
})

for (const method of METHODS)
  for (const isServer of [false, true])
    test(`${method}: random packets to our ${isServer ? 'server' : 'client'}`, () => {
      fc.assert(
        fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
          const { protocol, option } = AUTH_METHODS[method]
          const settings = isServer ? { ...SERVER, requiresAuth: [method] } : { ...CLIENT, answersAuth: [method] }
          const asks = isServer ? [] : [{ type: 3, data: option }]
          const { link, peer, end, flush } = withPeer(() => {}, settings, asks)
          link.open().run(10)
          for (const { code, id, data, waitMs } of packets) {
            // The identifier that is out, so that what follows its check is reached.
            peer.send(protocol, code, id ?? peer.heard.at(-1)?.id ?? 0, data)
            flush()
            link.run(waitMs)
          }
          link.run(300_000)
          assert.ok(link.a.sent.length < 150, `${link.a.sent.length} pieces sent`)
          if (isServer) assert.ok(!phases(end).includes('network'), 'let in')
          assert.equal(end.events.filter(({ type }) => type === 'down').length, 1)
          assert.doesNotMatch(`${down(end)!.failure.detail} ${packetsSent(end).join(' ')}`, /sesame|[\x00-\x1f\x7f]/)
        }),
        { seed: SEED, numRuns: 150 },
      )
    })

test('log-ins with octets changed and checksums right: a link that runs or two ends that say why, whatever the method', () => {
  const change = fc.record({ at: fc.nat(60), value: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(
      fc.array(fc.option(change, { freq: 2 }), { minLength: 2, maxLength: 10 }),
      fc.constantFrom(...METHODS),
      fc.constantFrom(...METHODS),
      (changes, forward, backward) => {
        const link = pair(
          { requiresAuth: [backward], secretOf: () => 'sesame' },
          { requiresAuth: [forward], answersAuth: [backward], password: 'sesame' },
        )
        const encoder = new HdlcEncoder()
        let index = 0
        link.damage = (bytes) =>
          framesIn([bytes]).map(({ protocol, info }) => {
            const isLogIn = [PAP, CHAP, EAP].includes(protocol) && parseControl(info)
            const how = isLogIn ? changes[index++] : undefined
            const changed = info.slice()
            if (how) changed[how.at % changed.length] = how.value
            return encoder.encode(protocol, changed)
          })
        link.open()
        const isOver = () =>
          (isRunning(link.a) && isRunning(link.b)) || (ending(link.a) !== 'none' && ending(link.b) !== 'none')
        for (let tries = 0; tries < 120 && !isOver(); tries++) link.run(1000)
        assert.ok(isOver(), `neither runs nor ends: ${phases(link.a)} ${phases(link.b)}`)
      },
    ),
    { seed: SEED, numRuns: 300 },
  )
})
