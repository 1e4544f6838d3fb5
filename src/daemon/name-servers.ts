/** How this machine is told of name servers: systemd-resolved, resolvconf, or /etc/resolv.conf itself. `main.ts` makes the chain. */

import type { Clock, Logger } from '../base/ports.ts'
import type { Neighbours } from '../bus/neighbours.ts'
import { Resolved } from '../bus/resolved.ts'
import { ResolverChain } from '../link/resolver-chain.ts'
import { interfaceNumber } from '../system/netlink.ts'
import { leadsToResolved, resolvConfFile } from '../system/resolver-file.ts'
import { resolvconfProgram } from '../system/resolver-program.ts'

export interface ResolverServices {
  /** '' or the directory that stands for `/`. */
  readonly root: string
  readonly neighbours: Neighbours
  readonly clock: Clock
  readonly logger: Logger
}

export async function makeResolver({ root, neighbours, clock, logger }: ResolverServices): Promise<ResolverChain> {
  const resolved = new Resolved({
    neighbours,
    clock,
    indexOf: interfaceNumber,
    isAsked: () => leadsToResolved(root),
    onChange: () => chain.changed(),
  })
  const chain = new ResolverChain([resolved, resolvconfProgram(root), resolvConfFile(root)], clock, logger)
  await resolved.start()
  return chain
}
