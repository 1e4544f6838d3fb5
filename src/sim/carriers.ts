/**
 * What is behind the operator (`--internet`): a real interface and web server in a network namespace of its own, a host in
 * user space, or nothing. To the builtin PPP engine all three are a TUN and a route socket.
 */

import { createServer } from 'node:http'
import { errorText, ModemdError } from '../base/errors.ts'
import { formatIpv4 } from '../base/ipv4.ts'
import type { Logger, Random } from '../base/ports.ts'
import { createNetworkNamespace, listenTcp, type NetworkNamespace } from '../system/namespace.ts'
import { openRouteSocket, type RouteSocket } from '../system/netlink.ts'
import { openTun, type Tun } from '../system/tun.ts'
import { PacketHost } from './packet-host.ts'
import { operatorPage } from './web-page.ts'

export type CarrierName = 'tun' | 'echo' | 'none'

export interface Carrier {
  readonly name: CarrierName
  /** Of the operator's side, for `nsenter --net=…`. */
  readonly namespacePath?: string
  openTun(name: string): Tun
  openRouteSocket(): RouteSocket
  close(): Promise<void>
}

const HTTP_PORT = 80

/** `addresses` are the operator's own: gateway and name servers. Rejects with ModemdError. */
export async function openCarrier(
  name: CarrierName,
  addresses: readonly number[],
  addresses6: readonly bigint[],
  ports: { readonly random: Random; readonly logger: Logger },
): Promise<Carrier> {
  if (name === 'tun') return openTunCarrier(addresses, addresses6, ports.logger)
  const host = name === 'echo' ? new PacketHost(addresses, addresses6, ports.random) : undefined
  return {
    name,
    openTun: () => new UserSpaceTun(host),
    openRouteSocket: () => NO_ROUTES,
    close: async () => {},
  }
}

async function openTunCarrier(
  addresses: readonly number[],
  addresses6: readonly bigint[],
  logger: Logger,
): Promise<Carrier> {
  let namespace: NetworkNamespace
  try {
    namespace = createNetworkNamespace()
  } catch (error) {
    throw new ModemdError(
      'NotAuthorized',
      `--internet tun needs a network namespace (${errorText(error)}): run it as root or under "unshare -Urnm", or take --internet echo`,
    )
  }
  const server = createServer((request, response) => {
    const page = operatorPage(request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown')
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' })
    response.end(request.method === 'HEAD' ? '' : page)
  })
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
    namespace.close()
  }
  try {
    const routes = namespace.run(openRouteSocket)
    for (const local of addresses) await routes.addAddress('lo', { local, prefixLength: 32 })
    for (const local of addresses6)
      await routes
        .addAddress('lo', { local, prefixLength: 128 })
        .catch((error) => logger.warn(`no IPv6: ${errorText(error)}`))
    routes.close()
    server.listen({ fd: namespace.run(() => listenTcp(0, HTTP_PORT)) })
  } catch (error) {
    await close()
    throw error
  }
  return {
    name: 'tun',
    namespacePath: namespace.path,
    openTun: (tunName) => namespace.run(() => openTun(tunName)),
    openRouteSocket: () => namespace.run(openRouteSocket),
    close,
  }
}

/** A TUN whose kernel is a PacketHost, or nobody. */
class UserSpaceTun implements Tun {
  readonly name = 'none'
  readonly #host: PacketHost | undefined
  #drops = 0
  #onPacket: ((packet: Uint8Array) => void) | undefined
  #onTurnEnded = () => {}
  /** While the line is full; answers above this are lost, as on a real queue. */
  #waiting: Uint8Array[] | undefined

  constructor(host: PacketHost | undefined) {
    this.#host = host
  }

  get drops(): number {
    return this.#drops
  }

  onPacket(listener: (packet: Uint8Array) => void, turnEnded: () => void = () => {}): void {
    this.#onPacket = listener
    this.#onTurnEnded = turnEnded
  }

  onGone(): void {}

  write(packet: Uint8Array): void {
    for (const answer of this.#host?.handle(packet) ?? []) this.#deliver(answer)
    this.#onTurnEnded()
  }

  pause(): void {
    this.#waiting ??= []
  }

  resume(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const packet of waiting) this.#deliver(packet)
    this.#onTurnEnded()
  }

  close(): void {
    this.#onPacket = undefined
    this.#onTurnEnded = () => {}
  }

  #deliver(packet: Uint8Array): void {
    if (!this.#waiting) this.#onPacket?.(packet)
    else if (this.#waiting.length < MAX_WAITING_PACKETS) this.#waiting.push(packet)
    else this.#drops++
  }
}

const MAX_WAITING_PACKETS = 500

const NO_ROUTES: RouteSocket = {
  setLink: async () => {},
  keepKernelOutOfIpv6: async () => undefined,
  addAddress: async () => {},
  removeAddress: async () => {},
  addRoute: async () => {},
  removeRoute: async () => {},
  listAddresses: async () => [],
  listIpv6Addresses: async () => [],
  listRoutes: async () => [],
  listIpv6Routes: async () => [],
  close: () => {},
}

/** For people and the ready line. */
export function pageAddress(gateway: number): string {
  return `http://${formatIpv4(gateway)}/`
}
