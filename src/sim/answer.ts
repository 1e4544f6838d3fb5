/** What a command handler is given and gives back; `at-port.ts` puts it into the port's dialect. */

import type { AtCommand } from './at-line.ts'
import type { ModemState } from './modem-state.ts'
import type { PortSettings } from './port-settings.ts'

/** Result words of V.250 §5.7, an error of +CME (3GPP TS 27.007 §9.2), or a line of the vendor's own. */
export type Final = 'OK' | 'ERROR' | { readonly cme: number } | { readonly cms: number } | { readonly own: string }

export interface Answer {
  readonly lines?: readonly string[]
  readonly final: Final
  /** The modem restarts. */
  readonly reboots?: boolean
  /** Nothing is answered yet: the prompt comes, and what the text up to ^Z leads to is (3GPP TS 27.005 §3.5.1). */
  readonly prompt?: (text: string, context: CommandContext) => Answer
}

export interface CommandContext {
  readonly modem: ModemState
  readonly port: PortSettings
  readonly nowMs: number
}

/** undefined: this form of the command is unknown. */
export type Handler = (command: AtCommand, context: CommandContext) => Answer | undefined

export const OK: Answer = { final: 'OK' }
export const NO_CARRIER: Answer = { final: { own: 'NO CARRIER' } }
export const ERROR: Answer = { final: 'ERROR' }

export function info(...lines: readonly string[]): Answer {
  return { lines, final: 'OK' }
}

/** NaN where it is no whole number; `Number('')` would be 0. */
export function whole(text: string | undefined): number {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN
}

export function cme(code: keyof typeof CME_TEXT): Answer {
  return { final: { cme: code } }
}

/** 3GPP TS 27.005 §3.2.5. */
export function cms(code: number): Answer {
  return { final: { cms: code } }
}

export const CME_TEXT = {
  3: 'operation not allowed',
  4: 'operation not supported',
  10: 'SIM not inserted',
  11: 'SIM PIN required',
  12: 'SIM PUK required',
  13: 'SIM failure',
  14: 'SIM busy',
  16: 'incorrect password',
  17: 'SIM PIN2 required',
  18: 'SIM PUK2 required',
  30: 'no network service',
  32: 'network not allowed - emergency calls only',
  50: 'incorrect parameters',
  100: 'unknown',
  132: 'service option not supported',
  133: 'requested service option not subscribed',
  149: 'PDP authentication failure',
  504: 'session is ongoing',
  505: 'session not active',
} as const

export function cmeText(code: number): string {
  return (CME_TEXT as Readonly<Record<number, string>>)[code] ?? 'unknown'
}
