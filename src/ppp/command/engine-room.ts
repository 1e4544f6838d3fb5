/**
 * The engines of this machine for modem-ppp: which one a line gets (`engine auto`: the kernel's data path where there is one, else the
 * builtin), and the builtin's TUN, which is made before the negotiation so that the interface has its name when pppd's has. `link.ts` asks.
 */

import { errorText, ModemdError } from '../../base/errors.ts'
import { type Clock, type Logger, type Random, silentLogger } from '../../base/ports.ts'
import type { Wire } from '../../serial/wire.ts'
import { openRouteSocket } from '../../system/netlink.ts'
import { openRouterSocket } from '../../system/router-socket.ts'
import { openTun, type Tun } from '../../system/tun.ts'
import { builtinUsable, createBuiltinEngine } from '../engines/builtin.ts'
import { chooseEngine, type EngineChoice, engineReports } from '../engines/choose.ts'
import type { PppEngine } from '../engines/engine.ts'
import { createKernelEngine, kernelUsable } from '../engines/kernel.ts'
import { EXIT } from './exit-codes.ts'
import type { Messages } from './messages.ts'
import type { PppOptions } from './options.ts'

const ANY_UNIT = 'ppp%d'

export interface Prepared {
  readonly engine: PppEngine
  /** Exists already; undefined: the engine makes it, and tells its name. */
  readonly interfaceName: string | undefined
}

export class EngineRoom {
  readonly #options: PppOptions
  readonly #messages: Messages
  readonly #clock: Clock
  readonly #random: Random
  #tun: Tun | undefined

  constructor(options: PppOptions, messages: Messages, clock: Clock, random: Random) {
    this.#options = options
    this.#messages = messages
    this.#clock = clock
    this.#random = random
  }

  /** Before anything is touched: can any engine work here? `why` is for people. */
  refusal(): { readonly exitCode: number; readonly why: string } | undefined {
    try {
      this.#choose(this.#options.line.type !== 'stdio')
      return undefined
    } catch (error) {
      const isMissing = error instanceof ModemdError && error.failureCause === 'engine-missing'
      const lacksRight = /CAP_NET_ADMIN|EACCES|EPERM/.test(errorText(error))
      const exitCode = lacksRight ? EXIT.notRoot : isMissing ? EXIT.noKernelSupport : EXIT.fatal
      return { exitCode, why: errorText(error) }
    }
  }

  /** Throws ModemdError. */
  prepare(wire: Wire): Prepared {
    const { name, why } = this.#choose(wire.fd !== undefined)
    this.#messages.debug(`Using the ${name} engine: ${why}`)
    const services = {
      openRouteSocket,
      openRouterSocket,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger(),
    }
    if (name === 'kernel') return { engine: createKernelEngine(services), interfaceName: undefined }
    const tun = this.#makeTun()
    this.#tun = tun
    const engine = createBuiltinEngine({ ...services, openTun: (wanted) => this.#takeTun() ?? openTun(wanted) })
    return { engine, interfaceName: tun.name }
  }

  /** The attempt is over: an interface that never came up goes too. */
  release(): void {
    this.#takeTun()?.close()
  }

  #choose(hasDescriptor: boolean): EngineChoice {
    const wanted = this.#options.engine
    const reports = engineReports({
      ...(wanted === 'builtin' ? {} : { kernel: kernelUsable() }),
      ...(wanted === 'kernel' ? {} : { builtin: builtinUsable() }),
    })
    return chooseEngine(reports, wanted, hasDescriptor)
  }

  #takeTun(): Tun | undefined {
    const tun = this.#tun
    this.#tun = undefined
    return tun
  }

  /** A unit's number is a wish, a name is not. */
  #makeTun(): Tun {
    const wanted = this.#options.interfaceName
    try {
      return openTun(wanted ?? ANY_UNIT)
    } catch (error) {
      const unit = /^ppp(\d+)$/.exec(wanted ?? '')?.[1]
      if (unit === undefined || !(error instanceof ModemdError) || error.code !== 'Busy') throw error
      this.#messages.warn(`Couldn't allocate PPP unit ${unit} as it is already in use`)
      return openTun(ANY_UNIT)
    }
  }

  #logger(): Logger {
    const { info, warn, error } = this.#messages.asLogger()
    return { ...silentLogger, info, warn, error }
  }
}
