/** IPv4 addresses by name, at once: options are read before anything can wait. Used by modem-ppp's option reader. */

import koffi from 'koffi'

const AF_INET = 2

const library = koffi.load(null)
const HostEntry = koffi.struct('HostEntry', {
  name: 'char *',
  aliases: 'void *',
  family: 'int',
  length: 'int',
  addresses: 'void *',
})
const getHostByName = library.func('gethostbyname', koffi.pointer(HostEntry), ['str']) as unknown as (
  name: string,
) => unknown

/** The first address, by the system's own resolver (/etc/hosts, DNS, …); undefined: not found. */
export function lookUpIpv4(name: string): number | undefined {
  const pointer = getHostByName(name)
  if (!pointer) return undefined
  const entry = koffi.decode(pointer, HostEntry) as { family: number; addresses: unknown }
  if (entry.family !== AF_INET || !entry.addresses) return undefined
  const first = koffi.decode(entry.addresses, 'void *') as unknown
  if (!first) return undefined
  const octets = koffi.decode(first, 'uint8_t', 4) as Uint8Array
  return octets.reduce((address, octet) => address * 256 + octet, 0)
}
