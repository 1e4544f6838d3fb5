/** Clients and servers for the pair tests, and what is asked of them again and again. */

import { parseIpv4 } from '../../src/base/ipv4.ts'
import { SerialSession } from '../../src/ppp/serial-session.ts'
import type { SessionEvent } from '../../src/ppp/session-events.ts'
import { CLIENT_DEFAULTS, type PppPhase, type PppSettings, SERVER_DEFAULTS } from '../../src/ppp/settings.ts'
import { HdlcDecoder } from '../../src/ppp/wire/hdlc-decoder.ts'
import { printPacket } from '../../src/ppp/wire/printing.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { Cable, type End } from './cable.ts'

export const ip = (text: string): number => parseIpv4(text)!

export const CLIENT: PppSettings = { ...CLIENT_DEFAULTS, user: 'demo', password: 'sesame' }

export const SERVER: PppSettings = {
  ...SERVER_DEFAULTS,
  user: 'operator',
  localAddress: ip('10.64.0.1'),
  remoteAddress: ip('10.64.0.2'),
  dnsServers: [ip('10.64.0.53'), ip('10.64.0.54')],
  secretOf: (name) => (name === 'demo' ? 'sesame' : undefined),
}

export interface PppCable extends Cable<SessionEvent> {
  readonly a: End<SessionEvent> & { readonly machine: SerialSession }
  readonly b: End<SessionEvent> & { readonly machine: SerialSession }
}

/** `a` is the client, `b` the server. */
export function pair(client: Partial<PppSettings> = {}, server: Partial<PppSettings> = {}, seed = 1): PppCable {
  const a = new SerialSession({ ...CLIENT, ...client }, new SeededRandom(seed))
  const b = new SerialSession({ ...SERVER, ...server }, new SeededRandom(seed + 1000))
  return new Cable<SessionEvent>(a, b) as PppCable
}

export function phases(end: End<SessionEvent>): PppPhase[] {
  return end.events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []))
}

type EventOf<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>

export function eventsOf<T extends SessionEvent['type']>(end: End<SessionEvent>, type: T): EventOf<T>[] {
  return end.events.filter((event): event is EventOf<T> => event.type === type)
}

export function down(end: End<SessionEvent>): EventOf<'down'> | undefined {
  return eventsOf(end, 'down')[0]
}

/** `lcp-timeout 10`. */
export function ending(end: End<SessionEvent>): string {
  const event = down(end)
  return event ? `${event.failure.cause} ${event.exitCode}` : 'none'
}

export function isRunning(end: End<SessionEvent>): boolean {
  return phases(end).at(-1) === 'running'
}

/** What an end sent, packet by packet in pppd's words. */
export function packetsSent(end: End<SessionEvent>): string[] {
  return framesIn(end.sent).map(({ protocol, info }) => printPacket(protocol, info))
}

export function framesIn(pieces: readonly Uint8Array[]): { protocol: number; info: Uint8Array }[] {
  const frames: { protocol: number; info: Uint8Array }[] = []
  const decoder = new HdlcDecoder(70_000, { frame: (protocol, info) => frames.push({ protocol, info }), junk() {} })
  decoder.accm = 0
  for (const piece of pieces) decoder.push(piece)
  return frames
}

/** A believable IPv4 packet: the header's first octet and length are right. */
export function ipv4Packet(length: number, fill = 0x55): Uint8Array {
  const packet = new Uint8Array(length).fill(fill)
  packet[0] = 0x45
  packet[1] = 0
  packet[2] = length >>> 8
  packet[3] = length & 0xff
  return packet
}

export function ipv6Packet(length: number, fill = 0x55): Uint8Array {
  const packet = new Uint8Array(length).fill(fill)
  packet[0] = 0x60
  packet[4] = (length - 40) >>> 8
  packet[5] = (length - 40) & 0xff
  return packet
}
