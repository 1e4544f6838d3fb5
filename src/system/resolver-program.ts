/**
 * Name servers by resolvconf(8), Debian's and openresolv's, where it manages /etc/resolv.conf: one of the methods of
 * `link/resolver-chain.ts`. What we add is called `INTERFACE.modemd`, by which the next start knows what a crash left.
 */

import type { SpawnOptions } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, ModemdError } from '../base/errors.ts'
import { isOfResolvconf, type LinkNameServers, type NameServerMethod } from '../base/name-servers.ts'
import { startChild } from './child.ts'
import { foreignResolvConf } from './resolver-file.ts'

const FOLDERS = ['sbin', 'usr/sbin', 'usr/local/sbin', 'usr/bin']
/** Debian's, openresolv's to 3.12, and from 3.13 on. */
const RECORDS = ['run/resolvconf/interface', 'run/resolvconf/interfaces', 'run/resolvconf/keys']
const OURS = /^(?!\.)[A-Za-z0-9_.-]+\.modemd$/
const TIMEOUT_MS = 15_000
const LONGEST_WORDS = 300

/** `root`: '' or the directory that stands for `/`. */
export function resolvconfProgram(root: string): NameServerMethod {
  const program = FOLDERS.map((folder) => join('/', root, folder, 'resolvconf')).find(isProgram)
  const shown = new Map<string, string>()

  const remove = async (record: string) => {
    if (program !== undefined) await run(program, ['-d', record])
    shown.delete(record)
  }
  const add = async (record: string, { servers, metric }: LinkNameServers) => {
    const text = servers.map((server) => `nameserver ${server}\n`).join('')
    const entry = `${metric}\n${text}`
    if (program === undefined || shown.get(record) === entry) return
    // Debian's knows no metric, and takes no option for it.
    await run(program, ['-a', record], { IF_METRIC: String(metric) }, text)
    shown.set(record, entry)
  }

  return {
    name: 'resolvconf',
    reach: async () => {
      if (program === undefined) return 'none'
      const { text, target } = await foreignResolvConf(root)
      return isOfResolvconf(text, target) ? 'all' : 'none'
    },
    show: async (links) => {
      const wanted = new Map(links.map((link) => [`${link.interfaceName}.modemd`, link]))
      for (const record of [...shown.keys()]) if (!wanted.has(record)) await remove(record)
      for (const [record, link] of wanted) await add(record, link)
    },
    restoreAfterCrash: async () => {
      const left = await Promise.all(RECORDS.map((folder) => readdir(join('/', root, folder)).catch(() => [])))
      for (const record of new Set(left.flat())) if (OURS.test(record)) await remove(record)
    },
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function run(program: string, args: string[], environment: Record<string, string> = {}, input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new ModemdError('Internal', `resolvconf ${args.join(' ')}: ${why}`))
    const options: SpawnOptions = {
      // It calls scripts of the system: nothing of our environment is theirs.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    }
    const child = startChild(program, args, options, (error) => fail(errorText(error)))
    let words = ''
    child?.stderr?.on('data', (bytes) => {
      words = (words + bytes).slice(0, LONGEST_WORDS)
    })
    // Not `close`: what it starts may keep its standard error.
    child?.on('exit', (code, signal) => (code === 0 ? resolve() : fail(words.trim() || `exit ${code ?? signal}`)))
    // It may end before it reads all.
    child?.stdin?.on('error', () => {})
    child?.stdin?.end(input)
  })
}
