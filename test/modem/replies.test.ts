import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseCfun } from '../../src/modem/at/replies/cfun.ts'
import { parseCgdcont } from '../../src/modem/at/replies/cgdcont.ts'
import { explainError, parseError } from '../../src/modem/at/replies/cme.ts'
import { parseCnum } from '../../src/modem/at/replies/cnum.ts'
import { parseConnectSpeed } from '../../src/modem/at/replies/connect.ts'
import { parseCops, parseCopsTest } from '../../src/modem/at/replies/cops.ts'
import { parseCpin } from '../../src/modem/at/replies/cpin.ts'
import { parseRegistrationDetails } from '../../src/modem/at/replies/creg.ts'
import { parseCsq } from '../../src/modem/at/replies/csq.ts'
import { fieldsOf } from '../../src/modem/at/replies/fields.ts'
import { parseCrsmIccid, parseIccid } from '../../src/modem/at/replies/iccid.ts'
import { parseCimi, parseImei, parseText } from '../../src/modem/at/replies/identity.ts'
import { parseCpinr, parseHuaweiCpin } from '../../src/modem/at/replies/pin-tries.ts'

/** Each line by itself through a parser. */
function table<T>(name: string, parse: (lines: readonly string[]) => T, rows: readonly (readonly [string, T])[]): void {
  test(name, () => {
    for (const [text, wanted] of rows) assert.deepEqual(parse(text.split('\n')), wanted, text)
  })
}

test('fields: quotes, parentheses, blanks, missing and stray quotes', () => {
  const texts = (body: string) => fieldsOf(body).map(({ text }) => text)
  assert.deepEqual(texts('2,1,"00C3","0A,1B",7'), ['2', '1', '00C3', '0A,1B', '7'])
  assert.deepEqual(texts('(2,"a",,"1"),(1),,(0-4)'), ['(2,"a",,"1")', '(1)', '', '(0-4)'])
  assert.deepEqual(texts('1, "IP" , ""'), ['1', 'IP', ''])
  assert.deepEqual(texts('0,0,"vodafone,2'), ['0', '0', 'vodafone', '2'])
  assert.deepEqual(texts('0,0,vodafone",2'), ['0', '0', 'vodafone', '2'])
  assert.deepEqual(texts(''), [''])
})

table('+CPIN', (lines) => parseCpin(lines)?.status, [
  ['+CPIN: READY', 'ready'],
  ['+CPIN:READY', 'ready'],
  ['+CPIN: "READY"', 'ready'],
  ['+CPIN: SIM PIN', 'pin'],
  ['+CPIN: SIM PUK', 'puk'],
  ['+CPIN: SIM PIN2', 'pin2'],
  ['+CPIN: SIM PUK2', 'puk2'],
  ['+cpin: sim pin', 'pin'],
  ['+CPIN: NOT INSERTED', 'absent'],
  ['+CPIN: PH-NET PIN', 'failed'],
  ['+CPIN: SOMETHING NEW', undefined],
  ['OK', undefined],
])

/** As a network's state alone. */
function registrationsOf(lines: readonly string[]) {
  return parseRegistrationDetails(lines).map(({ domain, registration, technologies }) => ({
    domain,
    registration,
    technologies,
  }))
}

/** Forms of single modems: ModemManager's src/tests/test-modem-helpers.c. */
table('+CREG, +CGREG, +CEREG as answer and as report', registrationsOf, [
  ['+CREG: 1,3', [{ domain: 'cs', registration: 'denied', technologies: [] }]],
  ['+CREG: 3', [{ domain: 'cs', registration: 'denied', technologies: [] }]],
  ['+CREG: 0,1,84CD,00D30173', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 1,84CD,00D30156', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 2,1,"CE00","01CEAD8F"', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 1,"CE00","00005449"', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 2,0,00,0', [{ domain: 'cs', registration: 'idle', technologies: [] }]],
  ['+CREG: 2,8BE3,2BAF', [{ domain: 'cs', registration: 'searching', technologies: [] }]],
  ['+CREG: 2,,', [{ domain: 'cs', registration: 'searching', technologies: [] }]],
  ['+CREG:002,001,"18d8","ffff"', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 2,5,"0502","0404736D"', [{ domain: 'cs', registration: 'roaming', technologies: [] }]],
  ['+CREG: 2,1,  0 5, 2715', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 2,1,000B,2816, B, C2816', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CGREG: 2,1,"8BE3","00002B5D",3', [{ domain: 'ps', registration: 'home', technologies: ['edge'] }]],
  ['+CGREG: 1,"8BE3","00002B5D",3', [{ domain: 'ps', registration: 'home', technologies: ['edge'] }]],
  ['+CGREG: 5,"0502","0404736D",2', [{ domain: 'ps', registration: 'roaming', technologies: ['umts'] }]],
  ['+CGREG: 2,1, 81ED, 1A9CEB', [{ domain: 'ps', registration: 'home', technologies: [] }]],
  ['+CGREG: 1,"1422","00000142",3,"00"', [{ domain: 'ps', registration: 'home', technologies: ['edge'] }]],
  ['+CEREG: 2,1,"1F4A","00C0A301",7', [{ domain: 'eps', registration: 'home', technologies: ['lte'] }]],
  ['+CEREG: 5,"1F4A","00C0A301",13', [{ domain: 'eps', registration: 'roaming', technologies: ['lte', '5gnr'] }]],
  ['+CREG: 2\n+CREG: 2,1', [{ domain: 'cs', registration: 'home', technologies: [] }]],
  ['+CREG: 99', []],
  ['+CREG:', []],
  ['+CREG: (0-2)', []],
])

table('+COPS?', (lines) => parseCops(lines), [
  ['+COPS: 0', { technologies: [] }],
  ['+COPS: 0,0,"vodafone ES",2', { name: 'vodafone ES', technologies: ['umts'] }],
  ['+COPS: 0,2,"21401",7', { plmn: '21401', technologies: ['lte'] }],
  ['+COPS: 0,2,310410,7', { plmn: '310410', technologies: ['lte'] }],
  ['+COPS: 0,0,"21401"', { plmn: '21401', technologies: [] }],
  ['+COPS: 0,0,""', { technologies: [] }],
  ['OK', undefined],
])

table('+COPS=?', (lines) => parseCopsTest(lines), [
  [
    '+COPS: (2,"T-Mobile","TMO","31026",0),(1,"","AT&T","310410",2),,(0,1,2,3,4),(0,1,2)',
    [
      { plmn: '31026', name: 'T-Mobile', status: 'current', technology: 'gsm' },
      { plmn: '310410', name: 'AT&T', status: 'available', technology: 'umts' },
    ],
  ],
  ['+COPS: (3,"","","26201")', [{ plmn: '26201', name: '', status: 'forbidden', technology: '' }]],
  ['+COPS: (0,1,2,3),(1,2,3,4)', []],
])

table('+CSQ and ^RSSI', (lines) => parseCsq(lines), [
  ['+CSQ: 20,99', { dbm: -73, quality: 64 }],
  ['+CSQ: 21,0', { dbm: -71, quality: 67, ber: 0.14 }],
  ['+CSQ:31,7', { dbm: -51, quality: 100, ber: 18.1 }],
  ['+CSQ: 0,99', { dbm: -113, quality: 0 }],
  ['^RSSI:18', { dbm: -77, quality: 58 }],
  ['+CSQ: 99,99', undefined],
  ['+CSQ: 199,99', undefined],
  ['+CSQ: ,', undefined],
  ['+CSQ: 145,99', { dbm: -71, quality: 67 }],
])

table('manufacturer, model, revision', (lines) => parseText(lines), [
  ['huawei', 'huawei'],
  ['+CGMI: "huawei"', 'huawei'],
  ['Manufacturer: QUALCOMM INCORPORATED', 'QUALCOMM INCORPORATED'],
  ['"GSM900","GSM1800"', 'GSM900","GSM1800'],
  ['', undefined],
])

table('IMEI', (lines) => parseImei(lines), [
  ['356938035643809', '356938035643809'],
  ['+CGSN: "356938035643809"', '356938035643809'],
  ['IMEI: 356938035643809', '356938035643809'],
  ['012505051512505', '012505051512505'],
  ['3569380356438091', undefined],
  ['000000000000000', undefined],
  ['0x9235EB52', undefined],
])

table('IMSI', (lines) => parseCimi(lines), [
  ['214011234567890', '214011234567890'],
  ['+CIMI: "214011234567890"', '214011234567890'],
  ['ERROR', undefined],
])

table('ICCID', (lines) => parseIccid(lines), [
  ['+CCID: 8934071100000000017', '8934071100000000017'],
  ['+CCID: "8934071100000000017F"', '8934071100000000017'],
  ['+ICCID:89340711000000000175', '89340711000000000175'],
  ['^ICCID: 98430711000000000071', '89347011000000000017'],
  ['8934071100000000017', '8934071100000000017'],
  ['+CCID: 12345', undefined],
])

table('ICCID from its file', (lines) => parseCrsmIccid(lines), [
  ['+CRSM: 144,0,"98437011000000000071"', '89340711000000000017'],
  ['+CRSM: 144,0,"984370110000000000F7"', '8934071100000000007'],
  ['+CRSM: 105,130,""', undefined],
])

table('own numbers', (lines) => parseCnum(lines), [
  ['+CNUM: "something","1234567890",161', ['1234567890']],
  ['+CNUM: ,"1234567890",161', ['1234567890']],
  [
    '+CNUM: something,"+34600000001",145\n+CNUM: ,"+34600000002",145\n+CNUM: "another","1234567890",161',
    ['+34600000001', '+34600000002', '1234567890'],
  ],
  ['+CNUM: "","",129', []],
])

table('PIN tries', (lines) => parseCpinr(lines), [
  ['+CPINR: SIM PIN,3,3\n+CPINR: SIM PUK,10,10', { pin: 3, puk: 10 }],
  ['+CPINR: "SIM PIN",2', { pin: 2 }],
  ['+CPINR: SIM PIN2,3,3', undefined],
  ['+CPINR: SIM PIN,255', undefined],
])

table("Huawei's tries", (lines) => parseHuaweiCpin(lines), [
  ['^CPIN: SIM PIN,3,10,3,10,3', { puk: 10, pin: 3 }],
  ['^CPIN: READY,,10,3,10,3', { puk: 10, pin: 3 }],
  ['^CPIN: SIM PUK,9,9,0,10,3', { puk: 9, pin: 0 }],
  ['^CPIN: READY', undefined],
])

table('+CGDCONT?', (lines) => parseCgdcont(lines), [
  ['+CGDCONT: 1,"IP",,,0,0', [{ cid: 1, type: 'IP', apn: '' }]],
  [
    '+CGDCONT: 1,"IPV4V6","ims","0.0.0.0.0.0.0.0",0,0\n+CGDCONT: 2,"ip","internet","",0,0',
    [
      { cid: 1, type: 'IPV4V6', apn: 'ims' },
      { cid: 2, type: 'IP', apn: 'internet' },
    ],
  ],
  ['+CGDCONT: (1-16),"IP",,,(0-2),(0-4)', []],
])

table('+CFUN?', (lines) => parseCfun(lines), [
  ['+CFUN: 1', 'on'],
  ['+CFUN: 1,0', 'on'],
  ['+CFUN: 0', 'off'],
  ['+CFUN: 4', 'low'],
  ['+CFUN: 7', 'low'],
  ['', undefined],
])

test('the speed of CONNECT', () => {
  const rows: [string, number | undefined][] = [
    ['CONNECT', undefined],
    ['CONNECT 7200000', 7_200_000],
    ['CONNECT 150000000', 150_000_000],
    ['CONNECT 115200/ARQ/V34', 115_200],
    ['CONNECT 14.4 Mbps', 14_400_000],
    ['CONNECT 9600 REL', 9600],
    ['CONNECT HSDPA(7.2)', 7_200_000],
    ['CONNECT 384kbps', 384_000],
    ['CONNECT MNP5', undefined],
  ]
  for (const [text, wanted] of rows) assert.equal(parseConnectSpeed(text), wanted, text)
})

test('errors by number, by word and unknown', () => {
  assert.deepEqual(parseError('ERROR'), { kind: 'plain', number: undefined })
  assert.deepEqual(parseError('+CME ERROR: 10'), { kind: 'cme', number: 10 })
  assert.deepEqual(parseError('+CME ERROR: SIM not inserted'), { kind: 'cme', number: 10 })
  assert.deepEqual(parseError('+CME ERROR:"incorrect password"'), { kind: 'cme', number: 16 })
  assert.deepEqual(parseError('+CMS ERROR: 302'), { kind: 'cms', number: 302 })
  assert.deepEqual(explainError('+CME ERROR: 16'), {
    code: 'SimPin',
    cause: 'sim-pin-refused',
    meaning: 'incorrect password',
  })
  assert.deepEqual(explainError('+CME ERROR: 4711'), { code: 'Internal', cause: 'modem-error', meaning: '' })
  assert.deepEqual(explainError('COMMAND NOT SUPPORT').cause, 'modem-error')
})

test('no parser throws, whatever the line', () => {
  const parsers = [
    ...[parseCpin, parseRegistrationDetails, parseCops, parseCopsTest, parseCsq, parseText, parseImei, parseCimi],
    ...[parseIccid, parseCrsmIccid, parseCnum, parseCpinr, parseHuaweiCpin, parseCgdcont, parseCfun],
  ]
  const heads = fc.constantFrom(
    '',
    '+CPIN:',
    '+CREG: ',
    '+COPS: ',
    '+CSQ:',
    '+CNUM:',
    '+CGDCONT: ',
    '^CPIN:',
    '+CRSM: ',
  )
  const body = fc.stringMatching(/^[ -~\x80-\xff]{0,60}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(heads, body), { maxLength: 4 }), (parts) => {
      const lines = parts.map(([head, rest]) => head + rest)
      for (const parse of parsers) parse(lines)
      for (const line of lines) {
        explainError(line)
        parseConnectSpeed(line)
      }
    }),
    { seed: 7, numRuns: 500 },
  )
})
