/** The whole product on a real kernel: modemd dials a virtual modem and brings PPP up with each engine, the system's pppd among them. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { Rig } from '../../support/rig.ts'
import { until } from '../../system/until.ts'

const OPERATOR = '10.64.0.1'
/** What each profile's word for an engine comes to here. */
const ENGINES = { builtin: 'builtin', kernel: 'kernel', pppd: 'pppd', auto: 'kernel' } as const
const PROFILE = `[profile]
apn = internet
username = demo
password = sesame

[ppp]
engine = `
const LIMIT = { timeout: 120_000 }

interface Shown {
  readonly profile: string
  readonly engine?: string
  readonly interface?: string
}

export function testDaemon(): void {
  describe('modemd', () => {
    let started: Promise<Rig> | undefined
    after(async () => (await started)?.stop())

    for (const [engine, taken] of Object.entries(ENGINES))
      test(`modemd with engine = ${engine}: ${taken} carries packets, and leaves nothing`, LIMIT, async () => {
        started ??= startRig()
        const rig = await started
        rig.read('mmctl', 'connect', engine)
        const links: Shown[] = JSON.parse(rig.read('mmctl', 'status', '--json')).links
        const link = links.find(({ profile }) => profile === engine)
        assert.equal(link?.engine, taken)
        assert.match(output('ip', 'addr', 'show', link.interface!), /inet 10\.64\.\d+\.\d+ /)
        assert.equal(hasProcess('pppd'), taken === 'pppd')
        output('ping', '-c', '3', '-i', '0.05', '-w', '20', OPERATOR)
        rig.read('mmctl', 'disconnect', engine)
        assert.doesNotMatch(output('ip', '-br', 'link'), /^ppp/m)
        assert.equal(hasProcess('pppd'), false)
      })
  })
}

async function startRig(): Promise<Rig> {
  writeFileSync('/etc/resolv.conf', '')
  const rig = new Rig({
    sim: ['--register-after', '0s', '--auth', 'chap', '--apn', 'internet:demo:sesame', '--internet', 'tun'],
    files: Object.fromEntries(
      Object.keys(ENGINES).map((engine) => [`etc/modemd/profiles/${engine}.conf`, PROFILE + engine]),
    ),
  })
  await rig.start()
  await until('the modem is registered', () => rig.modems()[0]?.operatorName !== undefined, 60_000)
  return rig
}

function output(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function hasProcess(name: string): boolean {
  return output('ps', '-e', '-o', 'comm=').split('\n').includes(name)
}
