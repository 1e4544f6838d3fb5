/**
 * The option reader against Debian's pppd 2.4.9: the same command lines and files, `dryrun`; the options in effect, messages and
 * exit codes are compared line by line. pppd runs on the preload library of test/interop/pppd-shim, both see an /etc/ppp of their own.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { readOptions } from '../../../src/ppp/command/options.ts'
import { systemServices } from '../../../src/ppp/command/options-system.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { ACCEPTED_WORDS, CASES, type Case } from './differential-cases.ts'

const PPPD = '/usr/sbin/pppd'
const ETC_PPP = '/etc/ppp'

/** With `modem` pppd takes a second to drop DTR. */
const DRY = ['local', 'dryrun']

interface Answer {
  readonly exitCode: number | null
  readonly shown: readonly string[]
  readonly messages: readonly string[]
}

if (inNamespace(import.meta.url, needs('pppd', 'gcc', 'tun'))) tests()

function tests(): void {
  const directory = mkdtempSync(join(tmpdir(), 'modemd-options-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const library = join(directory, 'fakeppp.so')
  const source = new URL('../../interop/pppd-shim/fakeppp.c', import.meta.url).pathname
  const compiled = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, source, '-lpthread', '-ldl'], {
    encoding: 'utf8',
  })
  assert.equal(compiled.status, 0, compiled.stderr)
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', 'none', ETC_PPP]).status, 0, 'no tmpfs on /etc/ppp')

  // Names are looked for in /etc/hosts alone: nobody answers for the others here.
  writeFileSync(join(directory, 'nsswitch.conf'), 'hosts: files\npasswd: files\ngroup: files\n')
  assert.equal(spawnSync('mount', ['--bind', join(directory, 'nsswitch.conf'), '/etc/nsswitch.conf']).status, 0)

  const pppd = (args: readonly string[]): Answer => {
    const ran = spawnSync(PPPD, args, {
      encoding: 'utf8',
      env: { ...process.env, LD_PRELOAD: library },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { exitCode: ran.status, shown: comparable(lines(ran.stdout)), messages: messagesOf(ran.stderr) }
  }
  const ours = (args: readonly string[]): Answer => {
    const read = readOptions(args, { ...systemServices(PPPD, systemClock), standardInputTty: () => undefined })
    if ('exitCode' in read)
      return { exitCode: read.exitCode, shown: comparable(lines(read.stdout)), messages: messagesOf(read.stderr) }
    return { exitCode: 0, shown: comparable([...read.warnings, ...read.dumpLines]), messages: [] }
  }
  const compare = ({ args, files }: Case) => {
    for (const name of readdirSync(ETC_PPP)) rmSync(join(ETC_PPP, name), { recursive: true })
    for (const [name, text] of Object.entries(files ?? {})) {
      const path = join(ETC_PPP, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text, { mode: 0o600 })
    }
    assert.deepEqual(ours(args), pppd(args), args.join(' '))
  }

  for (const each of CASES) {
    const name = `${each.args.join(' ')}${each.files ? `, ${Object.keys(each.files).join(', ')}` : ''}`
    test(`as pppd: ${name}`, () => compare({ ...each, args: [...each.args, ...DRY] }))
  }

  test('as pppd: 150 drawn command lines, with an options file and one for the tty', () => {
    const random = new SeededRandom(20_240_902)
    const draw = (count: number) => {
      const words = ACCEPTED_WORDS[(random.bytes(1)[0]! << 8) % ACCEPTED_WORDS.length]!
      return [words, ...Array.from({ length: count - 1 }, () => ACCEPTED_WORDS[pick(random)]!)]
    }
    for (let run = 0; run < 150; run++) {
      const args = draw(1 + (random.bytes(1)[0]! % 12)).flatMap((words) => words.split(' '))
      compare({
        args: ['/dev/zero', ...args, ...DRY],
        files: { options: `${draw(4).join('\n')}\n`, 'options.zero': draw(3).join(' # why\n') },
      })
    }
  })
}

function pick(random: SeededRandom): number {
  const [high, low] = random.bytes(2)
  return (high! * 256 + low!) % ACCEPTED_WORDS.length
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/**
 * Of an option that its opposite has undone pppd prints no more than where it came from, and of several values of one option it
 * names for each where the next one came from.
 */
function comparable(shown: readonly string[]): string[] {
  return shown
    .filter((line) => !line.startsWith('\t\t# (from'))
    .map((line) => (/^(ms-dns|ms-wins|allow-ip) /.test(line) ? line.replace(/\t\t# .*/, '') : line))
}

/** The usage after an unknown option is each one's own. */
function messagesOf(stderr: string): string[] {
  const all = lines(stderr)
  const usageAt = all.findIndex((line) => /^(pppd|modem-ppp) version/.test(line))
  return usageAt < 0 ? all : [...all.slice(0, usageAt), '(usage)']
}
