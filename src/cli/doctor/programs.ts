/** Checks of `mmctl doctor`: programs that take ports, links or name servers themselves. */

import { dirname } from 'node:path'
import { type Finding, fault, ok, warn } from '../../base/finding.ts'
import type { Machine, Program } from './machine.ts'

interface Rival {
  readonly names: readonly string[]
  /** Behind its name. */
  readonly does: string
  readonly advice: string
}

const MANAGES = 'takes every modem that it sees; modemd leaves it all that [device] does not name'

const RIVALS: readonly Rival[] = [
  {
    names: ['ModemManager'],
    does: MANAGES,
    advice: '`systemctl disable --now ModemManager`, or name the modem in a [device] section (docs/ports-and-locks.md)',
  },
  { names: ['ofonod'], does: 'takes every modem that it sees', advice: '`systemctl disable --now ofono`' },
  {
    names: ['brltty'],
    does: 'takes USB serial adapters for Braille displays',
    advice: '`systemctl disable --now brltty`, or `apt purge brltty` where nobody needs it',
  },
  {
    names: ['wvdial', 'sakis3g', 'umtskeeper'],
    does: 'dials by itself and holds its port',
    advice: 'end it: modemd dials',
  },
  {
    names: ['gammu-smsd', 'smsd'],
    does: "reads messages through a modem's port",
    advice: "keep it off modemd's modems, or use `mmctl sms` instead",
  },
  {
    names: ['minicom', 'picocom', 'cu', 'tio'],
    does: 'may have a port of a modem open',
    advice: 'end it, or use `mmctl at`',
  },
]

export function rivals(machine: Machine): readonly Finding[] {
  const found = RIVALS.flatMap(({ names, does, advice }) =>
    machine.running(...names).map(({ name, pid }) => warn(name, `process ${pid} ${does}`, advice)),
  )
  const looked = RIVALS.flatMap(({ names }) => names.slice(0, 1)).filter((name) => machine.running(name).length === 0)
  return [...found, ok('other programs', `not running: ${looked.join(', ')}`)]
}

const CONNECTIONS = '/etc/NetworkManager/system-connections'

/** It leaves interfaces alone that it did not make; its own mobile connections want the same modem. */
export function networkManager(machine: Machine): readonly Finding[] {
  const check = 'NetworkManager'
  const [program] = machine.running('NetworkManager')
  if (!program) return []
  const dialling = machine.running('pppd').find(({ words }) => words.some((word) => word.includes('nm-pppd-plugin')))
  if (dialling)
    return [
      warn(
        check,
        `it runs a PPP link of its own (process ${dialling.pid})`,
        'end that connection: `nmcli connection down NAME`',
      ),
    ]
  const mobile = machine
    .names(CONNECTIONS)
    .find((name) => /^type=gsm$/m.test(machine.text(`${CONNECTIONS}/${name}`) ?? ''))
  if (mobile === undefined) return [ok(check, "runs, and leaves modemd's interfaces alone")]
  const name = mobile.replace(/\.nmconnection$/, '')
  return [
    warn(check, `its connection ${name} wants a modem, too`, `\`nmcli connection modify "${name}" autoconnect no\``),
  ]
}

/** pppd that neither modemd nor NetworkManager started. */
export function otherPppd(machine: Machine, modemd: number | undefined): readonly Finding[] {
  return machine
    .running('pppd')
    .filter(
      ({ pid, words }) => parentOf(machine, pid) !== modemd && !words.some((word) => word.includes('nm-pppd-plugin')),
    )
    .map(({ pid, words }) => {
      const port = words.find((word) => /^(?:\/dev\/)?tty/.test(word))
      return warn(
        'pppd',
        `process ${pid} runs a PPP link that is not modemd's${port ? ` on ${port}` : ''}`,
        'end it with `poff -a` if modemd is to dial',
      )
    })
}

function parentOf(machine: Machine, pid: number): number | undefined {
  const [, parent] = /^PPid:\s*(\d+)/m.exec(machine.text(`/proc/${pid}/status`) ?? '') ?? []
  return parent === undefined ? undefined : Number(parent)
}

const GETTYS = ['agetty', 'getty', 'mgetty', 'fgetty', 'ngetty']
const SERIAL = /^(?:\/dev\/)?(tty(?!\d|S?$)[A-Za-z]+\d+)$/

/** A log-in on a port reads what the modem says, and answers it. */
export function gettys(machine: Machine): readonly Finding[] {
  const check = 'getty'
  const named = configurationText(machine)
  const found = machine
    .running(...GETTYS)
    .flatMap((program) => portsOf(program).map((port) => ({ port, pid: program.pid })))
  const console = /\bconsole=(tty(?!\d)[A-Za-z]+\d+)/.exec(machine.text('/proc/cmdline') ?? '')?.[1]
  const onModems = found.filter(({ port }) => !/^ttyS/.test(port) || named.includes(`tty:/dev/${port}"`))
  const findings = onModems.map(({ port, pid }) =>
    fault(check, `a log-in waits on ${port} (process ${pid})`, `\`systemctl disable --now serial-getty@${port}\``),
  )
  if (console !== undefined && named.includes(`tty:/dev/${console}"`))
    findings.push(
      fault(
        check,
        `the kernel's console is on ${console}, which [device] names`,
        `take \`console=${console}\` from the kernel's command line`,
      ),
    )
  if (findings.length > 0) return findings
  const others = [...new Set(found.map(({ port }) => port))]
  return [ok(check, others.length > 0 ? `on ${others.join(', ')}, which modemd does not use` : 'on no serial port')]
}

function portsOf({ words }: Program): readonly string[] {
  return words.flatMap((word) => SERIAL.exec(word)?.[1] ?? [])
}

/** Of modemd.conf and its drop-ins, as far as they may be read. */
function configurationText(machine: Machine): string {
  const folder = `${dirname(machine.configuration)}/conf.d`
  const files = [machine.configuration, ...machine.ownNames(folder).map((name) => `${folder}/${name}`)]
  return files.map((file) => machine.ownText(file) ?? '').join('\n')
}
