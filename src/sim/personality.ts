/**
 * What makes a modem family: ports and USB ids, identity, dialect, timings and habits, as data files in `personalities/`
 * from public documents. A user's own file has the same shape (`--personality ./mine.json`).
 */

import { ModemdError } from '../base/errors.ts'
import { parseIpv4 } from '../base/ipv4.ts'
import generic from './personalities/generic.json' with { type: 'json' }
import huaweiE173 from './personalities/huawei-e173.json' with { type: 'json' }
import quectelEc25 from './personalities/quectel-ec25.json' with { type: 'json' }
import sierraMc7304 from './personalities/sierra-mc7304.json' with { type: 'json' }
import simcomSim800 from './personalities/simcom-sim800.json' with { type: 'json' }
import telitLe910 from './personalities/telit-le910.json' with { type: 'json' }
import ubloxSara from './personalities/ublox-sara.json' with { type: 'json' }
import zteMf190 from './personalities/zte-mf190.json' with { type: 'json' }
import {
  type Check,
  type Checked,
  count,
  fields,
  flag,
  listOf,
  mapOf,
  matching,
  oneOf,
  orNull,
  text,
  withDefault,
} from './schema.ts'

const hex = (digits: number) => matching(new RegExp(`^[0-9a-f]{${digits}}$`), `${digits} hexadecimal digits`)
const reply = matching(/^[ -~]+$/, 'one line of a reply')

/** Said by itself, so long after what it tells of; `{csq}`, `{pin}`, `{name}` … are filled in (`modem-state.ts`). */
const sayings = withDefault(listOf(fields({ text: reply, afterMs: count() })), [])

const ipv4: Check<number> = (value, path, faults) => {
  const address = typeof value === 'string' ? parseIpv4(value) : undefined
  if (address === undefined) faults.push(`${path}: must be an IPv4 address`)
  return address ?? 0
}

/** `modem`: AT and calls. `at`: AT beside a call, and the vendor's reports. `diag`, `gps`: a tty that answers no AT. */
const usbInterface = fields({
  number: count(255),
  class: hex(2),
  subClass: hex(2),
  protocol: hex(2),
  driver: orNull(oneOf('option', 'cdc_acm', 'cdc_ether', 'usb-storage', 'sierra', 'qcserial', 'qmi_wwan')),
  port: orNull(oneOf('modem', 'at', 'diag', 'gps')),
})

const personality = fields({
  name: matching(/^[a-z0-9-]+$/, 'lower-case letters, digits and hyphens'),
  title: text,
  sources: listOf(text),
  /** null: no USB, one UART. */
  usb: orNull(
    fields({
      idVendor: hex(4),
      idProduct: hex(4),
      bcdDevice: hex(4),
      deviceClass: hex(2),
      deviceSubClass: hex(2),
      deviceProtocol: hex(2),
      manufacturer: text,
      product: text,
      interfaces: listOf(usbInterface),
    }),
  ),
  identity: fields({
    manufacturer: text,
    model: text,
    revision: text,
    /** Lines of ATI; `{imei}`, `{model}` … are filled in. */
    info: listOf(text),
    imeiTac: matching(/^\d{8}$/, '8 digits'),
  }),
  dialect: fields({
    echo: flag,
    /** +CMEE at power-on. */
    errorLevel: oneOf(0, 1, 2),
    /** What an unknown command gets: `ERROR`, `+CME ERROR: 4`, or the vendor's own words. */
    unknownCommand: reply,
    /** `+CSQ: 18,99` or `+CSQ:18,99`. */
    spaceAfterColon: flag,
    /** How the string of +CUSD is written. */
    ussd: withDefault(oneOf('plain', 'packed'), 'plain'),
    /** Command sets in code (`commands/`). */
    sets: listOf(oneOf('3gpp', 'huawei', 'zte', 'quectel', 'simcom', 'sierra', 'telit', 'ublox')),
    /** Commands of those sets that this modem lacks. */
    absent: listOf(text),
    /** Area, cell and technology as +CREG: 2 gives them; a 2G modem knows of no technology. */
    place: withDefault(reply, '"{area}","{cell}",{act}'),
    /** A second result behind that of a command (`+QPOWD=`), which has nothing to do with V.250. */
    extraResults: withDefault(mapOf(reply), {}),
    /** Fixed replies by command as typed without AT, e.g. `^HWVER`; the lines before OK. */
    replies: mapOf(listOf(reply)),
  }),
  reports: fields({
    /** From the end of bootMs on. */
    start: sayings,
    /** Without a PIN at power-on, else once it was taken. */
    simReady: sayings,
    simRemoved: sayings,
    /** Before simReady, where the card asks for no PIN. */
    simInserted: sayings,
    registered: sayings,
    unregistered: sayings,
    /** When the signal changes, at most every signalEveryMs. */
    signal: withDefault(listOf(reply), []),
    /** false: only once the host asked for them, by a command of the vendor's. */
    signalUnasked: withDefault(flag, true),
    /** Said on the `at` port again and again until the host switches reports off or the SIM is unlocked. */
    boot: orNull(fields({ text: reply, everyMs: count() })),
    signalEveryMs: count(),
    /** ^DSFLOWRPT while a call stands; 0: none. */
    flowEveryMs: count(),
  }),
  timings: fields({
    /** From plug until AT is answered. */
    bootMs: count(),
    replyMs: count(),
    /** By command and form, e.g. `+COPS=?`, `D`; they replace replyMs. */
    slowMs: mapOf(count()),
    /** From power-on until the SIM is known; +CPIN? gets `+CME ERROR: 14` before. */
    simBusyMs: withDefault(count(), 0),
    /** From the PIN until the SIM can be read. */
    simReadyMs: count(),
    registerMs: count(),
  }),
  radio: fields({
    technology: oneOf('gsm', 'umts', 'lte'),
    /** ^MODE and ^SYSINFO of the vendor; unused elsewhere. */
    systemMode: count(99),
  }),
  call: fields({
    connect: reply,
    apnRefused: reply,
    unregistered: reply,
    /** +CGDCONT at power-on. */
    contexts: listOf(fields({ cid: count(16), type: oneOf('IP', 'IPV6', 'IPV4V6'), apn: text })),
  }),
  ppp: fields({
    /** `bare`: replies without magic number or data. */
    echoReplies: oneOf('full', 'bare', 'none'),
    /** What the modem says its own address is; null: the operator's gateway, the first address of the pool. */
    peerAddress: orNull(ipv4),
    /** false: its Configure-Request has no address at all. */
    namesItsAddress: flag,
    /** Name servers offered by Configure-Nak for so many requests, before the real ones. */
    dnsPlaceholders: fields({ servers: listOf(ipv4), naks: count(100) }),
    /** The modem itself asks for a log-in and lets anybody in, where the operator (`--auth`) asks for none. */
    asksAnybody: orNull(oneOf('pap', 'chap')),
    /** A PAP Ack has a message. */
    papAckMessage: flag,
    /** After CONNECT: what comes is lost, and nothing is said. */
    silentMs: count(60_000),
    /** Says nothing before the host's first frame. */
    waitsForHost: flag,
    /** Sends Terminate-Request when the network ends the call, or just drops the line. */
    terminates: flag,
  }),
})

export type Personality = Checked<typeof personality>
export type UsbInterface = NonNullable<Personality['usb']>['interfaces'][number]

/** The one port of a modem without USB. */
const UART: readonly UsbInterface[] = [
  { number: 0, class: '00', subClass: '00', protocol: '00', driver: null, port: 'modem' },
]

export function interfacesOf({ usb }: Personality): readonly UsbInterface[] {
  return usb?.interfaces ?? UART
}

const BUNDLED: Readonly<Record<string, unknown>> = {
  generic,
  'huawei-e173': huaweiE173,
  'zte-mf190': zteMf190,
  'quectel-ec25': quectelEc25,
  'simcom-sim800': simcomSim800,
  'sierra-mc7304': sierraMc7304,
  'telit-le910': telitLe910,
  'ublox-sara': ubloxSara,
}

export const PERSONALITY_NAMES: readonly string[] = Object.keys(BUNDLED)

/** Every fault of the file in one error; `source` is the file's name for people. */
export function checkPersonality(value: unknown, source: string): Personality {
  const faults: string[] = []
  const checked = personality(value, '', faults)
  if (faults.length === 0 && !interfacesOf(checked).some((each) => each.port === 'modem'))
    faults.push('usb.interfaces: one must have the port "modem"')
  if (faults.length > 0) throw new ModemdError('InvalidArgs', `${source}: ${faults.join('; ')}`)
  return checked
}

/** A bundled one by name, or a JSON file where the name has a slash or ends in `.json`. */
export function loadPersonality(name: string, readFile: (path: string) => string): Personality {
  const bundled = BUNDLED[name]
  if (bundled !== undefined) return checkPersonality(bundled, `personalities/${name}.json`)
  if (!name.includes('/') && !name.endsWith('.json'))
    throw new ModemdError(
      'InvalidArgs',
      `there is no personality "${name}": take one of ${PERSONALITY_NAMES.join(', ')}, or give a file`,
    )
  let value: unknown
  try {
    value = JSON.parse(readFile(name))
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const reason = isMissing ? 'there is no such file' : error instanceof Error ? error.message : String(error)
    throw new ModemdError('InvalidArgs', `${name}: ${reason}`)
  }
  return checkPersonality(value, name)
}
