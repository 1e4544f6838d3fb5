/** A line that begins to send back what it gets when LCP is opened: our own magic number tells (RFC 1661 §6.4), whatever fails first. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../src/base/cause.ts'
import { PppSession } from '../../src/ppp/session.ts'
import { CLIENT_DEFAULTS, type PppSettings } from '../../src/ppp/settings.ts'
import { CODE, controlBytes } from '../../src/ppp/wire/packets.ts'
import { CHAP, IPCP, LCP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const CHAP_MD5 = [3, 5, 0xc2, 0x23, 5]
const PAP = [3, 4, 0xc0, 0x23]
const PEERS_MAGIC = [5, 6, 1, 2, 3, 4]
const CHALLENGE = controlBytes(1, 1, Uint8Array.of(4, 1, 2, 3, 4, 0x70))

/** LCP is opened with a peer that asks for this log-in; from then on our frames come back where `isLooped`, or nothing does. */
class Line {
  isLooped = false
  failure: Failure | undefined
  readonly session: PppSession
  #sent: { readonly protocol: number; readonly info: Uint8Array }[] = []
  #nowMs = 0

  constructor(settings: Partial<PppSettings>, login: readonly number[]) {
    const carrier = {
      isAsync: true,
      maxMtuBytes: 1500,
      send: (protocol: number, info: Uint8Array) => this.#sent.push({ protocol, info }),
      reframe() {},
      evidence: () => '',
    }
    const all = { ...CLIENT_DEFAULTS, user: 'demo', password: 'sesame', ...settings }
    this.session = new PppSession(all, new SeededRandom(8), carrier, (event) => {
      if (event.type === 'down') this.failure = event.failure
    })
    this.session.open(0)
    const [request] = this.#sent.splice(0)
    this.hears(LCP, controlBytes(CODE.configureRequest, 1, Uint8Array.of(...login, ...PEERS_MAGIC)))
    this.hears(LCP, Uint8Array.of(CODE.configureAck, ...request!.info.subarray(1)))
  }

  hears(protocol: number, info: Uint8Array): void {
    this.session.receive(protocol, info, this.#nowMs)
  }

  sent(protocol: number, code: number): Uint8Array | undefined {
    return this.#sent.find((each) => each.protocol === protocol && each.info[0] === code)?.info
  }

  /** The end, and when it came. */
  live(): readonly [string, number] {
    for (let frames = 0; frames < 1000 && !this.failure; frames++) {
      const frame = this.#sent.shift()
      const next = this.session.deadline
      if (frame && this.isLooped) this.hears(frame.protocol, frame.info)
      else if (!frame && next) {
        this.#nowMs = next.atMs
        this.session.timeout(this.#nowMs)
      }
    }
    return [this.failure?.cause ?? 'none', this.#nowMs / 1000]
  }
}

for (const [name, login] of [
  ['CHAP', CHAP_MD5],
  ['PAP', PAP],
] as const)
  test(`${name} without an answer is a looped line where our own frames come back`, () => {
    for (const isLooped of [true, false]) {
      const line = new Line({}, login)
      line.isLooped = isLooped
      if (login === CHAP_MD5) line.hears(CHAP, CHALLENGE)
      const [cause, seconds] = line.live()
      assert.equal(cause, isLooped ? 'loopback' : 'lcp-timeout', line.failure?.detail)
      assert.ok(seconds <= 36, `${seconds} s`)
      if (isLooped) assert.match(line.failure!.detail, /our own magic number came back/)
    }
  })

test('IPCP with oneself is named for what it is, at once and without an echo interval', () => {
  const line = new Line({ echoIntervalMs: 0 }, [])
  line.isLooped = true
  assert.deepEqual(line.live(), ['loopback', 0])
})

test('a peer that asks just as we do, for an address too, is another: the Echo-Request has its answer', () => {
  const line = new Line({}, [])
  line.hears(IPCP, line.sent(IPCP, CODE.configureRequest)!)
  const echo = line.sent(LCP, CODE.echoRequest)
  assert.ok(echo, 'it is asked')
  line.hears(LCP, controlBytes(CODE.echoReply, echo[1]!, Uint8Array.of(1, 2, 3, 4)))
  assert.equal(line.failure, undefined)
  const [cause] = line.live()
  assert.notEqual(cause, 'loopback')
})

test('a log-in that nobody answers after another end has answered an echo is no loop', () => {
  const line = new Line({}, PAP)
  line.hears(0xc023, line.sent(0xc023, 1)!)
  const echo = line.sent(LCP, CODE.echoRequest)!
  line.hears(LCP, echo)
  line.hears(LCP, controlBytes(CODE.echoReply, echo[1]!, Uint8Array.of(1, 2, 3, 4)))
  assert.equal(line.live()[0], 'lcp-timeout')
})
