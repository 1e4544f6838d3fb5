/** A state directory in memory: counts its writes, can be full, survives the daemon that a test kills. */

import type { KeptStateFiles } from '../../../src/modem/state-files.ts'

export class MemoryFiles implements KeptStateFiles {
  readonly directory = '/var/lib/modemd'
  readonly content = new Map<string, string>()
  writes = 0
  isFull = false

  constructor(usage?: string) {
    if (usage !== undefined) this.content.set('usage.json', usage)
  }

  read(name: string): string | undefined {
    return this.content.get(name)
  }

  write(name: string, text: string): void {
    if (this.isFull) throw new Error('ENOSPC: no space left on device')
    this.writes++
    this.content.set(name, text)
  }

  setAside(name: string): string {
    this.content.set(`${name}.broken-1`, this.content.get(name) ?? '')
    this.content.delete(name)
    return `${name}.broken-1`
  }
}
