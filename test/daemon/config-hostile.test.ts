/** Every key of the schema with values that mean ill: a fault that tells no secret, never an exception, never a path that leads out. */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { errorText } from '../../src/base/errors.ts'
import { checkProfileFields } from '../../src/bus/arguments.ts'
import { variant } from '../../src/bus/signature.ts'
import { Configuration } from '../../src/daemon/config.ts'
import { MAIN_SCHEMA, PROFILE_SCHEMA } from '../../src/daemon/config-schema.ts'
import { atOnce, makeUnreadPipe } from '../support/unread-pipe.ts'
import { put, withFiles } from './config-rig.ts'

const MARK = 'Hunter2'
const BYTES = [
  ...[
    '',
    ' ',
    '"',
    '""',
    '"x',
    "'",
    '\\',
    ';',
    '#',
    '=',
    '[',
    ']',
    '[profile]',
    '-1',
    '0',
    '1e309',
    'NaN',
    '0x7f',
    'yes no',
  ],
  ...[
    '../../../etc/shadow',
    '/etc/modemd/../shadow',
    '/proc/self/environ',
    '/dev/zero',
    '/sys/../etc/passwd',
    '~/x',
    '%s%n',
  ],
  ...[
    '$(reboot)',
    '`reboot`',
    '|reboot',
    '@/etc/shadow',
    '$PATH',
    '__proto__',
    'constructor',
    'AT\x1aAT',
    'AT;+CPIN=1',
  ],
  ...[
    '\0',
    '\x1b[2J',
    '\x7f',
    '\x9b',
    '\xff\xfe',
    '\xc3\x28',
    '\xed\xa0\x80',
    '\xe2\x80\xa8',
    '\xef\xbb\xbf',
    'x\ry',
    'x\ry=z',
  ],
  ...['9'.repeat(400), 'A'.repeat(70_000), '('.repeat(20_000), 'é'.repeat(3000)],
].flatMap((each) => [each, `${each}${MARK}`])

/** Nothing of it is in any value but as a text in one line. */
function checkSound(configuration: Configuration): void {
  const values = JSON.stringify([configuration.daemon, configuration.profiles], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  assert.doesNotMatch(values, /\\u00(0|1)|\\[nrbtf]/)
  for (const path of [
    configuration.daemon?.apnDatabase,
    ...(configuration.daemon?.devices ?? []).map((each) => each.powerGpio),
  ])
    assert.ok(!path?.split('/').includes('..'), path)
  for (const { device } of configuration.daemon?.devices ?? [])
    assert.match(device, /^(tty:\/dev\/[A-Za-z0-9._-]+|usb:[0-9a-f:*.-]+)$/)
}

function checkFindings({ findings }: Configuration, isSecret: boolean): void {
  for (const finding of findings) {
    assert.match(finding, /^\/etc\/modemd\/[A-Za-z0-9./]+:\d+: [^\x00-\x1f]+$/s)
    assert.ok(finding.length < 1000, finding)
    if (isSecret) assert.ok(!finding.includes(MARK), finding)
  }
}

test('every key with every value', () => {
  withFiles({ 'profiles/p.conf': '' }, (root, home) => {
    let faulty = 0
    for (const [schema, file] of [
      [MAIN_SCHEMA, 'modemd.conf'],
      [PROFILE_SCHEMA, 'profiles/p.conf'],
    ] as const)
      for (const { kind, hasArgument, keys } of schema)
        for (const [key, { isSecret }] of Object.entries(keys)) {
          // Causes have one rule; two of them stand for all.
          if (kind === 'redial' && !['busy', 'reset-after', 'hung-up'].includes(key)) continue
          for (const value of BYTES) {
            const heading = hasArgument ? `[${kind} "tty:/dev/ttyS1"]` : `[${kind}]`
            writeFileSync(join(home, file), Buffer.from(`${heading}\n${key} = ${value}\n`, 'latin1'), { mode: 0o600 })
            const where = `${kind}.${key} = ${JSON.stringify(value.slice(0, 60))}`
            let configuration: Configuration | undefined
            assert.doesNotThrow(() => (configuration = new Configuration({ root })), where)
            checkFindings(configuration!, isSecret)
            checkSound(configuration!)
            if (configuration!.faults.length > 0) faulty++
          }
          rmSync(join(home, file))
        }
    assert.ok(faulty > 1000, `${faulty} faults`)
  })
})

test('headings, names of keys and whole files of noise', () => {
  withFiles({ 'profiles/good.conf': '[profile]\napn = internet\n' }, (root, home) => {
    const noise = BYTES.flatMap((each) => [`[${each}]\n`, `[profile "${each}"]\n`, `[profile]\n${each} = 1\n`, each])
    const devices = BYTES.flatMap((each) => [`[device "${each}"]\n`, `[device "tty:/dev/${each}/x"]\n`])
    for (const [text, files] of [
      ...noise.map((text) => [text, ['modemd.conf', 'conf.d/a.conf', 'profiles/p.conf']] as const),
      ...devices.map((text) => [text, ['modemd.conf']] as const),
    ])
      for (const file of files) {
        mkdirSync(join(home, 'conf.d'), { recursive: true })
        writeFileSync(join(home, file), Buffer.from(text, 'latin1'), { mode: 0o600 })
        const configuration = new Configuration({ root })
        checkSound(configuration)
        assert.ok(configuration.profiles.some(({ name }) => name === 'good'))
        rmSync(join(home, file))
      }
  })
})

test('a key that every object has is none of ours', async () => {
  for (const key of ['constructor', 'hasOwnProperty', 'toString', 'valueOf'])
    await withFiles({ 'profiles/good.conf': '[profile]\n' }, async (root, home) => {
      const sections = (schema: typeof MAIN_SCHEMA) =>
        schema.map(({ kind, hasArgument }) => `[${kind}${hasArgument ? ' "tty:/dev/ttyS1"' : ''}]\n${key} = 1\n`)
      put(home, 'modemd.conf', sections(MAIN_SCHEMA).join(''))
      put(home, 'profiles/p.conf', sections(PROFILE_SCHEMA).join(''))
      const configuration = new Configuration({ root })
      const told = configuration.faults.filter((fault) => fault.includes(`there is no key ${key} in [`))
      assert.equal(told.length, MAIN_SCHEMA.length + PROFILE_SCHEMA.length, configuration.faults.join('\n'))
      for (const field of [key, `redial.${key}`])
        await assert.rejects(configuration.save({ name: 'fresh', [field]: 'x' }), /a profile has no key/, field)
    })
})

test('a file of more than 256 KiB is not read, one of 256 KiB is', () => {
  const text = (key: string, bytes: number) => `[profile]\n${key}\n;`.padEnd(bytes, 'x')
  for (const place of ['modemd.conf', 'conf.d/a.conf', 'profiles/p.conf'])
    withFiles({ 'profiles/good.conf': text('apn = good', 262_144) }, (root, home) => {
      put(home, place, place.startsWith('profiles') ? text('apn = large', 262_145) : ';'.padEnd(262_145, 'x'))
      const { faults, profiles } = new Configuration({ root })
      assert.match(faults.join('\n'), new RegExp(`^/etc/modemd/${place}:1: is longer than 256 KiB$`))
      assert.deepEqual(
        profiles.map(({ apn }) => apn),
        ['good'],
      )
    })
})

test('what is no file in the place of one: said, and the rest is read', () => {
  const impostors: readonly ((file: string) => void)[] = [
    (file) => mkdirSync(file),
    makeUnreadPipe,
    (file) => symlinkSync('/dev/zero', file),
    (file) => symlinkSync(file, file),
  ]
  for (const make of impostors)
    for (const place of ['modemd.conf', 'conf.d/a.conf', 'profiles/p.conf'])
      withFiles({ 'profiles/good.conf': '[profile]\n' }, (root, home) => {
        mkdirSync(join(home, 'conf.d'), { recursive: true })
        make(join(home, place))
        const configuration = atOnce(place, () => new Configuration({ root }))
        assert.match(configuration.faults.join('\n'), new RegExp(`^/etc/modemd/${place}:1: `), make.toString())
        assert.deepEqual(
          configuration.profiles.map(({ name }) => name),
          ['good'],
        )
      })
})

test('a value over D-Bus that is too long is told so, by the limit of its key', () => {
  const long = variant('s', 'x'.repeat(2000))
  const saidOf = (key: string) => {
    try {
      checkProfileFields({ [key]: long })
      return 'taken'
    } catch (error) {
      return errorText(error)
    }
  }
  assert.equal(saidOf('apn'), 'apn may have letters, digits, dots and hyphens, at most 100.')
  assert.equal(saidOf('password'), 'password may have at most 255 bytes.')
  assert.equal(saidOf('service'), 'service may have at most 1024 characters.')
})

const SCRIPTS = [
  ...['/etc/shadow', '/etc/modemd/../shadow', '../shadow', 'a/../../../shadow', '/proc/self/environ', '/dev/zero', '.'],
  ...[
    '//etc//shadow',
    'link.chat',
    'folder/link.chat',
    'linked/real.chat',
    '/',
    'profiles',
    'fifo.chat',
    '/etc/modemd',
  ],
]

test('a chat script lies below the configuration, and behind no link', () => {
  withFiles({ 'real.chat': 'OK', 'folder/real.chat': 'OK' }, (root, home) => {
    writeFileSync(join(root, 'etc/shadow'), MARK)
    symlinkSync(join(root, 'etc/shadow'), join(home, 'link.chat'))
    symlinkSync('../../shadow', join(home, 'folder/link.chat'))
    symlinkSync(join(home, 'folder'), join(home, 'linked'))
    makeUnreadPipe(join(home, 'fifo.chat'))
    for (const script of SCRIPTS) {
      put(home, 'profiles/p.conf', `[profile]\nchat-script = ${script}\n`)
      const { faults, profiles } = atOnce(script, () => new Configuration({ root }))
      assert.equal(faults.length, 1, `${script}: ${faults}`)
      assert.ok(!faults[0]!.includes(MARK) && profiles.length === 0, script)
    }
  })
})

const NAMES = [
  ...[
    '..',
    '.',
    '',
    '/',
    '../evil',
    'a/b',
    '/etc/cron.d/evil',
    'x\0',
    'x\n',
    'x y',
    'é',
    '\u202e',
    'manual',
    'a'.repeat(65),
  ],
  ...['%2e%2e', '..\\x', '~', '$(x)', '*', 'x;y', '"', '__proto__/x', 'con\r'],
]

test('the name of a profile over D-Bus is no path, and no value a second line', async () => {
  await withFiles({ 'profiles/good.conf': '[profile]\napn = internet\n' }, async (root, home) => {
    const configuration = new Configuration({ root })
    const before = readFileSync(join(home, 'profiles/good.conf'), 'utf8')
    for (const name of NAMES) {
      await assert.rejects(configuration.save({ name, apn: 'x' }), { code: 'InvalidArgs' }, name)
      await assert.rejects(configuration.remove(name), { code: 'NotFound' }, name)
    }
    for (const value of ['x\noptions = plugin evil.so', 'x\r[ppp]', '\0', 'x\n[ppp]\noptions=y', '\x1b'])
      for (const key of ['apn', 'username', 'password', 'check', 'service', 'redial.busy', 'options', `apn${value}`])
        await assert.rejects(
          configuration.save({ name: 'good', [key]: value }),
          { code: 'InvalidArgs' },
          `${key} ${value}`,
        )
    assert.deepEqual(readdirSync(join(home, 'profiles')), ['good.conf'])
    assert.equal(readFileSync(join(home, 'profiles/good.conf'), 'utf8'), before)
    assert.deepEqual(readdirSync(join(root, 'etc')), ['modemd'])
  })
})
