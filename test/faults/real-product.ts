/** The real programs (bus, modemd, modem-sim, ptys, TUN) with their time sped up, watched by D-Bus. For fault samples and the soak; in namespaces. */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BusClient, type Signal } from '../../src/cli/bus-client.ts'
import { askControl } from '../../src/sim/control.ts'
import { systemClock } from '../../src/system/clock.ts'
import { OPERATOR, Product, type SimStats } from '../e2e/product.ts'

const PROBE = fileURLToPath(new URL('../../scripts/soak-probe.cjs', import.meta.url))
const MODEMD = 'org.modemd'
const LINK_PATH = '/org/modemd/link/demo'
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const CONNECT_LIMIT_MS = 60_000

export interface Stats extends SimStats {
  readonly faults: Readonly<Record<string, number>>
}

/** What modemd holds, after its garbage was collected. */
export interface Holdings {
  readonly rssKiB: number
  readonly heapKiB: number
  /** The heap without what V8 compiled: that grows until all that is ever run is compiled (decision 9). */
  readonly dataKiB: number
  readonly externalKiB: number
  readonly descriptors: number
  readonly timers: number
  readonly listeners: number
  readonly busObjects: number
}

/** A step of the link's, as StateChanged tells it. */
export interface Step {
  readonly state: string
  readonly cause: string
}

export class RealProduct extends Product {
  /** All of the link's, the newest last; `forgetSteps` empties it. */
  steps: Step[] = []
  #bus: BusClient | undefined

  /** `speed`: of the programs' own time. */
  constructor(options: ConstructorParameters<typeof Product>[0], speed: number) {
    super(options)
    Object.assign(this.environment, unitEnvironment())
    Object.assign(this.environment, { MODEMD_SPEED: String(speed), MODEMD_PROBE: this.#probeFile })
  }

  override command(name: string, args: readonly string[]): string[] {
    const [program = '', ...rest] = super.command(name, args)
    const isProbed = name === 'modemd' || (name === 'modem-sim' && args[0] !== 'ctl')
    return isProbed ? [program, '--expose-gc', '--require', PROBE, ...rest] : [program, ...rest]
  }

  /** Follows the link's steps from here on. */
  async follow(): Promise<void> {
    this.#bus = await BusClient.open(this.bus, systemClock, {
      onSignal: (signal) => this.#onSignal(signal),
      onGone: () => {},
    })
    await this.#bus.addMatch(`type='signal',sender='${MODEMD}',path='${LINK_PATH}',member='StateChanged'`)
  }

  override remove(): void {
    this.#bus?.close()
    super.remove()
  }

  async ctl(...words: readonly string[]): Promise<Record<string, unknown>> {
    const [command = '', ...args] = words
    const answer = JSON.parse(await askControl(this.control, { command, args }))
    if (!answer.ok) throw new Error(`modem-sim: ${words.join(' ')}: ${answer.error}`)
    return answer
  }

  async statistics(): Promise<Stats> {
    const { modems } = await this.ctl('stats')
    return (modems as Stats[])[0]!
  }

  async linkState(): Promise<string> {
    const [variant] = await this.#call(LINK_PATH, PROPERTIES, 'Get', 'ss', [`${MODEMD}.Link1`, 'State'])
    return String((variant as { value?: unknown })?.value ?? variant)
  }

  async linkUp(): Promise<void> {
    await this.#call('/org/modemd', `${MODEMD}.Manager1`, 'Connect', 'sa{sv}', ['demo', {}])
  }

  async linkDown(): Promise<void> {
    await this.#call('/org/modemd', `${MODEMD}.Manager1`, 'Disconnect', 'o', [LINK_PATH])
  }

  /** The operator's page, through the link. */
  fetches(): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request({ host: OPERATOR, path: '/', timeout: 2000, agent: false }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200))
        response.on('error', () => resolve(false))
      })
      asked.on('timeout', () => asked.destroy())
      asked.on('error', () => resolve(false))
      asked.end()
    })
  }

  /** As `until`, for a condition that has to be asked for; false: the limit passed. */
  async waitFor(isSo: () => Promise<boolean> | boolean, limitMs: number, pauseMs = 5): Promise<boolean> {
    const giveUpAtMs = performance.now() + limitMs
    for (;;) {
      if (await isSo()) return true
      const { exitCode, signalCode } = this.modemd.child
      if (exitCode !== null || signalCode !== null) throw new Error(`modemd ended (${exitCode ?? signalCode})`)
      if (performance.now() > giveUpAtMs) return false
      await sleep(pauseMs)
    }
  }

  async holdings(): Promise<Holdings> {
    const { pid } = this.modemd.child
    rmSync(this.#probeFile, { force: true })
    process.kill(pid!, 'SIGUSR2')
    if (!(await this.waitFor(() => existsSync(this.#probeFile), 10_000))) throw new Error('modemd does not report')
    const { heapUsed, code, external, resources, listeners } = JSON.parse(readFileSync(this.#probeFile, 'utf8'))
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [objects] = await this.#call('/org/modemd', 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
    return {
      rssKiB: Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]),
      heapKiB: Math.round(heapUsed / 1024),
      dataKiB: Math.round((heapUsed - code) / 1024),
      externalKiB: Math.round(external / 1024),
      descriptors: this.openFiles(),
      timers: resources.Timeout ?? 0,
      listeners,
      busObjects: Object.keys(objects as object).length,
    }
  }

  get #probeFile(): string {
    return join(this.root, 'probe.json')
  }

  async #call(path: string, interfaceName: string, member: string, signature = '', body: readonly unknown[] = []) {
    if (!this.#bus) throw new Error('follow() first')
    return this.#bus.call({
      destination: MODEMD,
      path,
      interface: interfaceName,
      member,
      signature,
      body,
      timeoutMs: CONNECT_LIMIT_MS,
    })
  }

  #onSignal({ interface: name, member, body }: Signal): void {
    if (name !== `${MODEMD}.Link1` || member !== 'StateChanged') return
    const [, state, cause] = body as [string, string, string]
    this.steps.push({ state, cause })
  }
}

/** What systemd gives modemd: its memory is measured as it is in use. */
function unitEnvironment(): Record<string, string> {
  const unit = readFileSync(new URL('../../systemd/modemd.service', import.meta.url), 'utf8')
  const [...lines] = unit.matchAll(/^Environment=(\w+)=(.*)$/gm)
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]))
}
