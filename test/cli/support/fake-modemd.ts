/**
 * A service called org.modemd that says whatever a test wants, over dbus-next: what the real service would never say, for
 * what a broken or hostile one might. Everything else is tested with the real service (test/bus/fixture.ts).
 */

import dbus from 'dbus-next'

export const { Variant } = dbus
export type Values = Record<string, InstanceType<typeof dbus.Variant>>
export type Interfaces = Record<string, Values>

/** A reply's signature and values; undefined: none ever comes. */
export type Answer = readonly [signature: string, body: readonly unknown[]] | undefined

/** Thrown by an answer: becomes this D-Bus error. */
export class Refusal extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

/** Its types want a text for the number `replySerial`. */
const AnyMessage = dbus.Message as unknown as new (fields: object) => dbus.Message

export class FakeModemd {
  readonly objects: Record<string, Interfaces> = {}
  readonly manager: Values = {}
  /** By the method's name. */
  answers: Record<string, () => Answer> = {
    GetManagedObjects: () => ['a{oa{sa{sv}}}', [this.objects]],
    GetAll: () => ['a{sv}', [this.manager]],
  }
  readonly #bus: dbus.MessageBus

  private constructor(bus: dbus.MessageBus) {
    this.#bus = bus
  }

  /** Under another name it is a stranger. */
  static async start(address: string, name = 'org.modemd'): Promise<FakeModemd> {
    const bus = dbus.sessionBus({ busAddress: address })
    const fake = new FakeModemd(bus)
    const handlers = bus as unknown as { addMethodHandler(handler: (message: dbus.Message) => boolean): void }
    handlers.addMethodHandler((message) => fake.#onMessage(message))
    await bus.requestName(name, 0)
    return fake
  }

  close(): void {
    this.#bus.disconnect()
  }

  signal(path: string, interfaceName: string, member: string, signature: string, body: unknown[]): void {
    this.#bus.send(dbus.Message.newSignal(path, interfaceName, member, signature, body))
  }

  /** Says the same to every connection on the bus, one by one: such signals pass all match rules. */
  async signalEach(
    path: string,
    interfaceName: string,
    member: string,
    signature: string,
    body: unknown[],
  ): Promise<void> {
    const bus = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    }
    const listNames = () => this.#bus.call(new dbus.Message({ ...bus, member: 'ListNames' }))
    const reply = await listNames()
    const type = dbus.MessageType.SIGNAL
    for (const destination of (reply!.body[0] as string[]).filter((name) => name.startsWith(':')))
      this.#bus.send(new dbus.Message({ type, destination, path, interface: interfaceName, member, signature, body }))
    // The bus has passed them on when it answers again.
    await listNames()
  }

  #onMessage(message: dbus.Message): boolean {
    if (!message.path?.startsWith('/org/modemd')) return false
    try {
      const answer = this.answers[message.member ?? '']
      if (!answer) throw new Refusal('org.freedesktop.DBus.Error.UnknownMethod', 'no such method')
      const reply = answer()
      if (reply) this.#bus.send(dbus.Message.newMethodReturn(message, reply[0], [...reply[1]]))
    } catch (error) {
      const { name: errorName, message: text } = error as Error
      const { sender, serial } = message
      const reply = { type: dbus.MessageType.ERROR, destination: sender, replySerial: serial, errorName }
      this.#bus.send(new AnyMessage({ ...reply, signature: 's', body: [text] }))
    }
    return true
  }
}
