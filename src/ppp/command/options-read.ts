/** The whole way from argv to PppOptions: files and command line in pppd's order, checks, `dump`. Called by `options.ts`. */

import { HELP_TEXT, usage, VERSION_TEXT } from './help.ts'
import type { Detach, EarlyEnd, FlowControl, LineSource, LogTarget, PppOptions } from './options.ts'
import { Credentials } from './options-auth.ts'
import { checkOptions, type OptionFault } from './options-check.ts'
import { dumpLines } from './options-dump.ts'
import { OptionReader } from './options-reader.ts'
import type { OptionServices } from './options-services.ts'
import { sessionSettings } from './options-settings.ts'
import type { OptionValues } from './options-values.ts'

const SYSTEM_FILE = '/etc/ppp/options'
/** pppd's EXIT_OPTION_ERROR. */
const OPTION_ERROR = 2

export function readAll(argv: readonly string[], services: OptionServices): PppOptions | EarlyEnd {
  const reader = new OptionReader(services)
  const isRead = readFilesAndArguments(reader, argv, services)
  if (reader.wants) return { exitCode: 0, stdout: reader.wants === 'help' ? HELP_TEXT : VERSION_TEXT, stderr: '' }
  if (!isRead) return faultEnd(reader, services, { exitCode: OPTION_ERROR, messages: [] })
  const { values } = reader
  const credentials = new Credentials(values, services, () => {})
  const fault = checkOptions(values, reader.isUserPrivileged, services, credentials)
  if (fault) return faultEnd(reader, services, fault)
  return optionsOf(reader, services)
}

function readFilesAndArguments(reader: OptionReader, argv: readonly string[], services: OptionServices): boolean {
  // Whoever asks for help alone gets it, whatever the files say.
  if (argv.length === 1 && ['--help', '-h', '--version'].includes(argv[0]!)) return reader.commandLine(argv)
  if (!reader.systemFile(SYSTEM_FILE, !services.isRoot)) return false
  if (services.homeDirectory && !reader.wants && !reader.userFile(`${services.homeDirectory}/.ppprc`)) return false
  if (!reader.wants && !reader.commandLine(argv)) return false
  if (reader.wants) return true
  reader.settleLine()
  return ttyFile(reader, services)
}

/** The tty is known now, and with it the name of its own options file. */
function ttyFile(reader: OptionReader, services: OptionServices): boolean {
  const { values } = reader
  if (values.noTty || values.ptyCommand !== '') return true
  if (values.isDefaultDevice) {
    const tty = services.standardInputTty()
    if (tty === undefined) {
      reader.messages.push('no device specified and stdin is not a tty')
      return false
    }
    values.device = tty
  }
  const name = values.device.replace(/^.*?\/dev\//, '')
  return name === '' || name === 'tty' || reader.systemFile(`${SYSTEM_FILE}.${name.replaceAll('/', '.')}`, false)
}

/** What pppd logs goes to its standard output, too. */
function faultEnd(reader: OptionReader, { programName }: OptionServices, fault: OptionFault): EarlyEnd {
  const stderr = [...reader.messages, ...fault.messages].map((message) => `${programName}: ${message}\n`).join('')
  const logged = fault.warning === undefined ? reader.warnings : [...reader.warnings, fault.warning]
  return {
    exitCode: fault.exitCode,
    stdout: logged.map((line) => `${line}\n`).join(''),
    stderr: reader.showsUsage ? `${stderr}${usage(programName)}` : stderr,
  }
}

function optionsOf(reader: OptionReader, services: OptionServices): PppOptions {
  const { values } = reader
  const isDryRun = values.isDryRun === 1
  return {
    isDryRun,
    dumpLines: isDryRun || values.dumps ? dumpLines(reader) : [],
    warnings: reader.warnings,
    line: lineOf(values),
    speedBaud: values.speed > 0 ? values.speed : undefined,
    flowControl: FLOW_CONTROLS[values.flowControl] ?? 'leave',
    stopBits: values.stopBits === 2 ? 2 : 1,
    usesModemLines: values.usesModemLines === 1,
    locksTty: values.locks === 1,
    scripts: {
      init: values.init || undefined,
      connect: values.connect || undefined,
      disconnect: values.disconnect || undefined,
      welcome: values.welcome || undefined,
    },
    connectDelayMs: Math.max(values.connectDelayMs, 0),
    escapes: [...values.escapes].sort((a, b) => a - b),
    engine: isRecorded(values) ? 'builtin' : values.engine,
    interfaceName: values.interfaceName || (values.unit >= 0 ? `ppp${values.unit}` : undefined),
    defaultRoute: values.defaultRoute
      ? { ...metricOf(values), replaces: values.replacesDefaultRoute === 1 }
      : undefined,
    sessionSettings: (notice) => sessionSettings(values, services, new Credentials(values, services, notice)),
    trafficLimit: trafficLimitOf(values),
    detach: detachOf(values),
    notifiesSystemd: values.notifiesSystemd === 1,
    log: logOf(values),
    debugLevel: values.debug,
    persists: values.persists === 1,
    maxFailures: Math.max(values.maxFail, 0),
    holdOffMs: Math.max(values.holdOffS, 0) * 1000,
    childTimeoutMs: Math.max(values.childTimeoutS, 0) * 1000,
    remoteNumber: values.remoteNumber || undefined,
    linkName: values.linkName || undefined,
    ipParam: values.ipParam || undefined,
    usesPeerDns: values.usesPeerDns === 1,
    eventScripts: {
      ipPreUp: '/etc/ppp/ip-pre-up',
      ipUp: values.ipUpScript,
      ipDown: values.ipDownScript,
      ipv6Up: '/etc/ppp/ipv6-up',
      ipv6Down: '/etc/ppp/ipv6-down',
      authUp: '/etc/ppp/auth-up',
      authDown: '/etc/ppp/auth-down',
    },
    scriptVariables: new Map([...values.variables].map(([name, { value }]) => [name, value])),
    recordFile: values.recordFile || undefined,
    pcapFile: values.pcapFile || undefined,
  }
}

function isRecorded({ recordFile, pcapFile }: OptionValues): boolean {
  return recordFile !== '' || pcapFile !== ''
}

const FLOW_CONTROLS: Readonly<Record<number, FlowControl>> = {
  1: 'rts-cts',
  2: 'cdtr-cts',
  [-1]: 'none',
  [-2]: 'xon-xoff',
}

function lineOf(values: OptionValues): LineSource {
  if (values.noTty) return { type: 'stdio' }
  if (values.ptyCommand !== '') return { type: 'command', command: values.ptyCommand }
  return { type: 'tty', path: values.device, isStandardInput: values.isDefaultDevice === 1 }
}

function metricOf({ defaultRouteMetric }: OptionValues): { readonly metric: number | undefined } {
  return { metric: defaultRouteMetric < 0 ? undefined : defaultRouteMetric }
}

function trafficLimitOf(values: OptionValues): PppOptions['trafficLimit'] {
  if (values.maxOctets === 0) return undefined
  return {
    bytes: values.maxOctets >>> 0,
    counts: values.octetsDirection as 'sum' | 'in' | 'out' | 'max',
    checkMs: Math.max(values.octetsCheckS, 1) * 1000,
  }
}

function detachOf(values: OptionValues): Detach {
  if (values.noDetach) return 'never'
  return values.detachesWhenUp ? 'at-up' : 'at-start'
}

function logOf(values: OptionValues): LogTarget {
  if (values.logFile !== '') return { type: 'file', path: values.logFile }
  return values.logFd < 0 ? { type: 'none' } : { type: 'fd', fd: values.logFd }
}
