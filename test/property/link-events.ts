/** What may happen to modems, SIMs, calls, PPP, people and the machine, for `link-world.ts`. */

import fc from 'fast-check'
import { CAUSES } from '../../src/base/cause.ts'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { parseIpv6 } from '../../src/base/ipv6.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'
import type { ModemSnapshot } from '../../src/modem/snapshot.ts'
import type { FakeSession } from '../support/fake-engine.ts'

const NAMES = ['a', 'b', 'c'] as const
export const ICCIDS = ['8931440400000000017', '8931440400000000025'] as const

const PASSING = CAUSES.filter((cause) => CAUSE_TABLE[cause].redial !== 'stop')
/** For good, until the modem mends it: only a dial ends so. */
const OF_THE_MODEM = CAUSES.filter((cause) => /^sim-|^radio-off$/.test(cause))

type Change = Partial<ModemSnapshot>
const ready = { status: 'ready' } as const
export const STATES: Readonly<Record<string, Change>> = {
  registered: { state: 'registered', registration: 'home', sim: ready },
  roaming: { state: 'registered', registration: 'roaming', sim: ready },
  searching: { state: 'searching', registration: 'searching', sim: ready },
  denied: { state: 'searching', registration: 'denied', sim: ready },
  enabling: { state: 'enabling', registration: 'unknown', sim: ready },
  disabled: { state: 'disabled', registration: 'unknown', sim: ready },
  failed: { state: 'failed', registration: 'unknown', sim: ready },
  locked: { state: 'locked', registration: 'unknown', sim: { status: 'pin' } },
  'no SIM': { state: 'absent-sim', registration: 'unknown', sim: { status: 'absent' } },
}

const profileText = fc
  .record({
    isAutomatic: fc.boolean(),
    priority: fc.nat(2),
    isRoaming: fc.boolean(),
    apn: fc.constantFrom('auto', 'internet'),
    modem: fc.constantFrom('any', 'any', 'any', 'usb:1-2', 'usb:1-3'),
    sim: fc.constantFrom('', '', '', ...ICCIDS),
    ip: fc.constantFrom('4', '6', '46'),
    check: fc.constantFrom('', '', 'check = 203.0.113.9:443\n'),
    redial: fc.constantFrom('', '[redial]\nreset-after = 1\n', '[redial]\nno-carrier = 1ms\nhung-up = 1ms\n'),
  })
  .map(({ isAutomatic, priority, isRoaming, apn, redial, modem, sim, ip, check }) => {
    const yes = (is: boolean) => (is ? 'yes' : 'no')
    const first = `[profile]\nautoconnect = ${yes(isAutomatic)}\npriority = ${priority}\nroaming = ${yes(isRoaming)}\n`
    return `${first}apn = ${apn}\nmodem = ${modem}\nip = ${ip}\n${sim && `sim = ${sim}\n`}${check}${redial}`
  })
export const profiles = fc.record({ a: profileText, b: profileText, c: profileText })
const socket = fc.constantFrom(0, 1)
const cause = fc.constantFrom(...PASSING)
const dialCause = fc.constantFrom(...PASSING, ...OF_THE_MODEM)
const name = fc.constantFrom(...NAMES)

const PEER = parseIpv6('fe80::1')!
const LINK_LOCAL = { local: parseIpv6('fe80::2')!, peer: PEER }
export const IP6 = { ...LINK_LOCAL, global: { address: parseIpv6('2001:db8:64::2')!, prefixLength: 64, gateway: PEER } }
export const IP4 = {
  local: parseIpv4('10.64.0.2')!,
  peer: parseIpv4('10.64.64.64')!,
  dns: [parseIpv4('198.51.100.53')!],
}
export const ADDRESSES: Readonly<Record<string, Parameters<FakeSession['upWithIp6']>>> = {
  IPv4: [undefined, IP4],
  'link-local': [LINK_LOCAL],
  IPv6: [IP6],
  'IPv4 and link-local': [LINK_LOCAL, IP4],
  both: [IP6, IP4],
}

const happening = <W extends string, T>(what: W, fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record({ what: fc.constant(what), ...fields }) as unknown as fc.Arbitrary<{ readonly what: W } & T>

/** What leads a link up. */
const onTheWay = fc.oneof(
  happening('plug', { socket }),
  happening('connect', { name }),
  happening('dial ends', { socket, cause: fc.constant(undefined) }),
  happening('up', {}),
  happening('address', { is: fc.constantFrom(...Object.keys(ADDRESSES)) }),
  happening('host', { answers: fc.boolean() }),
)
const amiss = fc.oneof(
  happening('dial ends', { socket, cause: dialCause }),
  happening('down', { cause }),
  happening('stopped', { network: fc.constantFrom('ipv4' as const, 'ipv6' as const) }),
  happening('phase', { phase: fc.constantFrom('establish' as const, 'authenticate' as const, 'network' as const) }),
  happening('terminate', { cause: fc.option(cause, { nil: undefined }) }),
  happening('deaf', {}),
  happening('call ends', {
    socket,
    cause: fc.constantFrom('hung-up' as const, 'radio-off' as const, 'modem-silent' as const),
    line: fc.constantFrom('works' as const, 'is dead' as const),
  }),
  happening('limit', { socket, ip: fc.constantFrom('4' as const, '6' as const), isCertain: fc.boolean() }),
  happening('swap SIMs', {}),
  happening('unplug', { socket }),
  happening('modem', { socket, is: fc.constantFrom(...Object.keys(STATES)) }),
  happening('disconnect', { name }),
  happening('sleep', { isOn: fc.boolean() }),
  happening('reload', { profiles }),
)
export const event = fc.oneof(
  { arbitrary: happening('pass', { ms: fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(600_000)) }), weight: 2 },
  happening('step', {}),
  { arbitrary: onTheWay, weight: 3 },
  { arbitrary: amiss, weight: 4 },
)
export type Event = typeof event extends fc.Arbitrary<infer T> ? T : never
