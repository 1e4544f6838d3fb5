/**
 * What `defaultroute` and `replacedefaultroute` come to on this machine, as pppd sees it: the first does not touch a default route that is
 * there already, the second puts it aside and back at the end. The engine makes ours; `link.ts` asks.
 */

import { errorText } from '../../base/errors.ts'
import { formatIpv4 } from '../../base/ipv4.ts'
import { openRouteSocket, type Route, type RouteSocket } from '../../system/netlink.ts'
import type { Messages } from './messages.ts'
import type { DefaultRoute as Wish } from './options.ts'

export class DefaultRoute {
  readonly #wish: Wish | undefined
  readonly #messages: Messages
  #aside: Route | undefined

  constructor(wish: Wish | undefined, messages: Messages) {
    this.#wish = wish
    this.#messages = messages
  }

  /** Of the route that the engine is to make; undefined: none. */
  async metric(): Promise<number | undefined> {
    if (!this.#wish) return undefined
    const { metric = 0, replaces } = this.#wish
    if (replaces || this.#wish.metric !== undefined) return metric
    const route = await this.#existing()
    if (!route) return metric
    const through =
      route.gateway === undefined ? `through ${route.interfaceName}` : `via gateway ${formatIpv4(route.gateway)}`
    this.#messages.error(`not replacing existing default route ${through}`)
    return undefined
  }

  /** Right before our route is made. Never rejects. */
  async makeRoom(): Promise<void> {
    if (!this.#wish?.replaces || this.#aside) return
    const { metric = 0 } = this.#wish
    const route = await this.#existing(metric)
    if (!route) return
    this.#messages.notice(`replacing old default route to ${nameOf(route)}`)
    await this.#change((routes) => routes.removeRoute(route))
    this.#aside = route
  }

  /** Never rejects. */
  async restore(): Promise<void> {
    const route = this.#aside
    this.#aside = undefined
    if (!route) return
    this.#messages.notice(`restoring old default route to ${nameOf(route)}`)
    await this.#change((routes) => routes.addRoute(route))
  }

  /** With that metric; undefined: any. */
  async #existing(metric?: number): Promise<Route | undefined> {
    let found: Route | undefined
    await this.#change(async (routes) => {
      const defaults = (await routes.listRoutes()).filter(({ prefixLength }) => prefixLength === 0)
      found = defaults.find((route) => metric === undefined || route.metric === metric)
    })
    return found
  }

  async #change(act: (routes: RouteSocket) => Promise<void>): Promise<void> {
    let routes: RouteSocket | undefined
    try {
      routes = openRouteSocket()
      await act(routes)
    } catch (error) {
      this.#messages.error(`default route: ${errorText(error)}`)
    } finally {
      routes?.close()
    }
  }
}

function nameOf({ interfaceName, gateway }: Route): string {
  return gateway === undefined ? interfaceName : `${interfaceName} [${formatIpv4(gateway)}]`
}
