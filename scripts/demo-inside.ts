// The demo proper, inside namespaces made by demo.mjs: a private bus, a virtual modem and operator, modemd, and then
// what a user would do. Every step is checked; the first that did not really happen ends the demo with exit 1.

import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import pc from 'picocolors'
import manifest from '../package.json' with { type: 'json' }
import { wrap } from '../src/cli/output/text.ts'
import { Rig } from '../test/support/rig.ts'

const OPERATOR = '10.64.0.1'
const LINK_PATH = '/org/modemd/link/demo'
const PROFILE = `[profile]
apn = internet
username = demo
password = sesame
pin = 1234
`

const keep = process.argv.includes('--keep')
const rig = new Rig({
  sim: [
    ...['--unplugged', '--pin', '1234', '--register-after', '300ms', '--apn', 'internet:demo:sesame', '--auth', 'chap'],
    ...['--internet', 'tun', '--dns', OPERATOR, '--connect-string', 'CONNECT 150000000'],
  ],
  modemd: ['--log-level', 'warn'],
  files: { 'etc/modemd/profiles/demo.conf': PROFILE },
  output: 'inherit',
})

let isStopping = false
for (const [signal, exit] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => stopEarly(exit))
try {
  await demonstrate()
} catch (error) {
  // A signal that came while a program ran is heard only now, and is why that program failed.
  await new Promise((resolve) => setTimeout(resolve, 100))
  if (isStopping) await new Promise(() => {})
  console.error(`\n${pc.red('The demo failed')}: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}

async function stopEarly(exit: number): Promise<void> {
  if (isStopping) return
  isStopping = true
  try {
    await rig.stop()
    console.log('\nStopped early; nothing is left.')
  } catch (error) {
    console.error(`\nStopped early: ${error instanceof Error ? error.message : error}`)
  }
  process.exit(exit)
}

async function demonstrate(): Promise<void> {
  say('A private D-Bus, a virtual modem with its operator, and modemd start. No hardware, no root.')
  await rig.start()

  say('A modem is plugged in. modemd sees the kernel event, finds the AT port, unlocks the SIM and registers.')
  run('modem-sim', 'ctl', rig.control, 'plug')
  await rig.until('the modem is registered', () => rig.modems()[0]?.operatorName !== undefined)
  show('mmctl', 'list')

  say('Connect: dial with the AT chat script, bring up PPP, set address, route and name server.')
  show('mmctl', 'connect', 'demo')
  expect(run('ip', 'addr', 'show', 'ppp0'), /inet 10\.64\./, 'ppp0 has its address')
  expect(run('ip', 'route'), /default .*dev ppp0/, 'the default route goes through ppp0')
  expect(run('cat', '/etc/resolv.conf'), /^nameserver 10\.64\.0\.1$/m, "the operator's name server is set")

  say('Real traffic: ping, and a page from the web server on the operator’s side.')
  expect(run('ping', '-c', '3', '-i', '0.2', '-W', '2', OPERATOR), / 0% packet loss/, 'ping through ppp0')
  expect(
    run('node', '-e', `fetch('http://${OPERATOR}/').then(async (page) => console.log(await page.text()))`),
    /modem-sim/,
    'a page through ppp0',
  )

  say('Any D-Bus program sees it: busctl reads signal, speed and state.')
  const modem = /"(.*)"/.exec(
    run('busctl', 'get-property', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'Modems'),
  )![1]!
  expect(
    run('busctl', 'get-property', 'org.modemd', modem, 'org.modemd.Modem1', 'SignalQuality'),
    /^y \d+/,
    'SignalQuality',
  )
  expect(linkProperty('ConnectSpeed'), /^u 150000000/, 'ConnectSpeed')
  expect(linkProperty('State'), /"up"/, 'the link is up')

  say('The operator hangs up. Nobody does anything: the link comes back by itself.')
  const upSince = rig.link('demo').upSince
  const hungUpAtMs = performance.now()
  run('modem-sim', 'ctl', rig.control, 'hangup')
  await rig.untilUpAgain('demo', upSince)
  const seconds = ((performance.now() - hungUpAtMs) / 1000).toFixed(1)
  console.log(inLines(`Up again ${seconds} s after the hang-up (the policy waits about 1 s before it redials).`))
  expect(run('ping', '-c', '1', '-W', '2', OPERATOR), / 0% packet loss/, 'ping after the redial')
  show('mmctl', 'why', 'demo')
  expect(rig.read('mmctl', 'why', 'demo'), /hung-up/, 'why names the hang-up')

  say('Disconnect and connect again, this time by D-Bus alone.')
  run('busctl', 'call', 'org.modemd', '/org/modemd', 'org.modemd.Manager1', 'Disconnect', 'o', LINK_PATH)
  expect(linkProperty('State'), /"idle"/, 'the link is idle')
  run(
    'busctl',
    'call',
    'org.modemd',
    '/org/modemd',
    'org.modemd.Manager1',
    'Connect',
    'sa{sv}',
    'demo',
    '1',
    'wait',
    'b',
    'true',
  )
  expect(linkProperty('State'), /"up"/, 'the link is up again')
  if (keep) return await keepRunning()
  show('mmctl', 'disconnect')
  await cleanEnd()
  console.log(`\n${pc.green('The demo is done: every step above really happened.')}`)
}

async function cleanEnd(): Promise<void> {
  say('Everything ends and cleans up behind itself.')
  for (const end of await rig.stop()) console.log(end)
  const interfaces = execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' })
  if (/ppp/.test(interfaces)) throw new Error(`an interface is left:\n${interfaces}`)
  const routes = execFileSync('ip', ['route'], { encoding: 'utf8' })
  if (routes !== '') throw new Error(`a route is left:\n${routes}`)
  const files = rig.leftovers()
  if (files.length > 0) throw new Error(`files are left: ${files.join(', ')}`)
  console.log('No process, interface, route, socket or lock file is left.')
}

async function keepRunning(): Promise<never> {
  writeEnterScript()
  say('--keep: everything goes on running until Ctrl-C. Another terminal gets in with')
  console.log(`nsenter --preserve-credentials -U -n -m -t ${process.pid} ${rig.root}/enter`)
  console.log('There, for example: mmctl status; mmctl monitor; modem-sim ctl $SIM hangup; exit')
  console.log('What appears below is what modemd logs.')
  return await new Promise(() => setInterval(() => {}, 0x7fffffff))
}

/** A shell with our programs on its PATH. */
function writeEnterScript(): void {
  const project = process.cwd()
  mkdirSync(`${rig.root}/bin`)
  for (const [name, file] of Object.entries(manifest.bin)) symlinkSync(`${project}/${file}`, `${rig.root}/bin/${name}`)
  const variables = `DBUS_SYSTEM_BUS_ADDRESS=${rig.bus} SIM=${rig.control} "PATH=${rig.root}/bin:$PATH"`
  const script = `#!/bin/sh\ncd "${project}"\nexec env ${variables} "\${SHELL:-sh}"\n`
  writeFileSync(`${rig.root}/enter`, script, { mode: 0o755 })
}

/** Runs a program as a user would, shows the command and its real output, and wants exit 0. */
function run(name: string, ...args: string[]): string {
  console.log(pc.dim(`$ ${[name, ...args].join(' ')}`))
  const output = rig.read(name, ...args)
  process.stdout.write(output)
  return output
}

/** As `run`, on the terminal as it is, so that live progress shows. */
function show(name: string, ...args: string[]): void {
  console.log(pc.dim(`$ ${[name, ...args].join(' ')}`))
  const [program, ...all] = rig.command(name, args)
  execFileSync(program!, all, { env: rig.environment, timeout: 60_000, stdio: ['ignore', 'inherit', 'inherit'] })
}

function linkProperty(property: string): string {
  return run('busctl', 'get-property', 'org.modemd', LINK_PATH, 'org.modemd.Link1', property)
}

function say(text: string): void {
  console.log(`\n${pc.bold(inLines(text))}`)
}

/** For the terminal's width. */
function inLines(text: string): string {
  return wrap(text, process.stdout.columns || 80).join('\n')
}

function expect(output: string, pattern: RegExp, what: string): void {
  if (!pattern.test(output)) throw new Error(`${what}: expected ${pattern} in\n${output}`)
}
