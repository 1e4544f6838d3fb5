/** Do the options go together? pppd's checks, in its order and words. Used by `options-read.ts`. */

import type { Credentials } from './options-auth.ts'
import type { OptionServices } from './options-services.ts'
import type { OptionValues } from './options-values.ts'

/** pppd's codes. */
const FATAL_ERROR = 1
const OPTION_ERROR = 2
const NUMBER_NOT_ALLOWED = 21

export interface OptionFault {
  readonly exitCode: number
  readonly messages: readonly string[]
  /** For the log instead. */
  readonly warning?: string
}

/** Sets what follows from the rest (`auth` by default, no lock on a pty, …). */
export function checkOptions(
  values: OptionValues,
  isPrivileged: boolean,
  services: OptionServices,
  credentials: Credentials,
): OptionFault | undefined {
  if (values.usesHostName) values.name = values.hostName
  return (
    checkAuth(values, isPrivileged, services, credentials) ??
    checkLogin(values, services) ??
    checkNumber(values) ??
    checkLine(values, services) ??
    checkProtocols(values)
  )
}

function checkAuth(
  values: OptionValues,
  isPrivileged: boolean,
  services: OptionServices,
  credentials: Credentials,
): OptionFault | undefined {
  const isDefault =
    values.authRequired === 0 && values.allowsAnyAddress === 0 && !isPrivileged && services.hasDefaultRoute()
  if (isDefault) values.authRequired = 1
  if (values.authRequired === 0) return undefined
  const { canExamine, lacksAddress } = credentials.peerSecrets()
  if (canExamine || values.allowedAddresses.length > 0) return undefined
  return {
    exitCode: FATAL_ERROR,
    messages: [...whyAuth(values, isDefault), NO_SECRET, ...(lacksAddress ? [NO_ADDRESS] : [])],
  }
}

const NO_SECRET = "but I couldn't find any suitable secret (password) for it to use to do so."
const NO_ADDRESS = '(None of the available passwords would let it use an IP address.)'

function whyAuth({ isRemoteNameGiven, remoteName }: OptionValues, isDefault: boolean): readonly string[] {
  if (isDefault)
    return [
      'By default the remote system is required to authenticate itself',
      '(because this system has a default route to the internet)',
    ]
  if (isRemoteNameGiven) return [`The remote system (${remoteName}) is required to authenticate itself`]
  return ['The remote system is required to authenticate itself']
}

/** CHAP and EAP need the password itself, which the system does not have. */
function checkLogin(values: OptionValues, services: OptionServices): OptionFault | undefined {
  if (!values.usesLogin || !values.authRequired) return undefined
  if (values.wantsChap || values.wantsMschap || values.wantsMschapV2 || values.wantsEap)
    return {
      exitCode: OPTION_ERROR,
      messages: [
        'the login option works with PAP alone: use require-pap, without require-chap, -mschap, -mschap-v2 and -eap',
      ],
    }
  if (services.checkSystemPassword('root', '') !== undefined) return undefined
  return {
    exitCode: OPTION_ERROR,
    messages: [
      'the login option needs root, /etc/shadow and libcrypt.so.1 (apt install libcrypt1): put the passwords into pap-secrets instead',
    ],
  }
}

function checkNumber({ allowedNumbers, remoteNumber }: OptionValues): OptionFault | undefined {
  if (allowedNumbers.length === 0) return undefined
  const called = remoteNumber.toLowerCase()
  const isAllowed = allowedNumbers.some(({ value }) => called.startsWith(value.toLowerCase().replace(/\*$/, '')))
  if (isAllowed) return undefined
  return { exitCode: NUMBER_NOT_ALLOWED, messages: [], warning: `calling number ${remoteNumber} is not authorized` }
}

function checkLine(values: OptionValues, services: OptionServices): OptionFault | undefined {
  const { noTty, ptyCommand } = values
  if (values.connect === '' && !values.isHoldOffGiven) values.holdOffS = 0
  if (noTty || ptyCommand !== '') {
    if (!values.isDefaultDevice)
      return optionError(`${noTty ? 'notty' : 'pty'} option precludes specifying device name`)
    if (noTty && ptyCommand !== '') return optionError('pty option is incompatible with notty option')
    values.isDefaultDevice = noTty
    values.locks = 0
    values.usesModemLines = 0
    if (noTty && values.logFd <= 1 && values.logFile === '') values.logFd = -1
  } else settleDevice(values, services)
  if (values.isDefaultDevice) values.noDetach = 1
  return undefined
}

/** The terminal on standard input is not left; nothing is logged to the line itself. */
function settleDevice(values: OptionValues, services: OptionServices): void {
  const number = deviceNumber(values.device, services)
  if (number === undefined) return
  if (deviceNumber(0, services) === number) values.isDefaultDevice = 1
  if (values.logFile === '' && values.logFd >= 0 && deviceNumber(values.logFd, services) === number) values.logFd = -1
}

function deviceNumber(file: string | number, services: OptionServices): number | undefined {
  try {
    return services.status(file).deviceNumber
  } catch {
    return undefined
  }
}

function checkProtocols(values: OptionValues): OptionFault | undefined {
  const { engine, recordFile, pcapFile } = values
  if (values.defaultRoute6 && !values.defaultRoute)
    return optionError('defaultroute6 alone is not supported: defaultroute routes both IPv4 and IPv6')
  if (engine === 'kernel' && (recordFile !== '' || pcapFile !== ''))
    return optionError('engine kernel cannot record: the bytes do not come by here; leave the engine option out')
  return undefined
}

function optionError(message: string): OptionFault {
  return { exitCode: OPTION_ERROR, messages: [message] }
}
