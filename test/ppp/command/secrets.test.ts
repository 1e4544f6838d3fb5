/** pap-secrets and chap-secrets: which line holds, who may have which address, log-ins by the system's passwords. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIpv4 } from '../../../src/base/ipv4.ts'
import { type EarlyEnd, type PppOptions, readOptions } from '../../../src/ppp/command/options.ts'
import { AddressRules } from '../../../src/ppp/command/secrets-addresses.ts'
import type { PppSettings } from '../../../src/ppp/settings.ts'
import { type FakeMachine, fakeServices } from './fake-services.ts'

const CHAP = '/etc/ppp/chap-secrets'
const PAP = '/etc/ppp/pap-secrets'
const ip = (text: string) => parseIpv4(text)!

interface Session extends PppSettings {
  readonly notices: string[]
}

function session(line: string, files: FakeMachine['files'] = {}, machine: FakeMachine = {}): Session {
  const read = readOptions(
    `ttyS0 ${line}`.trim().split(' '),
    fakeServices({ ...machine, files: { '/etc/ppp/options': '', ...files } }),
  ) as PppOptions & EarlyEnd
  if (read.exitCode !== undefined) assert.fail(read.stderr)
  const notices: string[] = []
  return { ...read.sessionSettings((notice) => notices.push(notice)), notices }
}

test('the line with the fewest wildcards holds, and of two alike the first', () => {
  const files = {
    [CHAP]: `
      *     *    any      *
      *     gate gate-any *
      alice *    alice-any *  # a named client outweighs a named server
      alice gate "alice's \\"own\\"" *
      alice gate second *
      bob   gate
      "a b" 'g te' spaced *
    `,
  }
  const { secretOf } = session('require-chap', files)
  assert.equal(secretOf!('alice'), 'alice\'s "own"')
  assert.equal(secretOf!('bob'), 'gate-any')
  assert.equal(session('require-chap name other', files).secretOf!('alice'), 'alice-any')
  assert.equal(session('require-chap name other', files).secretOf!('carol'), 'any')
  const spaced = { [CHAP]: '"a b" \'g te\' spaced *' }
  const read = readOptions(
    ['ttyS0', 'require-chap', 'name', 'g te'],
    fakeServices({ files: { '/etc/ppp/options': '', ...spaced } }),
  )
  assert.equal((read as PppOptions).sessionSettings(() => {}).secretOf!('a b'), 'spaced')
  assert.equal(session('require-chap', { [CHAP]: 'a * \\303\\274\\x41 *' }).secretOf!('a'), 'üA')
})

test('a line for that client outweighs one for that server', () => {
  assert.equal(session('require-chap', { [CHAP]: '* gate server *\nalice * client *' }).secretOf!('alice'), 'client')
})

test("the challenge has our name, the log-in the user's", () => {
  const { user, ownName } = session('require-chap name isp user alice', { [CHAP]: 'bob isp x *' })
  assert.deepEqual([user, ownName], ['alice', 'isp'])
  assert.equal(session('noauth').user, 'gate')
})

test('nobody matches: no secret', () => {
  const files = { [CHAP]: 'alice gate secret *' }
  assert.equal(session('require-chap', files).secretOf!('bob'), undefined)
  assert.equal(session('require-chap', files).secretOf!('ALICE'), undefined)
})

test("our own log-in: by the user's name and the challenger's, or remotename", () => {
  const files = { [CHAP]: 'alice isp one\nalice * two\nalice corp three\n', [PAP]: 'alice * pap-secret\n' }
  const ours = session('noauth user alice', files)
  assert.deepEqual(ours.answersAuth, ['eap', 'chap', 'mschapv2', 'mschap', 'pap'])
  assert.deepEqual([ours.loginSecretOf!('isp'), ours.loginSecretOf!('x'), ours.password], ['one', 'two', 'pap-secret'])
  assert.equal(session('noauth user alice remotename corp', files).loginSecretOf!('isp'), 'three')
  // A password that was given is the secret for all.
  const given = session('noauth user alice password four', files)
  assert.deepEqual([given.loginSecretOf, given.password], [undefined, 'four'])
})

test('only what there is a secret for is answered, and nothing that is refused', () => {
  const answers = (line: string, files?: FakeMachine['files']) =>
    session(`noauth user alice ${line}`, files).answersAuth
  assert.deepEqual(answers(''), [])
  assert.deepEqual(answers('', { [PAP]: 'alice * x' }), ['pap'])
  assert.deepEqual(answers('', { [CHAP]: 'alice * x' }), ['eap', 'chap', 'mschapv2', 'mschap'])
  assert.deepEqual(answers('', { [CHAP]: 'bob * x', [PAP]: 'bob * x' }), [])
  assert.deepEqual(answers('password x refuse-eap refuse-chap -mschap'), ['mschapv2', 'pap'])
  assert.deepEqual(answers('password x refuse-pap refuse-mschap-v2'), ['eap', 'chap', 'mschap'])
})

test('what the peer is asked for: strongest first, and only where it can have a secret and an address', () => {
  const requires = (line: string, files: FakeMachine['files']) => session(line, files).requiresAuth
  const both = { [CHAP]: 'bob * x *', [PAP]: 'bob * x *' }
  assert.deepEqual(requires('require-pap require-chap', both), ['chap', 'pap'])
  assert.deepEqual(requires('auth', both), ['eap', 'chap', 'mschapv2', 'mschap', 'pap'])
  assert.deepEqual(requires('require-mschap-v2', both), ['mschapv2'])
  assert.deepEqual(requires('require-pap require-chap', { [PAP]: 'bob * x *' }), ['pap'])
  assert.deepEqual(requires('require-pap require-chap', { [PAP]: 'bob * x *', [CHAP]: 'bob * x -' }), ['pap'])
  assert.deepEqual(requires('noauth', both), [])
})

test('no secret left at the next attempt: the peer is still asked, and fails', () => {
  const files: Record<string, string> = { '/etc/ppp/options': '', [CHAP]: 'bob * x *' }
  const read = readOptions(['ttyS0', 'require-chap'], fakeServices({ files })) as PppOptions
  files[CHAP] = ''
  const { requiresAuth, secretOf } = read.sessionSettings(() => {})
  assert.deepEqual([requiresAuth, secretOf!('bob')], [['chap'], undefined])
})

test('secrets are read anew for each log-in', () => {
  const files: Record<string, string> = { '/etc/ppp/options': '', [CHAP]: 'bob * old *' }
  const { secretOf } = (readOptions(['ttyS0', 'auth'], fakeServices({ files })) as PppOptions).sessionSettings(() => {})
  assert.equal(secretOf!('bob'), 'old')
  files[CHAP] = 'bob * new *'
  assert.equal(secretOf!('bob'), 'new')
})

test('@/file: the secret is there; a file open to others, missing or empty is said', () => {
  const files = {
    [CHAP]: { open: 'bob * @/secret *\nal * @/none *\nal2 * @/empty *\nmail * @home *' },
    '/secret': { open: '"from a file" rest' },
    '/empty': '# nothing',
  }
  const ours = session('require-chap', files)
  assert.deepEqual(
    ['bob', 'al', 'al2', 'mail'].map((name) => ours.secretOf!(name)),
    ['from a file', undefined, undefined, '@home'],
  )
  assert.deepEqual(
    [...new Set(ours.notices)],
    [
      'Warning - secret file /etc/ppp/chap-secrets has world and/or group access',
      'Warning - secret file /secret has world and/or group access',
      "can't open indirect secret file /none",
      'no secret in indirect secret file /empty',
    ],
  )
  assert.doesNotMatch(ours.notices.join(), /from a file/)
})

test('secrets-dir: the same files elsewhere', () => {
  assert.equal(session('auth secrets-dir /s', { '/s/chap-secrets': 'bob * x *' }).secretOf!('bob'), 'x')
})

test('PAP: plain, crypted, empty, @login, and papcrypt', () => {
  const files = { [PAP]: 'a * plain *\nb * $1$salt *\nc * "" *\nalice * @login *\n' }
  const check = session('require-pap', files).checkPassword!
  assert.deepEqual([check('a', 'plain'), check('a', 'Plain'), check('a', '')], [true, false, false])
  assert.deepEqual([check('c', 'whatever'), check('nobody', 'plain')], [true, false])
  assert.deepEqual([check('alice', 'system'), check('alice', 'other')], [true, false])
  // crypt(3) gives its own setting back only for the right password.
  const crypt = (password: string, setting: string) => (password === 'right' ? setting : `${setting}x`)
  const crypted = session('require-pap', files, { crypt }).checkPassword!
  assert.deepEqual([crypted('b', 'right'), crypted('b', 'wrong'), crypted('b', '$1$salt')], [true, false, true])
  // With papcrypt the hash itself is no password.
  assert.equal(session('require-pap papcrypt', files, { crypt }).checkPassword!('b', '$1$salt'), false)
})

test('login: the system must agree as well; CHAP and machines without are refused clearly', () => {
  const files = { [PAP]: 'alice * "" 10.0.0.1\nbob * "" *' }
  const { checkPassword, requiresAuth } = session('auth login', files)
  assert.deepEqual(requiresAuth, ['pap'])
  assert.deepEqual(
    [checkPassword!('alice', 'system'), checkPassword!('alice', 'x'), checkPassword!('bob', 'system')],
    [true, false, false],
  )
  const refusal = (line: string, machine: FakeMachine = {}) =>
    (
      readOptions(
        line.split(' '),
        fakeServices({ ...machine, files: { '/etc/ppp/options': '', ...files } }),
      ) as EarlyEnd
    ).stderr
  assert.match(refusal('ttyS0 login require-pap require-chap'), /login option works with PAP alone: use require-pap/)
  assert.match(
    refusal('ttyS0 login require-pap', { checkSystemPassword: () => undefined }),
    /needs root, \/etc\/shadow and libcrypt/,
  )
})

test('addresses: the fourth field decides for the peer that logged in', () => {
  const files = { [CHAP]: 'bob * x 10.0.0.7 10.1.0.0/16 !10.2.0.1 10.2.0.0/24\nal * y *\nno * z -\nnone * n\n' }
  const ours = session('require-chap', files)
  const allowed = (peer: string, ...addresses: string[]) => {
    ours.secretOf!(peer)
    return addresses.map((address) => ours.allowsRemoteAddress!(ip(address), peer))
  }
  // Nobody has logged in: nothing is allowed.
  assert.equal(ours.allowsRemoteAddress!(ip('10.0.0.7'), undefined), false)
  assert.deepEqual(allowed('bob', '10.0.0.7', '10.0.0.8', '10.1.255.1', '10.2.0.1', '10.2.0.2'), [
    true,
    false,
    true,
    false,
    true,
  ])
  assert.equal(ours.remoteAddressOf!('bob'), ip('10.0.0.7'))
  assert.deepEqual(allowed('al', '10.0.0.8', '127.0.0.1', '224.0.0.1'), [true, false, false])
  assert.equal(ours.remoteAddressOf!('al'), undefined)
  assert.deepEqual(allowed('no', '10.0.0.7'), [false])
  assert.deepEqual(allowed('none', '10.0.0.7'), [false])
  // What the options give the peer holds if the peer may have it.
  const given = session('require-chap :10.1.2.3', files)
  given.secretOf!('bob')
  assert.equal(given.remoteAddressOf!('bob'), undefined)
  const other = session('require-chap :10.9.9.9', files)
  other.secretOf!('bob')
  assert.equal(other.remoteAddressOf!('bob'), ip('10.0.0.7'))
})

test('allow-ip: those addresses without a log-in', () => {
  const ours = session('noauth allow-ip 10.0.0.0/24 allow-ip !10.9.9.9')
  assert.deepEqual(
    ['10.0.0.5', '10.0.1.5'].map((address) => ours.allowsRemoteAddress!(ip(address), undefined)),
    [true, false],
  )
  assert.deepEqual(session('auth allow-ip 10.0.0.0/24').requiresAuth, [])
})

test('chapms-strip-domain and remotename name the peer', () => {
  const files = { [CHAP]: 'bob * x *\ncorp * y *' }
  assert.equal(session('require-chap chapms-strip-domain', files).secretOf!('WORK\\bob'), 'x')
  assert.equal(session('require-chap', files).secretOf!('WORK\\bob'), undefined)
  assert.equal(session('require-chap remotename corp', files).secretOf!('whoever'), 'y')
})

test('a list of addresses in every notation', () => {
  const notices: string[] = []
  const rules = (words: string, unit?: number) =>
    new AddressRules(words.split(' '), { addressOf: parseIpv4, unit, notice: (line) => notices.push(line) })
  const permits = (words: string, address: string, unit?: number) => rules(words, unit).permits(ip(address))
  assert.deepEqual([permits('10.0.0.0/24+', '10.0.0.4', 3), permits('10.0.0.0/24+', '10.0.0.5', 3)], [true, false])
  assert.equal(rules('10.0.0.0/24+', 3).suggested, ip('10.0.0.4'))
  assert.deepEqual([permits('0.0.0.0/1', '127.0.0.1'), permits('255.255.255.255/32', '255.255.255.255')], [true, true])
  assert.deepEqual(
    [permits('!* *', '1.1.1.1'), permits('- *', '1.1.1.1'), permits('* !1.1.1.1', '1.1.1.1')],
    [true, false, true],
  )
  assert.deepEqual(notices, ['unknown host !* in auth. address list'])
  for (const word of ['10.0.0.0/0', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8x', 'nohost', '10.0.0.0/24+']) {
    notices.length = 0
    assert.equal(permits(word, '10.0.0.1'), false, word)
    assert.equal(notices.length, 1, word)
  }
})

test('an own name in a file that is no text does no harm', () => {
  const noise = Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 7919) & 0xff)).toString('latin1')
  assert.equal(session('noauth user alice', { [CHAP]: noise, [PAP]: noise }).answersAuth.length, 0)
})
