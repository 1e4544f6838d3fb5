/** A private bus with the service on it, for one test. */

import type { TestContext } from 'node:test'
import type { LogFields, Logger } from '../../src/base/ports.ts'
import { BusConnection, type ReceivedSignal } from '../../src/bus/connection.ts'
import { type BusService, type BusServiceOptions, startBusService } from '../../src/bus/service.ts'
import { systemClock } from '../../src/system/clock.ts'
import { FakeSupervisor } from '../support/fake-supervisor.ts'
import { PrivateBus } from './private-bus.ts'

export const MANAGER = '/org/modemd'
export const MODEM = '/org/modemd/modem/imei_5f356938035643809'
export const LINK = '/org/modemd/link/demo'

/** Keeps what is logged: `warn: text`. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = []

  error(message: string, fields?: LogFields) {
    this.lines.push(`error: ${message} ${fields?.stack ?? ''}`)
  }

  warn(message: string) {
    this.lines.push(`warn: ${message}`)
  }

  info(message: string) {
    this.lines.push(`info: ${message}`)
  }

  debug(message: string) {
    this.lines.push(`debug: ${message}`)
  }

  get errors(): readonly string[] {
    return this.lines.filter((line) => line.startsWith('error'))
  }
}

export interface Fixture {
  readonly bus: PrivateBus
  readonly api: FakeSupervisor
  readonly logger: MemoryLogger
  readonly service: BusService
}

/** All is taken down when the test ends. */
export async function serve(
  context: TestContext,
  options: Partial<BusServiceOptions> = {},
  busConfiguration?: string,
): Promise<Fixture> {
  const bus = await PrivateBus.start(busConfiguration)
  let service: BusService | undefined
  context.after(async () => {
    await service?.close()
    await bus.close()
  })
  const api = new FakeSupervisor()
  const logger = new MemoryLogger()
  service = await startBusService({
    address: bus.address,
    api,
    diagnose: () => api.diagnose(),
    clock: systemClock,
    logger,
    ...options,
  })
  return { bus, api, logger, service }
}

/** A client on the bus, quicker than a program for each call. */
export class Client {
  readonly connection: BusConnection
  readonly signals: ReceivedSignal[]

  private constructor(connection: BusConnection, signals: ReceivedSignal[]) {
    this.connection = connection
    this.signals = signals
  }

  /** Receives every signal of modemd. */
  static async connect(context: TestContext, bus: PrivateBus): Promise<Client> {
    const signals: ReceivedSignal[] = []
    const connection = await BusConnection.open(bus.address, systemClock, new MemoryLogger(), {
      onCall: (call) => call.fail('org.example.Error', 'Nobody is here.'),
      onSignal: (signal) => signal.sender !== 'org.freedesktop.DBus' && signals.push(signal),
      onLost: () => undefined,
    })
    context.after(() => connection.close())
    await connection.callBus('AddMatch', 's', ["type='signal',sender='org.modemd'"])
    return new Client(connection, signals)
  }

  call(path: string, interfaceName: string, member: string, signature = '', ...body: readonly unknown[]) {
    return this.connection.call({
      destination: 'org.modemd',
      path,
      interface: interfaceName,
      member,
      signature,
      body,
    })
  }

  /** All signals sent before now have come when this resolves. */
  async sync(): Promise<void> {
    await this.call(MANAGER, 'org.freedesktop.DBus.Peer', 'Ping')
  }

  /** PropertiesChanged of one interface: what changed, and what was lost. */
  propertyChanges(interfaceName: string, path?: string): readonly ReceivedSignal[] {
    return this.signals.filter(
      ({ member, body, path: from }) =>
        member === 'PropertiesChanged' && body[0] === interfaceName && (path === undefined || from === path),
    )
  }
}

/** A variant's dictionary without the types. */
export function plain(dictionary: unknown): Record<string, unknown> {
  const entries = Object.entries(dictionary as Record<string, { value: unknown }>)
  return Object.fromEntries(entries.map(([key, { value }]) => [key, value]))
}
