/** A modem of a few lines for the tests of src/modem: answers from a table, keeps a SIM, a call and a list of what it was sent. */

import { fromLatin1, latin1 } from '../../../src/base/bytes.ts'
import type { Clock } from '../../../src/base/ports.ts'
import type { Wire } from '../../../src/serial/wire.ts'

/** Text of the reply without framing (`OK` included), '' for no reply at all, undefined for the modem's own answer. */
export type Answer = (command: string, port: ScriptedPort) => string | undefined

export interface ScriptedModemOptions {
  readonly imei?: string
  readonly pin?: string
  readonly triesLeft?: number
  /** Answers before everything else. */
  readonly answer?: Answer
  readonly dial?: string
  readonly simBusyAnswers?: number
}

export class ScriptedModem {
  readonly clock: Clock
  /** Every command line of every port. */
  readonly commands: string[] = []
  readonly pinsSeen: string[] = []
  readonly contexts = new Map<string, string>([['1', '1,"IP","","",0,0']])
  isDeaf = false
  registration = 1
  dial: string
  answer: Answer | undefined
  triesLeft: number
  isLocked: boolean
  readonly #imei: string
  readonly #pin: string | undefined
  #simBusyAnswers: number
  readonly ports: ScriptedPort[] = []

  constructor(clock: Clock, options: ScriptedModemOptions = {}) {
    this.clock = clock
    this.#imei = options.imei ?? '356938035643809'
    this.#pin = options.pin
    this.triesLeft = options.triesLeft ?? 3
    this.isLocked = options.pin !== undefined
    this.answer = options.answer
    this.dial = options.dial ?? 'CONNECT 150000000'
    this.#simBusyAnswers = options.simBusyAnswers ?? 0
  }

  attach(wire: Wire): ScriptedPort {
    const port = new ScriptedPort(this, wire)
    this.ports.push(port)
    return port
  }

  reply(command: string, port: ScriptedPort): string {
    const own = this.answer?.(command, port)
    if (own !== undefined) return own
    const [head = '', value = ''] = command.split(/=(.*)/s)
    switch (head) {
      case 'AT+CGMI':
        return 'Virtual\nOK'
      case 'AT+CGMM':
        return 'V1\nOK'
      case 'AT+CGMR':
        return '1.0\nOK'
      case 'AT+CGSN':
        return this.#imei === '' ? 'ERROR' : `${this.#imei}\nOK`
      case 'AT+CFUN?':
        return '+CFUN: 1\nOK'
      case 'AT+CPIN?':
        if (this.#simBusyAnswers-- > 0) return '+CME ERROR: 14'
        return `+CPIN: ${this.triesLeft === 0 ? 'SIM PUK' : this.isLocked ? 'SIM PIN' : 'READY'}\nOK`
      case 'AT+CPIN':
        return this.#enterPin(value.replace(/"/g, ''))
      case 'AT+CPINR':
        return `+CPINR: SIM PIN,${this.triesLeft},3\n+CPINR: SIM PUK,10,10\nOK`
      case 'AT+CCID':
        return '+CCID: 8934071100000000017\nOK'
      case 'AT+CEREG?':
        return `+CEREG: 2,${this.registration},"1F4A","00C0A301",7\nOK`
      case 'AT+CGREG?':
      case 'AT+CREG?':
        return `${command.slice(2, -1)}: 2,0\nOK`
      case 'AT+COPS?':
        return `+COPS: 0,${this.#copsFormat},${this.#copsFormat === '2' ? '"21401"' : '"Virtual Net"'},7\nOK`
      case 'AT+COPS':
        this.#copsFormat = value.split(',')[1] ?? '0'
        return 'OK'
      case 'AT+CSQ':
        return '+CSQ: 21,99\nOK'
      case 'AT+CNUM':
        return '+CNUM: ,"+34600000001",145\nOK'
      case 'AT+CIMI':
        return '214011234567890\nOK'
      case 'AT+CGDCONT?':
        return [...[...this.contexts.values()].map((each) => `+CGDCONT: ${each}`), 'OK'].join('\n')
      case 'AT+CGDCONT':
        this.contexts.set(value.split(',')[0]!, value)
        return 'OK'
      default:
        return /^AT(E\d|H\d?|\+(CMEE|C[GE]?REG|CFUN)=\S+)?$/i.test(command) ? 'OK' : 'ERROR'
    }
  }

  #copsFormat = '0'

  #enterPin(pin: string): string {
    this.pinsSeen.push(pin)
    if (pin === this.#pin) {
      this.isLocked = false
      this.triesLeft = 3
      return 'OK'
    }
    this.triesLeft--
    return '+CME ERROR: 16'
  }
}

const ESCAPE_GUARD_MS = 1000

export class ScriptedPort {
  readonly modem: ScriptedModem
  readonly #wire: Wire
  /** What came in data mode. */
  data = ''
  mode: 'command' | 'data' = 'command'
  /** Hears of every byte in command mode, besides. */
  onText: ((text: string) => void) | undefined
  #line = ''
  #echoes = true
  #lastByteMs = Number.NEGATIVE_INFINITY

  constructor(modem: ScriptedModem, wire: Wire) {
    this.modem = modem
    this.#wire = wire
    wire.listen({ data: (bytes) => this.#onBytes(fromLatin1(bytes)), drain() {}, closed() {} })
  }

  say(text: string): void {
    this.#wire.write(latin1(text))
  }

  report(text: string): void {
    this.say(`\r\n${text}\r\n`)
  }

  hangUp(): void {
    this.mode = 'command'
    this.report('NO CARRIER')
  }

  close(): void {
    void this.#wire.close()
  }

  #onBytes(text: string): void {
    const { modem } = this
    const silenceMs = modem.clock.nowMs() - this.#lastByteMs
    this.#lastByteMs = modem.clock.nowMs()
    if (this.mode === 'data') {
      if (text === '+++' && silenceMs >= ESCAPE_GUARD_MS) this.#escapeSoon()
      else this.data += text
      return
    }
    if (modem.isDeaf) return
    this.onText?.(text)
    for (const char of text) {
      if (this.#echoes) this.say(char)
      if (char !== '\r') this.#line += char
      else this.#run()
    }
  }

  #escapeSoon(): void {
    const { clock } = this.modem
    clock.at(clock.nowMs() + ESCAPE_GUARD_MS, () => {
      this.mode = 'command'
      this.report('OK')
    })
  }

  #run(): void {
    const command = /AT.*$/is.exec(this.#line)?.[0] ?? ''
    this.#line = ''
    if (command === '') return
    this.modem.commands.push(command)
    if (/^ATE0/i.test(command)) this.#echoes = false
    const reply = /^ATD/i.test(command) ? this.#dial(command) : this.modem.reply(command, this)
    if (reply === '') return
    this.say(
      reply
        .split('\n')
        .map((line) => `\r\n${line}\r\n`)
        .join(''),
    )
  }

  #dial(command: string): string {
    const reply = this.modem.answer?.(command, this) ?? this.modem.dial
    if (reply.startsWith('CONNECT')) this.mode = 'data'
    return reply
  }
}
