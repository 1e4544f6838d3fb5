/** struct ifreq with flags (netdevice(7)), for ioctl(2). */

const IFREQ_BYTES = 40
const FLAGS_OFFSET = 16

export function interfaceRequest(name: string, flags: number): Uint8Array {
  const request = new Uint8Array(IFREQ_BYTES)
  new TextEncoder().encodeInto(name, request)
  new Uint16Array(request.buffer)[FLAGS_OFFSET / 2] = flags
  return request
}
