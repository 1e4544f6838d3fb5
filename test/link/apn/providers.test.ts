/** The provider database: its elements, its networks, its file. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../../../src/base/ports.ts'
import { apnFault, credentialFault } from '../../../src/base/values.ts'
import { ProviderDatabase } from '../../../src/link/apn/database.ts'
import { findProviders } from '../../../src/link/apn/providers.ts'
import { scanXml } from '../../../src/link/apn/xml.ts'
import { needs } from '../../support/needs.ts'

const DEBIAN = '/usr/share/mobile-broadband-provider-info/serviceproviders.xml'
const FIXTURE = new URL('providers.xml', import.meta.url)
const XML = readFileSync(FIXTURE, 'utf8')

function apnsOf(mcc: string, mnc: string, xml = XML): string[] {
  return findProviders(xml, { mcc, mnc }).flatMap(({ accessPoints }) => accessPoints.map(({ apn }) => apn))
}

test('the providers of a network, with all that the file says of them', () => {
  const [thrift, nowhere, between, ...more] = findProviders(XML, { mcc: '999', mnc: '01' })
  assert.deepEqual(thrift, {
    country: 'xx',
    names: ['Thrift & Sons', 'Sparfunk'],
    isPrimary: false,
    accessPoints: [
      {
        apn: 'thrift.example',
        name: 'Every plan',
        plans: [],
        usage: 'internet',
        username: 'guest',
        password: 'pass<1>',
        auth: '',
        dns: ['192.0.2.53', '192.0.2.54'],
      },
    ],
  })
  assert.deepEqual([nowhere?.names, nowhere?.isPrimary], [['Nowhere Mobile'], true])
  assert.deepEqual(
    nowhere?.accessPoints.map(({ apn, usage, plans, auth, name }) => [apn, usage, plans, auth, name]),
    [
      ['mms.nowhere.example', 'mms', [], '', 'MMS'],
      ['wap.nowhere.example', 'wap', [], '', ''],
      ['web.nowhere.example', 'internet', ['prepaid', 'postpaid'], 'pap', 'Web'],
      ['plain.nowhere.example', 'internet', [], '', ''],
    ],
    'what could not be dialled, and what is commented out, is left out',
  )
  assert.deepEqual([between?.names, between?.isPrimary], [['Between <Them>'], undefined])
  assert.deepEqual(more, [])
})

test('a network is found by its exact number, else by one whose MNC is written with another length', () => {
  assert.deepEqual(apnsOf('999', '03').slice(0, 1), ['mms.nowhere.example'])
  assert.deepEqual(apnsOf('998', '020'), ['long.example'])
  assert.deepEqual(apnsOf('998', '02'), ['short.example'])
  assert.deepEqual(apnsOf('998', '002'), ['short.example'])
  assert.deepEqual(apnsOf('998', '990'), ['other999.example'])
  assert.deepEqual(apnsOf('998', '021'), [])
  assert.deepEqual(apnsOf('999', '02'), [])
  assert.deepEqual(apnsOf('001', '01'), [])
})

test('entities, attributes in either quotes, and texts', () => {
  const heard: string[] = []
  scanXml('<a x="1 &amp; 2" y=\'"\'>&#65;&#x42;&unknown;&#x110000;<b/><![CDATA[<&]]></a>', {
    open: (name, attributes) => heard.push(`<${name} ${JSON.stringify(attributes)}`),
    close: (name) => heard.push(`>${name}`),
    text: (text) => heard.push(text),
  })
  assert.deepEqual(heard, ['<a {"x":"1 & 2","y":"\\""}', 'AB&unknown;\ufffd', '<b {}', '>b', '<&', '>a'])
})

test('a file that is cut anywhere, or has other bytes in it, gives what can be read and never throws', () => {
  for (let length = 0; length < XML.length; length += 7) apnsOf('999', '01', XML.slice(0, length))
  fc.assert(
    fc.property(fc.nat(XML.length), fc.nat(40), fc.string({ maxLength: 30 }), (at, count, text) => {
      const damaged = XML.slice(0, at) + text + XML.slice(at + count)
      for (const { accessPoints } of findProviders(damaged, { mcc: '999', mnc: '01' }))
        for (const { apn, username, password } of accessPoints)
          assert.deepEqual(
            [apnFault(apn), credentialFault(username), credentialFault(password)],
            [undefined, undefined, undefined],
          )
    }),
    { numRuns: 300 },
  )
})

test('the file is read once a network while it stays as it is, and anew when it changes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'providers-'))
  try {
    const file = join(folder, 'serviceproviders.xml')
    writeFileSync(file, XML)
    utimesSync(file, 1000, 1000)
    const database = new ProviderDatabase(() => file, silentLogger)
    const operator = { mcc: '998', mnc: '02' }
    const [first, second] = await Promise.all([database.providersOf(operator), database.providersOf(operator)])
    assert.equal(first[0]?.names[0], 'Short')
    assert.equal(second, first, 'one reading for all who ask at once')
    assert.equal(await database.providersOf(operator), first)
    writeFileSync(file, XML.replace('Short', 'Brief'))
    utimesSync(file, 2000, 2000)
    assert.equal((await database.providersOf(operator))[0]?.names[0], 'Brief')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('no file: nothing is known, and it is said once', async () => {
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (text: string) => warnings.push(text) }
  const database = new ProviderDatabase(() => '/nowhere/serviceproviders.xml', logger)
  for (let time = 0; time < 3; time++) assert.deepEqual(await database.providersOf({ mcc: '999', mnc: '01' }), [])
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /ENOENT.*install mobile-broadband-provider-info/)
  const folder = new ProviderDatabase(() => tmpdir(), logger)
  assert.deepEqual(await folder.providersOf({ mcc: '999', mnc: '01' }), [])
  assert.match(warnings[1]!, /it is no file/)
  assert.deepEqual(await new ProviderDatabase(() => '', logger).providersOf({ mcc: '999', mnc: '01' }), [])
  assert.equal(warnings.length, 2, 'an empty setting is no fault')
})

test(
  "Debian's file: known operators are found, and every access point could be dialled",
  needs('mobile-broadband-provider-info'),
  () => {
    const xml = readFileSync(DEBIAN, 'utf8')
    for (const [mcc, mnc, provider, apn] of [
      ['214', '01', 'Vodafone', 'airtelnet.es'],
      ['262', '02', 'Vodafone', 'web.vodafone.de'],
      ['310', '260', 'T-Mobile', 'fast.t-mobile.com'],
    ] as const) {
      const found = findProviders(xml, { mcc, mnc }).find(({ names }) => names.includes(provider))
      assert.ok(
        found?.accessPoints.some((each) => each.apn === apn),
        `${provider} ${mcc}${mnc}`,
      )
    }
    // An entry apart for each network, so that none is lost on the way.
    const networks = new Set(
      [...xml.replace(/<!--[\s\S]*?-->/g, '').matchAll(/mcc="(\d+)" mnc="(\d+)"/g)].map(
        ([, mcc, mnc]) => `${mcc} ${mnc}`,
      ),
    )
    assert.ok(networks.size > 500)
    const without: string[] = []
    for (const network of [...networks].filter((_, index) => index % 20 === 0)) {
      const [mcc = '', mnc = ''] = network.split(' ')
      if (findProviders(xml, { mcc, mnc }).length === 0) without.push(network)
    }
    assert.deepEqual(without, [])
  },
)
