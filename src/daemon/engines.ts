/** The PPP engines of this machine, and why each can or cannot be used. `main.ts` gives them to the supervisor. */

import type { Clock, Logger, Random } from '../base/ports.ts'
import { builtinUsable, createBuiltinEngine } from '../ppp/engines/builtin.ts'
import { type EngineReport, engineReports } from '../ppp/engines/choose.ts'
import type { PppEngine } from '../ppp/engines/engine.ts'
import { createKernelEngine } from '../ppp/engines/kernel.ts'
import { kernelUsable } from '../ppp/engines/kernel-system.ts'
import { createPppdEngine } from '../ppp/engines/pppd.ts'
import { pppdUsable } from '../ppp/engines/pppd-usable.ts'
import { openRouteSocket } from '../system/netlink.ts'
import { openRouterSocket } from '../system/router-socket.ts'
import { openTun } from '../system/tun.ts'

export interface Engines {
  /** Those that can be used. */
  readonly engines: readonly PppEngine[]
  readonly reports: readonly EngineReport[]
}

export function makeEngines(ports: {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): Engines {
  const services = { ...ports, openRouteSocket, openRouterSocket }
  const [kernel, builtin, pppd] = [kernelUsable(), builtinUsable(), pppdUsable()]
  const engines: PppEngine[] = []
  if (kernel.ok) engines.push(createKernelEngine({ ...services, watchesCarrier: true }))
  if (builtin.ok) engines.push(createBuiltinEngine({ ...services, openTun }))
  if (pppd.ok) engines.push(createPppdEngine({ ...services, program: pppd.path }))
  return { engines, reports: engineReports({ kernel, builtin, pppd }) }
}
