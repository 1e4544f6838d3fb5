/**
 * modemd: the one place that wires all. Reads the configuration, puts right what a crash left, makes fleet, supervisor and
 * D-Bus service, and ends them in order on SIGTERM. The command line is the contract's (docs/man/modemd.8).
 */

import './memory.ts'
import { errorText, ModemdError } from '../base/errors.ts'
import { type Logger, sleep } from '../base/ports.ts'
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
import { writeOutput } from '../system/output.ts'
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
import { createLogger, type DaemonLogger, errorPriority } from './logging.ts'
import { MetricsEndpoint } from './metrics.ts'
import { makeResolver } from './name-servers.ts'
import { ServiceManager } from './notify.ts'
import { privilegeFindings } from './privileges.ts'
import { Suspend } from './suspend.ts'

/** So long links may say goodbye to a peer or modem that is silent: hanging up the slow way takes 2.7 s. */
const GOODBYE_LIMIT_MS = 3500
/**
 * A stop that takes longer leaves the rest to the next start, which may be far off. Together, those who may be silent take 9.5 s: links
 * their goodbye, systemd-resolved 5 s, the bus 1 s. The rest is for a busy machine; systemd waits for 15 s (systemd/modemd.service).
 */
const STOP_LIMIT_MS = 12_000
/** Before anything was set up. */
const UNREADY_STOP_LIMIT_MS = 5000

void main()

async function main(): Promise<void> {
  forbidCoreDumps()
  const options = parseCommandLine()
  const configuration = new Configuration({ root: options.root, file: options.config })
  if (options.check) return check(configuration, options.root)
  const level = () => options.logLevel ?? configuration.daemon?.logLevel ?? 'info'
  const logger = createLogger({ level: level(), secrets: () => configuration.secrets, root: options.root })
  configuration.onRead = () => logger.setLevel(level())
  configuration.onReload = () => tell(configuration, logger)
  tell(configuration, logger)
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
  let stopLimitMs = UNREADY_STOP_LIMIT_MS
  const ended = terminationSignal(() => limitStop(stopLimitMs, logger))
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
    const busLeft = service?.close()
    await metrics.set(false)
    await fleet.close()
    resolver.close()
    await neighbours.close()
    await busLeft
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
    limitStop(STOP_LIMIT_MS, logger)
    await stop()
    throw error
  }
  stopLimitMs = STOP_LIMIT_MS
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
      // Faults of the configuration are told by then.
      if (!(error instanceof ModemdError)) logger.error(errorText(error))
    }
    manager.ready()
  }
}

/** The stop begins once the start is over, but its time runs from the signal: a bus may never answer. */
function terminationSignal(limit: () => void): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = () => {
      limit()
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function limitStop(ms: number, logger: Logger): void {
  systemClock.at(systemClock.nowMs() + ms, () => {
    logger.error(
      `The stop took longer than ${ms / 1000} s and is cut off: what is left is put right by the next start.`,
    )
    process.exit(1)
  })
}

/** At the start, and after each reading that somebody asked for. */
function tell({ faults, consequences, warnings, daemon }: Configuration, logger: Logger): void {
  for (const fault of faults) logger.error(fault)
  // Without settings there is nothing that goes on.
  if (daemon) for (const consequence of consequences) logger.error(consequence)
  for (const warning of warnings) logger.warn(warning)
}

function check({ findings, faults, shownFile, isThere }: Configuration, root: string): void {
  for (const line of findings) console.error(line)
  const absent = `not there${root === '/' ? '' : ` below ${root}`}: defaults are used`
  const good = `modemd: no fault in ${shownFile}${isThere ? '' : ` (${absent})`} and what is beside it\n`
  if (faults.length > 0 || !writeOutput('modemd', Buffer.from(good))) process.exitCode = 1
}

function fail(sentence: string): void {
  console.error(`${errorPriority()}modemd: ${sentence}`)
  process.exit(1)
}
