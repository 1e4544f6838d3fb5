/** A session with a scripted peer on its line, and the habits that most of these peers share. */

import { formatIpv4 } from '../../src/base/ipv4.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import type { PppSettings } from '../../src/ppp/settings.ts'
import { CODE, type ConfigOption, u32Option, u32Value } from '../../src/ppp/wire/packets.ts'
import { IPCP, LCP } from '../../src/ppp/wire/protocols.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { Cable, type End } from './cable.ts'
import { CLIENT, eventsOf, ip } from './ends.ts'
import { type Heard, ScriptedPeer } from './peer.ts'

export const ADDRESS = 3
export const DNS1 = 129
export const DNS2 = 131

/** A session with a peer that acknowledges all of LCP, and leaves the rest to `answer`. */
export function withPeer(
  answer: (packet: Heard, peer: ScriptedPeer) => void = () => {},
  settings: Partial<PppSettings> = {},
  lcpOptions: ConfigOption[] = [],
) {
  const peer = new ScriptedPeer()
  const session = new SerialSession({ ...CLIENT, ...settings }, new SeededRandom(5))
  const link = new Cable<SessionEvent>(session, peer)
  peer.onOpen = () => peer.sendOptions(LCP, CODE.configureRequest, 1, lcpOptions)
  peer.onPacket = (packet) => {
    if (packet.protocol === LCP && packet.code === CODE.configureRequest) peer.ack(packet)
    else if (packet.protocol === LCP && packet.code === CODE.terminateRequest)
      peer.send(LCP, CODE.terminateAck, packet.id)
    else answer(packet, peer)
  }
  return { link, peer, session, end: link.a, flush: () => link.drain(link.b) }
}

/** Answers IPCP as a modem does once its network is there; its own request names no address. */
export function givesAddress(packet: Heard, peer: ScriptedPeer, dns = ['192.0.2.53', '192.0.2.54']): void {
  if (packet.protocol !== IPCP || packet.code !== CODE.configureRequest) return
  if (packet.options.some((option) => u32Value(option) === 0)) {
    const naks = [u32Option(ADDRESS, ip('100.64.3.7')), u32Option(DNS1, ip(dns[0]!)), u32Option(DNS2, ip(dns[1]!))]
    peer.sendOptions(IPCP, CODE.configureNak, packet.id, naks)
    peer.send(IPCP, CODE.configureRequest, 0)
  } else {
    peer.ack(packet)
  }
}

export function address(end: End<SessionEvent>) {
  const { local, peer, dns } = eventsOf(end, 'up')[0]!.address.ip4!
  return { local: formatIpv4(local), peer: formatIpv4(peer), dns: dns.map(formatIpv4) }
}
