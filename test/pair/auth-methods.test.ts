/** Every log-in, our client against our server: right and wrong, both ways at once, again and again, on a line that loses frames. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthProtocol, PppSettings } from '../../src/ppp/settings.ts'
import { CHAP, EAP, LCP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { down, ending, eventsOf, framesIn, ip, isRunning, packetsSent, pair, phases } from './ends.ts'

const METHODS: readonly AuthProtocol[] = ['pap', 'chap', 'mschap', 'mschapv2', 'eap']
const CHALLENGING: readonly AuthProtocol[] = ['chap', 'mschap', 'mschapv2', 'eap']

/** Both ends log in at each other, each under its own name and password. */
const MUTUAL: readonly [Partial<PppSettings>, Partial<PppSettings>] = [
  { user: 'demo', password: 'sesame', secretOf: (name) => (name === 'operator' ? 'backwards' : undefined) },
  {
    user: 'operator',
    password: 'backwards',
    secretOf: (name) => (name === 'demo' ? 'sesame' : undefined),
  },
]

for (const auth of METHODS) {
  test(`${auth}: the right name and password let in, and the server knows who it is`, () => {
    const link = pair({}, { requiresAuth: [auth] })
      .open()
      .run(1000)
    assert.ok(isRunning(link.a) && isRunning(link.b), `${ending(link.a)} ${ending(link.b)}`)
    assert.deepEqual(phases(link.b), ['establish', 'authenticate', 'network', 'running'])
    assert.ok(link.nowMs - link.lastMs > 900, 'in a round trip or two')
  })

  for (const [what, client] of [
    ['a wrong password', { password: 'wrong' }],
    ['an unknown name', { user: 'nobody\x1b[2J' }],
    ['no name and no password', { user: '', password: '' }],
  ] as const) {
    test(`${auth}: ${what}: both ends say so, without a secret or a control character`, () => {
      const link = pair(client, { requiresAuth: [auth] })
        .open()
        .run(60_000)
      assert.equal(ending(link.a), 'auth-refused 19')
      assert.equal(ending(link.b), 'peer-auth-refused 11')
      for (const end of [link.a, link.b]) {
        const { detail } = down(end)!.failure
        assert.doesNotMatch(detail, /sesame|wrong"|[\x00-\x1f\x7f]/)
        assert.ok(!phases(end).includes('network'))
        assert.doesNotMatch(packetsSent(end).join('\n'), /sesame|wrong|[\x00-\x09\x0b-\x1f]/)
      }
    })
  }

  test(`${auth}: a third of the frames is lost: in all the same, whatever the seed`, () => {
    let up = 0
    for (let seed = 1; seed <= 40; seed++) {
      const link = pair({}, { requiresAuth: [auth] }, seed)
      const dice = new SeededRandom(seed)
      link.damage = (bytes) => (dice.bytes(1)[0]! < 85 ? [] : [bytes])
      link.open()
      for (let tries = 0; tries < 200 && !(isRunning(link.a) && isRunning(link.b)); tries++) link.run(500)
      if (isRunning(link.a) && isRunning(link.b)) up++
      else assert.notEqual(`${ending(link.a)} ${ending(link.b)}`, 'none none', `seed ${seed} hangs`)
    }
    assert.ok(up >= 36, `${up} of 40 came up`)
  })
}

test('both ends log in at once, each by another method', () => {
  for (const forward of METHODS)
    for (const backward of METHODS) {
      const [a, b] = MUTUAL
      const link = pair({ ...a, requiresAuth: [backward] }, { ...b, answersAuth: [backward], requiresAuth: [forward] })
      link.open().run(1000)
      assert.ok(isRunning(link.a) && isRunning(link.b), `${forward} ${backward}: ${ending(link.a)} ${ending(link.b)}`)
      assert.equal(link.a.machine.peerName, 'operator')
      assert.equal(link.b.machine.peerName, 'demo')
    }
})

test('both ends log in and one has the wrong password: nothing comes up, and each end knows which', () => {
  for (const method of METHODS) {
    const [a, b] = MUTUAL
    const link = pair(
      { ...a, requiresAuth: [method] },
      { ...b, password: 'wrong', answersAuth: [method], requiresAuth: [method] },
    )
    link.open().run(60_000)
    assert.equal(ending(link.a), 'peer-auth-refused 11', method)
    assert.equal(ending(link.b), 'auth-refused 19', method)
    assert.ok(!phases(link.a).includes('network') && !phases(link.b).includes('network'))
  }
})

test('a secret that depends on who asks', () => {
  for (const auth of CHALLENGING) {
    const asked: string[] = []
    const loginSecretOf = (challenger: string) => {
      asked.push(challenger)
      return challenger === 'operator' ? 'sesame' : undefined
    }
    const link = pair({ password: 'wrong', loginSecretOf }, { requiresAuth: [auth] })
      .open()
      .run(1000)
    assert.ok(isRunning(link.a), auth)
    assert.deepEqual(asked, ['operator'])
    const stranger = pair({ loginSecretOf }, { requiresAuth: [auth], user: 'mallory\n' })
      .open()
      .run(60_000)
    assert.equal(ending(stranger.a), 'auth-refused 19')
    assert.match(
      down(stranger.a)!.failure.detail,
      /^no secret for an? (EAP|CHAP|MS-CHAP|MS-CHAPv2) log-in at "mallory\\x0a"/,
    )
    assert.doesNotMatch(packetsSent(stranger.a).join('\n'), /Response .*(hidden)/)
  }
})

test('PAP by a password check instead of secrets', () => {
  const seen: string[] = []
  const checkPassword = (name: string, password: string) => {
    seen.push(`${name} ${password}`)
    return password === 'of the system'
  }
  const good = pair({ password: 'of the system' }, { requiresAuth: ['pap'], checkPassword })
  assert.ok(isRunning(good.open().run(1000).b))
  const bad = pair({}, { requiresAuth: ['pap'], checkPassword })
  bad.open().run(60_000)
  assert.equal(ending(bad.b), 'peer-auth-refused 11')
  assert.deepEqual(seen, ['demo of the system', 'demo sesame'])
})

test('a house that lets anyone in', () => {
  for (const auth of ['pap', 'chap', 'mschap', 'eap'] as const) {
    const link = pair({ user: '', password: '' }, { requiresAuth: [auth], admitsAnyone: true, secretOf: undefined })
    assert.ok(isRunning(link.open().run(1000).a), auth)
  }
})

for (const auth of CHALLENGING) {
  const family = auth === 'eap' ? 'eap' : 'chap'
  const challenges = (texts: readonly string[]) =>
    texts.filter((text) => /Challenge /.test(text) && !/hidden/.test(text))

  test(`${auth}: the peer is challenged again and again, each time anew, and stays up`, () => {
    const link = pair({}, { requiresAuth: [auth], [family]: { rechallengeMs: 10_000 } })
      .open()
      .run(45_000)
    assert.ok(isRunning(link.a) && isRunning(link.b))
    const sent = challenges(packetsSent(link.b))
    assert.equal(sent.length, 5, sent.join('\n'))
    assert.equal(new Set(sent).size, 5)
    assert.equal(eventsOf(link.a, 'up').length, 1)
    assert.equal(eventsOf(link.b, 'up').length, 1)
  })

  test(`${auth}: a peer that fails a later challenge, or is silent, is down`, () => {
    let secret = 'sesame'
    const server = { requiresAuth: [auth], [family]: { rechallengeMs: 10_000, maxRequests: 4, restartMs: 500 } }
    const link = pair({ loginSecretOf: () => secret }, server)
      .open()
      .run(5000)
    assert.ok(isRunning(link.b))
    secret = 'changed'
    link.run(20_000)
    assert.equal(ending(link.a), 'auth-refused 19')
    assert.equal(ending(link.b), 'peer-auth-refused 11')

    const silent = pair({}, { ...server, echoIntervalMs: 0 })
      .open()
      .run(5000)
    const isLogIn = (bytes: Uint8Array) =>
      framesIn([bytes]).some(({ protocol }) => protocol === CHAP || protocol === EAP)
    silent.damage = (bytes, from) => (from === 'a' && isLogIn(bytes) ? [] : [bytes])
    const upMs = silent.nowMs
    silent.run(60_000)
    assert.equal(ending(silent.b), 'peer-auth-refused 11')
    assert.match(down(silent.b)!.failure.detail, /^no answer to 4 /)
    assert.ok(silent.lastMs - upMs < 10_000)
  })

  test(`${auth}: its own times and counts hold, not LCP's`, () => {
    const link = pair({}, { requiresAuth: [auth], [family]: { restartMs: 700, maxRequests: 3 } })
    link.damage = (bytes, from) =>
      from === 'a' && framesIn([bytes]).some(({ protocol }) => protocol !== LCP) ? [] : [bytes]
    link.open().run(60_000)
    assert.equal(ending(link.b), 'peer-auth-refused 11')
    assert.match(down(link.b)!.failure.detail, /^no answer to 3 /)
  })
}

test('a login that has no verdict is repeated as often as its own limits say', () => {
  const link = pair({ pap: { restartMs: 200, maxRequests: 4 } }, { requiresAuth: ['pap'] })
  link.damage = (bytes, from) =>
    from === 'b' && framesIn([bytes]).some(({ protocol }) => protocol !== LCP) ? [] : [bytes]
  link.open().run(60_000)
  assert.equal(packetsSent(link.a).filter((text) => text.startsWith('[PAP AuthReq')).length, 4)
})

test('the method is what both ends have: the server asks for the strongest first', () => {
  const all: PppSettings['requiresAuth'] = ['mschapv2', 'eap', 'chap', 'mschap', 'pap']
  for (const only of METHODS) {
    const link = pair({ answersAuth: [only] }, { requiresAuth: all })
    link.open().run(5000)
    assert.ok(isRunning(link.a) && isRunning(link.b), `${only}: ${ending(link.a)}`)
  }
  const weak = pair({ answersAuth: ['pap', 'mschap'] }, { requiresAuth: ['mschapv2', 'chap'] })
  weak.open().run(60_000)
  assert.equal(ending(weak.b), 'peer-auth-refused 11')
  assert.equal(ending(weak.a), 'auth-refused 19')
  const all5 = pair({}, { requiresAuth: all }).open().run(1000)
  assert.ok(packetsSent(all5.a).some((text) => /ConfAck .*<auth chap MS-v2>/.test(text)))
})

test('peers that log in have the address of their name', () => {
  const link = pair(
    {},
    { requiresAuth: ['eap'], remoteAddressOf: (name) => (name === 'demo' ? ip('10.64.0.77') : undefined) },
  )
  link.open().run(1000)
  assert.equal(eventsOf(link.a, 'up')[0]!.address.ip4!.local, ip('10.64.0.77'))
})
