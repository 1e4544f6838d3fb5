/** Hang-ups, whoever speaks first: the cause and its evidence, and that the link is up again by itself. How soon: bench/hang-up.bench.ts. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { GOOD_SIM, PROFILE_FILE, Product, profileText } from './product.ts'

const SECTIONS =
  '[ppp]\nlcp-echo-interval = 500ms\nlcp-echo-failure = 2\n[redial]\nhung-up = 200ms\nmodem-gone = 200ms\necho-lost = 200ms\n'
const FILES = { [PROFILE_FILE]: profileText({ autoconnect: 'yes' }, SECTIONS) }

interface HangUp {
  readonly what: string
  readonly end: readonly string[]
  readonly mend?: readonly string[]
  readonly cause: string
  readonly evidence: RegExp
}

/** Told apart by the personality: one says goodbye by LCP, the other drops the line. */
const HANG_UPS: Readonly<Record<string, readonly HangUp[]>> = {
  'quectel-ec25': [
    { what: 'LCP Terminate-Request', end: ['hangup'], cause: 'hung-up', evidence: /Terminate-Request/ },
    {
      what: 'the network lets go of the modem',
      end: ['network', 'none'],
      mend: ['network', 'home'],
      cause: 'hung-up',
      // By the line itself, or by another port and what +CGACT says then.
      evidence: /NO CARRIER|\+CGACT: 1,0/,
    },
    {
      what: 'echoes that are lost',
      end: ['fault', 'echo-dead', '0'],
      cause: 'echo-lost',
      evidence: /echo/i,
    },
    {
      what: 'a tty that hangs up',
      end: ['fault', 'pty-close', '0.2'],
      cause: 'modem-gone',
      evidence: /no longer there/,
    },
    {
      what: 'a cable that is pulled out',
      end: ['unplug'],
      mend: ['plug'],
      cause: 'modem-gone',
      evidence: /no longer there/,
    },
  ],
  'huawei-e173': [{ what: 'NO CARRIER', end: ['hangup'], cause: 'hung-up', evidence: /NO CARRIER/ }],
}

if (inNamespace(import.meta.url, needs('tun', 'unshare', 'dbus-daemon', 'busctl', 'ip', 'ping'))) {
  for (const [personality, hangUps] of Object.entries(HANG_UPS))
    test(`${personality}: ${hangUps.map(({ what }) => what).join('; ')}`, () =>
      Product.run({ sim: ['--personality', personality, ...GOOD_SIM], files: FILES }, async (product) => {
        await product.untilLink('up')
        for (const { what, end, mend, cause, evidence } of hangUps) {
          const { upSince } = product.link('demo')
          // Echoes are missed only once one came, which nothing shows.
          if (cause === 'echo-lost') await sleep(1200)
          product.sim(...end)
          await product.until(`${what}: it is seen`, () => product.link('demo').upSince !== upSince)
          if (mend) product.sim(...mend)
          await product.untilUpAgain('demo', upSince)
          const story = product.why()
          assert.equal(story.cause, cause, `${what}: ${JSON.stringify(story)}`)
          assert.match(story.causeDetail ?? '', evidence, what)
          product.pings()
        }
        assert.equal(product.stats().sim.refused, 0)
      }))
}
