/** Passes everything on to another wire: the ground for `tap.ts` and `faults.ts`, which change one thing each. */

import type { ModemLines, Wire, WireListener } from './wire.ts'

export class WireDecorator implements Wire {
  protected readonly wire: Wire

  constructor(wire: Wire) {
    this.wire = wire
  }

  get path(): string {
    return this.wire.path
  }

  get isClosed(): boolean {
    return this.wire.isClosed
  }

  /** Bytes that pass by it would escape the decorator. */
  get fd(): number | undefined {
    return undefined
  }

  get outlivesHangUp(): boolean | undefined {
    return this.wire.outlivesHangUp
  }

  set outlivesHangUp(on: boolean | undefined) {
    this.wire.outlivesHangUp = on
  }

  listen(listener: WireListener | undefined): void {
    this.wire.listen(listener)
  }

  write(bytes: Uint8Array): boolean {
    return this.wire.write(bytes)
  }

  setBaud(baud: number): Promise<void> {
    return this.wire.setBaud(baud)
  }

  setLines(lines: ModemLines): Promise<void> {
    return this.wire.setLines(lines)
  }

  sendBreak(): Promise<void> {
    return this.wire.sendBreak()
  }

  flush(): Promise<void> {
    return this.wire.flush()
  }

  setReadSize(bytes: number): void {
    this.wire.setReadSize(bytes)
  }

  close(): Promise<void> {
    return this.wire.close()
  }
}
