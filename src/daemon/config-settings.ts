/** What modemd.conf and its drop-ins say of the daemon itself: from checked sections to settings. Pure; `config.ts` reads the files. */

import type { LogLevel } from '../base/ports.ts'
import { type CheckedSection, checkSection } from './config-check.ts'
import type { Fault } from './config-scanner.ts'
import { DAEMON_KEYS, DETECT_KEYS, DEVICE_KEYS, MAIN_SCHEMA } from './config-schema.ts'
import { DEVICE_PATTERN } from './config-values.ts'

export interface DeviceSettings {
  /** `tty:/dev/ttyS1`, `usb:1199:68a3`, `usb:1-2`. */
  readonly device: string
  /** Bits per second. */
  readonly baud: number
  /** '': none. */
  readonly init: string
  /** A file below /sys that switches its power; '': none. */
  readonly powerGpio: string
}

export interface DaemonSettings {
  readonly logLevel: LogLevel
  readonly isConsoleOn: boolean
  readonly hasMetrics: boolean
  /** The file of mobile-broadband-provider-info. */
  readonly apnDatabase: string
  /** `auto`, `strict` and device patterns. */
  readonly allow: readonly string[]
  readonly ignore: readonly string[]
  readonly devices: readonly DeviceSettings[]
}

export function checkSettings(
  sections: readonly CheckedSection[],
  readFaults: readonly Fault[],
): { settings: DaemonSettings; faults: Fault[]; warnings: Fault[] } {
  const sectionOf = (kind: string) => sections.find((section) => section.kind === kind)
  const daemon = checkSection(DAEMON_KEYS, sectionOf('daemon'), MAIN_SCHEMA)
  const detect = checkSection(DETECT_KEYS, sectionOf('detect'), MAIN_SCHEMA)
  const devices = sections
    .filter((section) => section.kind === 'device')
    .map((section) => ({ section, ...checkSection(DEVICE_KEYS, section, MAIN_SCHEMA) }))
  const oddDevices = devices
    .filter(({ section }) => !DEVICE_PATTERN.test(section.argument!))
    .map(({ section: { file, line, argument } }) => ({
      file,
      line,
      reason: `[device "${argument}"] must be tty:/dev/NAME, usb:VENDOR:PRODUCT or usb:BUS-PORT`,
    }))
  const warn = ({ file, line, reason }: Fault) => ({ file, line, reason: `this version does not support ${reason}` })

  return {
    settings: {
      logLevel: daemon.values['log-level'],
      isConsoleOn: daemon.values['at-console'],
      hasMetrics: daemon.values.metrics,
      apnDatabase: daemon.values['apn-database'],
      allow: detect.values.allow,
      ignore: detect.values.ignore,
      devices: devices.map(({ section, values: { baud, init, 'power-gpio': powerGpio } }) => ({
        device: section.argument!,
        baud,
        init,
        powerGpio,
      })),
    },
    faults: [
      ...readFaults,
      ...daemon.faults,
      ...detect.faults,
      ...devices.flatMap((each) => each.faults),
      ...oddDevices,
    ],
    warnings: [...daemon.unsupported, ...detect.unsupported].map(warn),
  }
}
