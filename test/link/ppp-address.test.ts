/** What a link shows of the addresses that PPP negotiated. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIpv4 } from '../../src/base/ipv4.ts'
import { ip4Of } from '../../src/link/ppp-run.ts'

const local = parseIpv4('10.64.0.2')!

test('the gateway is the peer', () => {
  const shown = ip4Of({ ip4: { local, peer: parseIpv4('10.64.64.64')!, dns: [] }, ip6: undefined, mtuBytes: 1400 })
  const ends = { address: '10.64.0.2', peer: '10.64.64.64', gateway: '10.64.64.64' }
  assert.deepEqual(shown, { ...ends, prefix: 32, dns: [], mtu: 1400 })
})

test('a peer without an address is no gateway: routes go by the interface', () => {
  const shown = ip4Of({ ip4: { local, peer: 0, dns: [] }, ip6: undefined, mtuBytes: 1400 })
  assert.deepEqual(Object.keys(shown!).sort(), ['address', 'dns', 'mtu', 'prefix'])
})
