/** The modem of one case: carries out its steps on the master of a pty. It reacts to bytes only, never to when they come. */

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromLatin1, latin1 } from '../../../src/base/bytes.ts'
import type { Pty } from '../../../src/system/pty.ts'
import type { Step } from './case.ts'

export class FakeModem {
  heard = ''
  isHungUp = false
  #from = 0
  #isProgramGone = false
  #wake = () => {}
  readonly #files = new Map<string, number>()
  readonly #pty: Pty
  readonly #folder: string
  readonly #kill: (name: NodeJS.Signals) => void

  constructor(pty: Pty, folder: string, kill: (name: NodeJS.Signals) => void) {
    this.#pty = pty
    this.#folder = folder
    this.#kill = kill
    pty.onData((bytes) => {
      this.heard += fromLatin1(bytes)
      this.#wake()
    })
  }

  /** Ends with the last step, or when the program is gone and what is waited for never came. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.do === 'hear') {
        if (!(await this.#hear(step.bytes))) return
      } else if (step.do === 'say') this.#pty.write(latin1(step.bytes))
      else if (step.do === 'pause') await sleep(step.ms)
      else if (step.do === 'signal') this.#kill(step.name)
      else if (step.do === 'write') writeSync(this.#open(step.file), latin1(step.bytes))
      else if (step.do === 'close-files') this.closeFiles()
      else {
        this.isHungUp = true
        this.#pty.hangUp()
      }
    }
  }

  /** Nothing more will be heard. */
  programIsGone(): void {
    this.#isProgramGone = true
    this.#wake()
  }

  /** Also at the very end. */
  closeFiles(): void {
    for (const fd of this.#files.values()) closeSync(fd)
    this.#files.clear()
  }

  /** A FIFO opened for both directions waits for nobody. */
  #open(name: string): number {
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NONBLOCK
    const fd = this.#files.get(name) ?? openSync(`${this.#folder}/${name}`, flags)
    this.#files.set(name, fd)
    return fd
  }

  async #hear(bytes: string): Promise<boolean> {
    for (;;) {
      const at = this.heard.indexOf(bytes, this.#from)
      if (at >= 0) {
        this.#from = at + bytes.length
        return true
      }
      if (this.#isProgramGone) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
