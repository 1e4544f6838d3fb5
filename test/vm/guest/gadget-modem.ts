/** A whole modem on the machine's USB: the kernel's own driver `option` binds a Quectel's ids outside, modem-sim speaks inside. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { askControl } from '../../../src/sim/control.ts'
import quectel from '../../../src/sim/personalities/quectel-ec25.json' with { type: 'json' }
import { until } from '../../system/until.ts'

const PROGRAM = '/project/dist/modem-sim.cjs'
const GADGETS = '/sys/kernel/config/usb_gadget'
const IDS = ['0x2c7c', '0x0125']
const PORTS = 4
const LIMIT_MS = 120_000
/** As an EC25, but the network takes its time with a short message. */
const PERSONALITY = '/run/personality.json'
const SLOW = { ...quectel, timings: { ...quectel.timings, slowMs: { ...quectel.timings.slowMs, '+CMGS=>': 1500 } } }

interface Statistics {
  readonly imei: string
  readonly commands: { readonly byName: Readonly<Record<string, number>> }
  readonly messages: { readonly sent: number }
}

/** Those of other cases; the machine has two controllers and eight ports. */
const OTHERS = ['kernel', 'modem', 'detected']
/** Two of one kind that look the same on the bus. Each has an operator of its own, whose first address answers. */
const TWINS = {
  left: { sim: ['--seed', '1'], operator: '10.64.0.1' },
  right: { sim: ['--seed', '2', '--pool', '10.65.0.0/16'], operator: '10.65.0.1' },
} as const
const SERIAL = '0123456789ABCDEF'

export type TwinName = keyof typeof TWINS

const plugged = new Map<TwinName, Promise<GadgetModem>>()

/** In its port; left so for the next case. */
export async function twin(name: TwinName): Promise<GadgetModem> {
  const first = plugged.get(name) ?? GadgetModem.plug(name)
  plugged.set(name, first)
  const modem = await first
  // A case that failed may have left it out.
  if (!modem.isPlugged) await modem.plugAgain()
  return modem
}

export async function removeTwins(): Promise<void> {
  for (const modem of plugged.values()) await (await modem).remove()
  plugged.clear()
}

export class GadgetModem {
  readonly name: TwinName
  readonly #control: string
  #sim: ChildProcess
  #log = ''

  /** In its port when it resolves. */
  static async plug(name: TwinName): Promise<GadgetModem> {
    for (const other of OTHERS) if (existsSync(`${GADGETS}/${other}`)) execFileSync('usb-gadget', ['remove', other])
    writeFileSync(PERSONALITY, JSON.stringify(SLOW))
    execFileSync('usb-gadget', ['add', name, ...IDS, `${PORTS}`, 'gser', SERIAL])
    const modem = new GadgetModem(name)
    await modem.#ready()
    await modem.#bound()
    return modem
  }

  private constructor(name: TwinName) {
    this.name = name
    this.#control = `/run/${name}.sim`
    this.#sim = this.#start(name)
  }

  /** Its operator's address, which answers. */
  get operator(): string {
    return TWINS[this.name].operator
  }

  /** Where it is: `1-1`, and its folder in /sys. */
  get place(): string {
    return this.device.split('/').at(-1)!
  }

  get isPlugged(): boolean {
    return this.#controller !== ''
  }

  get device(): string {
    const hub = `/sys/devices/platform/${this.#controller.replace('udc', 'hcd')}`
    const found = execFileSync('find', [hub, '-maxdepth', '3', '-name', 'idProduct'], { encoding: 'utf8' })
      .split('\n')
      .find((path) => /\/\d+-\d+\/idProduct$/.test(path))
    if (found === undefined) throw new Error(`${this.name} is not plugged in`)
    return found.replace(/\/idProduct$/, '')
  }

  /** The host's side of it, by interface. */
  get ttys(): readonly string[] {
    return execFileSync('find', [this.device, '-maxdepth', '2', '-name', 'ttyUSB*'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter(Boolean)
      .sort()
      .map((path) => `/dev/${path.split('/').at(-1)}`)
  }

  async statistics(): Promise<Statistics> {
    const { modems } = (await this.control('stats')) as unknown as { modems: Statistics[] }
    return modems[0]!
  }

  /** How often it was given a command, as `AT+CMGS=`. */
  async seen(command: string): Promise<number> {
    return (await this.statistics()).commands.byName[command] ?? 0
  }

  /** A command of modem-sim's control socket. */
  async control(command: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
    const answer = JSON.parse(await askControl(this.#control, { command, args }))
    if (!answer.ok) throw new Error(`modem-sim ctl ${command}: ${answer.error}`)
    return answer
  }

  /** It has that one's IMEI and SIM from now on. While it is unplugged. */
  async become(name: TwinName): Promise<void> {
    await this.#end()
    this.#sim = this.#start(name)
    await this.#ready()
  }

  /** The cable; the modem inside loses its power with it. */
  unplug(): void {
    execFileSync('usb-gadget', ['unplug', this.name])
  }

  async plugAgain(): Promise<void> {
    execFileSync('usb-gadget', ['plug', this.name])
    await this.#bound()
  }

  /** The kernel does not remove a gadget while its inside is open. */
  async remove(): Promise<void> {
    await this.#end()
    execFileSync('usb-gadget', ['remove', this.name])
  }

  get #controller(): string {
    return readFileSync(`${GADGETS}/${this.name}/UDC`, 'latin1').trim()
  }

  #start(as: TwinName): ChildProcess {
    const ttys = Array.from({ length: PORTS }, (_, index) => {
      const port = readFileSync(`${GADGETS}/${this.name}/functions/gser.${this.name}${index}/port_num`, 'latin1').trim()
      return ['--tty', `/dev/ttyGS${port}`]
    })
    const common = ['--personality', PERSONALITY, '--register-after', '0s', '--control', this.#control]
    const sim = spawn('node', [PROGRAM, ...ttys.flat(), ...common, ...TWINS[as].sim], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#log = ''
    for (const stream of [sim.stdout, sim.stderr]) stream?.on('data', (bytes) => (this.#log += bytes))
    return sim
  }

  async #ready(): Promise<void> {
    await until('', () => this.#log.includes('ready') || this.#sim.exitCode !== null, LIMIT_MS).catch(() => {})
    if (!this.#log.includes('ready')) throw new Error(`modem-sim in the gadget ${this.name}: ${this.#log}`)
  }

  async #end(): Promise<void> {
    const ended = once(this.#sim, 'exit')
    this.#sim.kill()
    await ended
  }

  async #bound(): Promise<void> {
    const isBound = () => {
      try {
        return this.ttys.length === PORTS
      } catch {
        return false
      }
    }
    await until(`the ttys of ${this.name}`, isBound, LIMIT_MS)
  }
}
