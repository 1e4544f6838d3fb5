/**
 * One PPP link on a line that is ready for it: the engine, what pppd says meanwhile, the administrator's programs, the pid file. Ends with
 * pppd's exit code. `run.ts` makes one for each attempt.
 */

import { writeFileSync } from 'node:fs'
import type { Failure } from '../../base/cause.ts'
import { errorText, failureOf } from '../../base/errors.ts'
import { formatIpv4 } from '../../base/ipv4.ts'
import { formatIpv6 } from '../../base/ipv6.ts'
import type { Cancel, Clock } from '../../base/ports.ts'
import type { LinkAddress, PppLink, PppLinkEvent } from '../engines/engine.ts'
import type { Ip4Address, PppSettings } from '../settings.ts'
import { DefaultRoute } from './default-route.ts'
import type { EngineRoom } from './engine-room.ts'
import { cleanedName, ScriptPair, type ScriptRunner } from './event-scripts.ts'
import { EXIT } from './exit-codes.ts'
import type { FdWire } from './fd-wire.ts'
import type { Line } from './line.ts'
import { exitCodeOf, explainEnd } from './link-end.ts'
import { LinkLog } from './link-log.ts'
import type { Messages } from './messages.ts'
import type { PppOptions, TrafficLimit } from './options.ts'
import type { PidFiles } from './pid-files.ts'
import type { Recording } from './record-wire.ts'

const RESOLV_FILE = '/etc/ppp/resolv.conf'

export interface LinkServices {
  readonly options: PppOptions
  readonly messages: Messages
  readonly clock: Clock
  readonly engines: EngineRoom
  readonly scripts: ScriptRunner
  readonly pidFiles: PidFiles
  readonly recording: Recording
  /** Who started us, for auth-up. */
  readonly userName: string
  /** Packets flow for the first time. */
  readonly onUp: () => void
}

export interface LinkEnd {
  readonly exitCode: number
  readonly wasUp: boolean
}

export class Link {
  readonly #services: LinkServices
  readonly #line: Line
  readonly #log: LinkLog
  readonly #ipScripts: ScriptPair
  readonly #ipv6Scripts: ScriptPair
  readonly #authScripts: ScriptPair
  readonly #defaultRoute: DefaultRoute
  #link: PppLink | undefined
  #interfaceName: string | undefined
  #address: LinkAddress | undefined
  #upSinceMs: number | undefined
  #wasUp = false
  #echoFailure = 0
  #cancelTrafficCheck: Cancel | undefined
  #onEnd: (end: LinkEnd) => void = () => {}

  constructor(services: LinkServices, line: Line) {
    this.#services = services
    this.#line = line
    const { messages, options, scripts } = services
    this.#log = new LinkLog(messages, options.debugLevel, {
      networkPhase: () => this.#networkPhase(),
      linkDown: () => this.#linkDown(),
    })
    const { ipUp, ipDown, ipv6Up, ipv6Down, authUp, authDown } = options.eventScripts
    this.#ipScripts = new ScriptPair(scripts, ipUp, ipDown)
    this.#ipv6Scripts = new ScriptPair(scripts, ipv6Up, ipv6Down)
    this.#authScripts = new ScriptPair(scripts, authUp, authDown)
    this.#defaultRoute = new DefaultRoute(options.defaultRoute, messages)
  }

  /** Until it is over. Never rejects. */
  run(wire: FdWire): Promise<LinkEnd> {
    return new Promise((resolve) => {
      this.#onEnd = resolve
      this.#open(wire).catch((error) => this.#down(failureOf(error)))
    })
  }

  /** Somebody wants the end. */
  terminate(): void {
    this.#link?.terminate({ cause: 'user-request', detail: 'a signal asked for the end' })
  }

  async #open(line: FdWire): Promise<void> {
    const { options, messages, engines, recording } = this.#services
    const wire = recording.wrap(line)
    const metric = await this.#defaultRoute.metric()
    const settings = this.#withSecretsSaid(options.sessionSettings((line) => messages.warn(line)))
    this.#echoFailure = settings.echoFailure
    const { engine, interfaceName } = engines.prepare(wire)
    if (interfaceName !== undefined) this.#named(interfaceName)
    this.#link = engine.open(
      wire,
      {
        settings,
        interfaceName: interfaceName ?? options.interfaceName,
        defaultRouteMetric: metric,
        trace: this.#log.trace,
        onInterface: (name) => this.#named(name),
        beforeUp: (_name, ip4) => this.#beforeUp(ip4),
      },
      (event) => this.#happened(event),
    )
  }

  /** A name without a secret is said, as pppd says it. */
  #withSecretsSaid(settings: PppSettings): PppSettings {
    const { secretOf } = settings
    if (!secretOf) return settings
    const saying = (name: string) => {
      const secret = secretOf(name)
      if (secret === undefined) this.#log.noSecretFor(name)
      return secret
    }
    return { ...settings, secretOf: saying }
  }

  #named(name: string): void {
    if (this.#interfaceName === name) return
    this.#interfaceName = name
    const { messages, scripts, pidFiles } = this.#services
    messages.info(`Using interface ${name}`)
    messages.notice(`Connect: ${name} <--> ${this.#line.name}`)
    pidFiles.interfaceNamed(name)
    scripts.set('IFNAME', name)
    const unit = /^ppp(\d+)$/.exec(name)?.[1]
    scripts.set('UNIT', unit)
  }

  #happened(event: PppLinkEvent): void {
    switch (event.type) {
      case 'phase':
        if (event.phase === 'establish' || event.phase === 'authenticate' || event.phase === 'network')
          this.#notRunning()
        break
      case 'up':
        this.#named(event.interfaceName)
        this.#up(event.address)
        break
      case 'down':
        this.#down(event.failure)
    }
  }

  #networkPhase(): void {
    const peerName = this.#link?.peerName
    if (!peerName) return
    const { scripts, userName } = this.#services
    const name = cleanedName(peerName)
    scripts.set('PEERNAME', name)
    this.#authScripts.up([this.#interfaceName ?? '', name, userName, this.#ttyName, this.#speed])
  }

  /** The interface has its addresses and is not up yet: pppd waits for this program. */
  async #beforeUp(ip4: Ip4Address): Promise<void> {
    const { scripts, options } = this.#services
    this.#setIp4(ip4)
    await scripts.run(options.eventScripts.ipPreUp, this.#ipArguments(ip4))
    await this.#defaultRoute.makeRoom()
  }

  #up(address: LinkAddress): void {
    const before = this.#address
    this.#address = address
    const isFirst = this.#upSinceMs === undefined
    this.#upSinceMs ??= this.#services.clock.nowMs()
    this.#log.isUp = true
    this.#wasUp = true
    const { ip4, ip6 } = address
    if (ip4 && !sameIp4(ip4, before?.ip4)) this.#ip4Up(ip4)
    if (!ip4 && before?.ip4) this.#ipScripts.down()
    if (ip6 && (ip6.local !== before?.ip6?.local || ip6.peer !== before?.ip6?.peer)) this.#ip6Up(ip6)
    if (!ip6 && before?.ip6) this.#ipv6Scripts.down()
    if (ip6?.global && ip6.global.address !== before?.ip6?.global?.address)
      this.#services.messages.notice(`global IPv6 address ${formatIpv6(ip6.global.address)}/${ip6.global.prefixLength}`)
    if (!isFirst) return
    this.#watchTraffic()
    this.#services.onUp()
  }

  /** `maxoctets`: looked at every so often, as pppd does. */
  #watchTraffic(): void {
    const { options, clock, messages } = this.#services
    const limit = options.trafficLimit
    this.#cancelTrafficCheck?.()
    if (!limit) return
    const check = () => {
      const { rxBytes, txBytes } = this.#link?.counters() ?? { rxBytes: 0n, txBytes: 0n }
      const used = usedOf(limit.counts, Number(rxBytes), Number(txBytes))
      if (used <= limit.bytes) {
        this.#watchTraffic()
        return
      }
      messages.notice(`Traffic limit reached. Limit: ${limit.bytes} Used: ${used}`)
      this.#link?.terminate({ cause: 'data-limit', detail: `${used} bytes of ${limit.bytes} are used` })
    }
    this.#cancelTrafficCheck = clock.at(clock.nowMs() + limit.checkMs, check)
  }

  #ip4Up(ip4: Ip4Address): void {
    const { messages } = this.#services
    this.#setIp4(ip4)
    messages.notice(`local  IP address ${formatIpv4(ip4.local)}`)
    if (ip4.peer !== 0) messages.notice(`remote IP address ${formatIpv4(ip4.peer)}`)
    const [primary, secondary] = ip4.dns
    if (primary !== undefined) messages.notice(`primary   DNS address ${formatIpv4(primary)}`)
    if (secondary !== undefined) messages.notice(`secondary DNS address ${formatIpv4(secondary)}`)
    this.#ipScripts.down()
    this.#ipScripts.up(this.#ipArguments(ip4))
  }

  #setIp4(ip4: Ip4Address): void {
    const { scripts, options } = this.#services
    const [primary, secondary] = ip4.dns
    scripts.set('IPLOCAL', formatIpv4(ip4.local))
    scripts.set('IPREMOTE', formatIpv4(ip4.peer))
    scripts.set('DNS1', primary === undefined ? undefined : formatIpv4(primary))
    scripts.set('DNS2', secondary === undefined ? undefined : formatIpv4(secondary))
    if (!options.usesPeerDns || primary === undefined) return
    scripts.set('USEPEERDNS', '1')
    this.#writeResolvFile(ip4.dns)
  }

  #writeResolvFile(servers: readonly number[]): void {
    try {
      writeFileSync(RESOLV_FILE, servers.map((server) => `nameserver ${formatIpv4(server)}\n`).join(''), {
        mode: 0o644,
      })
    } catch (error) {
      this.#services.messages.error(`Failed to create ${RESOLV_FILE}: ${errorText(error)}`)
    }
  }

  #ip6Up({ local, peer }: { readonly local: bigint; readonly peer: bigint }): void {
    const { messages, scripts } = this.#services
    const [own, other] = [linkLocalText(local), linkLocalText(peer)]
    scripts.set('LLLOCAL', own)
    scripts.set('LLREMOTE', other)
    messages.notice(`local  LL address ${own}`)
    messages.notice(`remote LL address ${other}`)
    this.#ipv6Scripts.down()
    this.#ipv6Scripts.up([this.#interfaceName ?? '', this.#ttyName, this.#speed, own, other, this.#ipParam])
  }

  /** The peer negotiates anew, or closed its network protocol: what was up is not any more. */
  #notRunning(): void {
    if (!this.#address) return
    this.#address = undefined
    this.#ipScripts.down()
    this.#ipv6Scripts.down()
  }

  /** Once a time that it was up: what went through it, and the programs for that. */
  #linkDown(): void {
    const { messages, scripts, clock } = this.#services
    this.#log.isUp = false
    this.#cancelTrafficCheck?.()
    if (this.#upSinceMs !== undefined) {
      const seconds = Math.round((clock.nowMs() - this.#upSinceMs) / 1000)
      const { rxBytes, txBytes } = this.#link?.counters() ?? { rxBytes: 0n, txBytes: 0n }
      this.#upSinceMs = undefined
      const tenths = Math.floor((seconds + 5) / 6)
      messages.info(`Connect time ${Math.floor(tenths / 10)}.${tenths % 10} minutes.`)
      messages.info(`Sent ${txBytes} bytes, received ${rxBytes} bytes.`)
      scripts.set('CONNECT_TIME', String(seconds))
      scripts.set('BYTES_SENT', String(txBytes))
      scripts.set('BYTES_RCVD', String(rxBytes))
    }
    this.#authScripts.down()
    this.#notRunning()
  }

  #down(failure: Failure): void {
    const { messages, scripts, engines } = this.#services
    const exitCode = exitCodeOf(failure.cause, {
      isHungUp: this.#line.isHungUp || !this.#log.wasTerminatedByPeer,
      wasUp: this.#wasUp,
    })
    if (exitCode === EXIT.hangUp) this.#line.hungUp()
    explainEnd(failure, exitCode, messages, this.#log, this.#echoFailure)
    this.#linkDown()
    messages.debug(`The link ended: ${failure.detail}`)
    messages.notice('Connection terminated.')
    engines.release()
    scripts.set('IFNAME', undefined)
    this.#defaultRoute.restore().finally(() => this.#onEnd({ exitCode, wasUp: this.#wasUp }))
  }

  #ipArguments({ local, peer }: Ip4Address): string[] {
    const addresses = [formatIpv4(local), formatIpv4(peer)]
    return [this.#interfaceName ?? '', this.#ttyName, this.#speed, ...addresses, this.#ipParam]
  }

  /** As pppd: a line that is no named tty has no name for programs. */
  get #ttyName(): string {
    const { line } = this.#services.options
    return line.type === 'tty' ? line.path : ''
  }

  get #speed(): string {
    return String(this.#line.speedBaud)
  }

  get #ipParam(): string {
    return this.#services.options.ipParam ?? ''
  }
}

/** As pppd writes it: the four groups of the identifier, never shortened. */
function linkLocalText(address: bigint): string {
  const identifier = (address & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0')
  return `fe80::${identifier.replace(/(....)(?!$)/g, '$1:')}`
}

function usedOf(counts: TrafficLimit['counts'], rxBytes: number, txBytes: number): number {
  switch (counts) {
    case 'in':
      return rxBytes
    case 'out':
      return txBytes
    case 'max':
      return Math.max(rxBytes, txBytes)
    case 'sum':
      return rxBytes + txBytes
  }
}

function sameIp4(one: Ip4Address, other: Ip4Address | undefined): boolean {
  return one.local === other?.local && one.peer === other.peer && one.dns.join() === other.dns.join()
}
