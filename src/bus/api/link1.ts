/** org.modemd.Link1: one profile's connection, from idle to up and back, with the reason when it is down. */

import type { IpSnapshot, LinkHandle, LinkSnapshot, SupervisorApi } from '../../link/snapshot.ts'
import { LINK_PHASES } from '../../link/snapshot.ts'
import type { Access, InterfaceDefinition } from '../definition.ts'
import { modemPath } from '../path-escape.ts'
import { type Variant, variant } from '../signature.ts'
import { anyText, knownInt32, knownText, knownUint32, knownUint64, NONE } from './known.ts'

export interface Link1Target {
  readonly link: LinkHandle
  readonly api: SupervisorApi
  /** Is a modem of this id on the bus now? */
  readonly hasModem: (id: string) => boolean
}

export const link1: InterfaceDefinition<Link1Target> = {
  name: 'org.modemd.Link1',
  properties: [
    text('Profile', ({ profile }) => profile),
    {
      name: 'Modem',
      signature: 'o',
      get: ({ link, hasModem }) => {
        const { modem } = link.snapshot
        return modem !== undefined && hasModem(modem) ? modemPath(modem) : undefined
      },
    },
    text('State', ({ state }) => state),
    { name: 'PhaseMs', signature: 'a{su}', get: ({ link }) => phaseTimes(link.snapshot) },
    text('Interface', (snapshot) => snapshot.interface),
    text('Engine', ({ engine }) => engine),
    { name: 'Apn', signature: 's', get: ({ link: { snapshot } }) => snapshot.apn && anyText(snapshot.apn) },
    { name: 'ConnectSpeed', signature: 'u', get: ({ link }) => knownUint32(link.snapshot.connectSpeed) },
    text('Report', ({ report }) => report),
    { name: 'Ip4', signature: 'a{sv}', get: ({ link }) => link.snapshot.ip4 && ipFields(link.snapshot.ip4) },
    { name: 'Ip6', signature: 'a{sv}', get: ({ link }) => link.snapshot.ip6 && ipFields(link.snapshot.ip6) },
    { ...bytes('RxBytes', ({ rxBytes }) => rxBytes), emitsChange: false },
    { ...bytes('TxBytes', ({ txBytes }) => txBytes), emitsChange: false },
    // A month ends and a limit is configured anew without anything of the link's changing.
    { ...bytes('DataUsed', ({ usage }) => usage?.usedBytes), emitsChange: false },
    { ...bytes('DataLimit', ({ usage }) => usage?.limitBytes), emitsChange: false },
    { ...text('DataMonth', ({ usage }) => usage?.month), emitsChange: false },
    { name: 'UpSince', signature: 't', get: ({ link }) => knownUint64(link.snapshot.upSinceUs) },
    { name: 'Attempts', signature: 'u', get: ({ link }) => knownUint32(link.snapshot.attempts) },
    text('Cause', ({ cause }) => cause),
    { name: 'CauseAt', signature: 't', get: ({ link }) => knownUint64(link.snapshot.causeAtUs) },
    text('CauseDetail', ({ causeDetail }) => causeDetail),
    text('Advice', ({ advice }) => advice),
    { name: 'ChatExit', signature: 'i', get: ({ link }) => knownInt32(link.snapshot.chatExit) },
    { name: 'PppExit', signature: 'i', get: ({ link }) => knownInt32(link.snapshot.pppExit) },
    { name: 'NextAttemptAt', signature: 't', get: ({ link }) => knownUint64(link.snapshot.nextAttemptAtUs) },
    { name: 'NextAttemptReason', signature: 's', get: ({ link }) => anyText(link.snapshot.nextAttemptReason) },
    text('NextRung', ({ nextRung }) => nextRung?.rung),
    { name: 'NextRungAfter', signature: 'u', get: ({ link }) => knownUint32(link.snapshot.nextRung?.afterFailures) },
  ],
  methods: [
    {
      name: 'Up',
      in: NONE,
      out: NONE,
      access: ({ link, api }): Access =>
        api.profileNeedsAdministrator(link.snapshot.profile) ? 'administrator' : 'connect',
      call: async ({ link }) => {
        await link.up()
        return []
      },
    },
    {
      name: 'Down',
      in: NONE,
      out: NONE,
      access: 'connect',
      call: async ({ link }) => {
        await link.down()
        return []
      },
    },
  ],
  signals: [
    {
      name: 'StateChanged',
      args: [
        ['old', 's'],
        ['new', 's'],
        ['cause', 's'],
      ],
    },
  ],
}

function text(name: string, get: (snapshot: LinkSnapshot) => string | undefined) {
  return { name, signature: 's', get: ({ link }: Link1Target) => knownText(get(link.snapshot)) }
}

function bytes(name: string, get: (snapshot: LinkSnapshot) => bigint | undefined) {
  return { name, signature: 't', get: ({ link }: Link1Target) => knownUint64(get(link.snapshot)) }
}

/** In the order of the phases; only those that came. */
function phaseTimes({ phaseMs }: LinkSnapshot): Record<string, number> {
  const times: Record<string, number> = {}
  for (const phase of LINK_PHASES) {
    const ms = knownUint32(Math.round(phaseMs[phase] ?? Number.NaN))
    if (ms !== undefined) times[phase] = ms
  }
  return times
}

function ipFields({ address, prefix, peer, gateway, dns, mtu }: IpSnapshot): Record<string, Variant> {
  const fields: Record<string, Variant> = { address: variant('s', address), prefix: variant('u', prefix) }
  if (peer !== undefined) fields.peer = variant('s', peer)
  if (gateway !== undefined) fields.gateway = variant('s', gateway)
  fields.dns = variant('as', [...dns])
  fields.mtu = variant('u', mtu)
  return fields
}
