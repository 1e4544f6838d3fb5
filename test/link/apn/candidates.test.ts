/** The order of the tries: examples, and what holds for whatever stands in a database. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ApnCandidate, candidatesFrom, MAX_TRIES, rankOffers } from '../../../src/link/apn/candidates.ts'
import type { AccessPoint, Provider } from '../../../src/link/apn/providers.ts'

const PLAIN: AccessPoint = {
  apn: 'internet',
  name: '',
  plans: [],
  usage: 'internet',
  username: '',
  password: '',
  auth: '',
  dns: [],
}

function provider(name: string, isPrimary: boolean | undefined, ...accessPoints: Partial<AccessPoint>[]): Provider {
  return { country: 'xx', names: [name], isPrimary, accessPoints: accessPoints.map((each) => ({ ...PLAIN, ...each })) }
}

function order(providers: readonly Provider[], name?: string, remembered?: string): string[] {
  return candidatesFrom(rankOffers(providers, name), remembered).map(({ apn, source }) => `${source} ${apn}`.trim())
}

const MARKET = [
  provider('Thrift', false, { apn: 'thrift' }),
  provider('Nowhere Mobile', true, { apn: 'mms', usage: 'mms' }, { apn: 'wap', usage: 'wap' }, { apn: 'web' }),
  provider('Between', undefined, { apn: 'between', username: 'u', password: 'p', dns: ['192.0.2.1'] }),
]

test('the network’s own operator before others, unless the SIM names one; internet before WAP; no MMS', () => {
  assert.deepEqual(order(MARKET), ['database web', 'database between', 'database thrift', 'database wap', 'network'])
  assert.deepEqual(order(MARKET, 'THRIFT').slice(0, 2), ['database thrift', 'database web'])
  assert.deepEqual(order(MARKET, 'Between.xx').slice(0, 2), ['database between', 'database web'])
  assert.deepEqual(order(MARKET, 'Nobody').slice(0, 1), ['database web'])
  assert.deepEqual(order(MARKET, 'T').slice(0, 1), ['database web'], 'a letter is part of everything')
})

test('what worked comes first, with the user that the database has for it', () => {
  assert.deepEqual(order(MARKET, undefined, 'wap').slice(0, 2), ['remembered wap', 'database web'])
  const [first] = candidatesFrom(rankOffers(MARKET, undefined), 'between')
  assert.deepEqual(first, {
    apn: 'between',
    username: 'u',
    password: 'p',
    dns: ['192.0.2.1'],
    source: 'remembered',
    provider: 'Between',
  } satisfies ApnCandidate)
  assert.deepEqual(order(MARKET, undefined, 'own.example')[0], 'remembered own.example')
  assert.deepEqual(order([], undefined, ''), ['remembered'], "the network's choice is not tried twice")
  assert.deepEqual(order([]), ['network'])
})

test('one access point with two users is two tries, in two spellings one', () => {
  const twice = provider('Twice', true, { apn: 'web' }, { apn: 'WEB' }, { apn: 'web', username: 'u', password: 'p' })
  assert.equal(order([twice]).length, 3)
})

const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 3 })
const accessPoint = fc.record({
  apn: text('abA'),
  usage: fc.constantFrom('internet', 'wap', 'mms', 'ia', 'mms-internet-hipri', 'other'),
  username: fc.constantFrom('', 'u'),
  password: fc.constantFrom('', 'p'),
})
const market = fc.array(
  fc.record({
    name: text('xyz '),
    isPrimary: fc.constantFrom(true, false, undefined),
    points: fc.array(accessPoint, { maxLength: 6 }),
  }),
  { maxLength: 5 },
)

test('whatever the database has: bounded, none twice, what worked first, the network’s choice in it, no MMS', () => {
  fc.assert(
    fc.property(
      market,
      fc.option(text('xyz'), { nil: undefined }),
      fc.option(text('abA'), { nil: undefined }),
      (all, name, remembered) => {
        const providers = all.map((each) => provider(each.name, each.isPrimary, ...each.points))
        const offers = rankOffers(providers, name)
        assert.equal(offers.length, all.flatMap(({ points }) => points).length, 'nothing is lost or made up')
        const candidates = candidatesFrom(offers, remembered)
        assert.ok(candidates.length >= 1 && candidates.length <= MAX_TRIES)
        const keys = candidates.map(({ apn, username, password }) => [apn.toLowerCase(), username, password].join('|'))
        assert.equal(new Set(keys).size, keys.length)
        assert.ok(candidates.some(({ apn }) => apn === ''))
        if (remembered !== undefined) assert.equal(candidates[0]?.apn, remembered)
        for (const { apn, username, password, source } of candidates) {
          if (source === 'network' || source === 'remembered') continue
          const from = offers.filter(
            ({ accessPoint: each }) => each.apn === apn && each.username === username && each.password === password,
          )
          assert.ok(
            from.some(({ accessPoint: { usage } }) => !['mms', 'other'].includes(usage)),
            `${apn} is for data`,
          )
        }
        const uses = candidates.flatMap(({ apn, username, password, source }) => {
          if (source !== 'database') return []
          const same = offers.filter(
            ({ accessPoint: each }) =>
              each.apn.toLowerCase() === apn.toLowerCase() && each.username === username && each.password === password,
          )
          return [
            Math.min(
              ...same.map(({ accessPoint: { usage } }) =>
                usage === 'internet'
                  ? 0
                  : usage.includes('internet')
                    ? 1
                    : usage === 'ia'
                      ? 2
                      : usage === 'wap'
                        ? 3
                        : 4,
              ),
            ),
          ]
        })
        assert.deepEqual(
          uses,
          uses.toSorted((a, b) => a - b),
          'internet first',
        )
      },
    ),
    { numRuns: 500 },
  )
})
