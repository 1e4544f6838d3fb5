/**
 * The options of pppd 2.4.9 and ours, in pppd's order (which `dump` shows). What none of our engines does is refused with the way
 * round it; what only permits something that we never do is accepted. docs/man/modem-ppp.8 says each in words.
 */

import { type Definition, flag, integer, listed, named, refused, text } from './options-definition.ts'
import {
  shownUnset,
  shownVariables,
  takeCallFile,
  takeDomain,
  takeEngine,
  takeGroup,
  takeOctetsDirection,
  takePlugin,
  takeUnset,
  takeUserFile,
  takeVariable,
} from './options-special.ts'
import { LINE_OPTIONS } from './options-table-line.ts'
import {
  CCP_OPTIONS,
  CHAP_OPTIONS,
  EAP_OPTIONS,
  IPCP_OPTIONS,
  IPV6CP_OPTIONS,
  IPX_OPTIONS,
  LCP_OPTIONS,
  PAP_OPTIONS,
} from './options-table-protocols.ts'

const NO_MULTILINK = 'multilink needs the pppd engine: use pppd itself'
const NO_FILTER = 'packets are not filtered by PPP here: use nftables rules on the interface'
/** pppd's MAXNAMELEN less its NUL. */
const LONGEST_NAME = 255
const NO_TLS = 'EAP-TLS is not supported: use require-mschap-v2, CHAP or pppd itself'

const GENERAL_OPTIONS: readonly Definition[] = [
  ...named({ type: 'counter', name: '', key: 'debug' }, 'debug', '-d'),
  integer('kdebug', 'kernelDebug'),
  ...named(flag('', 'noDetach', 1, { group: 'first' }), 'nodetach', '-detach'),
  flag('detach', 'noDetach', 0, { group: 'later' }),
  flag('up_sdnotify', 'notifiesSystemd', 1, { group: 'later', sets: { noDetach: 1 } }),
  flag('updetach', 'detachesWhenUp', 1, { group: 'later', sets: { noDetach: 0 } }),
  flag('master_detach', 'masterDetach', 1),
  integer('holdoff', 'holdOffS', { sets: { isHoldOffGiven: 1 } }),
  integer('idle', 'idleS'),
  integer('maxconnect', 'maxConnectS', { least: 0, isCeiling: true }),
  {
    type: 'special',
    name: 'domain',
    hasArgument: true,
    group: 'first',
    isPrivileged: true,
    take: takeDomain,
    show: (values) => values.domain,
  },
  {
    type: 'special',
    name: 'file',
    hasArgument: true,
    take: (path, context) => (context.readFile(path, 'user') ? undefined : ''),
  },
  { type: 'special', name: 'call', hasArgument: true, take: takeCallFile },
  flag('persist', 'persists', 1, { group: 'first' }),
  flag('nopersist', 'persists', 0, { group: 'later' }),
  refused('demand', 'links are not brought up by traffic: use persist, or modemd with a profile'),
  { type: 'information', name: '--version', about: 'version' },
  { type: 'information', name: '--help', about: 'help' },
  { type: 'information', name: '-h', about: 'help' },
  {
    type: 'special',
    name: 'logfile',
    hasArgument: true,
    group: 'first',
    take: (path, { values }) => {
      values.logFile = path
      values.isLogDefault = 0
      return undefined
    },
    show: (values) => values.logFile,
  },
  { type: 'integer', name: 'logfd', key: 'logFd', group: 'later', sets: { isLogDefault: 0, logFile: '' } },
  ...named(flag('', 'logFd', -1, { group: 'later', sets: { logFile: '' } }), 'nolog', 'nologfd'),
  text('linkname', 'linkName', { isPrivileged: true, longestBytes: 4095 }),
  integer('maxfail', 'maxFail'),
  flag('ktune', 'tunesKernel', 1, { group: 'first' }),
  flag('noktune', 'tunesKernel', 0, { group: 'later' }),
  integer('connect-delay', 'connectDelayMs'),
  integer('unit', 'unit', { least: 0 }),
  text('ifname', 'interfaceName', { isPrivileged: true, longestBytes: 31 }),
  flag('dump', 'dumps', 1),
  flag('dryrun', 'isDryRun', 1),
  integer('child-timeout', 'childTimeoutS'),
  { type: 'special', name: 'set', hasArgument: true, take: takeVariable, show: shownVariables },
  { type: 'special', name: 'unset', hasArgument: true, take: takeUnset, show: shownUnset },
  { type: 'integer', name: 'defaultroute-metric', key: 'defaultRouteMetric', isPrivileged: true, least: -1 },
  { type: 'text', name: 'ip-up-script', key: 'ipUpScript', isPrivileged: true, longestBytes: 4095 },
  { type: 'text', name: 'ip-down-script', key: 'ipDownScript', isPrivileged: true, longestBytes: 4095 },
  refused('multilink', NO_MULTILINK),
  refused('mp', NO_MULTILINK),
  flag('nomultilink', 'multilink', 0, { group: 'first' }),
  flag('nomp', 'multilink', 0, { group: 'later' }),
  refused('bundle', NO_MULTILINK, true),
  { type: 'special', name: 'plugin', hasArgument: true, isPrivileged: true, take: takePlugin },
  refused('pass-filter', NO_FILTER, true),
  refused('active-filter', NO_FILTER, true),
  integer('maxoctets', 'maxOctets', { least: 0, isCeiling: true }),
  integer('mo', 'maxOctets', { least: 0, isCeiling: true }),
  {
    type: 'special',
    name: 'mo-direction',
    hasArgument: true,
    take: takeOctetsDirection,
    show: () => "xxx # [don't know how to print value]",
  },
  integer('mo-timeout', 'octetsCheckS', { least: 0 }),
]

const AUTH_OPTIONS: readonly Definition[] = [
  flag('auth', 'authRequired', 1, { group: 'first' }),
  flag('noauth', 'authRequired', 0, { group: 'later', isPrivileged: true, sets: { allowsAnyAddress: 1 } }),
  ...named(flag('', 'wantsPap', 1, { group: 'later', sets: { authRequired: 1 } }), 'require-pap', '+pap'),
  ...named(flag('', 'wantsChap', 1, { group: 'later', sets: { authRequired: 1 } }), 'require-chap', '+chap'),
  ...named(flag('', 'wantsMschap', 1, { group: 'later', sets: { authRequired: 1 } }), 'require-mschap', '+mschap'),
  ...named(
    flag('', 'wantsMschapV2', 1, { group: 'later', sets: { authRequired: 1 } }),
    'require-mschap-v2',
    '+mschap-v2',
  ),
  ...named(flag('', 'refusesPap', 1), 'refuse-pap', '-pap'),
  ...named(flag('', 'refusesChap', 1), 'refuse-chap', '-chap'),
  ...named(flag('', 'refusesMschap', 1), 'refuse-mschap', '-mschap'),
  ...named(flag('', 'refusesMschapV2', 1), 'refuse-mschap-v2', '-mschap-v2'),
  // A later member of no group, as in pppd: `dump` shows it with the option before it.
  flag('require-eap', 'wantsEap', 1, { sets: { authRequired: 1 } }),
  flag('refuse-eap', 'refusesEap', 1),
  text('name', 'name', { isPrivileged: true, longestBytes: LONGEST_NAME }),
  {
    type: 'special',
    name: '+ua',
    hasArgument: true,
    group: 'first',
    take: takeUserFile,
    show: (values) => values.userFile,
  },
  text('user', 'user', { longestBytes: LONGEST_NAME, sets: { isUserGiven: 1 } }),
  text('password', 'password', { longestBytes: LONGEST_NAME, isSecret: true, sets: { isPasswordGiven: 1 } }),
  flag('usehostname', 'usesHostName', 1),
  text('remotename', 'remoteName', { longestBytes: LONGEST_NAME, sets: { isRemoteNameGiven: 1 } }),
  flag('login', 'usesLogin', 1, { sets: { accountsSessions: 1 } }),
  flag('enable-session', 'accountsSessions', 1, { isPrivileged: true }),
  flag('papcrypt', 'papSecretsAreCrypted', 1),
  {
    type: 'special',
    name: 'privgroup',
    hasArgument: true,
    isPrivileged: true,
    take: takeGroup,
    show: (values) => values.privilegedGroups,
  },
  listed('allow-ip', 'allowedAddresses', { isPrivileged: true }),
  text('remotenumber', 'remoteNumber', { longestBytes: LONGEST_NAME }),
  listed('allow-number', 'allowedNumbers', { isPrivileged: true }),
  ...['ca', 'capath', 'cert', 'key', 'crl-dir', 'crl', 'max-tls-version'].map((name) => refused(name, NO_TLS, true)),
  refused('need-peer-eap', NO_TLS),
]

const OWN_OPTIONS: readonly Definition[] = [
  {
    type: 'special',
    name: 'engine',
    hasArgument: true,
    group: 'first',
    take: takeEngine,
    show: (values) => values.engine,
  },
  text('secrets-dir', 'secretsDirectory', { isPrivileged: true }),
  ...named(text('', 'pcapFile'), 'pcap', '--pcap'),
]

/** Options are looked up, and shown, in this order. */
export const OPTION_LISTS: readonly (readonly Definition[])[] = [
  GENERAL_OPTIONS,
  AUTH_OPTIONS,
  OWN_OPTIONS,
  LINE_OPTIONS,
  LCP_OPTIONS,
  PAP_OPTIONS,
  CHAP_OPTIONS,
  [refused('callback', 'calling back is not supported: use pppd itself', true)],
  IPCP_OPTIONS,
  IPV6CP_OPTIONS,
  CCP_OPTIONS,
  named(flag('', 'ecp', 0), 'noecp', '-ecp'),
  IPX_OPTIONS,
  EAP_OPTIONS,
]
