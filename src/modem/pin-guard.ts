/**
 * The rule at the wire that no SIM is locked by us (DESIGN §7.1): while a port is in command mode every byte to the modem
 * passes here, whoever wrote it (driver, console, chat script). A command that presents a PIN or a PUK gets through only when
 * `pin.ts` permitted exactly that line, which it does after the ledger is on disk. PPP's data is not looked at.
 *
 * The modem sees nothing of a suspect line's dangerous part until the whole line is judged: from the first byte that completes
 * a dangerous name on, bytes are held back. Blanks, control characters, editing by backspace, high bits, case, several commands
 * in one line and lines written in pieces make no difference. `A/` (repeat the last line) is never let through, nor a change
 * of the characters that end or edit a line (S3, S5), nor a raw SIM command that verifies a PIN (+CSIM, +CGLA, +CRSM).
 */

import { latin1 } from '../base/bytes.ts'
import type { Wire, WireListener } from '../serial/wire.ts'
import { WireDecorator } from '../serial/wire-decorator.ts'

export const PIN_GUARD_MESSAGE =
  'A PIN or PUK goes to the SIM only through `mmctl sim`, where its tries are counted; this command was not sent.'

const LOCK_NAME = '[+^*#$%_!&@][A-Z0-9]*(?:PIN|PUK|LCK|LOCK|PWD|CHV)'

/**
 * `**04*` changes a PIN and `**05*` unblocks (3GPP TS 22.030 §6.6.2), in a dial string or as USSD: as it is, with what dial strings may
 * have between the digits, or as USSD in hexadecimal: packed septets, UCS2, octets.
 */
const MMI =
  '\\*[-(). WPT@!,]*\\*[-(). WPT@!,]*0[-(). WPT@!,]*[45]|CUSD=[^;]*(?:2A15[8A]C|(?:002A){2}0030003[45]|2A2A303[45])'

/**
 * Where holding back begins: +CPIN, +CPIN2, +CPWD, +CLCK and the vendors' forms (^CPIN, ^SLCK, *CPIN, #…), MMI codes (**04*
 * changes a PIN, **05* unblocks, also inside a dial string), raw SIM commands and the registers.
 */
const SUSPECT = new RegExp(`${LOCK_NAME}|[+^*#$%_!&@][A-Z]*(?:CSIM|CRSM|CGLA|CRLA)|${MMI}|S0*[35]=`)

/** What has such a name but presents nothing: queries, tests, counters of tries, the state of a lock. */
const HARMLESS: readonly RegExp[] = [
  new RegExp(`${LOCK_NAME}[A-Z0-9]*=?\\?`, 'g'),
  /[+^#*](?:CPINR|QPINC|UPINCNT)(?:="[A-Z0-9]*")?(?=;|$)/g,
  /[+^][CS]LCK="[A-Z]{2}",2(?:,(?:"")?,\d+)?(?=;|$)/g,
]

const DANGEROUS: readonly RegExp[] = [
  new RegExp(LOCK_NAME),
  new RegExp(MMI),
  // The second byte of the instruction: verify, change, disable, enable, unblock (3GPP TS 51.011 §9.2).
  /(?:CSIM|CGLA|CRLA)=[\d,]*"?[0-9A-F]{2}(?:20|24|26|28|2C)/,
  /CRSM=0*(?:32|36|38|40|44)(?!\d)/,
  /(?:AT|;)[^+^*#$%;]*S0*(?:3=(?!0*13(?!\d))|5=(?!0*8(?!\d)))/,
]

/** Executed by the modem at once, without CR, wherever no AT stands before it. */
const REPEAT = /^(?:(?!AT).)*A\//

const CR = 13
const BACKSPACE = 8
const DELETE = 127
/** No command line is longer; what follows is thrown away up to the next CR. */
const MAX_LINE_BYTES = 4096

/** A line as the modem may read it since the last CR: as it came, without what modems skip, and the same with backspace obeyed. */
interface LineModel {
  readonly raw: string
  readonly plain: string
  readonly edited: string
}

const EMPTY: LineModel = { raw: '', plain: '', edited: '' }

function extend(line: LineModel, value: number): LineModel {
  const raw = line.raw + String.fromCharCode(value)
  const seen = value & 0x7f
  if (seen === BACKSPACE || seen === DELETE) return { raw, plain: line.plain, edited: line.edited.slice(0, -1) }
  if (seen <= 32) return { ...line, raw }
  const char = String.fromCharCode(seen).toUpperCase()
  return { raw, plain: line.plain + char, edited: line.edited + char }
}

function matches(line: LineModel, isSo: (reading: string) => boolean): boolean {
  return isSo(line.plain) || (line.edited !== line.plain && isSo(line.edited))
}

function isDangerous(reading: string): boolean {
  const rest = HARMLESS.reduce((text, pattern) => text.replace(pattern, ''), reading)
  return DANGEROUS.some((pattern) => pattern.test(rest))
}

/** Would this text, as a command line, present a PIN or PUK? */
export function carriesPin(text: string): boolean {
  const line = latin1(text).reduce(extend, EMPTY)
  return matches(line, (reading) => isDangerous(reading) || REPEAT.test(reading))
}

export class PinGuard {
  /** PPP has the wire: nothing is looked at. */
  isDataMode = false
  /** Called when something was thrown away. */
  onRefused: (() => void) | undefined
  /** What the modem has of the present line. */
  #sent = EMPTY
  /** The same with the held bytes. */
  #held: { readonly line: LineModel; readonly bytes: number[] } | undefined
  #permitted: string | undefined

  /** One line, once. Given by `pin.ts` with the try in the ledger. */
  permit(line: string): void {
    this.#permitted = line
  }

  revoke(): void {
    this.#permitted = undefined
  }

  /** What may go to the modem now. */
  pass(bytes: Uint8Array): Uint8Array {
    const passed: number[] = []
    for (const value of bytes) this.#take(value, passed)
    return Uint8Array.from(passed)
  }

  #take(value: number, passed: number[]): void {
    const line = extend(this.#held?.line ?? this.#sent, value)
    const isTooLong = line.raw.length > MAX_LINE_BYTES && value !== CR
    if (isTooLong || (!this.#held && matches(line, (reading) => REPEAT.test(reading)))) {
      this.#refuse()
    } else if (this.#held || matches(line, (reading) => SUSPECT.test(reading))) {
      const bytes = [...(this.#held?.bytes ?? []), value]
      this.#held = { line, bytes }
      if (value === CR) this.#judge(line, bytes, passed)
    } else {
      passed.push(value)
      this.#sent = value === CR ? EMPTY : line
    }
  }

  #judge(line: LineModel, bytes: readonly number[], passed: number[]): void {
    const isPermitted = this.#permitted !== undefined && line.raw === `${this.#permitted}\r`
    if (!isPermitted && matches(line, isDangerous)) {
      this.#refuse()
      return
    }
    if (isPermitted) this.#permitted = undefined
    passed.push(...bytes)
    this.#sent = EMPTY
    this.#held = undefined
  }

  /** The held part is gone; what the modem already has of the line stays in the model, so that it cannot be completed later. */
  #refuse(): void {
    this.#held = undefined
    this.onRefused?.()
  }
}

/** A wire behind a guard. `onClosed` hears of the line's end whoever listens at that time. */
export class GuardedWire extends WireDecorator {
  readonly #guard: PinGuard
  readonly #onClosed: (reason: string) => void

  constructor(wire: Wire, guard: PinGuard, onClosed: (reason: string) => void) {
    super(wire)
    this.#guard = guard
    this.#onClosed = onClosed
  }

  /** Only while PPP has the wire: in command mode nothing passes by the guard. */
  override get fd(): number | undefined {
    return this.#guard.isDataMode ? this.wire.fd : undefined
  }

  override listen(listener: WireListener | undefined): void {
    this.wire.listen(
      listener && {
        data: (bytes) => listener.data(bytes),
        drain: () => listener.drain(),
        closed: (reason) => {
          listener.closed(reason)
          this.#onClosed(reason)
        },
      },
    )
  }

  override write(bytes: Uint8Array): boolean {
    const passed = this.#guard.isDataMode ? bytes : this.#guard.pass(bytes)
    return passed.length === 0 ? true : this.wire.write(passed)
  }
}
