/** Configurations from real files in a folder of their own. */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Configuration } from '../../src/daemon/config.ts'
import type { Profile } from '../../src/link/profile.ts'

export type Files = Readonly<Record<string, string>>

/** Files by their path under /etc/modemd; profiles are 0600. */
export function withFiles<T>(files: Files, use: (root: string, home: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), 'modemd-config-'))
  const home = join(root, 'etc/modemd')
  const clean = () => rmSync(root, { recursive: true })
  mkdirSync(home, { recursive: true })
  for (const [name, text] of Object.entries(files)) put(home, name, text)
  try {
    const result = use(root, home)
    if (result instanceof Promise) return result.finally(clean) as T
    clean()
    return result
  } catch (error) {
    clean()
    throw error
  }
}

export function put(home: string, name: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(join(home, name)), { recursive: true })
  writeFileSync(join(home, name), text)
  chmodSync(join(home, name), mode)
}

export function open(files: Files): Configuration {
  return withFiles(files, (root) => new Configuration({ root }))
}

export function profileOf(text: string): Profile {
  const { profiles, faults } = open({ 'profiles/p.conf': text })
  assert.deepEqual(faults, [])
  return profiles[0]!
}

export function faultsOfProfile(text: string): readonly string[] {
  return open({ 'profiles/p.conf': text }).faults.map((fault) => fault.replace('/etc/modemd/profiles/p.conf:', ''))
}

/** Who runs this test owns its files. */
export const isRoot = process.geteuid?.() === 0
