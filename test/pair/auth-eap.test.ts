/** EAP against a peer played by hand: types we do not have, repetitions, verdicts that were not earned or got lost, lies. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { concat, latin1 } from '../../src/base/bytes.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE } from '../../src/ppp/wire/packets.ts'
import { EAP, IPCP } from '../../src/ppp/wire/protocols.ts'
import { down, ending, framesIn, isRunning, packetsSent, pair, phases, SERVER } from './ends.ts'
import type { Heard, ScriptedPeer } from './peer.ts'
import { givesAddress, withPeer } from './scripted.ts'

const EAP_OPTION = { type: 3, data: Uint8Array.of(0xc2, 0x27) }
const [REQUEST, RESPONSE, SUCCESS, FAILURE] = [1, 2, 3, 4]
const [IDENTITY, NOTIFICATION, NAK, MD5, TLS, EXPANDED] = [1, 2, 3, 4, 13, 254]

const challenge = (value: number[], name = 'radius') => [MD5, value.length, ...value, ...latin1(name)]

/** Our client; the peer asks for EAP. */
function client(answer: (packet: Heard, peer: ScriptedPeer) => void = () => {}, settings: Partial<PppSettings> = {}) {
  const scene = withPeer(
    (packet, peer) => {
      givesAddress(packet, peer)
      answer(packet, peer)
    },
    { answersAuth: ['eap'], ...settings },
    [EAP_OPTION],
  )
  scene.link.open().run(20)
  const { link, peer, flush } = scene
  const send = (code: number, id: number, ...data: number[]) => {
    peer.send(EAP, code, id, Uint8Array.from(data))
    flush()
    link.run(20)
  }
  const eapSent = () => packetsSent(scene.end).filter((text) => text.startsWith('[EAP'))
  return { ...scene, send, eapSent }
}

/** Our server; the peer logs in. */
function server(answer: (packet: Heard, peer: ScriptedPeer) => void, settings: Partial<PppSettings> = {}) {
  const scene = withPeer(answer, { ...SERVER, requiresAuth: ['eap'], ...settings })
  return { ...scene, eapSent: () => packetsSent(scene.end).filter((text) => text.startsWith('[EAP')) }
}

function proof({ id, data }: Heard, secret = 'sesame', name = 'demo'): number[] {
  const value = data.subarray(2, 2 + data[1]!)
  const hash = createHash('md5')
    .update(concat([Uint8Array.of(id), latin1(secret), value]))
    .digest()
  return [MD5, 16, ...hash, ...latin1(name)]
}

test('identity, a notification, the challenge: each is answered under its identifier, and the Success lets in', () => {
  const { end, send, eapSent } = client()
  send(REQUEST, 9, IDENTITY, ...latin1('who?'))
  send(REQUEST, 10, NOTIFICATION, ...latin1('your password expires\x07'))
  send(REQUEST, 11, ...challenge([1, 2, 3]))
  send(SUCCESS, 11)
  assert.deepEqual(eapSent(), [
    '[EAP Response id=0x9 Identity <Name "demo">]',
    '[EAP Response id=0xa Notification]',
    '[EAP Response id=0xb MD5-Challenge <Value hidden> <Name "demo">]',
  ])
  assert.ok(phases(end).includes('network'))
})

test('the answer to a challenge is MD5 of identifier, password and challenge', () => {
  let data: Uint8Array | undefined
  const { send } = client((packet) => {
    if (packet.protocol === EAP) data = packet.data
  })
  send(REQUEST, 11, ...challenge([1, 2, 3]))
  const hash = createHash('md5')
    .update(concat([Uint8Array.of(11), latin1('sesame'), Uint8Array.of(1, 2, 3)]))
    .digest()
  assert.deepEqual(data, Uint8Array.from([MD5, 16, ...hash, ...latin1('demo')]))
})

test('a type that we do not have gets a Nak that asks for MD5, an expanded one too', () => {
  const { send, eapSent, end } = client()
  send(REQUEST, 1, TLS, 0x20)
  send(REQUEST, 2, EXPANDED, 0, 0, 0, 0, 0, 0, 26)
  send(REQUEST, 3, 26, 1, 2)
  send(REQUEST, 4, ...challenge([7]))
  send(SUCCESS, 4)
  assert.deepEqual(eapSent().slice(0, 3), [
    '[EAP Response id=0x1 Nak <Suggested-type 04 (MD5-Challenge)>]',
    '[EAP Response id=0x2 Nak <Suggested-type 04 (MD5-Challenge)>]',
    '[EAP Response id=0x3 Nak <Suggested-type 04 (MD5-Challenge)>]',
  ])
  assert.ok(phases(end).includes('network'))
})

test('a repeated request gets the same answer, a new one under an old identifier a new answer', () => {
  const { send, end } = client()
  const sent = () => framesIn(end.sent).filter(({ protocol }) => protocol === EAP)
  send(REQUEST, 5, ...challenge([1]))
  send(REQUEST, 5, ...challenge([1]))
  send(REQUEST, 5, ...challenge([2]))
  const [first, again, other] = sent().map(({ info }) => Buffer.from(info).toString('hex'))
  assert.equal(first, again)
  assert.notEqual(first, other)
})

test('a Success counts only for an answered challenge, under its identifier', () => {
  const { send, end, link } = client()
  send(SUCCESS, 0)
  send(REQUEST, 1, IDENTITY)
  send(SUCCESS, 1)
  send(REQUEST, 2, TLS)
  send(SUCCESS, 2)
  send(REQUEST, 3, ...challenge([1]))
  for (const id of [0, 1, 2, 4, 255]) send(SUCCESS, id)
  assert.equal(phases(end).at(-1), 'authenticate')
  assert.ok(end.machine.deadline())
  link.run(40_000)
  assert.equal(ending(end), 'lcp-timeout 10')
  assert.match(down(end)!.failure.detail, /^no verdict on our EAP log-in within 30 s/)
})

test('a Failure counts as soon as there was an answer, whatever identifier pppd gives it', () => {
  for (const id of [1, 2, 3]) {
    const { send, end, link } = client()
    send(FAILURE, id)
    assert.equal(phases(end).at(-1), 'authenticate')
    send(REQUEST, 1, IDENTITY)
    send(FAILURE, id)
    link.run(10_000)
    assert.equal(ending(end), 'auth-refused 19')
    assert.match(down(end)!.failure.detail, /^the peer refused the EAP log-in of "demo"/)
  }
})

test('a lost Success: the peer goes on to IPCP, which says the same', () => {
  for (const isProven of [true, false]) {
    const { send, peer, flush, link, end } = client()
    if (isProven) send(REQUEST, 1, ...challenge([1]))
    else send(REQUEST, 1, IDENTITY)
    peer.send(IPCP, CODE.configureRequest, 1)
    flush()
    link.run(1000)
    assert.equal(isRunning(end), isProven)
  }
  const whole = pair({}, { requiresAuth: ['eap'] })
  whole.damage = (bytes) =>
    framesIn([bytes]).some(({ protocol, info }) => protocol === EAP && info[0] === SUCCESS) ? [] : [bytes]
  whole.open().run(5000)
  assert.ok(isRunning(whole.a) && isRunning(whole.b))
})

test('what going on proves for us it does not prove for the peer', () => {
  const { peer, flush, link, end, send } = client(() => {}, { ...SERVER, answersAuth: ['eap'], requiresAuth: ['eap'] })
  send(REQUEST, 1, ...challenge([1]))
  peer.send(IPCP, CODE.configureRequest, 1)
  flush()
  link.run(60_000)
  assert.ok(!phases(end).includes('network'))
  assert.equal(ending(end), 'peer-auth-refused 11')
})

test('packets that lie are dropped and counted, and the log-in goes on', () => {
  const { send, eapSent, session, end } = client()
  for (const data of [[], [0], [NAK, MD5], [MD5], [MD5, 0], [MD5, 16, 1, 2], [MD5, 255, ...new Array(254).fill(1)]])
    send(REQUEST, 1, ...data)
  assert.deepEqual(eapSent(), [])
  assert.equal(session.counters.malformed, 6)
  assert.equal(session.counters.unexpected, 1)
  send(REQUEST, 2, ...challenge([1]))
  send(SUCCESS, 2)
  assert.ok(phases(end).includes('network'))
})

test('a flood of requests is not answered in full', () => {
  const { peer, flush, link, eapSent, session } = client()
  for (let index = 0; index < 500; index++)
    peer.send(EAP, REQUEST, index & 0xff, Uint8Array.of(NOTIFICATION, index >>> 8))
  flush()
  link.run(100)
  assert.ok(eapSent().length < 20)
  assert.ok(session.counters.flood > 400)
})

test('our own challenge is never answered by us, in whichever protocol it went out', () => {
  for (const requiresAuth of ['eap', 'chap'] as const) {
    const both = {
      ...SERVER,
      answersAuth: ['eap'],
      requiresAuth: [requiresAuth],
      password: 'sesame',
      user: 'demo',
    } as const
    let reflected = 0
    const { link, end } = client((packet, peer) => {
      if (packet.code !== 1 || (packet.protocol !== EAP && packet.protocol !== 0xc223)) return
      if (packet.protocol === EAP && packet.data[0] === IDENTITY) {
        peer.send(EAP, RESPONSE, packet.id, Uint8Array.from([IDENTITY, ...latin1('demo')]))
        return
      }
      reflected++
      const body = packet.protocol === EAP ? packet.data : Uint8Array.from([MD5, ...packet.data])
      peer.send(EAP, REQUEST, packet.id, body)
    }, both)
    link.run(60_000)
    assert.ok(reflected > 0)
    assert.doesNotMatch(packetsSent(end).join('\n'), /Response .*hidden/)
    assert.notEqual(ending(end), 'none')
  }
})

test('our server: identity, challenge, verdict; a repeated answer gets the same verdict', () => {
  const { link, peer, end, flush, eapSent, session } = server((packet, from) => {
    if (packet.protocol !== EAP || packet.code !== REQUEST) return
    const data = packet.data[0] === IDENTITY ? [IDENTITY, ...latin1('demo')] : proof(packet)
    from.send(EAP, RESPONSE, packet.id, Uint8Array.from(data))
  })
  link.open().run(100)
  const [identity, md5, success] = eapSent()
  assert.match(identity!, /^\[EAP Request id=0x\w+ Identity <Message "Name">\]$/)
  assert.match(md5!, /^\[EAP Request id=0x\w+ MD5-Challenge <Value [0-9a-f ]{47}> <Name "operator">\]$/)
  assert.match(success!, /^\[EAP Success id=0x\w+\]$/)
  const last = peer.heard.filter(({ protocol, code }) => protocol === EAP && code === REQUEST).at(-1)!
  peer.send(EAP, RESPONSE, last.id, Uint8Array.from(proof(last, 'wrong')))
  peer.send(EAP, RESPONSE, (last.id + 9) & 0xff, Uint8Array.from(proof(last)))
  flush()
  link.run(100)
  assert.deepEqual(eapSent().slice(3), [success])
  assert.equal(session.peerName, 'demo')
  assert.ok(phases(end).includes('network'))
})

test('our server repeats a request under its identifier, a bounded number of times', () => {
  const { link, end, eapSent } = server(() => {}, { eap: { restartMs: 500, maxRequests: 4 } })
  link.open().run(60_000)
  assert.equal(eapSent().length, 4)
  assert.equal(new Set(eapSent()).size, 1)
  assert.equal(ending(end), 'peer-auth-refused 11')
  assert.match(down(end)!.failure.detail, /^no answer to 4 EAP requests/)
})

test('our server and a peer that does not want MD5: refused, and the words say what it wants', () => {
  for (const wanted of [TLS, 0]) {
    const { link, end, eapSent } = server((packet, from) => {
      if (packet.protocol !== EAP || packet.code !== REQUEST) return
      const isIdentity = packet.data[0] === IDENTITY
      // A Nak of the Identity itself is not allowed (RFC 3748 §5.3.1).
      if (isIdentity) from.send(EAP, RESPONSE, packet.id, Uint8Array.of(NAK, wanted))
      from.send(EAP, RESPONSE, packet.id, isIdentity ? Uint8Array.of(IDENTITY) : Uint8Array.of(NAK, wanted))
    })
    link.open().run(30_000)
    assert.equal(ending(end), 'peer-auth-refused 11')
    assert.match(down(end)!.failure.detail, wanted ? /asks for EAP type 13 \(Nak\)/ : /names no other \(Nak\)/)
    assert.match(eapSent().at(-1)!, /^\[EAP Failure/)
  }
})

test('the name that was proven counts, not the identity that was told', () => {
  const names = (identity: string, proven: string) => {
    const { link, session, end } = server(
      (packet, from) => {
        if (packet.protocol !== EAP || packet.code !== REQUEST) return
        const isIdentity = packet.data[0] === IDENTITY
        const data = isIdentity ? [IDENTITY, ...latin1(identity)] : proof(packet, 'sesame', proven)
        from.send(EAP, RESPONSE, packet.id, Uint8Array.from(data))
      },
      { secretOf: (name) => ({ demo: 'sesame', admin: 'other' })[name] },
    )
    link.open().run(10_000)
    return `${session.peerName} ${ending(end)}`
  }
  assert.match(names('admin', 'demo'), /^demo /)
  assert.match(names('demo', ''), /^demo /)
  assert.equal(names('demo', 'admin'), 'undefined peer-auth-refused 11')
  assert.equal(names('admin', ''), 'undefined peer-auth-refused 11')
})
