// What `npm run dev` runs inside its namespaces: bus, modem-sim and modemd from their sources, each started anew when a file of
// its own changes, and small programs in bin/ by which other terminals reach them.

import { once } from 'node:events'
import { mkdirSync, watch, writeFileSync } from 'node:fs'
import pc from 'picocolors'
import { sleep } from '../src/base/ports.ts'
import { clock } from '../src/cli/clock.ts'
import { Daemon } from '../src/cli/daemon.ts'
import { Rig, type Servant } from '../test/support/rig.ts'

/** Each started with tsx: what is saved is what runs. */
const SOURCES: Readonly<Record<string, string>> = {
  modemd: 'src/daemon/main.ts',
  'modem-sim': 'src/sim/command.ts',
  mmctl: 'src/cli/main.ts',
}
const PROJECT = process.cwd()
const TSX = import.meta.resolve('tsx')
/** An editor saves in several steps, a change of branch many files. */
const QUIET_MS = 200

const PROFILE = `[profile]
apn = internet
username = demo
password = sesame
pin = 1234
`

class DevRig extends Rig {
  override command(name: string, args: readonly string[]): string[] {
    const source = SOURCES[name]
    return source ? [process.execPath, '--import', TSX, `${PROJECT}/${source}`, ...args] : super.command(name, args)
  }
}

type Program = 'modemd' | 'modem-sim'

const rig = new DevRig({ files: { 'etc/modemd/profiles/demo.conf': PROFILE }, output: 'inherit' })
const ARGUMENTS: Readonly<Record<Program, readonly string[]>> = {
  'modem-sim': [
    ...['--root', rig.root, '--control', rig.control, '--pin', '1234', '--register-after', '300ms'],
    ...['--apn', 'internet:demo:sesame', '--auth', 'chap', '--internet', 'tun', '--dns', '10.64.0.1'],
    ...process.argv.slice(2),
  ],
  modemd: ['--root', rig.root, '--bus', rig.bus],
}

/** Those that are asked to end. */
const isEnding = new Set<Servant>()
/** modem-sim's, for options that it does not take. */
const WRONG_USE = 2

let isStopping = false
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
await rig.startBus()
start('modem-sim')
start('modemd')
writePrograms()
watchSources()
await untilOnBus()
tellHow()

function start(name: Program): void {
  const servant = rig.spawn(name, ARGUMENTS[name])
  servant.child.once('exit', (code, signal) => {
    // Then the rig counts.
    if (isStopping) return
    rig.servants.splice(rig.servants.indexOf(servant), 1)
    // Another start would not mend that.
    if (name === 'modem-sim' && code === WRONG_USE) {
      say(pc.red('modem-sim does not take these options: see `npm run dev -- --help`'))
      void stop(WRONG_USE)
      return
    }
    if (!isEnding.has(servant))
      say(pc.red(`${name} has ended (${signal ?? `exit ${code}`}): it starts again at the next change`))
  })
}

async function end(name: Program): Promise<void> {
  const servant = rig.servants.find((each) => each.name === name)
  if (!servant) return
  isEnding.add(servant)
  const ended = once(servant.child, 'exit')
  servant.child.kill('SIGTERM')
  await ended
}

/** Who must start anew; mmctl runs anew with every call. */
function programsOf(file: string): readonly Program[] {
  if (/^sim\//.test(file)) return ['modem-sim']
  if (/^(?:base|serial|system|ppp|modem\/sms)\//.test(file)) return ['modem-sim', 'modemd']
  return /^cli\//.test(file) ? [] : ['modemd']
}

function watchSources(): void {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let turn = Promise.resolve()
  watch(`${PROJECT}/src`, { recursive: true }, (_event, file) => {
    if (!file?.endsWith('.ts')) return
    changed.add(file)
    clearTimeout(timer)
    timer = setTimeout(() => {
      const files = [...changed]
      changed.clear()
      turn = turn.then(() => startAnew(files))
    }, QUIET_MS)
  })
}

async function startAnew(files: readonly string[]): Promise<void> {
  const programs = new Set(files.flatMap(programsOf))
  if (programs.size === 0 || isStopping) return
  const rest = files.length > 1 ? ` and ${files.length - 1} more` : ''
  say(`${files[0]}${rest} changed: ${[...programs].join(' and ')} ${programs.size > 1 ? 'start' : 'starts'} anew`)
  if (programs.has('modemd')) await end('modemd')
  if (programs.has('modem-sim')) {
    await end('modem-sim')
    start('modem-sim')
  }
  if (programs.has('modemd')) start('modemd')
}

/** Also where the first modemd does not start: somebody mends it. */
async function untilOnBus(): Promise<void> {
  try {
    const bus = await Daemon.open(rig.bus, clock)
    while (!(await bus.process())) await sleep(clock, 100)
    bus.close()
  } catch (error) {
    if (!isStopping) throw error
  }
  // Then nothing is to be told any more, and `stop` ends the process.
  if (isStopping) await new Promise(() => {})
}

/** `bin/mmctl` works from any terminal of this user: only the bus must be reached. */
function writePrograms(): void {
  mkdirSync(`${rig.root}/bin`)
  const run = (name: string, args: string) =>
    `exec "${process.execPath}" --import "${TSX}" "${PROJECT}/${SOURCES[name]}" ${args}"$@"\n`
  const programs = {
    mmctl: `#!/bin/sh\nexport DBUS_SYSTEM_BUS_ADDRESS=${rig.bus}\n${run('mmctl', '')}`,
    sim: `#!/bin/sh\n${run('modem-sim', `ctl "${rig.control}" `)}`,
    enter: `#!/bin/sh\nexport DBUS_SYSTEM_BUS_ADDRESS=${rig.bus} "PATH=${rig.root}/bin:$PATH"\nexec "\${SHELL:-sh}"\n`,
  }
  for (const [name, text] of Object.entries(programs)) writeFileSync(`${rig.root}/bin/${name}`, text, { mode: 0o755 })
}

function tellHow(): void {
  const { root } = rig
  say('modemd and a virtual modem run from src/; Ctrl-C ends them.')
  console.log(`In another terminal:
  export PATH=${root}/bin:$PATH
  mmctl connect demo; mmctl monitor; mmctl doctor
  sim hangup; sim unplug; sim plug      (what modem-sim ctl takes)
The configuration is in ${root}/etc/modemd.
A shell in which the link is the network (ping 10.64.0.1):
  nsenter --preserve-credentials -U -n -m -t ${process.pid} ${root}/bin/enter`)
}

function say(text: string): void {
  console.log(pc.bold(text))
}

async function stop(exit = 0): Promise<void> {
  if (isStopping) return
  isStopping = true
  try {
    for (const ended of await rig.stop()) console.log(ended)
    process.exit(exit)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
