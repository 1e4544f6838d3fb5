/** The addresses of a name, by a link's own name servers and through its interface: the system's resolver would go another way. For `reach.ts`. */

import { ModemdError } from '../../base/errors.ts'
import { isUsableUnicast, parseIpv4 } from '../../base/ipv4.ts'
import { isUsableIpv6, parseIpv6 } from '../../base/ipv6.ts'
import { type Clock, type Random, sleep } from '../../base/ports.ts'
import { askByUdp } from '../../system/interface-socket.ts'
import { type AddressType, type DnsAnswer, dnsQuestion, readDnsAnswer, TYPE_A, TYPE_AAAA } from './dns-message.ts'
import type { CheckPath } from './reach.ts'

const DNS_PORT = 53
/** Then the next server, and after the last one the first again. */
const PATIENCE_MS = 2000
const ROUNDS = 2
const MOST_SERVERS = 3
const NO_SUCH_NAME = 3

export interface LookupServices {
  readonly clock: Clock
  readonly random: Random
}

/** At least one, of a protocol that the link has. Rejects with a ModemdError, or the signal's reason. */
export async function lookUp(
  services: LookupServices,
  name: string,
  path: CheckPath,
  signal: AbortSignal,
): Promise<readonly (number | bigint)[]> {
  const servers = path.dns.flatMap((text) => parseIpv4(text) ?? parseIpv6(text) ?? []).slice(0, MOST_SERVERS)
  if (servers.length === 0) throw new ModemdError('PppFailed', 'the link has no name server')
  const types: AddressType[] = []
  if (path.hasIp4) types.push(TYPE_A)
  if (path.hasIp6) types.push(TYPE_AAAA)
  for (const type of types) {
    const addresses = (await ask(services, name, type, servers, path.interfaceName, signal)).filter(isUsable)
    if (addresses.length > 0) return addresses
  }
  throw new ModemdError('PppFailed', `the name servers know no address of ${name}`)
}

function isUsable(address: number | bigint): boolean {
  return typeof address === 'bigint' ? isUsableIpv6(address) : isUsableUnicast(address)
}

/** Empty: there is none. */
async function ask(
  { clock, random }: LookupServices,
  name: string,
  type: AddressType,
  servers: readonly (number | bigint)[],
  interfaceName: string,
  signal: AbortSignal,
): Promise<readonly (number | bigint)[]> {
  let trouble: unknown
  for (const address of Array.from({ length: ROUNDS }, () => servers).flat()) {
    const [high = 0, low = 0] = random.bytes(2)
    const id = high * 256 + low
    const over = new AbortController()
    const both = AbortSignal.any([signal, over.signal])
    try {
      const answer = await Promise.race([
        askByUdp<DnsAnswer>(
          { interfaceName, address, port: DNS_PORT },
          dnsQuestion(id, name, type),
          (datagram) => readDnsAnswer(datagram, id, type),
          both,
        ),
        sleep(clock, PATIENCE_MS, both).then(() => undefined),
      ])
      if (answer && (answer.rcode === 0 || answer.rcode === NO_SUCH_NAME)) return answer.addresses
      const what = answer ? `answered with error ${answer.rcode}` : `did not answer within ${PATIENCE_MS / 1000} s`
      trouble = new ModemdError('PppFailed', `the name servers ${what}`)
    } catch (error) {
      signal.throwIfAborted()
      trouble = error
    } finally {
      over.abort()
    }
  }
  throw trouble
}
