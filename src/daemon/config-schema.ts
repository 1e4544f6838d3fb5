/**
 * Every key of every configuration file: its kind, default and meaning. `config.ts` checks files with it and
 * docs/man/modemd.conf.5 holds the table that `manualTable` prints (a test keeps it so).
 */

import { CAUSES, type Cause } from '../base/cause.ts'
import { LOG_LEVELS } from '../base/ports.ts'
import { ENGINE_CHOICES, IP_CHOICES } from '../base/values.ts'
import { CAUSE_TABLE } from '../link/causes.ts'
import type { RedialRule } from '../link/redial.ts'
import * as values from './config-values.ts'

export interface Key<T> {
  readonly type: values.ValueType<T>
  /** As it would stand in the file. */
  readonly default: string
  /** For the manual page: what it is, without a full stop. */
  readonly doc: string
  readonly isSecret: boolean
  /** Which of its values are read, but not done by this version; for the manual page. '': it does all. */
  readonly unsupported: string
  isUnsupported(value: T): boolean
}

interface KeyTraits<T> {
  readonly isSecret?: boolean
  readonly unsupported?: string
  isUnsupported?(value: T): boolean
}

function key<T>(type: values.ValueType<T>, defaultText: string, doc: string, traits: KeyTraits<T> = {}): Key<T> {
  return { type, default: defaultText, doc, isSecret: false, unsupported: '', isUnsupported: () => false, ...traits }
}

const NOT_YET = {
  unsupported: 'any but the default',
  isUnsupported: (value: unknown): boolean => value !== '' && value !== undefined && value !== false,
}

const SECOND_MS = 1000
const HOUR_MS = 3_600_000

export const DAEMON_KEYS = {
  'log-level': key(values.word(...LOG_LEVELS), 'info', 'How much is logged'),
  'modemmanager-api': key(values.yesNo, 'no', 'Offer org.freedesktop.ModemManager1 too', NOT_YET),
  'at-console': key(values.yesNo, 'no', 'Let administrators send raw AT commands (`mmctl at`)'),
  metrics: key(values.yesNo, 'no', 'Offer metrics to Prometheus at http://127.0.0.1:9469/metrics'),
  'apn-database': key(
    values.wholePath,
    '/usr/share/mobile-broadband-provider-info/serviceproviders.xml',
    'The provider database, for `apn = auto` and `mmctl apn`',
  ),
}

export const DETECT_KEYS = {
  allow: key(
    values.devicePatterns('auto', 'strict'),
    'auto',
    'Which devices are modems: auto (known ones) and more, or strict (only those listed here and in [device])',
  ),
  ignore: key(values.devicePatterns(), '', 'Devices that are left alone whatever else says'),
}

/** `[device "tty:/dev/ttyS1"]`. */
export const DEVICE_KEYS = {
  baud: key(values.integer(300, 4_000_000), '115200', 'Bits per second of a UART'),
  init: key(values.atCommand, '', 'An AT command that this modem gets when it is found'),
  'power-gpio': key(
    values.sysFile,
    '',
    "A file below /sys that switches the modem's power with 0 and 1, such as /sys/class/gpio/gpio17/value; the last rung of the recovery ladder",
  ),
}

export const PROFILE_KEYS = {
  type: key(values.word('gsm', 'pppoe'), 'gsm', 'What carries the link', {
    unsupported: 'pppoe',
    isUnsupported: (type) => type === 'pppoe',
  }),
  apn: key(
    values.apn,
    'auto',
    'The access point name; auto tries what the provider database has for the SIM, and remembers what works',
  ),
  number: key(values.phoneNumber, '*99#', 'What is dialled'),
  username: key(values.credential, '', "For PPP's authentication and the modem's context"),
  password: key(
    values.credential,
    '',
    "For PPP's authentication and the modem's context; the file must not be readable for everyone",
    {
      isSecret: true,
    },
  ),
  pin: key(values.pin, '', 'The PIN of the SIM; tried by itself only while three tries are left', { isSecret: true }),
  modem: key(values.modemSelector, 'any', 'Which modem may be used'),
  autoconnect: key(values.yesNo, 'no', 'Connect by itself, at the start and when a modem is plugged in'),
  'dial-timeout': key(
    values.duration(SECOND_MS, HOUR_MS),
    '60s',
    'How long a dial may take, and each wait before it when a person connects',
  ),
  roaming: key(values.yesNo, 'no', "Connect in foreign operators' networks"),
  ip: key(
    values.word(...IP_CHOICES),
    '4',
    'IP versions: 4, 6, or 46 for both, of which one alone is taken where the network refuses both',
  ),
  'chat-script': key(
    values.path,
    '',
    "A chat(8) file, owned by root and under the configuration directory, that replaces the built-in dial script; $APN, $NUMBER, $USERNAME, $PASSWORD and $CID in it are the profile's",
  ),
  priority: key(
    values.integer(0, 1000),
    '0',
    'The lower one comes first: added to the route metric, and decides who has a modem that several want',
  ),
  sim: key(values.iccid, '', 'Use only this SIM'),
  cid: key(values.contextId, 'auto', 'The PDP context'),
  interface: key(values.interfaceName, '', 'pppoe: the Ethernet interface', NOT_YET),
  service: key(values.anyText, '', 'pppoe: the service name', NOT_YET),
  'ac-name': key(values.anyText, '', "pppoe: the concentrator's name", NOT_YET),
  share: key(values.interfaceName, '', 'Serve PPPoE clients on this interface through the link', NOT_YET),
  check: key(
    values.hostPort,
    '',
    'Must answer through the link before that counts as up, and while nothing else comes in',
  ),
  'data-limit': key(
    values.optionalSize,
    '',
    'Data per calendar month, both directions together; ends the link until the next',
  ),
}

export const PPP_KEYS = {
  engine: key(
    values.word(...ENGINE_CHOICES),
    'auto',
    "What runs PPP: kernel (the kernel's data path), builtin (in user space, through a TUN interface), pppd (the system's own program); auto takes kernel where the kernel has PPP, else builtin",
  ),
  auth: key(values.word('any', 'none', 'pap', 'chap', 'mschapv2'), 'any', 'Which authentication we take part in'),
  mtu: key(values.integer(128, 1500), '1500', 'Largest packet, in bytes'),
  'lcp-restart': key(values.duration(100, 60 * SECOND_MS), '3s', 'Time before a Configure-Request is repeated'),
  'lcp-max-configure': key(values.integer(1, 100), '10', 'Configure-Requests before the attempt fails'),
  'lcp-echo-interval': key(values.duration(0, HOUR_MS), '10s', 'Time between keep-alives; 0s: none'),
  'lcp-echo-failure': key(
    values.integer(0, 100),
    '3',
    'Lost keep-alives that end the link, once a first was answered; 0: none do',
  ),
  'default-route': key(values.yesNo, 'yes', 'Route what has no other route through the link'),
  'route-metric': key(values.integer(0, 1_000_000), '700', "The default route's metric; the lowest wins"),
  dns: key(values.word('auto', 'none'), 'auto', 'Use the name servers that the network gives'),
  options: key(values.anyText, '', 'More options for pppd, engine pppd only; taken from files of root only'),
}

/** A cause that nobody's rule may redial. */
export type RedialCause = Exclude<Cause, 'user-request'>

const redialKeys = Object.fromEntries(
  CAUSES.filter((cause) => cause !== 'user-request').map((cause) => [
    cause,
    key<RedialRule>(values.redialRule, values.redialRule.format(CAUSE_TABLE[cause].redial), CAUSE_TABLE[cause].meaning),
  ]),
) as Readonly<Record<RedialCause, Key<RedialRule>>>

export const REDIAL_KEYS = {
  ...redialKeys,
  'reset-after': key(
    values.integer(1, 100),
    '4',
    'Failures in a row before the next rung of the recovery ladder: radio off and on, modem reset, USB port reset, power off and on',
  ),
}

export type AnyKey = Key<unknown>
export type Keys = Readonly<Record<string, AnyKey>>

/** What a section's values come to. */
export type Values<K extends Keys> = { readonly [N in keyof K]: K[N] extends Key<infer T> ? T : never }

export interface SectionSchema {
  readonly kind: string
  /** `[device "…"]`. */
  readonly hasArgument: boolean
  readonly keys: Keys
}

function section(kind: string, keys: Keys, hasArgument = false): SectionSchema {
  return { kind, keys, hasArgument }
}

export const MAIN_SCHEMA: readonly SectionSchema[] = [
  section('daemon', DAEMON_KEYS),
  section('detect', DETECT_KEYS),
  section('device', DEVICE_KEYS, true),
]

export const PROFILE_SCHEMA: readonly SectionSchema[] = [
  section('profile', PROFILE_KEYS),
  section('ppp', PPP_KEYS),
  section('redial', REDIAL_KEYS),
]

/** The kind of file that may have it. */
export function fileWithSection(kind: string): string | undefined {
  const isIn = (schema: readonly SectionSchema[]) => schema.some((each) => each.kind === kind)
  if (isIn(MAIN_SCHEMA)) return 'modemd.conf'
  return isIn(PROFILE_SCHEMA) ? 'profiles/NAME.conf' : undefined
}

/** The tables of docs/man/modemd.conf.5, in man(7) requests. */
export function manualTable(): string {
  return [...MAIN_SCHEMA, ...PROFILE_SCHEMA]
    .flatMap(({ kind, keys, hasArgument }) => [
      `.SS [${kind}${hasArgument ? ' \\(dqDEVICE\\(dq' : ''}]`,
      ...(kind === 'redial' ? REDIAL_INTRODUCTION : []),
      ...Object.entries(keys).flatMap(([name, each]) => manualEntry(name, each)),
    ])
    .join('\n')
}

/** The form of all its keys but one, once. */
const REDIAL_INTRODUCTION = [
  'Whether and when a link is dialled again after a failure, by cause; jitter is always on.',
  `Values: ${roff(values.redialRule.form)}.`,
]

function manualEntry(name: string, { type, default: defaultText, doc, unsupported }: AnyKey): string[] {
  const standard = defaultText === '' ? 'Empty by default.' : `Default: ${roff(defaultText)}.`
  const sentences = [`${roff(doc.replace(/\.$/, ''))}.`, ...formOf(type), standard]
  if (unsupported !== '') sentences.push(`Not supported by this version: ${unsupported}.`)
  return ['.TP', `.B ${roff(name)}`, ...sentences]
}

function formOf(type: AnyKey['type']): string[] {
  return type.form === values.redialRule.form ? [] : [`Values: ${roff(type.form)}.`]
}

function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
