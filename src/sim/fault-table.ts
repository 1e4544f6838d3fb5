/** The names of all faults, what each does, and the stages of a modem's life at which one may strike. Pure data for `faults.ts` and the help. */

export type FaultKind = 'reply' | 'dial' | 'call' | 'device'

export interface FaultEntry {
  readonly kind: FaultKind
  readonly meaning: string
  /** Of the value, where the fault takes one. */
  readonly value?: { readonly name: keyof typeof VALUE_RANGES | 'STATE'; readonly byDefault: string }
  /** Of a call fault: the last stage of a call that it can still strike; later, it waits for the next call. */
  readonly until?: Stage
}

/** Of the values that are numbers. */
export const VALUE_RANGES = {
  BYTES: { least: 0, most: 65_536, isWhole: true },
  N: { least: 1, most: 1_000_000, isWhole: true },
  MS: { least: 0, most: 60_000, isWhole: false },
  S: { least: 0, most: 86_400, isWhole: false },
  P: { least: 0, most: 1, isWhole: false },
} as const

/**
 * `at=STATE`: AT first answered, the SIM asked for, a PIN accepted, the network asked for while it is looked for, registered,
 * dialling, CONNECT, the phases of PPP, the end of the call.
 */
export const STAGES = [
  'command',
  'sim',
  'pin',
  'search',
  'registered',
  'dial',
  'connect',
  'establish',
  'authenticate',
  'network',
  'running',
  'terminate',
] as const
export type Stage = (typeof STAGES)[number]

export const FAULT_TABLE = {
  garbage: { kind: 'reply', meaning: 'random bytes before the reply', value: { name: 'BYTES', byDefault: '16' } },
  split: { kind: 'reply', meaning: 'the reply comes byte by byte', value: { name: 'MS', byDefault: '5' } },
  late: { kind: 'reply', meaning: 'the reply comes so much later', value: { name: 'S', byDefault: '5' } },
  silent: { kind: 'reply', meaning: 'no reply, and the command is not carried out' },
  truncated: { kind: 'reply', meaning: 'the reply breaks off half-way' },
  duplicated: { kind: 'reply', meaning: 'the reply comes twice' },
  'final-lost': { kind: 'reply', meaning: 'the reply without its result word' },
  'unsolicited-inside': { kind: 'reply', meaning: 'a report between the lines of the reply' },
  'echo-flip': { kind: 'reply', meaning: 'the echo switches over by itself' },
  'error-n-times': { kind: 'reply', meaning: 'so many commands get ERROR', value: { name: 'N', byDefault: '1' } },
  'no-carrier': { kind: 'dial', meaning: 'the dial ends in NO CARRIER' },
  busy: { kind: 'dial', meaning: 'the dial ends in BUSY' },
  'no-dialtone': { kind: 'dial', meaning: 'the dial ends in NO DIALTONE' },
  'no-answer': { kind: 'dial', meaning: 'the dial ends in NO ANSWER' },
  'hangup-mid-dial': { kind: 'dial', meaning: 'CONNECT, and the line drops at once' },
  'hangup-mid-lcp': { kind: 'call', meaning: 'the line drops while LCP negotiates', until: 'establish' },
  'lcp-nak-forever': { kind: 'call', meaning: 'every LCP Configure-Request gets a Nak', until: 'establish' },
  'auth-fail': {
    kind: 'call',
    meaning: 'the operator refuses whatever name and password come',
    until: 'authenticate',
  },
  'ipcp-no-address': { kind: 'call', meaning: 'the operator has no address to give', until: 'network' },
  'hangup-up': {
    kind: 'call',
    meaning: 'the operator hangs up so long after the link is up',
    value: { name: 'S', byDefault: '0' },
    until: 'running',
  },
  'echo-dead': {
    kind: 'call',
    meaning: 'LCP Echo-Requests are no longer answered, so long after the link is up',
    value: { name: 'S', byDefault: '0' },
    until: 'running',
  },
  loopback: { kind: 'call', meaning: 'the line sends back what it gets', until: 'running' },
  'bit-errors': {
    kind: 'call',
    meaning: 'this part of the bytes has a wrong bit',
    value: { name: 'P', byDefault: '0.001' },
    until: 'running',
  },
  'unplug-at': {
    kind: 'device',
    meaning: 'unplugs itself at that state: short for unplug at=STATE',
    value: { name: 'STATE', byDefault: 'dial' },
  },
  unplug: { kind: 'device', meaning: 'unplugs itself now' },
  replug: { kind: 'device', meaning: 'unplugs itself and comes back', value: { name: 'S', byDefault: '1' } },
  reboot: { kind: 'device', meaning: 'restarts as after +CFUN=1,1', value: { name: 'S', byDefault: '2' } },
  'port-moves': { kind: 'device', meaning: 'comes back with other tty numbers', value: { name: 'S', byDefault: '1' } },
  'pty-close': {
    kind: 'device',
    meaning: 'the ttys hang up while the device stays; they can be opened again after so long',
    value: { name: 'S', byDefault: '1' },
  },
  'sim-removed': { kind: 'device', meaning: 'the SIM is taken out' },
  'sim-failed': { kind: 'device', meaning: 'the SIM answers no more: SIM failure' },
  'sim-busy': { kind: 'device', meaning: 'the SIM is busy', value: { name: 'S', byDefault: '5' } },
  'network-lost': {
    kind: 'device',
    meaning: 'no network for so long; 0: until "network home"',
    value: { name: 'S', byDefault: '0' },
  },
  'context-lost': { kind: 'device', meaning: 'the network ends the context of the call, and the modem keeps the line' },
  'hang-up': { kind: 'device', meaning: 'the operator ends the call now' },
} as const satisfies Readonly<Record<string, FaultEntry>>

export type FaultName = keyof typeof FAULT_TABLE
type NameOf<K extends FaultKind> = {
  [N in FaultName]: (typeof FAULT_TABLE)[N]['kind'] extends K ? N : never
}[FaultName]
export type ReplyFault = NameOf<'reply'>
export type DialFault = NameOf<'dial'>
export type CallFault = NameOf<'call'>
export type DeviceFault = Exclude<NameOf<'device'>, 'unplug-at'>

export const FAULT_NAMES = Object.keys(FAULT_TABLE) as readonly FaultName[]

export function entryOf(name: FaultName): FaultEntry {
  return FAULT_TABLE[name]
}

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULT_TABLE, name)
}

export function isStage(word: string): word is Stage {
  return (STAGES as readonly string[]).includes(word)
}

/** A line each, for `ctl fault` and the help. */
export const FAULT_LIST: readonly string[] = FAULT_NAMES.map((name) => {
  const { meaning, value } = entryOf(name)
  return `${name}${value ? ` [${value.name}=${value.byDefault}]` : ''}: ${meaning}`
})
