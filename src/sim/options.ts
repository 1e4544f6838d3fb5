/** The command line's values, read and checked; every fault is a sentence and exit code 2. Used by `command.ts`. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ModemdError } from '../base/errors.ts'
import { parseIpv4 } from '../base/ipv4.ts'
import type { AuthProtocol } from '../ppp/settings.ts'
import type { CarrierName } from './carriers.ts'
import type { IpKinds, NetworkMode } from './network.ts'
import { loadPersonality, type Personality } from './personality.ts'

export interface SimulatorOptions {
  readonly root: string | undefined
  readonly link: string | undefined
  /** Ttys that are there already, in the order of the personality's. */
  readonly ttys: readonly string[]
  readonly personality: Personality
  readonly modems: number
  /** They wait for `ctl SOCKET plug`. */
  readonly isUnplugged: boolean
  readonly pin: string | undefined
  readonly pinTries: number
  readonly puk: string
  readonly hasSim: boolean
  readonly network: NetworkMode
  readonly registerAfterMs: number | undefined
  readonly signal: number | 'drift'
  /** undefined: any. */
  readonly apn: string | undefined
  readonly ip: IpKinds
  readonly user: string
  readonly password: string
  readonly auth: readonly AuthProtocol[]
  readonly latencyMs: number | undefined
  /** Bit/s; 0: no limit. */
  readonly speed: number
  readonly pool: string
  /** undefined: no IPv6. */
  readonly pool6: string | undefined
  readonly dns: readonly number[]
  readonly internet: CarrierName
  readonly seed: number | undefined
  /** Each as the words of `ctl SOCKET fault`. */
  readonly faults: readonly (readonly string[])[]
  readonly control: string | undefined
}

/** As commander gives them. */
export interface RawOptions {
  readonly root?: string
  readonly link?: string
  readonly tty?: readonly string[]
  readonly personality: string
  readonly modems: string
  readonly unplugged?: boolean
  readonly pin?: string
  readonly pinTries: string
  readonly puk: string
  readonly sim: boolean
  readonly network: NetworkMode
  readonly registerAfter?: string
  readonly signal: string
  readonly apn?: string
  readonly ip: IpKinds
  readonly auth?: 'none' | AuthProtocol
  readonly latency?: string
  readonly speed?: string
  readonly connectString?: string
  readonly pool: string
  readonly pool6: string
  readonly dns: string
  readonly internet: CarrierName
  readonly seed?: string
  readonly fault?: readonly string[]
  readonly control?: string
}

/** Throws ModemdError. */
export function readOptions(raw: RawOptions): SimulatorOptions {
  const { root, link, tty } = raw
  if ([root, link, tty].filter((each) => each !== undefined).length !== 1)
    throw wrong(
      'give --root DIR for modems in a device tree, --link PATH for one tty, or --tty PATH for one that is there',
    )
  const modems = wholeNumber(raw.modems, '--modems', 1, 256)
  if (root === undefined && modems > 1) throw wrong('--link and --tty are for one modem; --modems needs --root')
  const { apn, user, password } = readApn(raw.apn)
  return {
    root: root === undefined ? undefined : resolve(root),
    link: link === undefined ? undefined : resolve(link),
    ttys: (tty ?? []).map((path) => resolve(path)),
    personality: withConnectString(
      loadPersonality(raw.personality, (path) => readFileSync(path, 'utf8')),
      raw.connectString,
    ),
    modems,
    isUnplugged: raw.unplugged === true,
    pin: raw.pin === undefined ? undefined : digits(raw.pin, '--pin', 4, 8),
    pinTries: wholeNumber(raw.pinTries, '--pin-tries', 0, 3),
    puk: digits(raw.puk, '--puk', 8, 8),
    hasSim: raw.sim,
    network: raw.network,
    registerAfterMs: raw.registerAfter === undefined ? undefined : duration(raw.registerAfter, '--register-after', 's'),
    signal: parseSignal(raw.signal),
    apn,
    ip: raw.ip,
    user,
    password,
    auth: readAuth(raw.auth, user),
    latencyMs: raw.latency === undefined ? undefined : duration(raw.latency, '--latency', 'ms'),
    speed: raw.speed === undefined ? 0 : bitRate(raw.speed),
    pool: raw.pool,
    pool6: raw.pool6 === 'none' ? undefined : raw.pool6,
    dns: raw.dns
      .split(',')
      .filter(Boolean)
      .map((text) => address(text, '--dns')),
    internet: raw.internet,
    seed: raw.seed === undefined ? undefined : wholeNumber(raw.seed, '--seed', 0, 2 ** 31 - 1),
    faults: (raw.fault ?? []).map((text) => text.trim().split(/\s+/)),
    control: raw.control === undefined ? undefined : resolve(raw.control),
  }
}

/** dBm or `drift`. */
export function parseSignal(text: string): number | 'drift' {
  if (text === 'drift') return text
  const dbm = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(dbm >= -140 && dbm <= 0)) throw wrong(`the signal is drift, or dBm from -140 to 0, not "${text}"`)
  return dbm
}

function readApn(text: string | undefined): {
  readonly apn: string | undefined
  readonly user: string
  readonly password: string
} {
  const [apn, user = '', ...password] = text?.split(':') ?? []
  if (text !== undefined && !/^[A-Za-z0-9.-]{1,100}$/.test(apn ?? ''))
    throw wrong('--apn is NAME or NAME:USER:PASSWORD, the name of letters, digits, dots and hyphens')
  return { apn, user, password: password.join(':') }
}

function readAuth(auth: RawOptions['auth'], user: string): readonly AuthProtocol[] {
  if (auth === undefined) return user === '' ? [] : ['chap']
  if (auth === 'none') return []
  if (user === '') throw wrong(`--auth ${auth} needs somebody to let in: --apn NAME:USER:PASSWORD`)
  return [auth]
}

function withConnectString(personality: Personality, connect: string | undefined): Personality {
  if (connect === undefined) return personality
  if (!/^CONNECT( [ -~]*)?$/.test(connect)) throw wrong('--connect-string begins with CONNECT')
  return { ...personality, call: { ...personality.call, connect } }
}

function wholeNumber(text: string, name: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) throw wrong(`${name} is a number from ${least} to ${most}, not "${text}"`)
  return value
}

function digits(text: string, name: string, least: number, most: number): string {
  if (/^\d+$/.test(text) && text.length >= least && text.length <= most) return text
  throw wrong(`${name} has ${least === most ? least : `${least} to ${most}`} digits`)
}

function duration(text: string, name: string, unit: 's' | 'ms'): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text)
  if (!match) throw wrong(`${name} is a time like 2s or 300ms, not "${text}"`)
  return Number(match[1]) * ((match[2] ?? unit) === 's' ? 1000 : 1)
}

function bitRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text)
  const value = match ? Number(match[1]) * (match[2] === 'M' ? 1_000_000 : match[2] === 'k' ? 1000 : 1) : 0
  if (value < 300) throw wrong(`--speed is in bit/s from 300, like 7.2M or 384k, not "${text}"`)
  return value
}

function address(text: string, name: string): number {
  const value = parseIpv4(text)
  if (value === undefined) throw wrong(`${name} takes IPv4 addresses with commas between, not "${text}"`)
  return value
}

function wrong(sentence: string): ModemdError {
  return new ModemdError('InvalidArgs', sentence)
}
