/** `apn = auto` with the whole product: the provider database, the virtual operator's one APN, and what is remembered. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { OPERATOR, PROFILE_FILE, Product } from './product.ts'

const DIAL = 9

/** 001-01 is the virtual operator; an MVNO before him, an APN of yesterday, and the right one with its log-in. */
const DATABASE = `<serviceproviders format="2.0"><country code="xx"><name>Nowhere</name>
<provider><name>Thrift</name><gsm><network-id mcc="001" mnc="01"/><apn value="thrift.example"/></gsm></provider>
<provider><name>Virtual Mobile</name><gsm><network-id mcc="001" mnc="01"/>
  <apn value="yesterday.example"/>
  <apn value="mms.example"><usage type="mms"/></apn>
  <apn value="internet"><usage type="internet"/><username>demo</username><password>sesame</password></apn>
</gsm></provider></country></serviceproviders>
`

const SIM = ['--register-after', '100ms', '--latency', '0', '--apn', 'internet:demo:sesame', '--auth', 'chap']
const INTERNET = ['--internet', 'tun', '--dns', OPERATOR]
const PROFILE = '[profile]\napn = auto\n[ppp]\nlcp-restart = 200ms\n'

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const personality of ['generic', 'huawei-e173']) {
    test(`${personality}: the SIM's own provider, the next where one is refused, and at once the next time`, () =>
      Product.run(
        {
          sim: ['--personality', personality, ...SIM, ...INTERNET],
          files: { [PROFILE_FILE]: PROFILE },
        },
        async (product) => {
          await withDatabase(product)
          const known = JSON.parse(product.read('mmctl', 'apn', '--json'))
          assert.deepEqual(
            known.map(({ apn, hasPassword }: Record<string, unknown>) => [apn, hasPassword]),
            [
              ['yesterday.example', false],
              ['internet', true],
              ['mms.example', false],
              ['thrift.example', false],
            ],
          )
          await product.connectsWell()
          assert.equal(apnOf(product), 'internet')
          assert.equal(dials(product), 2)
          product.read('mmctl', 'disconnect')

          const state = readFileSync(`${product.root}/var/lib/modemd/apns.json`, 'utf8')
          assert.match(state, /"apn": "internet"/)
          await product.connectsWell()
          assert.equal(dials(product), 3, 'at once with what worked')
          product.read('mmctl', 'disconnect')
          assert.doesNotMatch(product.logs() + state, /sesame/)
        },
      ))
  }

  test('no APN that the network takes: all are named, and it rests', () =>
    Product.run(
      {
        sim: ['--register-after', '100ms', '--latency', '0', '--apn', 'secret.example'],
        files: { [PROFILE_FILE]: PROFILE },
      },
      async (product) => {
        await withDatabase(product)
        const { causeDetail } = await product.fails('apn-refused', DIAL)
        assert.match(
          causeDetail ?? '',
          /^the network accepted no APN: yesterday\.example \(\+CME ERROR: 133\), internet \(.*\), thrift\.example \(.*\), the network's own \(\+CME ERROR: 133\)$/,
        )
        assert.equal(dials(product), 4)
      },
    ))
}

/** Read where the configuration says, from the next look-up on. */
async function withDatabase(product: Product): Promise<void> {
  product.write('etc/modemd/providers.xml', DATABASE)
  product.write('etc/modemd/modemd.conf', `[daemon]\napn-database = ${product.root}/etc/modemd/providers.xml\n`)
  product.modemd.child.kill('SIGHUP')
  await product.untilModem('registered')
  await product.until('the database is known', () => product.read('mmctl', 'apn', '00101', '--json').length > 10)
}

function apnOf(product: Product): string | undefined {
  const { links } = JSON.parse(product.read('mmctl', 'status', '--json')) as { links: readonly { apn?: string }[] }
  return links[0]?.apn
}

function dials(product: Product): number {
  return Object.entries(product.stats().commands.byName).reduce(
    (sum, [name, count]) => (/^ATD/.test(name) ? sum + count : sum),
    0,
  )
}
