/**
 * modemd: the one place that wires all. Reads the configuration, puts right what a crash left, makes fleet, supervisor and
 * D-Bus service, and ends them in order on SIGTERM. The command line is the contract's (docs/man/modemd.8).
 */

import './memory.ts'
import { Command, CommanderError, Option } from 'commander'
import { errorText } from '../base/errors.ts'
import { LOG_LEVELS, type LogLevel, sleep } from '../base/ports.ts'
import { VERSION } from '../base/version.ts'
import { ModemManagerClient } from '../bus/modemmanager-client.ts'
import { type BusService, mustBeAlone, startBusService } from '../bus/service.ts'
import { ApnBook } from '../link/apn/book.ts'
import { ProviderDatabase } from '../link/apn/database.ts'
import { ApnMemory } from '../link/apn/memory.ts'
import { createSupervisor } from '../link/supervisor.ts'
import { createFleet } from '../modem/fleet.ts'
import { stateFilesIn } from '../modem/state-files.ts'
import { endLeftOverPppd } from '../ppp/engines/pppd-leftover.ts'
import { removeLocksAfterCrash } from '../serial/lock-file.ts'
import { createWireOpener } from '../serial/serialport-wire.ts'
import { systemClock, systemRandom } from '../system/clock.ts'
import { testPoller } from '../system/poll.ts'
import { applyDns, restoreDnsAfterCrash } from '../system/resolver.ts'
import { isExclusive } from '../system/serial-line.ts'
import { listenUevents } from '../system/uevents.ts'
import { Configuration } from './config.ts'
import { makeEngines } from './engines.ts'
import { createLogger, type DaemonLogger } from './logging.ts'
import { ServiceManager } from './notify.ts'

interface CommandLine {
  readonly config?: string
  readonly bus?: string
  readonly root: string
  readonly logLevel?: LogLevel
  readonly check: boolean
}

/** A stop that takes longer leaves the rest to the next start. */
const STOP_LIMIT_MS = 5000
/** So long links may say goodbye to a peer or modem that is silent: hanging up the slow way takes 2.7 s. */
const GOODBYE_LIMIT_MS = 3500

const HELP = `
Exit codes:
  0  ended by SIGTERM or SIGINT, or --check found no fault
  1  a fault in the configuration, or another failure to start
  2  wrong usage

Example, without a modem: see modem-sim(1); with one:
  modemd --log-level debug
`

await main()

async function main(): Promise<void> {
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
  await testPoller()
  await mustBeAlone({ address: options.bus ?? 'system', clock: systemClock, logger })
  // Links come up all the same.
  await restoreDnsAfterCrash(root).catch((error) => logger.error(`${errorText(error)}: mend /etc/resolv.conf by hand.`))
  await removeLocksAfterCrash(`${root}/run/lock`)
  const stateDirectory = `${root}/var/lib/modemd`
  const address = options.bus ?? 'system'
  // It would have the port.
  await endLeftOverPppd({ clock: systemClock, logger })
  // Before the first port is opened.
  const foreign = await ModemManagerClient.start({ address, processId: process.pid, clock: systemClock, logger })
  const fleet = createFleet({
    root,
    stateDirectory,
    // Asked anew for each device, so that a reload counts for those that come.
    get settings() {
      return configuration.daemon!
    },
    openWire: createWireOpener({ root, clock: systemClock, logger, isExclusive }),
    listenUevents,
    foreign,
    pinFor: (modem) => supervisor.pinFor(modem),
    clock: systemClock,
    random: systemRandom,
    logger,
  })
  const { engines, reports } = makeEngines({ clock: systemClock, random: systemRandom, logger })
  for (const { name, why } of reports) logger.info(`The PPP engine ${name}: ${why}.`)
  const supervisor = createSupervisor({
    version: VERSION,
    fleet,
    engines,
    engineReports: reports,
    profiles: configuration,
    clock: systemClock,
    random: systemRandom,
    logger,
    resolver: { apply: (interfaceName, servers) => applyDns({ root, interfaceName, servers }) },
    apns: new ApnBook({
      database: new ProviderDatabase(() => configuration.daemon!.apnDatabase, logger),
      memory: new ApnMemory(stateFilesIn(stateDirectory, root), logger),
      logger,
    }),
  })
  let service: BusService | undefined
  const stop = async () => {
    manager.stopping()
    systemClock.at(systemClock.nowMs() + STOP_LIMIT_MS, () => process.exit(1))
    const linksDown = supervisor.close()
    // Ports that are let go of end what still waits for an answer: name servers, routes and locks go with it.
    await Promise.race([linksDown, sleep(systemClock, GOODBYE_LIMIT_MS).then(() => fleet.close())])
    await linksDown
    await service?.close()
    await fleet.close()
    await foreign.close()
    manager.close()
  }
  try {
    service = await startBusService({
      address: options.bus ?? 'system',
      api: supervisor,
      isConsoleOn: () => configuration.daemon?.isConsoleOn === true,
      clock: systemClock,
      logger,
    })
  } catch (error) {
    await stop()
    throw error
  }
  manager.ready()
  process.on('SIGHUP', () => reload())
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

function terminationSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve())
    process.on('SIGINT', () => resolve())
  })
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

function parseCommandLine(): CommandLine {
  const command = new Command('modemd')
    .description('Connection manager for GSM/LTE modems: finds them, dials, brings up PPP, tells D-Bus, redials.')
    .option('--config <FILE>', 'another modemd.conf, with conf.d/ and profiles/ beside it')
    .option('--bus <BUS>', 'system, session or an address (default: DBUS_SYSTEM_BUS_ADDRESS, else system)')
    .option('--root <DIR>', 'put before /sys, /dev, /run, /var/lib and /etc (tests, demo)', '/')
    .addOption(new Option('--log-level <LEVEL>', 'how much to log').choices(LOG_LEVELS))
    .option('--check', 'read the configuration, print every fault as file:line: reason, and end', false)
    .version(VERSION)
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({ outputError: tellWrongUse })
  try {
    return command.parse().opts<CommandLine>()
  } catch (error) {
    process.exit(error instanceof CommanderError && error.exitCode === 0 ? 0 : 2)
  }
}

/** commander says `error: what`; every program here says `program: what happened: what to do`. */
function tellWrongUse(text: string, write: (text: string) => void): void {
  const what = text.trim().replace(/^error: /, '')
  write(`modemd: ${what.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '')}: see modemd --help\n`)
}
