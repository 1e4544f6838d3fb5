/** What one who connects by hand wants otherwise than the profile: checked at the edge (DESIGN §7.6), laid over the profile. */

import { ModemdError } from '../base/errors.ts'
import {
  apnFault,
  credentialFault,
  ENGINE_CHOICES,
  IP_CHOICES,
  numberFault,
  pinFault,
  type TextFault,
  timeoutFault,
} from '../base/values.ts'
import type { RunWish } from './link.ts'
import type { Profile } from './profile.ts'
import type { ConnectOptions } from './snapshot.ts'

/** Throws InvalidArgs; never names a secret's value. */
export function wishWith(profile: Profile, options: ConnectOptions): RunWish {
  check('apn', options.apn, apnFault)
  check('user', options.user, credentialFault)
  check('password', options.password, credentialFault)
  check('number', options.number, numberFault)
  check('pin', options.pin, pinFault)

  const asked: Profile = {
    ...profile,
    apn: options.apn === undefined ? profile.apn : options.apn || 'auto',
    username: options.user ?? profile.username,
    password: options.password ?? profile.password,
    number: options.number ?? profile.number,
    ip: ipOf(options.ip) ?? profile.ip,
    engine: engineOf(options.engine) ?? profile.engine,
    dialTimeoutMs: timeoutOf(options.timeout) ?? profile.dialTimeoutMs,
  }
  const isAsProfiled = Object.entries(options).every(
    ([key, value]) => key === 'modem' || key === 'pin' || value === undefined,
  )
  return {
    profile: isAsProfiled ? profile : asked,
    modem: { modem: options.modem ?? profile.modem, sim: profile.sim },
    pin: options.pin,
  }
}

function check(name: string, value: string | undefined, faultOf: (text: string) => TextFault): void {
  const fault = value === undefined ? undefined : faultOf(value)
  if (fault !== undefined) throw new ModemdError('InvalidArgs', `${name} ${fault}.`)
}

function ipOf(text: string | undefined): Profile['ip'] | undefined {
  if (text === undefined) return undefined
  const ip = IP_CHOICES.find((each) => each === text)
  if (ip === undefined) throw new ModemdError('InvalidArgs', 'ip must be 4, 6 or 46.')
  return ip
}

function engineOf(text: string | undefined): Profile['engine'] | undefined {
  if (text === undefined) return undefined
  const engine = ENGINE_CHOICES.find((each) => each === text)
  if (engine === undefined) throw new ModemdError('InvalidArgs', `engine must be one of: ${ENGINE_CHOICES.join(', ')}.`)
  return engine
}

function timeoutOf(ms: number | undefined): number | undefined {
  const fault = ms === undefined ? undefined : timeoutFault(ms)
  if (fault !== undefined) throw new ModemdError('InvalidArgs', `timeout ${fault}.`)
  return ms
}
