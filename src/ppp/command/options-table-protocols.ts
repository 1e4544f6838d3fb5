/** The options of pppd's protocols, a list each, in its order. */

import { type Definition, flag, integer, named, refused, text } from './options-definition.ts'
import {
  addressPair,
  NO_LCP_OPTIONS,
  shownInterfaceIds,
  takeBsdComp,
  takeDeflate,
  takeDns,
  takeEndpoint,
  takeInterfaceIds,
  takeNetmask,
  takeVjSlots,
  takeWins,
} from './options-special-network.ts'

export const LCP_OPTIONS: readonly Definition[] = [
  { type: 'special', name: '-all', hasArgument: false, sets: NO_LCP_OPTIONS, take: () => undefined, show: () => '' },
  ...named(flag('', 'wantsAcfc', 0), 'noaccomp', '-ac'),
  ...named({ type: 'hex-mask', name: '', key: 'accm', sets: { wantsAccm: 1 } }, 'asyncmap', '-as'),
  ...named({ type: 'hex-mask', name: '', key: 'accm', mask: 0xffffffff }, 'default-asyncmap', '-am'),
  ...named(flag('', 'wantsMagic', 0), 'nomagic', '-mn'),
  integer('mru', 'mru', { sets: { wantsMru: 1 } }),
  ...named(flag('', 'wantsMru', 0, { group: 'later' }), 'default-mru', '-mru'),
  { type: 'integer', name: 'mtu', key: 'mtu', least: 128, most: 16384 },
  ...named(flag('', 'wantsPfc', 0), 'nopcomp', '-pc'),
  ...named(flag('', 'passive', 1), 'passive', '-p'),
  flag('silent', 'silent', 1),
  integer('lcp-echo-failure', 'echoFailure'),
  integer('lcp-echo-interval', 'echoIntervalS'),
  flag('lcp-echo-adaptive', 'echoAdaptive', 1),
  integer('lcp-restart', 'lcpRestartS'),
  integer('lcp-max-terminate', 'lcpMaxTerminate'),
  integer('lcp-max-configure', 'lcpMaxConfigure'),
  integer('lcp-max-failure', 'lcpMaxFailure'),
  flag('receive-all', 'receivesAll', 1),
  integer('mrru', 'mrru'),
  flag('mpshortseq', 'shortSequence', 1, { group: 'first' }),
  flag('nompshortseq', 'shortSequence', 0, { group: 'later' }),
  {
    type: 'special',
    name: 'endpoint',
    hasArgument: true,
    group: 'first',
    take: takeEndpoint,
    show: (values) => values.endpoint,
  },
  flag('noendpoint', 'noEndpoint', 1),
]

export const PAP_OPTIONS: readonly Definition[] = [
  flag('hide-password', 'hidesPassword', 1, { group: 'first' }),
  flag('show-password', 'hidesPassword', 0, { group: 'later' }),
  integer('pap-restart', 'papRestartS'),
  integer('pap-max-authreq', 'papMaxRequests'),
  integer('pap-timeout', 'papTimeoutS'),
]

export const CHAP_OPTIONS: readonly Definition[] = [
  integer('chap-restart', 'chapRestartS'),
  integer('chap-max-challenge', 'chapMaxChallenge'),
  integer('chap-interval', 'chapIntervalS'),
  integer('chap-timeout', 'chapTimeoutS'),
  flag('chapms-strip-domain', 'stripsDomain', 1),
]

export const IPCP_OPTIONS: readonly Definition[] = [
  ...named(flag('', 'ip', 0), 'noip', '-ip'),
  ...named(flag('', 'wantsVj', 0), 'novj', '-vj'),
  ...named(flag('', 'compressesVjId', 0), 'novjccomp', '-vjccomp'),
  {
    type: 'special',
    name: 'vj-max-slots',
    hasArgument: true,
    group: 'first',
    take: takeVjSlots,
    show: (values) => values.vjSlots,
  },
  flag('ipcp-accept-local', 'acceptsLocal', 1),
  flag('ipcp-accept-remote', 'acceptsRemote', 1),
  text('ipparam', 'ipParam'),
  flag('noipdefault', 'noDefaultAddress', 1),
  { type: 'special', name: 'ms-dns', hasArgument: true, take: takeDns, show: (values) => values.dnsList },
  { type: 'special', name: 'ms-wins', hasArgument: true, take: takeWins, show: (values) => values.winsList },
  integer('ipcp-restart', 'ipcpRestartS'),
  integer('ipcp-max-terminate', 'ipcpMaxTerminate'),
  integer('ipcp-max-configure', 'ipcpMaxConfigure'),
  integer('ipcp-max-failure', 'ipcpMaxFailure'),
  flag('defaultroute', 'defaultRoute', 1, { enabledBy: 'allowsDefaultRoute' }),
  ...named(flag('', 'allowsDefaultRoute', 0, { sets: { defaultRoute: 0 } }), 'nodefaultroute', '-defaultroute'),
  flag('replacedefaultroute', 'replacesDefaultRoute', 1, { isPrivileged: true }),
  flag('noreplacedefaultroute', 'replacesDefaultRoute', 0),
  refused('proxyarp', 'say it in /etc/ppp/ip-up instead: ip neigh add proxy "$IPREMOTE" dev eth0'),
  ...named(flag('', 'allowsProxyArp', 0, { sets: { proxyArp: 0 } }), 'noproxyarp', '-proxyarp'),
  flag('usepeerdns', 'usesPeerDns', 1),
  {
    type: 'special',
    name: 'netmask',
    hasArgument: true,
    group: 'first',
    take: takeNetmask,
    show: (values) => values.netmask,
  },
  flag('ipcp-no-addresses', 'negotiatesOldAddresses', 0),
  refused('ipcp-no-address', 'an address is always negotiated: leave the option out'),
  flag('noremoteip', 'noRemoteAddress', 1),
  refused('nosendip', 'our address is always told: leave the option out'),
  addressPair,
]

export const IPV6CP_OPTIONS: readonly Definition[] = [
  { type: 'special', name: 'ipv6', hasArgument: true, take: takeInterfaceIds, show: shownInterfaceIds },
  flag('+ipv6', 'ipv6', 1, { group: 'first' }),
  ...named(flag('', 'ipv6', 0, { group: 'later' }), 'noipv6', '-ipv6'),
  flag('ipv6cp-accept-local', 'acceptsLocalId', 1),
  flag('ipv6cp-accept-remote', 'acceptsRemoteId', 1),
  flag('defaultroute6', 'defaultRoute6', 1, { enabledBy: 'allowsDefaultRoute6' }),
  ...named(flag('', 'allowsDefaultRoute6', 0, { sets: { defaultRoute6: 0 } }), 'nodefaultroute6', '-defaultroute6'),
  flag('ipv6cp-use-ipaddr', 'idFromAddress', 1),
  flag('ipv6cp-use-persistent', 'idFromHardware', 1),
  integer('ipv6cp-restart', 'ipv6cpRestartS'),
  integer('ipv6cp-max-terminate', 'ipv6cpMaxTerminate'),
  integer('ipv6cp-max-configure', 'ipv6cpMaxConfigure'),
  integer('ipv6cp-max-failure', 'ipv6cpMaxFailure'),
]

const NO_MPPE = 'MPPE is not supported (its encryption is broken): use a VPN inside the link, or pppd itself'

/** They permit what we never ask for; only what insists on it is refused. */
export const CCP_OPTIONS: readonly Definition[] = [
  ...named(flag('', 'ccp', 0), 'noccp', '-ccp'),
  {
    type: 'special',
    name: 'bsdcomp',
    hasArgument: true,
    group: 'first',
    take: takeBsdComp,
    show: (values) => values.bsdComp,
  },
  ...named(flag('', 'wantsBsdComp', 0, { group: 'later' }), 'nobsdcomp', '-bsdcomp'),
  {
    type: 'special',
    name: 'deflate',
    hasArgument: true,
    group: 'first',
    take: takeDeflate,
    show: (values) => values.deflate,
  },
  ...named(flag('', 'wantsDeflate', 0, { group: 'later' }), 'nodeflate', '-deflate'),
  flag('nodeflatedraft', 'wantsDraftDeflate', 0),
  flag('predictor1', 'predictor1', 1, { group: 'first' }),
  ...named(flag('', 'predictor1', 0, { group: 'later' }), 'nopredictor1', '-predictor1'),
  ...['require-mppe', '+mppe'].map((name) => refused(name, NO_MPPE)),
  flag('nomppe', 'mppe', 0, { group: 'first' }),
  flag('-mppe', 'mppe', 0, { group: 'first' }),
  ...['require-mppe-40', '+mppe-40'].map((name) => refused(name, NO_MPPE)),
  ...named(flag('', 'mppe', 0), 'nomppe-40', '-mppe-40'),
  ...['require-mppe-128', '+mppe-128'].map((name) => refused(name, NO_MPPE)),
  ...named(flag('', 'mppe', 0), 'nomppe-128', '-mppe-128'),
  refused('mppe-stateful', NO_MPPE),
  flag('nomppe-stateful', 'mppe', 0, { group: 'first' }),
]

const NO_IPX = 'IPX is not supported: leave the option out'

export const IPX_OPTIONS: readonly Definition[] = [
  ...['ipx', '+ipx'].map((name) => refused(name, NO_IPX)),
  flag('noipx', 'ipx', 0, { group: 'first' }),
  flag('-ipx', 'ipx', 0, { group: 'later' }),
  ...['ipx-network', 'ipx-node', 'ipx-routing', 'ipx-router-name'].map((name) => refused(name, NO_IPX, true)),
  ...['ipxcp-accept-network', 'ipxcp-accept-local', 'ipxcp-accept-remote'].map((name) => refused(name, NO_IPX)),
  ...['ipxcp-restart', 'ipxcp-max-terminate', 'ipxcp-max-configure', 'ipxcp-max-failure'].map((name) =>
    refused(name, NO_IPX, true),
  ),
]

export const EAP_OPTIONS: readonly Definition[] = [
  { type: 'integer', name: 'eap-restart', key: 'eapRestartS' },
  { type: 'integer', name: 'eap-max-sreq', key: 'eapMaxRequests' },
  { type: 'integer', name: 'eap-timeout', key: 'eapTimeoutS' },
  { type: 'integer', name: 'eap-max-rreq', key: 'eapMaxReceived' },
  { type: 'integer', name: 'eap-interval', key: 'eapIntervalS' },
]
