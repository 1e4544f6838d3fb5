/**
 * Debian's ModemManager in modemd's place, on the same simulator: without udev it believes whoever reports a kernel event, and it
 * reads /sys and /dev, which become the simulator's in the benchmark's own mount namespace. What it asks polkit is allowed by a few
 * lines here. It needs real root: it opens ttys anew that it left with TIOCEXCL on, which a pty takes from nobody else.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import dbus from 'dbus-next'

const { Message, Variant } = dbus
const PROGRAM = '/usr/sbin/ModemManager'
const NAME = 'org.freedesktop.ModemManager1'
const ROOT_PATH = '/org/freedesktop/ModemManager1'
const REGISTERED = 8
const CONNECTED = 11

/** Why it cannot run here; undefined: it can. */
export function obstacleToModemManager(): string | undefined {
  if (!existsSync(PROGRAM)) return 'it is not installed (apt-get install modemmanager)'
  const isRoot = /^\s*0\s+0\s+4294967295\s*$/m.test(readFileSync('/proc/self/uid_map', 'utf8'))
  return isRoot ? undefined : 'it needs real root, not a user namespace'
}

export interface PlugTimes {
  readonly exportedMs: number
  readonly registeredMs: number
  readonly connectedMs: number
}

/** /sys and /dev of this namespace become the simulator's, /dev with what every program needs. Once a namespace. */
export function showTree(root: string): void {
  const dev = `${root}/dev-with-ttys`
  mkdirSync(dev)
  execFileSync('mount', ['-t', 'tmpfs', 'none', dev])
  for (const folder of ['pts', 'shm']) {
    mkdirSync(`${dev}/${folder}`)
    execFileSync('mount', ['--rbind', `/dev/${folder}`, `${dev}/${folder}`])
  }
  for (const file of ['null', 'zero', 'random', 'urandom', 'tty']) {
    writeFileSync(`${dev}/${file}`, '')
    execFileSync('mount', ['--bind', `/dev/${file}`, `${dev}/${file}`])
  }
  symlinkSync('pts/ptmx', `${dev}/ptmx`)
  execFileSync('mount', ['--rbind', dev, '/dev'])
  execFileSync('mount', ['--rbind', `${root}/sys`, '/sys'])
}

export class ModemManager {
  readonly #root: string
  readonly #bus: dbus.MessageBus
  readonly #signals: { readonly atMs: number; readonly message: dbus.Message }[] = []
  #child: ChildProcess | undefined

  private constructor(root: string, address: string) {
    this.#root = root
    this.#bus = dbus.sessionBus({ busAddress: address })
    this.#bus.on('message', (message: dbus.Message) => this.#signals.push({ atMs: performance.now(), message }))
  }

  static async start(root: string, address: string): Promise<ModemManager> {
    const manager = new ModemManager(root, address)
    await manager.#servePolkit()
    await manager.#busCall('AddMatch', [`type='signal',sender='${NAME}'`])
    const options = ['--no-auto-scan', '--test-no-udev', '--test-no-qrtr', '--test-no-suspend-resume']
    const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address }
    manager.#child = spawn(PROGRAM, options, { env, stdio: 'ignore' })
    await manager.#until('it is on the bus', async () => (await manager.#busCall('NameHasOwner', [NAME]))[0] === true)
    return manager
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child?.once('close', resolve))
    this.#child?.kill('SIGTERM')
    await ended
    this.#bus.disconnect()
  }

  /** Tells it of the ttys that are there, as udev would, and connects as soon as it shows a modem. */
  async plugged(fromMs: number): Promise<PlugTimes> {
    for (const tty of readdirSync(`${this.#root}/dev`).filter((name) => name.startsWith('tty'))) {
      if (!existsSync(`/dev/${tty}`)) symlinkSync(readlinkSync(`${this.#root}/dev/${tty}`), `/dev/${tty}`)
      const event = { action: 'add', subsystem: 'tty', name: tty }
      const fields = Object.fromEntries(Object.entries(event).map(([key, value]) => [key, new Variant('s', value)]))
      await this.#call(ROOT_PATH, NAME, 'ReportKernelEvent', 'a{sv}', fields)
    }
    const exported = await this.#signal('InterfacesAdded', fromMs, () => true)
    const path = String(exported.message.body[0])
    const wish = { apn: new Variant('s', 'internet') }
    await this.#until('it connects', () =>
      this.#call(path, `${NAME}.Modem.Simple`, 'Connect', 'a{sv}', wish).then(
        () => true,
        () => false,
      ),
    )
    const state = (wanted: number) => this.#signal('StateChanged', fromMs, ({ body }) => body[1] === wanted)
    return {
      exportedMs: exported.atMs - fromMs,
      registeredMs: (await state(REGISTERED)).atMs - fromMs,
      connectedMs: (await state(CONNECTED)).atMs - fromMs,
    }
  }

  async #signal(member: string, fromMs: number, is: (message: dbus.Message) => boolean) {
    const find = () =>
      this.#signals.find(({ atMs, message }) => atMs >= fromMs && message.member === member && is(message))
    await this.#until(member, async () => find() !== undefined)
    return find()!
  }

  async #until(what: string, isSo: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const untilMs = performance.now() + limitMs
    while (!(await isSo())) {
      if (performance.now() > untilMs) throw new Error(`waited ${limitMs} ms in vain until ModemManager: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Everything is allowed. */
  async #servePolkit(): Promise<void> {
    const bus = this.#bus as unknown as { addMethodHandler(handler: (message: dbus.Message) => boolean): void }
    bus.addMethodHandler((message) => {
      if (message.path !== '/org/freedesktop/PolicyKit1/Authority') return false
      const isCheck = message.member === 'CheckAuthorization'
      const [signature, body] = isCheck ? ['(bba{ss})', [[true, false, {}]]] : ['a{sv}', [{}]]
      this.#bus.send(Message.newMethodReturn(message, signature as string, body as unknown[]))
      return true
    })
    await this.#bus.requestName('org.freedesktop.PolicyKit1', 0)
  }

  #busCall(member: string, body: string[]): Promise<unknown[]> {
    const name = 'org.freedesktop.DBus'
    return this.#send({
      destination: name,
      path: '/org/freedesktop/DBus',
      interface: name,
      member,
      signature: 's',
      body,
    })
  }

  #call(path: string, interfaceName: string, member: string, signature: string, ...body: unknown[]) {
    return this.#send({ destination: NAME, path, interface: interfaceName, member, signature, body })
  }

  async #send(call: ConstructorParameters<typeof Message>[0]): Promise<unknown[]> {
    return (await this.#bus.call(new Message(call)))!.body
  }
}
