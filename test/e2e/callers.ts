/** Callers on the bus for tests of safety: every method that the running service names, what it may answer, and values that mean ill. */

import assert from 'node:assert/strict'
import { BusConnection, RemoteError } from '../../src/bus/connection.ts'
import { type Variant, variant } from '../../src/bus/signature.ts'
import { systemClock } from '../../src/system/clock.ts'

export interface Method {
  readonly path: string
  readonly face: string
  readonly member: string
  /** Names and types. */
  readonly args: readonly (readonly [name: string, type: string])[]
}

export interface Answer {
  readonly ok: boolean
  readonly body: readonly unknown[]
  readonly error: string
  readonly message: string
}

const OURS =
  'InvalidArgs NotFound NotAuthorized Busy WrongState SimPin SimPuk SimAbsent PinGuard NoNetwork Roaming DialFailed AuthFailed PppFailed Timeout ModemGone Unsupported Unknown'.split(
    ' ',
  )
const STANDARD = 'UnknownObject UnknownInterface UnknownMethod UnknownProperty PropertyReadOnly InvalidArgs'.split(' ')
/** Internal is none of them: it says that we did not foresee it. */
export const CLOSED_LIST: ReadonlySet<string> = new Set([
  ...OURS.map((name) => `org.modemd.Error.${name}`),
  ...STANDARD.map((name) => `org.freedesktop.DBus.Error.${name}`),
])

export class Caller {
  readonly #connection: BusConnection

  static async open(address: string): Promise<Caller> {
    const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
    const connection = await BusConnection.open(address, systemClock, quiet, {
      onCall: (call) => call.fail('org.example.Error', 'Nobody is here.'),
      onSignal: () => {},
      onLost: () => {},
    })
    return new Caller(connection)
  }

  private constructor(connection: BusConnection) {
    this.#connection = connection
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  /** Rejects only where no answer comes. */
  async call(path: string, face: string, member: string, signature = '', ...body: readonly unknown[]): Promise<Answer> {
    const call = { destination: 'org.modemd', path, interface: face, member, signature, body }
    try {
      return { ok: true, body: await this.#connection.call(call, 30_000), error: '', message: '' }
    } catch (error) {
      if (!(error instanceof RemoteError)) throw new Error(`${member}(${shown(body)}): ${error}`)
      return { ok: false, body: [], error: error.errorName, message: error.message }
    }
  }

  /** A right answer, or an error of the list in one sentence, without a stack and without what `mustNotSay` finds. */
  async hears(method: Method, signature: string, body: readonly unknown[], mustNotSay?: RegExp): Promise<Answer> {
    const answer = await this.call(method.path, method.face, method.member, signature, ...body)
    if (answer.ok) return answer
    const where = `${method.face}.${method.member}(${signature}): ${answer.error}: ${answer.message}`
    assert.ok(CLOSED_LIST.has(answer.error), where)
    assert.doesNotMatch(answer.message, /[\x00-\x1f\x7f]|\bat .*:\d+:\d+/, where)
    assert.ok(answer.message.length > 0 && answer.message.length <= 1000, where)
    if (mustNotSay) assert.doesNotMatch(answer.message, mustNotSay, where)
    return answer
  }

  /** Of every object that is there, by introspection: a new method is among them by itself. One path an interface. */
  async methods(): Promise<readonly Method[]> {
    const manager = 'org.freedesktop.DBus.ObjectManager'
    const [objects] = (await this.call('/org/modemd', manager, 'GetManagedObjects')).body
    const seen = new Set<string>()
    const found: Method[] = []
    for (const path of ['/org/modemd', ...Object.keys(objects as object)]) {
      const [xml] = (await this.call(path, 'org.freedesktop.DBus.Introspectable', 'Introspect')).body
      for (const method of methodsIn(path, String(xml))) {
        const name = `${method.face}.${method.member}`
        if (!seen.has(name)) found.push(method)
        seen.add(name)
      }
    }
    return found
  }
}

function shown(body: readonly unknown[]): string {
  return JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 300)
}

function methodsIn(path: string, xml: string): readonly Method[] {
  return [...xml.matchAll(/<interface name="([^"]+)">(.*?)<\/interface>/gs)].flatMap(([, face, inside]) =>
    [...inside!.matchAll(/<method name="([^"]+)"(?:\/>|>(.*?)<\/method>)/gs)].map(([, member, args = '']) => ({
      path,
      face: face!,
      member: member!,
      args: [...args.matchAll(/<arg name="([^"]+)" type="([^"]+)" direction="in"\/>/g)].map(
        ([, name, type]) => [name!, type!] as const,
      ),
    })),
  )
}

export function signatureOf({ args }: Method): string {
  return args.map(([, type]) => type).join('')
}

/** Something right of its kind, by the argument's name; `x` where the name is new. */
const GOOD: Readonly<Record<string, string>> = {
  at: 'AT+CSQ',
  plmn: '26201',
  pin: '1234',
  old: '1234',
  new: '4321',
  newPin: '4321',
  puk: '12345678',
  code: '*100#',
  text: '1',
  to: '+15551234567',
  device: '/dev/ttyUSB0',
  profile: 'demo',
  name: 'demo',
  apn: 'internet',
  user: 'demo',
  username: 'demo',
  password: 'sesame',
  number: '*99#',
  ip: '4',
  engine: 'auto',
  interface_name: 'org.modemd.Manager1',
  property_name: 'Version',
}

/** No table has a key of these of its own. */
export const INHERITED = ['constructor', '__proto__', 'hasOwnProperty', 'toString']

/** A second command: whatever of it reaches a modem as one is counted there under this name. */
export const EVIL = '+EVIL'

/** No NUL: D-Bus cannot carry one (D-Bus specification, "Basic types"). */
const LINE_ENDS = [
  ...['\r', '\n', '\r\n', '\x1a', '\x1b', '\u0085', '\u2028', '\\r\\n', '%0d%0a'].map((end) => `${end}AT${EVIL}\r`),
  ...[`\x1a\rAT${EVIL}\r`, `+++\rAT${EVIL}\r`, '\x01', '\x7f', `\b\bAT${EVIL}`],
]
const WORDS = [
  ...[
    `;${EVIL}`,
    `";${EVIL}="`,
    `',${EVIL}`,
    `",1;${EVIL}`,
    `\`AT${EVIL}\``,
    '$PASSWORD',
    '$(touch evil)',
    '|touch evil',
  ],
  ...['@/etc/shadow', '/../../../evil', '\u202eevil', 'é\ud83d\ude00', 'A'.repeat(5000), '%s%n%s', '-evil'],
]

/** What a console sends is an administrator's own: of it only another line is an attack. */
function attacksOn(name: string): readonly string[] {
  const good = goodText(name)
  const attacks = name === 'at' ? LINE_ENDS.filter((attack) => /[\x00-\x1f]./.test(attack)) : [...LINE_ENDS, ...WORDS]
  const both = attacks.flatMap((attack) => [good + attack, attack + good])
  return /^(interface|property)_name$/.test(name) ? [...both, ...INHERITED] : both
}

export function goodText(name: string): string {
  return GOOD[name] ?? 'x'
}

const CREDENTIAL = /^[^"'\x00-\x1f\x7f-\x9f]{0,255}$/
const WORD = /^[A-Za-z0-9.-]{1,64}$/
const LINE = /^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$/

/** What of the attacks on it does no harm, where it has a form so wide; the others are to be refused. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  ...{ text: /^[ -~]{1,182}$/, device: /^[!-~]{1,256}$/, apn: WORD, name: WORD, profile: WORD },
  ...{ user: CREDENTIAL, username: CREDENTIAL, password: CREDENTIAL },
  ...{ 'chat-script': LINE, options: LINE, check: LINE, modem: LINE, sim: LINE, 'redial.busy': LINE },
}

export interface HostileValue {
  readonly value: unknown
  /** Is it to be refused for what it is, before anything is done with it? */
  readonly isRefused: boolean
}

/** Of one argument. */
export function hostileValues({ face, member }: Method, name: string, type: string): readonly HostileValue[] {
  if (type === 'a{sv}') return hostileDictionaries(member)
  if (type === 'o')
    return ['/org', '/org/modemd/link/x', '/org/modemd/sms/_2e_2e_2f'].map((value) => ({ value, isRefused: true }))
  if (type !== 's') return []
  // A message says what it likes; the database is looked into for any word.
  const isFree = face === 'org.modemd.Messaging1' && name === 'text'
  const kind = member === 'ListApns' ? 'device' : name
  return attacksOn(name).map((value) => ({ value, isRefused: !isFree && HARMLESS[kind]?.test(value) !== true }))
}

const OPTIONS = ['apn', 'user', 'password', 'number', 'pin', 'ip', 'engine']
const FIELDS = [
  ...['apn', 'number', 'pin', 'ip', 'engine', 'name', 'username', 'password', 'chat-script', 'options'],
  ...['check', 'modem', 'sim', 'redial.busy'],
]
const NO_KEYS = ['x\n[ppp]\noptions', '../x', '', 'Apn']

function hostileDictionaries(member: string): readonly HostileValue[] {
  if (member === 'SendWithOptions') return [...hostileSendOptions(), MANY]
  const isProfile = member === 'SaveProfile'
  const fixed = isProfile ? { name: variant('s', 'fresh') } : {}
  const texts = (isProfile ? FIELDS : OPTIONS).flatMap((key) =>
    attacksOn(key).map((text) => ({
      value: { ...fixed, [key]: variant('s', text) },
      isRefused: HARMLESS[key]?.test(text) !== true,
    })),
  )
  const noKeys = NO_KEYS.map((key) => ({ value: { ...fixed, [key]: variant('s', EVIL) }, isRefused: true }))
  const odd = ['apn', 'name', 'wait', 'timeout', 'pin'].flatMap((key) =>
    // A number may be a profile's: it becomes a text, and is checked as one.
    ODD.map((value) => ({
      value: { ...fixed, [key]: value },
      isRefused: !isProfile || !/[ydx]/.test(value.signature),
    })),
  )
  return [...texts, ...noKeys, ...odd, MANY]
}

/** Each key with every type but its own, and with values beyond its bounds. */
function hostileSendOptions(): readonly HostileValue[] {
  const others = [...ODD, variant('s', `1;${EVIL}`), variant('i', -1)]
  const wrong = [
    ...['report', 'flash'].flatMap((key) => [...others, variant('u', 1)].map((value) => ({ [key]: value }))),
    ...[...others, variant('b', true), variant('u', 0), variant('u', 635_041), variant('u', 0xffffffff)].map(
      (validity) => ({ validity }),
    ),
    ...[...NO_KEYS, 'Report'].map((key) => ({ [key]: variant('b', true) })),
  ]
  return wrong.map((value) => ({ value, isRefused: true }))
}

let deep = variant('s', EVIL)
for (let depth = 0; depth < 25; depth++) deep = variant('v', deep)

/** None is a text, a boolean or an unsigned number. */
const ODD: readonly Variant[] = [
  variant('y', 255),
  deep,
  variant('ay', [0, 13, 10]),
  variant('a{sv}', { apn: variant('s', EVIL) }),
  variant('(sa(sv))', ['x', [['y', variant('o', '/')]]]),
  variant('d', 1e308),
  variant('x', -1n),
]

const MANY: HostileValue = {
  value: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, variant('s', EVIL)])),
  isRefused: true,
}

/** Types that a method may not take, with values. */
export const WRONG: readonly (readonly [signature: string, ...body: unknown[]])[] = [
  [''],
  ['s', 'x'],
  ['ss', 'x', 'y'],
  ['u', 7],
  ['d', 0.5],
  ['o', '/'],
  ['g', 'a{sv}'],
  ['v', variant('v', variant('a{sv}', {}))],
  ['as', Array.from({ length: 10_000 }, () => 'x')],
  ['ay', Array.from({ length: 100_000 }, () => 13)],
  ['a{ss}', { apn: 'x' }],
  ['(sa{sv})', ['x', {}]],
  ['a{sv}s', {}, 'x'],
  ['ssssssss', ...Array.from('abcdefgh')],
]
