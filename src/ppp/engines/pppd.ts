/**
 * The pppd engine: the system's pppd as a child, on the tty that was dialled by us. pppd negotiates and makes the interface; its
 * messages tell how far it is (`pppd-log.ts`, `pppd-state.ts`), routes and checks are ours (`interface.ts`). The daemon hands it to the
 * supervisor where pppd can be used; a profile takes it by `engine = pppd`, for its options and plugins.
 *
 * What of pppd's own surroundings applies: /etc/ppp/options and options.TTY, /etc/ppp/ip-pre-up, auth-up and ipv6-up. Not /etc/ppp/ip-up and
 * ip-down (a profile's `options` may name scripts of its own), so that nothing rewrites resolv.conf beside us; with `usepeerdns` pppd
 * itself writes /etc/ppp/resolv.conf, which nobody else reads.
 */

import { accessSync, constants, readFileSync } from 'node:fs'
import type { Failure } from '../../base/cause.ts'
import { errorText, ModemdError } from '../../base/errors.ts'
import { formatIpv4, isUsableUnicast } from '../../base/ipv4.ts'
import type { Cancel } from '../../base/ports.ts'
import type { Wire } from '../../serial/wire.ts'
import type { RouteSocket } from '../../system/netlink.ts'
import { readInterfaceCounters } from '../../system/ppp-device.ts'
import { pppExitCode } from '../exit-codes.ts'
import type { LinkAddress, PppEngine, PppLink, PppLinkEvent, PppLinkOptions } from './engine.ts'
import { type InterfaceServices, PppInterface } from './interface.ts'
import { type PppdVerdict, verdictOfPppd } from './pppd-exit.ts'
import { PppdLog } from './pppd-log.ts'
import { pppdOptions, pppdRefusal } from './pppd-options.ts'
import { type PppdEvents, type PppdProcess, startPppd } from './pppd-process.ts'
import { PppdState, type PppdStep } from './pppd-state.ts'
import { type LentTty, lendTty } from './pppd-tty.ts'

export interface PppdServices extends InterfaceServices {
  /** pppd's path. */
  readonly program: string
}

/** pppd tells its addresses line by line, in one go; only the last, which may be any of them, is worth an event. */
const SETTLE_MS = 20
/** Beyond the time that its Terminate-Requests take. */
const KILL_GRACE_MS = 1000
const CARRIER_POLL_MS = 250
/** Of a line without carrier. */
const PORT_POLL_MS = 1000

type Ended = Parameters<PppdEvents['ended']>[0]
interface Counts {
  readonly rxBytes: bigint
  readonly txBytes: bigint
}

export function createPppdEngine(services: PppdServices): PppEngine {
  return {
    name: 'pppd',
    open: (wire, options, onEvent) => new PppdLink(services, wire, options, onEvent),
  }
}

class PppdLink implements PppLink {
  readonly #services: PppdServices
  readonly #options: PppLinkOptions
  readonly #onEvent: (event: PppLinkEvent) => void
  readonly #wire: Wire
  readonly #fd: number
  readonly #tty: LentTty
  readonly #log: PppdLog
  readonly #process: PppdProcess
  readonly #state = new PppdState()
  readonly #timers = new Map<'settle' | 'kill' | 'line', Cancel>()
  #interfaceName = ''
  #interface: PppInterface | undefined
  #asked: Failure | undefined
  #wasUp = false
  #isDown = false
  #hadCarrier = false
  #counts: Counts = { rxBytes: 0n, txBytes: 0n }

  /** Throws ModemdError: no tty (engine-missing), a value that pppd cannot take (pppd-failed). */
  constructor(services: PppdServices, wire: Wire, options: PppLinkOptions, onEvent: (event: PppLinkEvent) => void) {
    this.#services = services
    this.#options = options
    this.#onEvent = onEvent
    this.#wire = wire
    this.#fd = descriptorOf(wire)
    const refusal = pppdRefusal(options)
    if (refusal) throw new ModemdError('Unsupported', refusal, 'engine-missing')
    checkProgram(services.program)
    const text = pppdOptions(options)
    this.#log = new PppdLog(options.settings.password, (line, news) => {
      services.logger.debug(`pppd: ${line}`)
      if (news) this.#follow(this.#state.take(news))
    })
    wire.listen(undefined)
    this.#tty = lendTty(this.#fd)
    this.#process = this.#start(text)
    this.#watchLine()
  }

  #start(options: string): PppdProcess {
    const { program } = this.#services
    try {
      return startPppd(program, this.#fd, options, {
        output: (said) => this.#log.take(said),
        ended: (end) => this.#ended(end),
      })
    } catch (error) {
      this.#tty.takeBack()
      throw error
    }
  }

  counters(): Counts {
    const now = this.#wasUp && !this.#isDown ? readInterfaceCounters(this.#interfaceName) : undefined
    if (now) this.#counts = { rxBytes: now.rxBytes, txBytes: now.txBytes }
    return this.#counts
  }

  terminate(failure: Failure): void {
    this.#terminate(failure, 2 * this.#options.settings.restartMs + KILL_GRACE_MS)
  }

  /** It gets no answer to its goodbye, and does not wait for one. */
  lost(detail: string): void {
    this.#terminate({ cause: 'hung-up', detail }, KILL_GRACE_MS)
  }

  #terminate(failure: Failure, patienceMs: number): void {
    if (this.#isDown || this.#asked) return
    this.#asked = failure
    this.counters()
    this.#process.kill('SIGTERM')
    this.#after(patienceMs, 'kill', () => {
      this.#services.logger.warn('pppd did not end in time and is killed.')
      this.#process.kill('SIGKILL')
    })
  }

  #follow(steps: readonly PppdStep[]): void {
    for (const step of steps) this.#do(step)
  }

  #do(step: PppdStep): void {
    if (this.#isDown) return
    switch (step.type) {
      case 'phase':
        if (step.phase === 'terminate') this.counters()
        this.#onEvent(step)
        break
      case 'interface':
        this.#interfaceName = step.name
        this.#options.onInterface?.(step.name)
        void this.#keepKernelOut(step.name)
        break
      case 'renewed':
        this.#interface?.close()
        this.#interface = undefined
        break
      case 'address':
        this.#after(SETTLE_MS, 'settle', () => this.#configure())
        break
    }
  }

  /** pppd has configured the interface; checks, routes and what routers say are ours, as for every engine. */
  #configure(): void {
    const agreed = this.#state.address(this.#mtuBytes())
    if (!agreed || this.#asked || this.#state.phase === 'terminate') return
    if (agreed.ip4 && !isUsableUnicast(agreed.ip4.local)) {
      const detail = `the peer gave the unusable address ${formatIpv4(agreed.ip4.local)}`
      this.terminate({ cause: 'no-address', detail })
      return
    }
    this.#interface ??= new PppInterface(this.#interfaceServices(), this.#options, this.#interfaceName, {
      configured: (address) => void this.#configured(address),
      failed: (failure) => this.terminate(failure),
    })
    this.#interface.configure(agreed)
  }

  /** pppd has set it to what the peer takes, too. */
  #mtuBytes(): number {
    const { mtuBytes } = this.#options.settings
    try {
      return Number.parseInt(readFileSync(`/sys/class/net/${this.#interfaceName}/mtu`, 'latin1'), 10) || mtuBytes
    } catch {
      return mtuBytes
    }
  }

  async #configured(address: LinkAddress): Promise<void> {
    await this.#dropPeer(address)
    if (this.#isDown || this.#asked || this.#state.phase === 'terminate') return
    this.#wasUp = true
    this.#follow(this.#state.running())
    this.#onEvent({ type: 'up', interfaceName: this.#interfaceName, address })
  }

  /** The far end's address was left out, as it is one of our own networks: pppd's route there must not stay. */
  async #dropPeer({ ip4 }: LinkAddress): Promise<void> {
    const peer = this.#state.address(0)?.ip4?.peer ?? 0
    if (!ip4 || peer === 0 || ip4.peer === peer) return
    const address = { local: ip4.local, peer, prefixLength: 32 }
    try {
      await this.#withRoutes((routes) => routes.removeAddress(this.#interfaceName, address))
    } catch (error) {
      this.#services.logger.debug(errorText(error))
    }
  }

  /** The addresses are there: pppd put them on. */
  #interfaceServices(): InterfaceServices {
    const { openRouteSocket } = this.#services
    return { ...this.#services, openRouteSocket: () => withoutDuplicates(openRouteSocket()) }
  }

  /** While it is still down. */
  async #keepKernelOut(name: string): Promise<void> {
    if (!this.#options.settings.ipv6) return
    const trouble = await this.#withRoutes((routes) => routes.keepKernelOutOfIpv6(name)).catch(errorText)
    if (trouble !== undefined) this.#services.logger.warn(`${name} may take addresses by itself: ${trouble}.`)
  }

  async #withRoutes<T>(use: (routes: RouteSocket) => Promise<T>): Promise<T> {
    const routes = this.#services.openRouteSocket()
    try {
      return await use(routes)
    } finally {
      routes.close()
    }
  }

  /** pppd sees a carrier go only without `local`, and then hangs up by itself; that the port was closed here it never sees. */
  #watchLine(): void {
    const isUp = this.#holdsTty() ? this.#tty.hasCarrier() : false
    if (isUp === false && (this.#hadCarrier || !this.#holdsTty())) {
      // Nobody hears a Terminate-Request any more.
      const detail = this.#holdsTty() ? 'the modem dropped the carrier (DCD)' : 'the port was closed'
      this.#terminate({ cause: 'hung-up', detail }, KILL_GRACE_MS)
      return
    }
    this.#hadCarrier = isUp === true
    this.#after(isUp === undefined ? PORT_POLL_MS : CARRIER_POLL_MS, 'line', () => this.#watchLine())
  }

  /** Somebody may have closed the wire, and its number may be another file's. */
  #holdsTty(): boolean {
    return this.#wire.fd === this.#fd
  }

  #ended(end: Ended): void {
    this.#log.finish()
    for (const cancel of this.#timers.values()) cancel()
    this.#interface?.close()
    this.#follow(this.#state.end())
    this.#isDown = true
    const verdict = this.#asked
      ? { failure: this.#asked, exitCode: pppExitCode(this.#asked.cause) }
      : this.#verdictOn(end)
    if (this.#holdsTty()) this.#tty.takeBack()
    this.#onEvent({ type: 'down', ...verdict })
  }

  #verdictOn({ exitCode, signal, error }: Ended): PppdVerdict {
    if (error) {
      // Of descriptors, memory or processes there may be enough again.
      const cause = /^E(NOENT|ACCES|PERM|NOEXEC)$/.test(error.code ?? '') ? 'engine-missing' : 'pppd-failed'
      const detail = `${this.#services.program} cannot be run: ${error.message}`
      return { failure: { cause, detail }, exitCode: pppExitCode(cause) }
    }
    const verdict = verdictOfPppd({ exitCode, signal, messages: this.#log.lastLines, wasUp: this.#wasUp })
    const isGone = verdict.failure.cause === 'hung-up' && this.#holdsTty() && this.#tty.isGone()
    return isGone ? { ...verdict, failure: { ...verdict.failure, cause: 'modem-gone' } } : verdict
  }

  #after(ms: number, what: 'settle' | 'kill' | 'line', act: () => void): void {
    this.#timers.get(what)?.()
    const { clock } = this.#services
    this.#timers.set(what, clock.at(clock.nowMs() + ms, act))
  }
}

/** An address that is there already is no fault. */
function withoutDuplicates(routes: RouteSocket): RouteSocket {
  return {
    ...routes,
    addAddress: async (name, address) => {
      try {
        await routes.addAddress(name, address)
      } catch (error) {
        if (!(error instanceof ModemdError && error.code === 'Busy')) throw error
      }
    },
  }
}

/** setpriv(1), which starts it, would tell it by an exit code only. */
function checkProgram(path: string): void {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    throw new ModemdError('Unsupported', `there is no program ${path}: install the package ppp`, 'engine-missing')
  }
}

function descriptorOf({ fd, path }: Wire): number {
  if (fd !== undefined) return fd
  const what = `pppd needs a tty of this machine, and ${path} is none that it can take`
  throw new ModemdError('Unsupported', `${what}: use the engine builtin`, 'engine-missing')
}
