/**
 * One port, one owner at a time: AT first, then chat, then PPP, then AT again. The lease stays the wire's only
 * listener, so a hang-up is noticed and no byte is lost while the port changes hands (DESIGN §3). An owner that stops
 * listening stops the reading: what comes stays in the tty, for the kernel's PPP or a child to take.
 */

import { concat } from '../base/bytes.ts'
import { ModemdError } from '../base/errors.ts'
import { Listeners } from '../base/listeners.ts'
import type { Cancel } from '../base/ports.ts'
import type { ModemLines, Wire, WireListener } from './wire.ts'

/** What is kept for the next listener; beyond it the oldest bytes go. */
const KEPT_LIMIT_BYTES = 64 * 1024

const NO_BYTES = new Uint8Array(0)

export class Lease {
  readonly #wire: Wire
  readonly #ownerListeners = new Listeners<[owner: string]>()
  #hold: Hold | undefined
  #isReading = false
  #kept: Uint8Array[] = []
  #keptLength = 0
  #deliveryIsDue = false
  #closedReason: string | undefined
  #listener: WireListener | undefined

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Who holds the port; '' for nobody. */
  get owner(): string {
    return this.#hold?.owner ?? ''
  }

  get wire(): Wire {
    return this.#wire
  }

  /** Throws Busy while another holds it. */
  take(owner: string): Hold {
    if (this.#hold) throw new ModemdError('Busy', `${this.#wire.path} is in use by ${this.#hold.owner}.`, 'port-busy')
    return this.#give(owner)
  }

  onOwnerChange(listener: (owner: string) => void): Cancel {
    return this.#ownerListeners.add(listener)
  }

  /** For Hold only, as are the four below. */
  isHeldBy(hold: Hold): boolean {
    return this.#hold === hold
  }

  listen(listener: WireListener | undefined): void {
    this.#listener = listener
    if (!listener) {
      this.#isReading = false
      this.#wire.listen(undefined)
      return
    }
    if (!this.#isReading) {
      this.#isReading = true
      this.#wire.listen({
        data: (bytes) => this.#onData(bytes),
        drain: () => this.#listener?.drain(),
        closed: (reason) => this.#onClosed(reason),
      })
    }
    this.#deliverSoon()
  }

  handOver(owner: string, unread: Uint8Array): Hold {
    this.#listener = undefined
    if (unread.length > 0) {
      this.#kept.unshift(unread.slice())
      this.#keptLength += unread.length
    }
    return this.#give(owner)
  }

  async flush(): Promise<void> {
    this.#kept = []
    this.#keptLength = 0
    await this.#wire.flush()
  }

  release(): void {
    this.#hold = undefined
    this.#listener = undefined
    this.#tellOwner()
  }

  #give(owner: string): Hold {
    this.#hold = new Hold(this, owner)
    this.#tellOwner()
    return this.#hold
  }

  #tellOwner(): void {
    this.#ownerListeners.emit(this.owner)
  }

  #onData(bytes: Uint8Array): void {
    if (this.#listener && this.#keptLength === 0) {
      this.#listener.data(bytes)
      return
    }
    this.#kept.push(bytes)
    this.#keptLength += bytes.length
    if (this.#keptLength > KEPT_LIMIT_BYTES) {
      const newest = concat(this.#kept).slice(-KEPT_LIMIT_BYTES)
      this.#kept = [newest]
      this.#keptLength = newest.length
    }
  }

  #onClosed(reason: string): void {
    this.#closedReason = reason
    this.#deliverSoon()
  }

  /** In a microtask: `listen` must have returned before its listener hears anything. */
  #deliverSoon(): void {
    if (this.#deliveryIsDue || (this.#keptLength === 0 && this.#closedReason === undefined)) return
    this.#deliveryIsDue = true
    queueMicrotask(() => this.#deliver())
  }

  #deliver(): void {
    this.#deliveryIsDue = false
    if (!this.#listener) return
    if (this.#keptLength > 0) {
      const bytes = this.#kept.length === 1 ? this.#kept[0]! : concat(this.#kept)
      this.#kept = []
      this.#keptLength = 0
      this.#listener.data(bytes)
    }
    if (this.#closedReason === undefined || !this.#listener) return
    // The listener may have handed over with unread bytes: they come first, in a turn of their own.
    if (this.#keptLength > 0) {
      this.#deliverSoon()
      return
    }
    const listener = this.#listener
    this.#listener = undefined
    listener.closed(this.#closedReason)
  }
}

/**
 * The port in one owner's hands. After `handOver` or `release` it is dead: writes and commands do nothing, its listener
 * hears nothing more.
 */
export class Hold implements Wire {
  readonly owner: string
  readonly #lease: Lease

  /** Made by Lease only. */
  constructor(lease: Lease, owner: string) {
    this.#lease = lease
    this.owner = owner
  }

  /** Passes the port on; the new hold's first bytes are `unread`. Throws WrongState when this hold is dead. */
  handOver(owner: string, unread: Uint8Array = NO_BYTES): Hold {
    if (!this.#isLive)
      throw new ModemdError('WrongState', `${this.path} is no longer held by ${this.owner}, so it cannot be passed on.`)
    return this.#lease.handOver(owner, unread)
  }

  /** Gives the port back; it stays open. Idempotent. */
  release(): void {
    if (this.#isLive) this.#lease.release()
  }

  get path(): string {
    return this.#wire.path
  }

  get isClosed(): boolean {
    return !this.#isLive || this.#wire.isClosed
  }

  get fd(): number | undefined {
    return this.#isLive ? this.#wire.fd : undefined
  }

  get outlivesHangUp(): boolean | undefined {
    return this.#isLive ? this.#wire.outlivesHangUp : undefined
  }

  set outlivesHangUp(on: boolean | undefined) {
    if (this.#isLive) this.#wire.outlivesHangUp = on
  }

  listen(listener: WireListener | undefined): void {
    if (this.#isLive) this.#lease.listen(listener)
  }

  write(bytes: Uint8Array): boolean {
    return this.#isLive ? this.#wire.write(bytes) : true
  }

  async setBaud(baud: number): Promise<void> {
    if (this.#isLive) await this.#wire.setBaud(baud)
  }

  async setLines(lines: ModemLines): Promise<void> {
    if (this.#isLive) await this.#wire.setLines(lines)
  }

  async sendBreak(): Promise<void> {
    if (this.#isLive) await this.#wire.sendBreak()
  }

  async flush(): Promise<void> {
    if (this.#isLive) await this.#lease.flush()
  }

  setReadSize(bytes: number): void {
    if (this.#isLive) this.#wire.setReadSize(bytes)
  }

  /** Closes the port itself, for everyone. */
  async close(): Promise<void> {
    if (this.#isLive) await this.#wire.close()
  }

  get #isLive(): boolean {
    return this.#lease.isHeldBy(this)
  }

  get #wire(): Wire {
    return this.#lease.wire
  }
}
