/** Each driver against its modem of modem-sim: who it is, its SIM, its network, its signal, and a dial, with few commands. */

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DRIVERS, driverForManufacturer, driverForUsb } from '../../src/modem/drivers/choose.ts'
import { parseZpinpuk, parseZrssi } from '../../src/modem/drivers/zte.ts'
import type { DialError, PortRole, SignalSnapshot } from '../../src/modem/snapshot.ts'
import type { Personality } from '../../src/sim/personality.ts'
import { PersonalityBench, type PersonalityBenchOptions } from './support/personality-bench.ts'

interface Expected {
  readonly name: string
  readonly driver: string
  readonly manufacturer: string
  readonly model: string
  readonly revision: string
  readonly technologies: readonly string[]
  readonly signal: Partial<SignalSnapshot>
  readonly connect: string
  /** bit/s */
  readonly speed: number | undefined
  readonly roles: readonly PortRole[]
}

const FAMILIES: readonly Expected[] = [
  {
    name: 'generic',
    driver: 'generic',
    manufacturer: 'Virtual',
    model: 'Generic LTE',
    revision: '1.0',
    technologies: ['lte'],
    signal: { technology: 'lte', rssi: -71, rsrp: -91, rsrq: -10.5, source: '+CSQ' },
    connect: 'CONNECT 150000000',
    speed: 150_000_000,
    roles: ['data', 'at'],
  },
  {
    name: 'huawei-e173',
    driver: 'huawei',
    manufacturer: 'huawei',
    model: 'E173',
    revision: '11.126.85.00.209',
    technologies: ['umts'],
    signal: { technology: 'umts', rssi: -71 },
    connect: 'CONNECT 7200000',
    speed: 7_200_000,
    roles: ['data', 'diag', 'at'],
  },
  {
    name: 'zte-mf190',
    driver: 'zte',
    manufacturer: 'ZTE INCORPORATED',
    model: 'MF190',
    revision: 'BD_W7P673A2V1.0.0B04',
    technologies: ['hsdpa'],
    signal: { technology: 'umts', rssi: -71, rscp: -77, ecio: -6, source: '+ZRSSI' },
    connect: 'CONNECT 7200000',
    speed: 7_200_000,
    roles: ['diag', 'at', 'data'],
  },
  {
    name: 'quectel-ec25',
    driver: 'quectel',
    manufacturer: 'Quectel',
    model: 'EC25',
    revision: 'EC25EFAR06A06M4G',
    technologies: ['lte'],
    signal: { technology: 'lte', rssi: -71, rsrp: -91, rsrq: -10, sinr: 15, source: '+QCSQ' },
    connect: 'CONNECT 150000000',
    speed: 150_000_000,
    roles: ['diag', 'gps', 'at', 'data'],
  },
  {
    name: 'simcom-sim800',
    driver: 'simcom',
    manufacturer: 'SIMCOM_Ltd',
    model: 'SIMCOM_SIM800L',
    revision: '1418B05SIM800L24',
    technologies: ['gsm'],
    signal: { rssi: -71 },
    connect: 'CONNECT',
    speed: undefined,
    roles: ['at'],
  },
  {
    name: 'sierra-mc7304',
    driver: 'sierra',
    manufacturer: 'Sierra Wireless, Incorporated',
    model: 'MC7304',
    revision: 'SWI9X15C_05.05.58.00 r27038 carmd-fwbuild1 2015/03/04 21:30:23',
    technologies: ['lte'],
    signal: { technology: 'lte', rssi: -71, rsrp: -91, rsrq: -10.5, sinr: 15, source: '!GSTATUS' },
    connect: 'CONNECT 100000000',
    speed: 100_000_000,
    roles: ['diag', 'gps', 'at'],
  },
  {
    name: 'telit-le910',
    driver: 'telit',
    manufacturer: 'Telit',
    model: 'LE910C1-EU',
    revision: '25.20.226',
    technologies: ['lte'],
    signal: { technology: 'lte', rssi: -71, rsrp: -91, rsrq: -10, source: '#RFSTS' },
    connect: 'CONNECT',
    speed: undefined,
    roles: ['diag', 'gps', 'data', 'at', 'diag'],
  },
  {
    name: 'ublox-sara',
    driver: 'ublox',
    manufacturer: 'u-blox',
    model: 'SARA-U270',
    revision: '23.41',
    technologies: ['hspa'],
    signal: { technology: 'umts', rssi: -71, rscp: -77, ecio: -6, source: '+CSQ' },
    connect: 'CONNECT',
    speed: undefined,
    roles: ['data', 'at', 'at', 'ignored', 'diag', 'diag'],
  },
]

const MAX_COMMANDS = 30

function benchOf(t: TestContext, name: string, options?: PersonalityBenchOptions): PersonalityBench {
  const bench = new PersonalityBench(name, options)
  t.after(() => bench.dispose())
  return bench
}

for (const family of FAMILIES) {
  test(`${family.name}: identity, ports, SIM, network, signal, and CONNECT after at most ${MAX_COMMANDS} commands`, async (t) => {
    const bench = benchOf(t, family.name)
    await bench.registered()
    const call = await bench.dial()
    const commands = bench.statistics.commands.total - 1
    t.diagnostic(`${commands} commands, registered and dialled after ${bench.clock.nowMs()} ms`)
    assert.ok(commands <= MAX_COMMANDS, `${commands}: ${bench.commands.join(' | ')}`)
    assert.equal(call.report, family.connect)
    assert.equal(call.connectSpeed, family.speed)
    const { snapshot } = bench
    const { manufacturer, model, revision } = snapshot
    assert.deepEqual({ manufacturer, model, revision }, pick(family, 'manufacturer', 'model', 'revision'))
    assert.equal(snapshot.equipmentIdentifier, bench.modem.state.identity.imei)
    assert.deepEqual([snapshot.sim.status, snapshot.sim.iccid], ['ready', bench.modem.state.identity.iccid])
    assert.deepEqual(
      snapshot.ports.map(({ role }) => role),
      family.roles,
    )
    assert.deepEqual([snapshot.registration, snapshot.operatorName], ['home', 'Virtual Mobile'])
    assert.deepEqual(snapshot.accessTechnologies, family.technologies)
    assert.ok(snapshot.signal)
    assert.deepEqual(pick(snapshot.signal, ...(Object.keys(family.signal) as (keyof SignalSnapshot)[])), family.signal)
    assert.deepEqual([snapshot.signalDbm, snapshot.signalQuality], [-71, 67])
  })

  test(`${family.name}: a PIN that is wanted, its tries, and one that is given`, async (t) => {
    const locked = benchOf(t, family.name, { sim: { pin: '1234', pinTries: 2 } })
    await locked.until('its tries are known', () => locked.handle?.snapshot.sim.pinTries !== undefined)
    assert.equal(locked.snapshot.state, 'locked')
    assert.equal(locked.snapshot.sim.pinTries, 2)
    assert.deepEqual(locked.sim.tries, { spent: 0, refused: 0 })
    const opened = benchOf(t, family.name, { sim: { pin: '1234' }, pin: '1234' })
    await opened.registered()
    assert.deepEqual(opened.sim.tries, { spent: 1, refused: 0 })
    assert.equal((await opened.dial()).report, family.connect)
    const commands = opened.statistics.commands.total - 1
    assert.ok(commands <= MAX_COMMANDS, `${commands}: ${opened.statistics.commands.last.join(' ')}`)
  })

  test(`${family.name}: without a single command of the vendor's it is registered and dialled all the same`, async (t) => {
    const bench = benchOf(t, family.name, { change: plain })
    await bench.registered()
    assert.equal((await bench.dial()).report, family.connect)
    assert.equal(bench.snapshot.signalDbm, -71)
  })

  test(`${family.name}: the radio off and on`, async (t) => {
    const bench = benchOf(t, family.name)
    await bench.registered()
    await bench.settled(bench.handle!.disable())
    assert.equal(bench.modem.state.radio, 4)
    assert.equal(bench.snapshot.state, 'disabled')
    await bench.settled(bench.handle!.enable())
    await bench.registered()
  })
}

/** As it is, but it knows the standard's commands only. */
function plain(personality: Personality): Personality {
  return { ...personality, dialect: { ...personality.dialect, sets: ['3gpp'], replies: {} } }
}

for (const [name, silent] of [
  ['huawei-e173', '^CURC='],
  ['quectel-ec25', '+QINDCFG'],
  ['quectel-ec25', '+QCSQ'],
  ['sierra-mc7304', '!GSTATUS'],
  ['telit-le910', '#QSS'],
  ['telit-le910', '#RFSTS'],
] as const)
  test(`${name}: no answer at all to ${silent} keeps nothing up for good`, async (t) => {
    const bench = benchOf(t, name)
    bench.faults.arm(['silent', `on=${silent}`, 'times=always'])
    await bench.registered()
    assert.match((await bench.dial()).report ?? '', /^CONNECT/)
  })

for (const [name, source, expected] of [
  ['huawei-e173', '^RSSI', { rssi: -91 }],
  ['quectel-ec25', '+QIND', { rssi: -91, rsrp: -91, rsrq: -10 }],
  ['simcom-sim800', '+CSQN', { rssi: -91 }],
] as const)
  test(`${name}: the signal by ${source}, unasked`, async (t) => {
    const bench = benchOf(t, name)
    await bench.registered()
    await bench.until('the signal is known', () => bench.snapshot.signal !== undefined)
    bench.setSignal(-91)
    await bench.until('it is told', () => bench.snapshot.signalDbm === -91, 1000)
    assert.equal(bench.snapshot.signal?.source, source)
    assert.deepEqual(pick(bench.snapshot.signal!, ...(Object.keys(expected) as (keyof SignalSnapshot)[])), expected)
  })

test('an LTE stick of Huawei: ^HCSQ asked and unasked, ^SYSINFOEX', async (t) => {
  const change = (personality: Personality): Personality => ({
    ...personality,
    radio: { ...personality.radio, technology: 'lte' },
    dialect: { ...personality.dialect, absent: [] },
    reports: { ...personality.reports, registered: [], signal: ['^HCSQ:"LTE",30,30,81,19'] },
  })
  const bench = benchOf(t, 'huawei-e173', { change })
  await bench.registered()
  await bench.until(
    'it was asked',
    () => bench.snapshot.signal?.source === '^HCSQ' && bench.snapshot.signal.rssi === -71,
  )
  const { technology, rsrp, rsrq, sinr } = bench.snapshot.signal!
  assert.deepEqual({ technology, rsrp, rsrq, sinr }, { technology: 'lte', rsrp: -91, rsrq: -10.5, sinr: 15 })
  await bench.until('the technology was asked', () => bench.commands.some((each) => each.endsWith('AT^SYSINFOEX')))
  assert.deepEqual(bench.snapshot.accessTechnologies, ['lte'])
})

test('the same signal in every technology is the same quality, however it is asked', async (t) => {
  for (const name of FAMILIES.map((family) => family.name))
    for (const technology of ['gsm', 'umts', 'lte'] as const) {
      const change = (personality: Personality): Personality => ({
        ...personality,
        radio: { ...personality.radio, technology },
        dialect: { ...personality.dialect, absent: [], place: '"{area}","{cell}",{act}' },
        reports: { ...personality.reports, registered: [], signal: [] },
      })
      const bench = benchOf(t, name, { change })
      await bench.registered()
      await bench.until('its signal is read', () => bench.snapshot.signal !== undefined)
      const { signal, signalQuality } = bench.snapshot
      const about = `${name} ${technology}: ${JSON.stringify(signal, (_, value) => (typeof value === 'bigint' ? 0 : value))}`
      assert.ok(Math.abs(signal!.rssi! + 71) <= 1, about)
      assert.ok(Math.abs(signalQuality! - 67) <= 1, about)
      if (technology !== 'gsm') assert.equal(signal!.technology, technology, about)
      if (technology === 'lte') assert.ok(signal!.rsrp === undefined || Math.abs(signal!.rsrp + 91) <= 1, about)
      if (technology === 'umts') assert.ok(signal!.rscp === undefined || Math.abs(signal!.rscp + 77) <= 1, about)
    }
})

for (const [name, command, answer] of [
  ['generic', 'AT+CGAUTH=2,2,"me","my;pass"', 'OK'],
  ['huawei-e173', 'AT^AUTHDATA=1,2,"","my;pass","me"', 'OK'],
  ['zte-mf190', 'AT$QCPDPP=1,2,"my;pass","me"', 'OK'],
  ['quectel-ec25', 'AT+QICSGP=4,1,"internet","me","my;pass",3', 'OK'],
  ['quectel-ec25', 'AT+QICSGP=4,1,"internet","me","my;pass",3', 'ERROR'],
  ['simcom-sim800', 'AT+CGAUTH=1,2,"my;pass","me"', 'OK'],
  ['sierra-mc7304', 'AT$QCPDPP=2,2,"my;pass","me"', 'OK'],
  ['telit-le910', 'AT#PDPAUTH=3,2,"me","my;pass"', 'OK'],
  ['ublox-sara', 'AT+UAUTHREQ=1,2,"me","my;pass"', 'OK'],
] as const)
  test(`${name}: the context gets user and password before the dial; answered ${answer} it dials`, async (t) => {
    const lacks = answer === 'OK' ? [] : ['+QICSGP']
    const change = ({ dialect, ...personality }: Personality): Personality => ({
      ...personality,
      dialect: { ...dialect, absent: [...dialect.absent, ...lacks] },
    })
    const bench = benchOf(t, name, { change })
    await bench.registered()
    await bench.dial({ logIn: { username: 'me', password: 'my;pass', auth: 'any' } })
    const sent = bench.commands.map((each) => each.replace(/^\S+ /, ''))
    assert.ok(sent.includes(command), sent.filter((each) => each.includes('my;pass')).join(' '))
    const { logIns, context } = bench.modem.state
    assert.deepEqual(logIns.get(context.cid), answer === 'OK' ? { user: 'me', password: 'my;pass' } : undefined)
    const commands = bench.statistics.commands.total - 1
    assert.ok(commands <= MAX_COMMANDS, `${commands}: ${bench.statistics.commands.last.join(' ')}`)
  })

test('what cannot stand in quotes is left to PPP, and so is a log-in that the modem does not answer', async (t) => {
  const bench = benchOf(t, 'quectel-ec25')
  await bench.registered()
  const call = await bench.dial({ logIn: { username: 'me', password: 'a"b', auth: 'pap' } })
  assert.ok(!bench.commands.some((each) => /QICSGP|CGAUTH/.test(each)))
  await bench.settled(call.hangUp())
  bench.faults.arm(['silent', 'on=+QICSGP', 'times=always'])
  assert.match((await bench.dial({ logIn: { username: 'me', password: 'b', auth: 'pap' } })).report ?? '', /^CONNECT/)
})

test('both kinds of address at once, where the network takes one: its reason says which', async (t) => {
  for (const [ip, type] of [
    ['4', 'IP'],
    ['6', 'IPV6'],
  ] as const) {
    const bench = benchOf(t, 'quectel-ec25', { network: { ip } })
    await bench.registered()
    await assert.rejects(bench.dial({ ipType: '46' }), (error: DialError) => {
      assert.deepEqual([error.failure.cause, error.failure.ipLimit], ['apn-refused', { ip, isCertain: true }])
      return true
    })
    const call = await bench.dial({ ipType: ip, isIpAlone: true })
    assert.match(call.report ?? '', /^CONNECT/)
    const context = bench.modem.state.contexts.get(bench.modem.state.context.cid)
    assert.deepEqual([context?.type, context?.apn], [type, 'internet'])
    assert.ok(
      bench.commands.some((each) => each.endsWith(`AT+CGDCONT=4,"${type}","internet"`)),
      'the one that was there',
    )
  }
})

test('the technology changes by report, without a question', async (t) => {
  const bench = benchOf(t, 'zte-mf190')
  await bench.registered()
  assert.deepEqual(bench.snapshot.accessTechnologies, ['hsdpa'])
})

test('a reset goes by the command that the modem takes', async (t) => {
  for (const [name, last] of [
    ['huawei-e173', 'AT+CFUN=1,1'],
    ['sierra-mc7304', 'AT+CFUN=1,1'],
    ['telit-le910', 'AT#REBOOT'],
    ['ublox-sara', 'AT+CFUN=16'],
  ] as const) {
    const bench = benchOf(t, name)
    await bench.registered()
    await bench.settled(bench.handle!.reset(false))
    assert.match(bench.commands.at(-1) ?? '', new RegExp(`${last.replace('+', '\\+')}$`), name)
  }
})

test("ZTE's own answers, also dirty", () => {
  for (const [line, expected] of [
    ['+ZRSSI: 71,12,154', { technology: 'umts', rssi: -71, rscp: -77, ecio: -6 }],
    ['+ZRSSI:71,1000,1000', { rssi: -71 }],
    ['+ZRSSI: 95', { rssi: -95 }],
    ['+ZRSSI: -102,-6.5,-76,19', { technology: 'lte', rsrp: -102, rsrq: -6.5, rssi: -76, sinr: 19 }],
    ['+ZRSSI: 1000,1000,1000', undefined],
    ['+ZRSSI: ,,', undefined],
    ['+ZRSSI', undefined],
    ['', undefined],
  ] as const)
    assert.deepEqual(parseZrssi([line]), expected, line)
  for (const [line, expected] of [
    ['+ZPINPUK: 3,10', { pin: 3, puk: 10 }],
    ['+ZPINPUK:1', { pin: 1 }],
    ['+ZPINPUK: 3,99', { pin: 3 }],
    ['+ZPINPUK: 99,10', undefined],
    ['+ZPINPUK: SIM PIN', undefined],
  ] as const)
    assert.deepEqual(parseZpinpuk([line]), expected, line)
})

test('which driver a modem gets', () => {
  const byUsb = (vendor: string, product: string) => driverForUsb({ vendor, product })?.name
  assert.equal(byUsb('12d1', '1506'), 'huawei')
  assert.equal(byUsb('19d2', '0117'), 'zte')
  assert.equal(byUsb('2c7c', '0800'), 'quectel')
  assert.equal(byUsb('05c6', '9215'), 'quectel')
  assert.equal(byUsb('05c6', '9008'), undefined)
  assert.equal(byUsb('1e0e', '9001'), 'simcom')
  assert.equal(byUsb('1199', '68c0'), 'sierra')
  assert.equal(byUsb('413c', '81a8'), 'sierra')
  assert.equal(byUsb('413c', '81d7'), undefined)
  assert.equal(byUsb('1bc7', '1201'), 'telit')
  assert.equal(byUsb('1546', '1102'), 'ublox')
  assert.equal(byUsb('1410', '1400'), undefined)
  for (const [word, name] of [
    ['huawei', 'huawei'],
    ['HUAWEI TECHNOLOGIES CO., LTD', 'huawei'],
    ['ZTE CORPORATION', 'zte'],
    ['Quectel', 'quectel'],
    ['Quectel_Ltd', 'quectel'],
    ['SIMCOM_Ltd', 'simcom'],
    ['SIMCOM INCORPORATED', 'simcom'],
    ['Sierra Wireless, Incorporated', 'sierra'],
    ['Telit', 'telit'],
    ['u-blox', 'ublox'],
    ['Cinterion', 'generic'],
    [undefined, 'generic'],
  ] as const)
    assert.equal(driverForManufacturer(word).name, name, word)
  assert.equal(new Set(DRIVERS.map(({ name }) => name)).size, DRIVERS.length)
})

function pick<T, K extends keyof T>(value: T, ...keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, value[key]])) as Pick<T, K>
}
