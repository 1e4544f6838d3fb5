/** The schema against itself and against its manual page. `UPDATE_MANUAL=1` writes the page's tables anew. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { CAUSES } from '../../src/base/cause.ts'
import { layered } from '../../src/daemon/config-check.ts'
import { checkProfile } from '../../src/daemon/config-profile.ts'
import { readIni } from '../../src/daemon/config-scanner.ts'
import { MAIN_SCHEMA, manualTable, PROFILE_SCHEMA, REDIAL_KEYS } from '../../src/daemon/config-schema.ts'
import { redialRule } from '../../src/daemon/config-values.ts'
import { changedIni } from '../../src/daemon/config-writer.ts'
import { CAUSE_TABLE } from '../../src/link/causes.ts'

const MANUAL = new URL('../../docs/man/modemd.conf.5', import.meta.url)

test('every default is a valid value that is written back as it stands', () => {
  for (const { keys } of [...MAIN_SCHEMA, ...PROFILE_SCHEMA]) {
    for (const [name, { type, default: text }] of Object.entries(keys)) {
      const parsed = type.parse(text)
      assert.ok(parsed.ok, name)
      const again = type.parse(type.format(parsed.value))
      assert.deepEqual(again, parsed, name)
    }
  }
})

test('defaults are all supported by this version', () => {
  for (const { keys } of [...MAIN_SCHEMA, ...PROFILE_SCHEMA]) {
    for (const [name, key] of Object.entries(keys)) {
      const parsed = key.type.parse(key.default)
      assert.ok(parsed.ok && !key.isUnsupported(parsed.value), name)
    }
  }
})

test('[redial] has a key for every cause that can be redialled, with the rule of the table', () => {
  for (const cause of CAUSES) {
    if (cause === 'user-request') continue
    assert.deepEqual(redialRule.parse(REDIAL_KEYS[cause].default), { ok: true, value: CAUSE_TABLE[cause].redial })
  }
})

test('the manual page has the table of the schema', () => {
  const page = readFileSync(MANUAL, 'utf8')
  const pattern = /(\.\\" BEGIN TABLES\n)([\s\S]*?)(\.\\" END TABLES\n)/
  if (process.env.UPDATE_MANUAL) {
    writeFileSync(
      MANUAL,
      page.replace(pattern, (_, begin, __, end) => `${begin}${manualTable()}\n${end}`),
    )
    return
  }
  assert.equal(
    pattern.exec(page)?.[2],
    `${manualTable()}\n`,
    'run UPDATE_MANUAL=1 node --import tsx --test test/daemon/config-schema.test.ts',
  )
})

test('the examples of the manual page have no faults', () => {
  const page = readFileSync(MANUAL, 'utf8')
  const examples = [...page.matchAll(/BEGIN EXAMPLE (\S+)\n\.EX\n([\s\S]*?)\.EE/g)].map(([, file, text]) => ({
    file: file!,
    text: text!.replaceAll('\\-', '-').replaceAll('\\e', '\\'),
  }))
  assert.deepEqual(
    examples.map(({ file }) => file),
    ['modemd.conf', 'profiles/internet.conf'],
  )
  const [main, profile] = examples as [(typeof examples)[0], (typeof examples)[0]]
  const { faults, sections } = layered([{ file: main.file, ...readIni(main.text, main.file) }], MAIN_SCHEMA)
  assert.deepEqual(faults, [])
  for (const section of sections) {
    const keys = MAIN_SCHEMA.find(({ kind }) => kind === section.kind)!.keys
    for (const [name, value] of section.values) assert.ok(keys[name]!.type.parse(value.text).ok, name)
  }
  const checked = checkedProfile(profile.text)
  assert.deepEqual(checked.faults, [])
  assert.equal(checked.profile.number, '*99#')
  assert.equal(checked.profile.pin, '1234')
})

function checkedProfile(text: string) {
  return checkProfile({ name: 'p', file: 'p', text, mode: 0o600, ownerUid: 0 }, () => ({ text: 'script' }))
}

const MS = fc.integer({ min: 1, max: 86_400_000 })
const credential = fc
  .string({ unit: fc.constantFrom(..." ;#=[]\\'aZ9é€😀,.%$&"), maxLength: 40 })
  .map((text) => text.trim())
const duration = (least: number, most: number) => fc.integer({ min: least, max: most })
const label = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength })

/** Valid typed values of keys, by section and name. */
const VALUES: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  profile: {
    apn: label('aZ9.-', 1, 100),
    number: label('0189*#+,', 1, 40),
    username: credential,
    password: credential,
    pin: label('0123456789', 4, 8),
    modem: fc.constantFrom(
      'any',
      'imei_356938035643809',
      'imei:356938035643809',
      'usb:1-2.3',
      'tty:/dev/ttyS1',
      'tty:ttyS1',
    ),
    autoconnect: fc.boolean(),
    'dial-timeout': duration(1000, 3_600_000),
    roaming: fc.boolean(),
    ip: fc.constantFrom('4', '6', '46'),
    'chat-script': label('a;b #.', 1, 20)
      .map((text) => text.trim())
      .filter((text) => text !== '..'),
    priority: fc.integer({ min: 0, max: 1000 }),
    sim: fc.constantFrom('', '8931440400000000017'),
    cid: fc.oneof(fc.constant('auto'), fc.integer({ min: 1, max: 16 })),
    service: credential,
    check: fc.constantFrom('', 'example.net:443', '[2001:db8::1]:80'),
    'data-limit': fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: undefined }),
  },
  ppp: {
    engine: fc.constantFrom('auto', 'builtin', 'kernel', 'pppd'),
    mtu: fc.integer({ min: 128, max: 1500 }),
    'lcp-restart': duration(100, 60_000),
    'lcp-echo-interval': duration(0, 3_600_000),
    'default-route': fc.boolean(),
    options: credential,
  },
  redial: Object.fromEntries(
    CAUSES.filter((cause) => cause !== 'user-request').map((cause) => [
      cause,
      fc.oneof(
        fc.constant('stop'),
        fc
          .record(
            {
              firstMs: MS,
              factor: fc.integer({ min: 1000, max: 9999 }).map((thousandths) => thousandths / 1000),
              longestMs: MS,
            },
            { noNullPrototype: true },
          )
          .filter(({ firstMs, longestMs }) => longestMs >= firstMs),
      ),
    ]),
  ),
}

test('any valid value that is written is read back equal', () => {
  const cases = Object.entries(VALUES).flatMap(([section, keys]) =>
    Object.entries(keys).map(([name, value]) => value.map((typed) => ({ section, name, typed }))),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(...cases), { maxLength: 12 }), (chosen) => {
      const typeOf = (section: string, name: string) =>
        PROFILE_SCHEMA.find(({ kind }) => kind === section)!.keys[name]!.type
      const changes = chosen.map(({ section, name, typed }) => {
        const text = typeOf(section, name).format(typed)
        return { section, key: name, value: text === '' ? undefined : text }
      })
      const text = changedIni('; head\n', changes)
      const { faults } = checkedProfile(text)
      assert.deepEqual(faults, [], text)
      const { sections } = readIni(text, 'p')
      const last = new Map(chosen.map((each) => [`${each.section} ${each.name}`, each]))
      for (const { section, name, typed } of last.values()) {
        const read = sections.find(({ kind }) => kind === section)?.values.get(name)?.text
        const standard = PROFILE_SCHEMA.find(({ kind }) => kind === section)!.keys[name]!.default
        assert.deepEqual(typeOf(section, name).parse(read ?? standard), { ok: true, value: typed })
      }
    }),
    { seed: 2, numRuns: 500 },
  )
})

test('no text of a profile makes the check throw', () => {
  const names = PROFILE_SCHEMA.flatMap(({ keys }) => Object.keys(keys))
  const line = fc.oneof(
    fc
      .tuple(fc.constantFrom(...names, '__proto__', 'toString'), fc.string({ unit: 'binary', maxLength: 30 }))
      .map(([name, value]) => `${name} = ${value}`),
    fc.constantFrom('[profile]', '[ppp]', '[redial]', '[toString]', '[profile "x"]'),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
      checkedProfile(`[profile]\n${lines.join('\n')}`)
    }),
    { seed: 3, numRuns: 500 },
  )
})
