/** `metrics = yes`: the endpoint for Prometheus (docs/metrics.md), on or off as the configuration says. What serves it is loaded when it is first switched on. */

import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import type { SupervisorApi } from '../link/snapshot.ts'
import type { MetricsServer } from './metrics-server.ts'

const METRICS_PORT = 9469

export interface MetricsOptions {
  readonly supervisor: SupervisorApi
  readonly logger: Logger
  /** 0: any that is free. */
  readonly port?: number
}

export class MetricsEndpoint {
  readonly #options: Required<MetricsOptions>
  #server: MetricsServer | undefined
  #fault: string | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor({ supervisor, logger, port = METRICS_PORT }: MetricsOptions) {
    this.#options = { supervisor, logger, port }
  }

  /** Why it is not there though it should be. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** `http://127.0.0.1:9469/metrics`; undefined: it is off. */
  get address(): string | undefined {
    return this.#server?.address
  }

  /** Never rejects: links work without it. */
  set(isOn: boolean): Promise<void> {
    this.#turn = this.#turn.then(() => (isOn ? this.#open() : this.#shut()))
    return this.#turn
  }

  async #open(): Promise<void> {
    if (this.#server) return
    const { supervisor, logger, port } = this.#options
    try {
      const { startMetricsServer } = await import('./metrics-server.ts')
      this.#server = await startMetricsServer(supervisor, port)
      this.#fault = undefined
      logger.info(`Metrics are on ${this.#server.address}.`)
    } catch (error) {
      this.#fault = `the metrics endpoint cannot have port ${port}: ${errorText(error)}`
      logger.error(`${this.#fault}.`)
    }
  }

  async #shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#fault = undefined
    await server?.close()
  }
}
