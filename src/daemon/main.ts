/**
 * modemd: the one place that wires all. Reads the configuration, puts right what a crash left, makes fleet, supervisor and
 * D-Bus service, and ends them in order on SIGTERM. The command line is the contract's (docs/man/modemd.8).
 */

import './memory.ts'
import { errorText } from '../base/errors.ts'
import { sleep } from '../base/ports.ts'
import { VERSION } from '../base/version.ts'
import { resolveBusAddress } from '../bus/address.ts'
import { followLogind } from '../bus/logind.ts'
import { ModemManagerClient } from '../bus/modemmanager-client.ts'
import { Neighbours } from '../bus/neighbours.ts'
import { type BusService, mustBeAlone, startBusService } from '../bus/service.ts'
import { ApnBook } from '../link/apn/book.ts'
import { ProviderDatabase } from '../link/apn/database.ts'
import { ApnMemory } from '../link/apn/memory.ts'
import { createSupervisor } from '../link/supervisor.ts'
import { UsageLedger } from '../link/usage/ledger.ts'
import { createFleet } from '../modem/fleet.ts'
import { stateFilesIn } from '../modem/state-files.ts'
import { createWireOpener } from '../serial/serialport-wire.ts'
import { systemClock, systemRandom } from '../system/clock.ts'
import { forbidCoreDumps } from '../system/core-dumps.ts'
import { testPoller } from '../system/poll.ts'
import { isExclusive } from '../system/serial-line.ts'
import { SleepClock } from '../system/sleep-clock.ts'
import { SleepInhibitor } from '../system/sleep-inhibitor.ts'
import { listenUevents } from '../system/uevents.ts'
import { type CommandLine, parseCommandLine } from './command-line.ts'
import { Configuration } from './config.ts'
import { putRightAfterCrash } from './crash.ts'
import { diagnose } from './diagnose.ts'
import { makeEngines } from './engines.ts'
import { createLogger, type DaemonLogger } from './logging.ts'
import { MetricsEndpoint } from './metrics.ts'
import { makeResolver } from './name-servers.ts'
import { ServiceManager } from './notify.ts'
import { privilegeFindings } from './privileges.ts'
import { Suspend } from './suspend.ts'

/** A stop that takes longer leaves the rest to the next start. */
const STOP_LIMIT_MS = 5000
/** So long links may say goodbye to a peer or modem that is silent: hanging up the slow way takes 2.7 s. */
const GOODBYE_LIMIT_MS = 3500

void main()

async function main(): Promise<void> {
  forbidCoreDumps()
  const options = parseCommandLine()
  const configuration = new Configuration({ root: options.root, file: options.config })
  if (options.check) return check(configuration)
  const level = () => options.logLevel ?? configuration.daemon?.logLevel ?? 'info'
  const logger = createLogger({ level: level(), secrets: () => configuration.secrets })
  configuration.onRead = () => logger.setLevel(level())
  for (const fault of configuration.faults) logger.error(fault)
  for (const warning of configuration.warnings) logger.warn(warning)
  if (!configuration.daemon)
    return fail('modemd.conf has faults and there is no good one to go on with: mend them (modemd --check)')
  try {
    await serve(options, configuration, logger)
  } catch (error) {
    fail(errorText(error))
  }
}

async function serve(options: CommandLine, configuration: Configuration, logger: DaemonLogger): Promise<void> {
  const root = options.root === '/' ? '' : options.root
  const manager = new ServiceManager()
  const ended = terminationSignal()
  // Until it is ready there is nothing to read again: the configuration is fresh.
  let onHangUp = () => {}
  process.on('SIGHUP', () => onHangUp())
  await testPoller()
  const address = options.bus ?? 'system'
  const stateDirectory = `${root}/var/lib/modemd`
  let suspend: Suspend | undefined
  const clock = new SleepClock(systemClock, (ms) => suspend?.slept(ms))
  const ports = { clock, random: systemRandom, logger }
  await mustBeAlone({ address, ...ports })
  const neighbours = await Neighbours.start({ address, ...ports })
  const resolver = await makeResolver({ root, neighbours, ...ports })
  await putRightAfterCrash({ root, resolver, ...ports })
  // Before the first port is opened.
  const foreign = await ModemManagerClient.start({ neighbours, processId: process.pid, logger })
  const fleet = createFleet({
    root,
    stateDirectory,
    // Asked anew for each device, so that a reload counts for those that come.
    get settings() {
      return configuration.daemon!
    },
    openWire: createWireOpener({ root, isExclusive, ...ports }),
    listenUevents,
    foreign,
    pinFor: (modem) => supervisor.pinFor(modem),
    ...ports,
  })
  const { engines, reports } = makeEngines(ports)
  for (const { name, why } of reports) logger.info(`The PPP engine ${name}: ${why}.`)
  for (const { check, state, detail, advice } of privilegeFindings(root))
    if (state !== 'ok') logger.warn(`${check}: ${detail}: ${advice}.`)
  const supervisor = createSupervisor({
    version: VERSION,
    fleet,
    engines,
    engineReports: reports,
    profiles: configuration,
    ...ports,
    resolver,
    usage: new UsageLedger({ files: stateFilesIn(stateDirectory, root), ...ports }),
    apns: new ApnBook({
      database: new ProviderDatabase(() => configuration.daemon!.apnDatabase, logger),
      memory: new ApnMemory(stateFilesIn(stateDirectory, root), logger),
      logger,
    }),
  })
  const metrics = new MetricsEndpoint({ supervisor, logger })
  const { onRead } = configuration
  configuration.onRead = () => {
    onRead?.()
    void metrics.set(configuration.daemon?.hasMetrics === true)
  }
  const inhibitor = new SleepInhibitor({ busAddress: resolveBusAddress(address, process.env), logger })
  suspend = new Suspend({ supervisor, inhibitor, clock, logger })
  await followLogind(neighbours, suspend)
  let service: BusService | undefined
  const stop = async () => {
    manager.stopping()
    suspend.close()
    const linksDown = supervisor.close()
    // Ports that are let go of end what still waits for an answer: name servers, routes and locks go with it.
    await Promise.race([linksDown, sleep(clock, GOODBYE_LIMIT_MS).then(() => fleet.close())])
    await linksDown
    await service?.close()
    await metrics.set(false)
    await fleet.close()
    resolver.close()
    await neighbours.close()
    manager.close()
  }
  try {
    service = await startBusService({
      address,
      api: supervisor,
      diagnose: async () =>
        diagnose({
          supervisor,
          readConfiguration: () => new Configuration({ root: options.root, file: options.config }),
          root,
          stateDirectory: '/var/lib/modemd',
          metricsFault: () => metrics.fault,
        }),
      isConsoleOn: () => configuration.daemon?.isConsoleOn === true,
      ...ports,
    })
  } catch (error) {
    limitStop()
    await stop()
    throw error
  }
  manager.ready()
  void metrics.set(configuration.daemon?.hasMetrics === true)
  onHangUp = reload
  await ended
  await stop()
  process.exit(0)

  async function reload(): Promise<void> {
    manager.reloading()
    try {
      await supervisor.reloadConfig()
      logger.info('The configuration was read again.')
    } catch (error) {
      logger.error(errorText(error))
    }
    manager.ready()
  }
}

/** The stop begins once the start is over, but its time runs from the signal: a bus may never answer. */
function terminationSignal(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = () => {
      limitStop()
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function limitStop(): void {
  systemClock.at(systemClock.nowMs() + STOP_LIMIT_MS, () => process.exit(1))
}

function check(configuration: Configuration): void {
  for (const line of configuration.findings) console.error(line)
  if (configuration.faults.length === 0)
    console.log(`modemd: no fault in ${configuration.shownFile} and what is beside it`)
  else process.exitCode = 1
}

function fail(sentence: string): void {
  console.error(`modemd: ${sentence}`)
  process.exit(1)
}
