/** `mmctl completion`: the scripts in real shells, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openPty } from '../../src/system/pty.ts'
import { needs } from '../support/needs.ts'
import { until } from '../system/until.ts'
import { at, type Scene, SECOND, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

interface Shell {
  readonly scene: Scene
  /** Of the script. */
  readonly file: string
  readonly env: NodeJS.ProcessEnv
  /** What a shell says that is given this text. */
  run(program: string, ...args: readonly string[]): Promise<string>
}

/** A folder with the script, and `mmctl` in PATH; two modems, and the profiles demo and office. */
async function shell(context: TestContext, name: string): Promise<Shell> {
  const folder = mkdtempSync(join(tmpdir(), 'mmctl-completion-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const made = await scene(context)
  made.api.addModem({ ...SECOND, model: 'evil","id":"$(touch evil)', sim: { ...SECOND.sim } })
  made.api.addLink({ id: 'office', profile: 'office' })
  const { stdout, exitCode } = await made.run('completion', name)
  assert.equal(exitCode, 0)
  const file = join(folder, `mmctl.${name}`)
  writeFileSync(file, stdout)
  mkdirSync(join(folder, 'bin'))
  const mmctl = join(folder, 'bin', 'mmctl')
  writeFileSync(mmctl, `#!/bin/sh\nexec '${process.execPath}' --import tsx src/cli/main.ts "$@"\n`)
  chmodSync(mmctl, 0o755)
  const env = {
    ...process.env,
    PATH: `${folder}/bin:${process.env.PATH}`,
    DBUS_SYSTEM_BUS_ADDRESS: made.address,
    HOME: folder,
    TERM: 'dumb',
  }
  const run = async (program: string, ...args: readonly string[]) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [said, complained] = ['', '']
    child.stdout.on('data', (bytes) => (said += bytes))
    child.stderr.on('data', (bytes) => (complained += bytes))
    const status = await new Promise((resolve) => child.once('close', resolve))
    assert.deepEqual([status, complained], [0, ''], args.join(' '))
    return said
  }
  return { scene: made, file, env, run }
}

const MODEMS = ['imei_356938035643809', 'usb_1_3']

/** A command line up to its last word, and what that may become. */
const LINES: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [['prof'], ['profile']],
  [['dis'], ['disable', 'disconnect']],
  [['--json', 'sim', 'un'], ['unlock']],
  [['profile', '--bus', 'system', 'a'], ['add']],
  [
    ['connect', ''],
    ['demo', 'office'],
  ],
  [['connect', 'demo', ''], []],
  [['connect', 'demo', '--pa'], ['--password-file']],
  [['connect', '--modem', ''], MODEMS],
  [['connect', '--modem', 'u'], ['usb_1_3']],
  [['connect', '--apn', ''], []],
  [['connect', '--apn', 'x', 'o'], ['office']],
  [['connect', '--engine', 'b'], ['builtin']],
  [['profile', 'remove', 'de'], ['demo']],
  [['signal', ''], MODEMS],
  [['register', '26201', 'us'], ['usb_1_3']],
  [
    ['why', ''],
    [...MODEMS, 'demo', 'office'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['monitor', '--js'], ['--json']],
]

test('completion bash', has, async (context) => {
  const { file, run } = await shell(context, 'bash')
  await run('bash', '-n', file)
  const complete = async (words: readonly string[]) => {
    const script = `. ${file}; COMP_WORDS=(mmctl "$@"); COMP_CWORD=$#; _mmctl; printf '%s\\n' "\${COMPREPLY[@]}"`
    return (await run('bash', '-c', script, 'bash', ...words)).split('\n').filter((line) => line !== '')
  }
  for (const [words, expected] of LINES) assert.deepEqual(await complete(words), expected, words.join(' '))
  // bash makes three words of it.
  assert.deepEqual(await complete(['connect', '--ip', '=', '4']), ['4', '46'])
  assert.deepEqual(await complete(['connect', '--ip', '=']), ['4', '6', '46'])
  assert.equal(await run('bash', '-c', `. ${file}; complete -p mmctl`), 'complete -F _mmctl mmctl\n')
})

test('completion bash: every command and option of the program, and no modemd is no noise', has, async (context) => {
  const { file, run, scene: made } = await shell(context, 'bash')
  const script = `. ${file}; COMP_WORDS=(mmctl "$@"); COMP_CWORD=$#; _mmctl; printf '%s ' "\${COMPREPLY[@]}"`
  const { stdout } = await made.run('--help')
  const [, list = ''] = /Commands:\n(.*?)\n\n/s.exec(stdout) ?? []
  const commands = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1])
  assert.ok(commands.length > 20)
  assert.deepEqual((await run('bash', '-c', script, 'bash', '')).trim().split(' '), commands)
  for (const command of ['connect', 'profile add', 'sms send', 'signal', 'sim unlock']) {
    const help = (await made.run(...command.split(' '), '--help')).stdout
    const options = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1])
    assert.ok(options.length > 2)
    const said = await run('bash', '-c', script, 'bash', ...command.split(' '), '-')
    assert.deepEqual(said.trim().split(' '), options, command)
  }
  const alone = `export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent; ${script}`
  assert.equal(await run('bash', '-c', alone, 'bash', 'connect', ''), ' ')
})

test('completion zsh: on a terminal', { ...needs('dbus-daemon', 'zsh'), timeout: 60_000 }, async (context) => {
  const { file, run, env } = await shell(context, 'zsh')
  await run('zsh', '-n', file)
  const pty = openPty()
  context.after(() => pty.close())
  let screen = ''
  pty.onData((bytes) => {
    screen += Buffer.from(bytes).toString('utf8')
  })
  const terminal = openSync(pty.slavePath, 'r+')
  const child = spawn('zsh', ['-f', '-i'], { env, stdio: [terminal, terminal, terminal] })
  closeSync(terminal)
  context.after(() => child.kill('SIGKILL'))
  const type = async (keys: string, expected: RegExp) => {
    screen = ''
    pty.write(Buffer.from(keys))
    await until(`${expected} after ${JSON.stringify(keys)}`, () => expected.test(screen), 20_000)
  }
  await type(`unsetopt beep; autoload -U compinit; compinit -u -D; . ${file}; echo is $((6*7))\r`, /is 42/)
  await type('mmctl prof\t', /mmctl profile /)
  await type('rem\t', /remove /)
  await type('de\t', /demo /)
  await type('\x15mmctl connect --modem us\t', /usb_1_3 /)
  await type('--engine=b\t', /builtin /)
  await type('--pas\t', /--password-file /)
})

test('completion fish', { ...needs('dbus-daemon', 'fish'), timeout: 60_000 }, async (context) => {
  const { file, run } = await shell(context, 'fish')
  await run('fish', '-n', file)
  const complete = async (line: string) => {
    const said = await run('fish', '--no-config', '-c', `source ${file}; complete -C "mmctl ${line}"`)
    return said.split('\n').filter((each) => each !== '')
  }
  for (const [words, expected] of LINES) {
    const found = (await complete(words.join(' '))).map((each) => each.split('\t')[0])
    assert.deepEqual(found.toSorted(), expected.toSorted(), words.join(' '))
  }
  assert.deepEqual(await complete('connect --ip=4'), ['--ip=4', '--ip=46'])
  assert.deepEqual(await complete('prof'), ['profile\thow links are made'])
})

test('completion: of no other shell, and --json', has, async (context) => {
  const { run, json } = await scene(context)
  const other = await run('completion', 'tcsh')
  assert.equal(other.exitCode, 2)
  assert.match(other.stderr.replaceAll('\n', ' '), /bash, zsh, fish/)
  assert.equal(at((await json('completion', 'bash')).document, 'shell'), 'bash')
})
