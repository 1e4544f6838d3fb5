/** The real D-Bus service over a supervisor of snapshots, and mmctl on a terminal of 80 columns or with --json. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { serve } from '../../bus/fixture.ts'
import type { FakeSupervisor } from '../../support/fake-supervisor.ts'
import { type Ended, mmctl, Running, type RunOptions } from './mmctl.ts'

/** What is at `path` (`links.0.id`) in a JSON document. */
export function at(document: unknown, path: string): unknown {
  return path.split('.').reduce((place, key) => (place as Record<string, unknown> | undefined)?.[key], document)
}

export function list(document: unknown): readonly unknown[] {
  assert.ok(Array.isArray(document))
  return document
}

export interface Scene {
  readonly api: FakeSupervisor
  readonly address: string
  /** On a terminal of 80 columns, without colour. */
  run(...argv: readonly string[]): Promise<Ended>
  json(...argv: readonly string[]): Promise<{ readonly exitCode: number; readonly document: unknown }>
  start(argv: readonly string[], options?: Partial<RunOptions>): Running
}

export async function scene(context: TestContext): Promise<Scene> {
  const { api, bus } = await serve(context)
  const { address } = bus
  const env = { NO_COLOR: '1' }
  return {
    api,
    address,
    run: (...argv) => mmctl(argv, { address, columns: 80, env }),
    json: async (...argv) => {
      const { exitCode, stdout, stderr } = await mmctl([...argv, '--json'], { address })
      assert.equal(stderr, '')
      assert.equal(stdout.split('\n').length, 2, 'one line')
      return { exitCode, document: JSON.parse(stdout) }
    },
    start: (argv, options) => new Running(argv, { address, columns: 80, env, ...options }),
  }
}

export function secretFile(context: TestContext, text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmctl-secret-'))
  context.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'secret'), text, { mode })
  return join(folder, 'secret')
}

/** A locked modem of which little is known. */
export const SECOND = {
  id: 'usb_1_3',
  device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3',
  model: 'MC7455 with a very long name of its own',
  equipmentIdentifier: undefined,
  ports: [{ name: '/dev/ttyUSB4', role: 'at', owner: '' }],
  state: 'locked',
  operatorName: undefined,
  operatorCode: undefined,
  accessTechnologies: [],
  signalQuality: undefined,
  signalDbm: undefined,
  signal: undefined,
  sim: { status: 'pin', pinTries: 3 },
} as const
